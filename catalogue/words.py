"""An item in plain words for somebody who never heard of it: why, what, who sees it, how long, what one can do.

The numbers come from the item and from the deadline rules in force; nothing here decides anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from catalogue.columns import COLUMNS, Labels, labels
from catalogue.models import Article, CodeValue, DeadlineRule, Field, Item, ItemVersion, PublicationPeriod
from creditfujian.lib import masking
from creditfujian.lib.masking import Profile

Disclosure, Sharing, Reader = ItemVersion.Disclosure, ItemVersion.Sharing, Field.Reader
COURT_DOCUMENTS = ("J", "A")  # judgments and awards are not fought by administrative reconsideration
# Who sees it, for lists: a word and a sentence.
WHO = {
    Disclosure.PUBLIC: ("公开", "公众可以查到，姓名和证件号码脱敏"),
    Disclosure.SHARE: ("共享", "有权部门履行职责时可以查"),
    Disclosure.QUERY_AUTH: ("授权", "经本人授权才能查"),
    Disclosure.SELF: ("本人", "只有本人能查"),
    Disclosure.NONE: ("不披露", "不对外提供，本人可以查"),
}


def months(n: int) -> str:
    """Return a number of months as people say it."""
    return f"{n // 12} 年" if n and n % 12 == 0 else f"{n} 个月"


def who_sees(version: ItemVersion) -> tuple[str, str]:
    """Return in a word and in a sentence who sees records of the item."""
    word, sentence = WHO[Disclosure(version.disclosure)]
    return (word, "经本人单独同意才公开") if version.public_by_consent else (word, sentence)


def until_when(version: ItemVersion) -> str:
    """Return in one line how long records are public and can be queried; needs the periods loaded."""
    query = f"查询 {months(version.query_retention_months)}"
    if version.disclosure != Disclosure.PUBLIC:
        return query
    longest = max((period.max_months for period in version.periods.all()), default=0)
    return f"公示最长 {months(longest)}，{query}" if longest else query


@dataclass(frozen=True)
class Line:
    """A heading and what it says."""

    title: str
    text: str


@dataclass(frozen=True)
class Column:
    """One of the 39 columns of the formal table."""

    number: int
    title: str
    text: str


@dataclass(frozen=True)
class Datum:
    """A data field in words."""

    label: str
    required: bool
    seen_by: str


@dataclass(frozen=True)
class Shown:
    """How long a record of one severity is public, and who says so."""

    severity: str
    text: str
    period: PublicationPeriod


@dataclass(frozen=True)
class Words:
    """An item version in plain words."""

    version: ItemVersion
    seen: str
    until: str
    document: str
    bases: list[Article]
    data: list[Datum]
    left_empty: int
    refused: list[CodeValue]
    readers: list[Line]
    departments: list[Line]
    shown: list[Shown]
    start: str
    query: str
    query_start: str
    query_by: str
    ending: str
    notice: str
    repair_from: list[Line]
    repair_conditions: list[str]
    remedies: list[Line]
    columns: list[Column]


@dataclass(frozen=True)
class Vocabulary:
    """What every item is put into words with, loaded once: code labels, deadlines in force, values never taken."""

    known: Labels
    rules: dict[str, DeadlineRule]
    refused: dict[int, list[CodeValue]]

    @classmethod
    def load(cls, day: date) -> "Vocabulary":
        """Read code sets and deadlines."""
        refused: dict[int, list[CodeValue]] = {}
        for value in CodeValue.objects.exclude(refusal=""):
            refused.setdefault(value.code_set_id, []).append(value)
        rules = {rule.code: rule for rule in DeadlineRule.objects.in_force(day)}
        return cls(labels(), rules, refused)

    def label(self, code_set: str, code: str) -> str:
        """Return a code in words, or the code itself where the set does not know it."""
        return self.known.get((code_set, code), code)

    def time(self, code: str) -> str:
        """Return the period of a deadline in words: "5 个工作日"."""
        rule = self.rules.get(code)
        return f"{rule.n} {rule.get_unit_display()}" if rule else "法定期限"


def in_words(version: ItemVersion, vocabulary: Vocabulary) -> Words:
    """Put a completely loaded version into plain words."""
    fields = list(version.fields.all())
    taken = [field for field in fields if not field.must_be_empty]
    readers = version.lets_in
    sets = {field.code_set_id for field in taken}
    return Words(
        version=version,
        seen=who_sees(version)[1],
        until=until_when(version),
        document=vocabulary.label("DOC", version.document_type),
        bases=list(version.legal_bases.all()),
        data=[Datum(field.label, field.required, _seen_by(field, readers)) for field in taken],
        left_empty=len(fields) - len(taken),
        refused=[value for pk in sets for value in vocabulary.refused.get(pk or 0, [])],
        readers=[_public(version, fields), _department(version), _third_party(version), _person()],
        departments=_departments(version),
        shown=_shown(version),
        start=vocabulary.label("PST", version.period_start),
        query=months(version.query_retention_months),
        query_start=vocabulary.label(
            "PST", "E" if version.item.polarity == Item.Polarity.NEGATIVE else version.period_start
        ),
        query_by=_query_by(version),
        ending=vocabulary.label("RET", version.storage_rule),
        notice=_notice(version, vocabulary),
        repair_from=_repair_from(version, vocabulary),
        repair_conditions=[vocabulary.label("RPC", code) for code in version.repair_conditions],
        remedies=_remedies(version, vocabulary),
        columns=[Column(c.number, c.title, c.text(version, vocabulary.known)) for c in COLUMNS],
    )


def _query_by(version: ItemVersion) -> str:
    who = ["有权的部门"] * version.is_shared + ["您授权的机构"] * (version.disclosure in ItemVersion.WITH_CONSENT)
    return "和".join(who) or "您本人"


def _seen_by(field: Field, readers: frozenset[str]) -> str:
    who = "、".join(Reader(reader).label for reader in field.visible_to if reader in readers)
    if field.mask == "HIDE":
        return f"{who}（内容只给本人看）"
    return who or "不显示给任何人，只用来核对"


def _mask(version: ItemVersion) -> str:
    number = masking.id_number("35990119900101001X", Profile.PUBLIC)
    name = masking.name("陈小满", Profile.PUBLIC, full_if_public=version.public_name_in_full)
    shown = "姓名按公开依据列明全名" if version.public_name_in_full else f"姓名只显示姓氏（如“{name}”）"
    return f"{shown}，证件号码只显示前四位和后两位（如“{number}”）"


def _public(version: ItemVersion, fields: Iterable[Field]) -> Line:
    if version.disclosure != Disclosure.PUBLIC:
        return Line("公众", "看不到，任何时候都不公开。")
    how = "须输入完整姓名和证件号码（或文书号）才能查到，不能按名单浏览。" + _mask(version) + "。"
    if version.public_by_consent:
        return Line("公众", f"只有您单独同意后才公开，您随时可以撤回同意。{how}")
    if any(field.binds == Field.Binding.PUBLIC_MARK for field in fields):
        return Line("公众", f"作出机关逐件标明“依法公开”的，在公示期内可以查到；没有标明的查不到。{how}")
    return Line("公众", f"在公示期内可以查到。{how}")


def _department(version: ItemVersion) -> Line:
    logged = "每次查询先登记事由、依据和案件编号，您在“谁查了我”里看得到。"
    if not version.is_shared:
        return Line("其他部门", "不共享，其他部门看不到。")
    if version.sharing == Sharing.UNCONDITIONAL:
        return Line("其他部门", f"行政机关办理法定职责内的事项需要时可以查。{logged}")
    if version.scopes.all():
        return Line("其他部门", f"只有下面列出的部门，办理列出的事项时可以查。{logged}")
    return Line("其他部门", f"只有经省信用办批准、办理法定职责内事项的部门可以查，目前没有列明。{logged}")


def _departments(version: ItemVersion) -> list[Line]:
    if version.sharing != Sharing.CONDITIONAL or not version.is_shared:
        return []
    return [Line(scope.organisation.name, scope.duty_name) for scope in version.scopes.all()]


def _third_party(version: ItemVersion) -> Line:
    if version.disclosure in ItemVersion.WITH_CONSENT:
        return Line("银行、用人单位等机构", "须有您本人的授权，只能看授权写明的内容；您可以不授权，也可以随时撤回。")
    return Line("银行、用人单位等机构", "不提供。")


def _person() -> Line:
    return Line("您本人", "随时可以看到全部内容和来源，不收费，不限次数（个人信息保护法第四十五条）。")


def _shown(version: ItemVersion) -> list[Shown]:
    if version.disclosure != Disclosure.PUBLIC:
        return []
    return [Shown(_severity(p), _span(p), p) for p in version.periods.all()]


def _severity(period: PublicationPeriod) -> str:
    return f"{period.get_severity_display()}失信" if period.severity else "不分失信程度"


def _span(period: PublicationPeriod) -> str:
    if not period.max_months:
        return "不公示"
    if not period.min_months:
        return f"最长公示 {months(period.max_months)}，到期当天自动撤下"
    return f"最短公示 {months(period.min_months)}，最长公示 {months(period.max_months)}，到期当天自动撤下"


def _notice(version: ItemVersion, vocabulary: Vocabulary) -> str:
    if version.notice_mode == ItemVersion.Notice.BEFORE:
        return f"报送之前由提供单位告知您，您有 {vocabulary.time('D03')} 可以陈述、申辩。"
    if version.notice_mode == ItemVersion.Notice.WITH_DOCUMENT:
        return "认定文书送达您时，同时告知会记入公共信用信息、期限多长、怎样修复。"
    return "依法应当公开，不另行告知。您随时可以在“我的信用”里看到。"


def _repair_from(version: ItemVersion, vocabulary: Vocabulary) -> list[Line]:
    """Return from when repair can be applied for, by severity."""
    if version.item.polarity != Item.Polarity.NEGATIVE or not version.repairable:
        return []
    start = vocabulary.label("PST", "D")
    return [
        Line(_severity(p), f"{start}起满 {months(p.min_months)}后" if p.min_months else "履行完义务即可")
        for p in version.periods.all()
    ] or [Line("任何时候", "履行完义务即可")]


def _remedies(version: ItemVersion, vocabulary: Vocabulary) -> list[Line]:
    time, found = vocabulary.time, []
    if version.item.polarity == Item.Polarity.POSITIVE and version.opt_out:
        found.append(Line("不想被记入", "可以申请不记入，不需要理由；已经记入的会删去，对您没有任何不利。"))
    found.append(
        Line(
            "认为记录有错", "可以向提供单位或者省信用办提出异议，不收费。收到后马上标注“存在异议”，"
            f"转给提供单位后 {time('D13')}内答复，全部办完不超过 {time('D14')}。",
        )
    )  # fmt: skip
    if version.document_type in COURT_DOCUMENTS:
        found.append(
            Line(
                "对裁判文书不服", f"向作出文书的机构依法申请救济；失信信息有错的，查实后 {time('D23')}内更正或者撤回。"
            )
        )
    else:
        found.append(
            Line(
                "不服机关的决定", f"可以自知道之日起 {time('D24')}内申请行政复议，或者 {time('D25')}内提起行政诉讼。"
                "决定被撤销的，记录随之撤下。",
            )
        )  # fmt: skip
    return found
