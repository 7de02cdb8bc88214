"""The 39 columns of the provincial catalogue (domain §3.2), each defined once: heading and how it reads.

Pages, downloads, differences between editions and the spreadsheet that comes back all use this list.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Prefetch, QuerySet

from catalogue.models import Article, CodeValue, Field, ItemVersion, Level

Labels = dict[tuple[str, str], str]


@dataclass(frozen=True)
class Column:
    """A column: its number and heading in the catalogue, its name in code, and its text for a version."""

    number: int
    title: str
    name: str
    text: Callable[[ItemVersion, Labels], str]


def labels() -> Labels:
    """Return the label of every code, by set and code, in one query."""
    values = CodeValue.objects.values_list("code_set__code", "code", "label")
    return {(code_set, code): label for code_set, code, label in values}


def complete(versions: "QuerySet[ItemVersion]") -> "QuerySet[ItemVersion]":
    """Load everything that the columns read, in a number of queries that does not grow with the rows."""
    related = (
        "item__provider",
        "territory",
        "disclosure_basis__instrument",
        "no_repair_basis__instrument",
        "assessment",
    )
    bases = Prefetch("legal_bases", Article.objects.select_related("instrument").order_by("instrument__level", "id"))
    fields = Prefetch("fields", Field.objects.select_related("code_set").order_by("position"))
    return versions.select_related(*related).prefetch_related(
        bases, fields, "periods__basis__instrument", "scopes__organisation"
    )


def _coded(code_set: str, name: str) -> Callable[[ItemVersion, Labels], str]:
    def text(version: ItemVersion, known: Labels) -> str:
        value = getattr(version, name)
        return f"{value} {known[code_set, value]}" if (code_set, value) in known else value

    return text


def _yes(name: str) -> Callable[[ItemVersion, Labels], str]:
    return lambda version, known: "是" if getattr(version, name) else "否"


def _plain(name: str) -> Callable[[ItemVersion, Labels], str]:
    return lambda version, known: str(getattr(version, name) or "")


def _lines(rows: Iterable[object]) -> str:
    return "\n".join(map(str, rows))


def basis_level(version: ItemVersion) -> str:
    """Return the highest level among the legal bases (column 8, derived)."""
    levels = [article.instrument.level for article in version.legal_bases.all()]
    return Level(min(levels)).label if levels else ""


def _periods(which: str) -> Callable[[ItemVersion, Labels], str]:
    return lambda version, known: "；".join(
        f"{period.get_severity_display()} {getattr(period, which)}" for period in version.periods.all()
    )


def _fields(version: ItemVersion, known: Labels) -> str:
    return _lines(field_line(field) for field in version.fields.all())


def field_line(field: Field) -> str:
    """Return a field in one line: code, label, type and length, required, who sees it, code set."""
    parts = [
        field.code, field.label, f"{field.get_datatype_display()}（{field.length}）", "必填" if field.required else "选填",
        f"可见：{field.readers}",
    ]  # fmt: skip
    if field.code_set:
        parts.append(f"代码集 {field.code_set.code}")
    if field.must_be_empty:
        parts.append("自然人应为空")
    return "｜".join(parts)


def _effective(version: ItemVersion, known: Labels) -> str:
    last = version.effective.upper - timedelta(days=1) if version.effective.upper else "长期"
    return f"第 {version.version} 版，{version.effective.lower} 至 {last}"


def _conditions(version: ItemVersion, known: Labels) -> str:
    return "；".join(known.get(("RPC", code), code) for code in version.repair_conditions)


COLUMNS = (
    Column(1, "条目编码", "code", lambda v, k: v.item.code),
    Column(2, "条目名称", "name", _plain("name")),
    Column(3, "信息类别", "category", lambda v, k: f"{v.item.category} {k.get(('CAT', v.item.category), '')}".strip()),
    Column(4, "信息性质", "polarity", lambda v, k: f"{v.item.polarity} {v.item.get_polarity_display()}"),
    Column(5, "主体类型", "subject_type", lambda v, k: "1 自然人"),
    Column(6, "对应的具体行为", "behaviour", _plain("behaviour")),
    Column(7, "法律政策依据", "legal_bases", lambda v, k: _lines(v.legal_bases.all())),
    Column(8, "依据层级", "basis_level", lambda v, k: basis_level(v)),
    Column(9, "公开依据", "disclosure_basis",
           lambda v, k: "经本人单独同意" if v.public_by_consent else str(v.disclosure_basis or "")),
    Column(10, "提供单位", "provider", lambda v, k: v.item.provider.name),
    Column(11, "归集来源和渠道", "source_channel", _coded("SRC", "source_channel")),
    Column(12, "来源层级", "source_level", _plain("source_level")),
    Column(13, "适用区域", "territory", lambda v, k: f"{v.territory_id} {v.territory.name}"),
    Column(14, "公开属性", "disclosure", lambda v, k: v.get_disclosure_display()),
    Column(15, "政务共享属性", "sharing", lambda v, k: v.get_sharing_display()),
    Column(16, "共享范围", "scopes", lambda v, k: _lines(f"{s.organisation.name} {s.duty_code} {s.duty_name}"
                                                     for s in v.scopes.all())),
    Column(17, "更新频次", "update_freq", _coded("FRQ", "update_freq")),
    Column(18, "报送时限", "supply_deadline", lambda v, k: f"{v.supply_days} {v.get_supply_unit_display()}"),
    Column(19, "认定文书类型", "document_type", _coded("DOC", "document_type")),
    Column(20, "失信程度", "severity_rule", lambda v, k: v.get_severity_rule_display()),
    Column(21, "最短公示期（月）", "min_disclosure_months", _periods("min_months")),
    Column(22, "最长公示期（月）", "max_disclosure_months", _periods("max_months")),
    Column(23, "查询披露期限（月）", "query_retention_months", _plain("query_retention_months")),
    Column(24, "保存期限及到期处理", "storage_rule", _coded("RET", "storage_rule")),
    Column(25, "期限起算点", "period_start", _coded("PST", "period_start")),
    Column(26, "可否修复", "repairable",
           lambda v, k: "可以" if v.repairable else f"不可修复：{v.no_repair_basis}"),
    Column(27, "修复条件", "repair_conditions", _conditions),
    Column(28, "是否敏感个人信息", "sensitive", _yes("sensitive")),
    Column(29, "影响评估编号", "assessment", lambda v, k: v.assessment.number if v.assessment else ""),
    Column(30, "数据项", "fields", _fields),
    Column(31, "脱敏规则", "masking_profile", _coded("MSK", "masking_profile")),
    Column(32, "关联惩戒、激励措施", "linked_measures", lambda v, k: "；".join(v.linked_measures)),
    Column(33, "主体告知方式", "notice_mode", lambda v, k: v.get_notice_mode_display()),
    Column(34, "可否本人申请不记入", "opt_out", _yes("opt_out")),
    Column(35, "版本、生效、失效", "effective", _effective),
    Column(36, "征求意见情况", "consultation_note", _plain("consultation_note")),
    Column(37, "状态", "state", lambda v, k: v.get_state_display()),
    Column(38, "国家目录对应条目", "national_ref", _plain("national_ref")),
    Column(39, "修订说明", "change_note", _plain("change_note")),
)  # fmt: skip


def texts(version: ItemVersion, known: Labels) -> dict[str, str]:
    """Return every column's text for a completely loaded version, by column name."""
    return {column.name: column.text(version, known) for column in COLUMNS}
