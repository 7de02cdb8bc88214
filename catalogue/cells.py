"""The columns of the catalogue as cells that people edit in a spreadsheet: each is written and read here, once.

Where a cell holds a code, its first word counts and the rest is for the reader. docs/catalogue-exchange.md says how
each is written.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from typing import Any

from django.core.exceptions import ValidationError

from accounts.models import Organisation, Region
from catalogue import field_cells
from catalogue.columns import COLUMNS, Labels, labels
from catalogue.models import Article, CodeSet, CodeValue, Confidence, ItemVersion, PublicationPeriod

Said = dict[str, Any]  # what a cell says, by attribute of the version or by part; values that can be compared
_SEPARATORS = re.compile("[；;\n]")
_DAY = r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?"
_EFFECTIVE = re.compile(rf"(?:第\s*\d+\s*版[，,]?)?\s*{_DAY}\s*(?:至\s*(?:长期|{_DAY}))?$")
_DEADLINE = re.compile(r"(\d{1,4})\s*(个工作日|日|WD|ND)$")
_SEVERITY = re.compile(r"([0-3])\s*[^：:｜\d]*[：:]\s*(\d{1,3})\s*(?:｜(.*))?$")


class Kind(Enum):
    """What an import does with a column."""

    KEY = "names the item"
    RULE = "is proposed as it stands in the sheet"
    FIXED = "belongs to the item and never changes"
    OTHERS = "is written by others or worked out; a change is left aside with a note"


@dataclass(frozen=True)
class Known:
    """What cells may refer to, read once for a whole sheet."""

    labels: Labels
    codes: dict[str, dict[str, str]]
    code_sets: dict[str, CodeSet]
    articles: dict[tuple[str, str], Article]
    regions: frozenset[str]
    organisations: dict[str, int]

    @classmethod
    def load(cls) -> "Known":
        """Read the tables."""
        codes: dict[str, dict[str, str]] = {}
        for code_set, code, label in CodeValue.objects.filter(refusal="").values_list(
            "code_set__code", "code", "label"
        ):
            codes.setdefault(code_set, {})[code] = label
        articles = Article.objects.select_related("instrument")
        known = Organisation.objects.values_list("pk", "uscc", "name")
        return cls(
            labels=labels(), codes=codes, code_sets={one.code: one for one in CodeSet.objects.all()},
            articles={(one.instrument.code, one.number): one for one in articles},
            regions=frozenset(Region.objects.values_list("pk", flat=True)),
            organisations={key: pk for pk, uscc, name in known for key in (name, uscc)},
        )  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """A column of the sheet: how it is written, what a version says in it, how it is read."""

    name: str
    title: str
    write: Callable[[ItemVersion, Labels], str]
    kind: Kind = Kind.RULE
    say: Callable[[ItemVersion], Said] = lambda version: {}
    read: Callable[[str, Known], Said] = lambda text, known: {}
    choices: Callable[[Known], list[str]] = lambda known: []


def normal(text: str) -> str:
    """Return a cell's text without what spreadsheets change by themselves: line ends, outer spaces."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.strip() for line in lines).strip()


def first_word(text: str) -> str:
    """Return the code in front of the words for the reader."""
    return text.split(None, 1)[0] if text.split() else ""


# --- articles ----------------------------------------------------------------------------------------------


def reference(article: Article | None) -> str:
    """Return an article as 文件代码/条款 with the title for the reader."""
    return f"{article.instrument.code}/{article.number} {article.instrument}" if article else ""


def find_article(text: str, known: Known) -> int:
    """Return the article that a reference names. Raises ValidationError."""
    code, _, number = text.split("《", 1)[0].strip().partition("/")
    if found := known.articles.get((code.strip(), number.strip())):
        return found.pk
    raise ValidationError(
        f"“{text[:40]}”不是已登记的条款。请写成 文件代码/条款，如 XZCFF/第四十八条；没有登记的，先请省信用办登记法规文件。"
    )


def _read_bases(text: str, known: Known) -> Said:
    found, wrong = set(), []
    for line in filter(None, normal(text).split("\n")):
        try:
            found.add(find_article(line, known))
        except ValidationError as error:
            wrong += error.messages
    if wrong:
        raise ValidationError(wrong)
    return {"legal_bases": frozenset(found)}


CONSENT = "经本人单独同意"


def _write_disclosure_basis(version: ItemVersion, known: Labels) -> str:
    lines = [reference(version.disclosure_basis), CONSENT if version.public_by_consent else ""]
    return "\n".join(filter(None, lines))


def _read_disclosure_basis(text: str, known: Known) -> Said:
    lines = list(filter(None, normal(text).split("\n")))
    named = [line for line in lines if line != CONSENT]
    if len(named) > 1:
        raise ValidationError(f"只能写一个公开依据条款；经同意公开的另起一行写“{CONSENT}”。")
    basis = find_article(named[0], known) if named else None
    return {"disclosure_basis_id": basis, "public_by_consent": CONSENT in lines}


def _write_repairable(version: ItemVersion, known: Labels) -> str:
    return "可以" if version.repairable else f"不可修复：{reference(version.no_repair_basis)}"


def _read_repairable(text: str, known: Known) -> Said:
    if normal(text) == "可以":
        return {"repairable": True, "no_repair_basis_id": None}
    verdict, _, basis = normal(text).replace(":", "：").partition("：")
    if verdict not in ("不可修复", "不可以") or not basis.strip():
        raise ValidationError("请写“可以”，或者写“不可修复：文件代码/条款”。")
    return {"repairable": False, "no_repair_basis_id": find_article(basis, known)}


# --- plain values ------------------------------------------------------------------------------------------


def _attribute(name: str) -> Callable[[ItemVersion], Said]:
    return lambda version: {name: getattr(version, name)}


def _text(name: str, *, needed: bool = False) -> dict[str, Any]:
    limit = ItemVersion._meta.get_field(name).max_length or 0  # type: ignore[union-attr]

    def read(text: str, known: Known) -> Said:
        said = normal(text)
        if needed and not said:
            raise ValidationError("不能为空，请填写。")
        if len(said) > limit:
            raise ValidationError(f"有 {len(said)} 个字，最多 {limit} 个字。请缩短。")
        return {name: said}

    return {"write": lambda version, known: getattr(version, name), "say": _attribute(name), "read": read}


def _whole_number(name: str) -> dict[str, Any]:
    def read(text: str, known: Known) -> Said:
        if not re.fullmatch(r"\d{1,4}", normal(text)):
            raise ValidationError(f"“{text[:20]}”不是整数。请只写数字，如 60。")
        return {name: int(normal(text))}

    return {"write": lambda version, known: str(getattr(version, name)), "say": _attribute(name), "read": read}


def _yes(name: str) -> dict[str, Any]:
    def read(text: str, known: Known) -> Said:
        if normal(text) not in ("是", "否"):
            raise ValidationError("请写“是”或“否”。")
        return {name: normal(text) == "是"}

    return {
        "write": lambda version, known: "是" if getattr(version, name) else "否",
        "say": _attribute(name), "read": read, "choices": lambda known: ["是", "否"],
    }  # fmt: skip


def pick(text: str, allowed: dict[str, str]) -> str:
    """Return the code that a text names by itself, with its label, or by the label alone. Raises ValidationError."""
    said = normal(text)
    if (code := first_word(said)) in allowed:
        return code
    for code, label in allowed.items():
        if said == label:
            return code
    listed = "、".join(with_label(code, label) for code, label in list(allowed.items())[:12])
    raise ValidationError(f"“{said[:20]}”不在可填的值内。可填：{listed}。")


def with_label(code: str, label: str) -> str:
    """Return a code and what it means."""
    return code if label in ("", code) else f"{code} {label}"


def _coded(name: str, code_set: str, *, blank: bool = False) -> dict[str, Any]:
    def write(version: ItemVersion, known: Labels) -> str:
        return with_label(getattr(version, name), known.get((code_set, getattr(version, name)), ""))

    def read(text: str, known: Known) -> Said:
        return {name: "" if blank and not normal(text) else pick(text, known.codes.get(code_set, {}))}

    return {
        "write": write, "say": _attribute(name), "read": read,
        "choices": lambda known: [with_label(*pair) for pair in known.codes.get(code_set, {}).items()],
    }  # fmt: skip


def _choice(name: str) -> dict[str, Any]:
    allowed = {str(code): str(label) for code, label in ItemVersion._meta.get_field(name).choices or ()}  # type: ignore[union-attr]
    return {
        "write": lambda version, known: with_label(getattr(version, name), allowed.get(getattr(version, name), "")),
        "say": _attribute(name),
        "read": lambda text, known: {name: pick(text, allowed)},
        "choices": lambda known: [with_label(code, label) for code, label in allowed.items()],
    }


def _listed(name: str, code_set: str = "") -> dict[str, Any]:
    """Several values, one a line or with ； between them."""

    def write(version: ItemVersion, known: Labels) -> str:
        return "\n".join(with_label(value, known.get((code_set, value), "")) for value in getattr(version, name))

    def read(text: str, known: Known) -> Said:
        values = [part.strip() for part in _SEPARATORS.split(normal(text)) if part.strip()]
        if code_set:
            values = [pick(value, known.codes.get(code_set, {})) for value in values]
        return {name: list(dict.fromkeys(values))}

    return {"write": write, "say": lambda version: {name: list(getattr(version, name))}, "read": read}


# --- columns of their own shape ------------------------------------------------------------------------------


def _read_territory(text: str, known: Known) -> Said:
    if (code := first_word(normal(text))) not in known.regions:
        raise ValidationError(f"“{text[:20]}”不是行政区划代码。请写六位代码，如 350000 福建省。")
    return {"territory_id": code}


def _write_scopes(version: ItemVersion, known: Labels) -> str:
    return "\n".join(
        f"{scope.organisation.uscc} {scope.organisation.name}｜{scope.duty_code}｜{scope.duty_name}"
        for scope in version.scopes.all()
    )


def _say_scopes(version: ItemVersion) -> Said:
    scopes = version.scopes.all()
    return {"scopes": frozenset((one.organisation_id, one.duty_code, one.duty_name) for one in scopes)}


def _read_scopes(text: str, known: Known) -> Said:
    found = set()
    for line in filter(None, normal(text).split("\n")):
        parts = [part.strip() for part in line.split("｜")]
        if len(parts) != 3 or not all(parts):
            raise ValidationError(f"“{line[:30]}”不完整。每行写：单位（统一社会信用代码或全称）｜事项编码｜事项名称。")
        unit = known.organisations.get(first_word(parts[0])) or known.organisations.get(parts[0])
        if unit is None:
            raise ValidationError(f"没有登记“{parts[0][:40]}”。请写单位的统一社会信用代码或全称。")
        found.add((unit, parts[1], parts[2]))
    return {"scopes": frozenset(found)}


def _read_deadline(text: str, known: Known) -> Said:
    if not (said := _DEADLINE.match(normal(text))):
        raise ValidationError(f"“{text[:20]}”不是时限。请写成“7 个工作日”或“30 日”。")
    return {"supply_days": int(said[1]), "supply_unit": {"个工作日": "WD", "日": "ND"}.get(said[2], said[2])}


def _severity(period: PublicationPeriod) -> str:
    return f"{period.severity} {period.get_severity_display()}"


def _write_min(version: ItemVersion, known: Labels) -> str:
    return "\n".join(f"{_severity(period)}：{period.min_months}" for period in version.periods.all())


def _write_max(version: ItemVersion, known: Labels) -> str:
    return "\n".join(
        f"{_severity(period)}：{period.max_months}｜{reference(period.basis)}｜{period.get_confidence_display()}"
        for period in version.periods.all()
    )


def _severity_lines(text: str) -> list[tuple[int, int, list[str]]]:
    found = []
    for line in filter(None, normal(text).split("\n")):
        if not (said := _SEVERITY.match(line)):
            raise ValidationError(f"“{line[:30]}”看不懂。每种失信程度写一行，如“2 一般：3”。")
        found.append((int(said[1]), int(said[2]), [part.strip() for part in (said[3] or "").split("｜")]))
    if len({severity for severity, _, _ in found}) < len(found):
        raise ValidationError("同一失信程度写了两行。请留一行。")
    return found


def _read_min(text: str, known: Known) -> Said:
    return {"min_months": {severity: months for severity, months, _ in _severity_lines(text)}}


def _read_max(text: str, known: Known) -> Said:
    said = {}
    for severity, months, rest in _severity_lines(text):
        if not rest[0]:
            raise ValidationError("最长公示期须写明依据，如“2 一般：12｜FGW36/公示期条款”。")
        sure = pick(rest[1], dict(Confidence.choices)) if len(rest) > 1 and rest[1] else Confidence.MEDIUM.value
        said[severity] = (months, find_article(rest[0], known), sure)
    return {"max_months": said}


def _say_max(version: ItemVersion) -> Said:
    return {
        "max_months": {one.severity: (one.max_months, one.basis_id, one.confidence) for one in version.periods.all()}
    }


def _read_effective(text: str, known: Known) -> Said:
    if not (said := _EFFECTIVE.match(normal(text))):
        raise ValidationError("请写成“2027-01-01 至 长期”或“2027-01-01 至 2029-12-31”。")
    try:
        first = date(*map(int, said.groups()[:3]))
        last = date(*map(int, said.groups()[3:])) if said[4] else None
    except ValueError:
        raise ValidationError(f"“{text[:30]}”里有不存在的日期。请核对。") from None
    if last and last < first:
        raise ValidationError("失效日期早于生效日期。请核对。")
    return {"effective": (first, last + timedelta(days=1) if last else None)}


def stated_version(text: str) -> int | None:
    """Return the number of the version that a row was exported from."""
    said = re.match(r"第\s*(\d+)\s*版", normal(text))
    return int(said[1]) if said else None


# --- the sheet -----------------------------------------------------------------------------------------------

_RULES: dict[str, dict[str, Any]] = {
    "name": _text("name", needed=True),
    "behaviour": _text("behaviour", needed=True),
    "legal_bases": {
        "write": lambda version, known: "\n".join(reference(article) for article in version.legal_bases.all()),
        "say": lambda version: {"legal_bases": frozenset(article.pk for article in version.legal_bases.all())},
        "read": _read_bases,
    },
    "disclosure_basis": {
        "write": _write_disclosure_basis, "read": _read_disclosure_basis,
        "say": lambda v: {"disclosure_basis_id": v.disclosure_basis_id, "public_by_consent": v.public_by_consent},
    },
    "source_channel": _coded("source_channel", "SRC"),
    "source_level": _coded("source_level", "LVL"),
    "territory": {
        "write": lambda version, known: f"{version.territory_id} {version.territory.name}",
        "say": _attribute("territory_id"), "read": _read_territory,
    },
    "disclosure": _choice("disclosure"),
    "sharing": _choice("sharing"),
    "scopes": {"write": _write_scopes, "say": _say_scopes, "read": _read_scopes},
    "update_freq": _coded("update_freq", "FRQ"),
    "supply_deadline": {
        "write": lambda version, known: f"{version.supply_days} {version.get_supply_unit_display()}",
        "say": lambda v: {"supply_days": v.supply_days, "supply_unit": v.supply_unit}, "read": _read_deadline,
    },
    "document_type": _coded("document_type", "DOC", blank=True),
    "severity_rule": _choice("severity_rule"),
    "min_disclosure_months": {
        "write": _write_min, "read": _read_min,
        "say": lambda version: {"min_months": {one.severity: one.min_months for one in version.periods.all()}},
    },
    "max_disclosure_months": {"write": _write_max, "say": _say_max, "read": _read_max},
    "query_retention_months": _whole_number("query_retention_months"),
    "storage_rule": _coded("storage_rule", "RET"),
    "period_start": _coded("period_start", "PST"),
    "repairable": {
        "write": _write_repairable, "read": _read_repairable,
        "say": lambda v: {"repairable": v.repairable, "no_repair_basis_id": v.no_repair_basis_id},
    },
    "repair_conditions": _listed("repair_conditions", "RPC"),
    "sensitive": _yes("sensitive"),
    "fields": {
        "write": lambda version, known: field_cells.write(version), "say": lambda v: {"fields": field_cells.say(v)},
    },
    "masking_profile": _coded("masking_profile", "MSK"),
    "linked_measures": _listed("linked_measures"),
    "notice_mode": _choice("notice_mode"),
    "opt_out": _yes("opt_out"),
    "effective": {
        "say": lambda version: {"effective": (version.effective.lower, version.effective.upper)},
        "read": _read_effective,
    },
    "national_ref": _text("national_ref"),
    "change_note": _text("change_note"),
}  # fmt: skip
_KINDS = {
    "code": Kind.KEY,
    **dict.fromkeys(("category", "polarity", "subject_type", "provider"), Kind.FIXED),
    **dict.fromkeys(("basis_level", "assessment", "consultation_note", "state"), Kind.OTHERS),
}

CELLS = (
    *(
        Cell(
            column.name, column.title, kind=_KINDS.get(column.name, Kind.RULE),
            **{"write": column.text, **_RULES.get(column.name, {})},
        )
        for column in COLUMNS
    ),
    # Two rules of a version that share a column of the catalogue with another one.
    Cell("ministry_rule_reason", "以部门规章为依据的理由", **_text("ministry_rule_reason")),
    Cell("public_name_in_full", "公示时列明全名", **_yes("public_name_in_full")),
)  # fmt: skip
BY_NAME = {cell.name: cell for cell in CELLS}
BY_TITLE = {cell.title: cell for cell in CELLS}


def say(version: ItemVersion) -> Said:
    """Return everything that a version rules, as its cells say it."""
    return {key: value for cell in CELLS if cell.kind is Kind.RULE for key, value in cell.say(version).items()}
