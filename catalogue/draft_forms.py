"""The form of a draft: all its columns in sections, its tables of rows, and where a sentence stands."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.backends.postgresql.psycopg_any import DateRange
from django.forms.utils import ErrorDict, ErrorList

from accounts.models import Organisation, User
from catalogue.actions import refuse_prohibited_fields, write_draft
from catalogue.forms import (
    EMPTY,
    ArticlePicker,
    Choices,
    DateInput,
    WordsField,
    article_choices,
    code_choices,
    short,
    with_more_rows,
)
from catalogue.models import CodeSet, Field, ItemVersion, PublicationPeriod, SharingScope

# Which code set a column's values come from.
CODED = {
    "source_channel": "SRC", "source_level": "LVL", "update_freq": "FRQ", "document_type": "DOC",
    "storage_rule": "RET", "period_start": "PST", "masking_profile": "MSK", "repair_conditions": "RPC",
}  # fmt: skip


@dataclass(frozen=True)
class Section:
    """A part of the form of a draft: heading, what it is about, its fields, its table of rows."""

    name: str
    title: str
    about: str
    fields: tuple[str, ...]
    rows: str = ""


SECTIONS = (
    Section("item", "条目", "记什么，在哪里适用。",
            ("name", "behaviour", "national_ref", "territory", "source_level")),
    Section("basis", "法律政策依据", "没有依据不归集。失信类条目须以法律、行政法规或党中央、国务院政策文件为依据。",
            ("legal_bases", "ministry_rule_reason")),
    Section("disclosure", "公开与共享", "谁能看到。公开公示须另有公开依据；共享范围写到单位和事项。",
            ("disclosure", "disclosure_basis", "public_by_consent", "public_name_in_full", "masking_profile", "sharing"),
            "scopes"),
    Section("supply", "归集与报送", "从哪里来，多久报一次，凭什么文书。",
            ("source_channel", "update_freq", "supply_days", "supply_unit", "document_type")),
    Section("periods", "失信程度与期限", "公开多久，能查多久，到期怎么处理。",
            ("severity_rule", "query_retention_months", "storage_rule", "period_start"), "periods"),
    Section("repair", "信用修复", "当事人怎样才能提前结束公示。",
            ("repairable", "repair_conditions", "no_repair_basis")),
    Section("notice", "告知与本人权利", "当事人怎样知道，能不能不记入。",
            ("notice_mode", "opt_out", "sensitive", "linked_measures")),
    Section("fields", "数据项", "归集哪些内容。清单之外一律不收；姓名、证件号码、文书号、认定日期必须有。", (), "fields"),
    Section("effective", "生效与修订说明", "从哪一天起适用，这次改了什么。", ("effective_from", "change_note")),
)  # fmt: skip
HELP = {
    "name": "与依据中的叫法一致。",
    "behaviour": "依据写明的行为，不要概括扩大。",
    "national_ref": "全国基础目录里对应的条目；地方补充目录的条目不能与全国目录重复。",
    "territory": "地方补充条目只能在法规适用的地域内。",
    "legal_bases": "勾选所依据的条款，提交前至少选一条，可以多选。单击文件名展开。",
    "ministry_rule_reason": "只有严重失信主体名单、且该领域没有更高层级的依据时，才可以用部门规章，并在这里写明理由。",
    "disclosure": "没有充分理由时选“依授权查询”。",
    "disclosure_basis": "规定可以向社会公开的条款，与上面的归集依据分开选；选了“公开公示”才需要。",
    "public_by_consent": "没有公开依据，但经本人单独同意才公开的（个人信息保护法第二十五条）。",
    "public_name_in_full": "不勾选时，公示页只显示姓名的一部分。只有公开依据写明点名的才勾选。",
    "masking_profile": "显示给外部时遮去多少。",
    "sharing": "选“有条件共享”的，在下面列出共享给谁、用于什么事项。",
    "supply_days": "文书生效后多少天内报送，一般为 7 个工作日。",
    "document_type": "失信类条目必须有认定文书。",
    "severity_rule": "失信类条目按文书确定；守信类和基础类选“不适用”。",
    "query_retention_months": "失信类最长 60 个月，守信类最长 36 个月。",
    "period_start": "期限从哪一天算起。",
    "repairable": "去掉勾选表示不可修复，须选下面的不可修复依据。",
    "repair_conditions": "可以修复的失信类条目至少选一项。",
    "no_repair_basis": "法律、法规或党中央、国务院政策文件明确规定不可修复的条款。",
    "notice_mode": "失信类一般与文书同时送达告知。",
    "opt_out": "守信类条目必须允许本人申请不记入。",
    "sensitive": "失信类一般勾选；勾选后须有影响评估。",
    "linked_measures": "措施编号，用“、”隔开；没有就不填。",
    "effective_from": "不能早于发布目录的日期；修订版从这一天起替代现行版。",
    "change_note": "修订版必填：改了什么，为什么改。",
}
# Where the sentence of a constraint stands.
_BESIDE = {
    "itemversion_public_needs_a_basis_of_its_own": "disclosure_basis",
    "itemversion_full_name_only_if_public": "public_name_in_full",
    "itemversion_consent_to_publish_only_if_public": "public_by_consent",
    "itemversion_no_repair_needs_a_basis": "no_repair_basis",
    "itemversion_query_period_is_at_most_five_years": "query_retention_months",
}
_FIELD_OF_SENTENCE = {
    str(constraint.violation_error_message): _BESIDE[constraint.name]
    for constraint in ItemVersion._meta.constraints
    if constraint.name in _BESIDE
}


class DraftForm(forms.ModelForm):
    """All columns that a department writes, except the tables of rows."""

    linked_measures = WordsField(label="关联惩戒、激励措施", word_length=20)
    effective_from = forms.DateField(label="生效日期", widget=DateInput())

    class Meta:
        model = ItemVersion
        fields = [name for section in SECTIONS for name in section.fields if name != "effective_from"]
        widgets = {
            "behaviour": forms.Textarea(attrs={"rows": 3}), "change_note": forms.Textarea(attrs={"rows": 2}),
            "ministry_rule_reason": forms.Textarea(attrs={"rows": 2}), "legal_bases": ArticlePicker,
        }  # fmt: skip

    def __init__(self, data: Any = None, *, version: ItemVersion, articles: Choices) -> None:
        super().__init__(data, instance=version, initial={"effective_from": version.effective.lower})
        codes = code_choices(*CODED.values())
        for name, code_set in CODED.items():
            self.fields[name] = self._coded(name, codes[code_set])
        self.fields["legal_bases"].choices = articles  # type: ignore[attr-defined]
        self.fields["legal_bases"].required = False  # a draft may be unfinished; the rules tell what is missing
        for name in ("disclosure_basis", "no_repair_basis"):
            self.fields[name].choices = short(articles)  # type: ignore[attr-defined]
        self.fields["change_note"].required = version.version > 1
        for name, text in HELP.items():
            self.fields[name].help_text = text

    def _coded(self, name: str, choices: Choices) -> forms.Field:
        plain = self.fields[name]
        if name == "repair_conditions":
            return forms.MultipleChoiceField(
                label=plain.label, choices=choices, required=False, widget=forms.CheckboxSelectMultiple
            )
        first = [EMPTY] if not plain.required or not self.initial.get(name) else []
        return forms.ChoiceField(label=plain.label, choices=[*first, *choices], required=plain.required)

    def add_error(self, field: str | None, error: Any) -> None:
        """Put the sentence of a constraint beside the column it is about."""
        if field is None and isinstance(error, ValidationError) and hasattr(error, "error_dict"):
            for name, problems in error.error_dict.items():
                for one in problems:
                    where = name if name in self.fields else _FIELD_OF_SENTENCE.get(one.messages[0])
                    super().add_error(where, one)
            return
        super().add_error(field, error)

    def values(self) -> dict[str, Any]:
        """Return the columns of a valid form, for the action that writes a draft."""
        data = dict(self.cleaned_data)
        begins = data.pop("effective_from")
        data.pop("legal_bases")
        return {**data, "effective": DateRange(begins, None)}


class FieldRow(forms.ModelForm):
    """One data field."""

    aliases = WordsField(label="别名", word_length=60, by_line=True, help_text="来文中的其他叫法，一行一个")
    visible_to = forms.MultipleChoiceField(
        label="谁能看到", choices=Field.Reader, required=False, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Field
        fields = ["label", "code", "datatype", "length", "required", "visible_to", "code_set", "binds", "aliases",
                  "mask", "sensitive", "free_text", "must_be_empty", "pii_class", "gb_element"]  # fmt: skip
        help_texts = {
            "code": "英文小写，同一条目内不重复", "binds": "对应到档案的哪一项；其余留空",
            "pii_class": "个人信息分类代码，可不填；禁止归集类别的代码一律不收",
        }  # fmt: skip

    stands_open = False

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("visible_to") and not data.get("must_be_empty"):
            self.add_error("visible_to", "请选择谁能看到；只有“自然人应为空”的数据项可以不选。")
        return data

    @property
    def heading(self) -> str:
        """Return what the folded row shows."""
        label, code = self["label"].value(), self["code"].value()
        must = "，必填" if self["required"].value() else ""
        return f"{label}（{code}{must}）" if label else "空行，不用可以不填"

    def __init__(self, *args: Any, code_sets: Choices, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["code_set"].choices = code_sets  # type: ignore[attr-defined]


class PeriodRow(forms.ModelForm):
    """How long a record of one severity is public."""

    class Meta:
        model = PublicationPeriod
        fields = ["severity", "min_months", "max_months", "basis", "confidence"]

    def __init__(self, *args: Any, articles: Choices, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["basis"].choices = articles  # type: ignore[attr-defined]


class ScopeRow(forms.ModelForm):
    """A department and the duty for which it gets the item."""

    class Meta:
        model = SharingScope
        fields = ["organisation", "duty_code", "duty_name"]

    def __init__(self, *args: Any, organisations: Choices, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["organisation"].choices = organisations  # type: ignore[attr-defined]


class Rows(forms.BaseFormSet):
    """Rows that replace what the draft had, blank ones left out, in the order given."""

    def kept(self) -> list[Any]:
        """Return the rows of a valid table as unsaved objects."""
        return [form.instance for form in (self.ordered_forms if self.can_order else self.filled())]

    def filled(self) -> list[Any]:
        """Return the forms that are neither blank nor struck out."""
        stored, gone = self.initial_form_count(), self.deleted_forms
        return [
            form for place, form in enumerate(self.forms) if (place < stored or form.has_changed()) and form not in gone
        ]

    def add_fields(self, form: forms.Form, index: int | None) -> None:
        super().add_fields(form, index)
        if self.can_order:
            form.fields["ORDER"].label = "顺序"
            form.stands_open = index == self.initial_form_count()  # type: ignore[attr-defined]
        if self.can_delete:
            form.fields["DELETE"].label = "删去这一行"


class FieldRows(Rows):
    """Data fields; a prohibited one is refused beside its row."""

    def clean(self) -> None:
        for form in self.filled():
            try:
                refuse_prohibited_fields([form.instance])
            except ValidationError as error:
                form.add_error("label", error)


def _table(row: type[forms.ModelForm], rows: type[Rows], extra: int, *, order: bool = False) -> Any:
    return forms.formset_factory(row, formset=rows, extra=extra, can_delete=True, can_order=order, max_num=200)


FieldTable = _table(FieldRow, FieldRows, 3, order=True)
PeriodTable = _table(PeriodRow, Rows, 1)
ScopeTable = _table(ScopeRow, Rows, 1)


class DraftForms:
    """A draft on one page: its columns and its three tables."""

    def __init__(self, version: ItemVersion, data: Any = None) -> None:
        self.version = version
        articles = article_choices()
        code_sets = [EMPTY, *CodeSet.objects.order_by("code").values_list("pk", "title")]
        departments = Organisation.objects.filter(kind=Organisation.Kind.DEPARTMENT, valid_to=None)
        self.form = DraftForm(data, version=version, articles=articles)
        self.tables: dict[str, Any] = {
            "fields": FieldTable(data, prefix="fields", initial=_initial(FieldRow, version.fields.all()),
                                 form_kwargs={"code_sets": code_sets}),
            "periods": PeriodTable(data, prefix="periods", initial=_initial(PeriodRow, version.periods.all()),
                                   form_kwargs={"articles": short(articles)}),
            "scopes": ScopeTable(data, prefix="scopes", initial=_initial(ScopeRow, version.scopes.all()),
                                 form_kwargs={"organisations": [EMPTY, *departments.values_list("pk", "name")]}),
        }  # fmt: skip

    def is_valid(self) -> bool:
        return all([self.form.is_valid(), *(table.is_valid() for table in self.tables.values())])

    def write(self, *, by: User) -> None:
        """Write what a valid page says. Raises PermissionDenied, ValidationError."""
        kept = {name: table.kept() for name, table in self.tables.items()}
        bases = list(self.form.cleaned_data["legal_bases"])
        write_draft(self.version, by=by, values=self.form.values(), legal_bases=bases, **kept)

    @classmethod
    def with_more(cls, version: ItemVersion, data: Any, table: str) -> "DraftForms":
        """Return what was typed with blank rows added to a table that is known; nothing is judged yet."""
        tables = cls(version).tables
        return cls(version, with_more_rows(data, tables[table]) if table in tables else data)._unjudged()

    def _unjudged(self) -> "DraftForms":
        self.form._errors = ErrorDict()  # type: ignore[attr-defined]
        for table in self.tables.values():
            table._errors, table._non_form_errors = [{} for _ in table.forms], ErrorList()
            for form in table.forms:
                form._errors = ErrorDict()
        return self

    @property
    def sections(self) -> Iterator[dict[str, Any]]:
        """Return the parts of the page in order."""
        for section in SECTIONS:
            table = self.tables.get(section.rows)
            yield {"section": section, "fields": [self.form[name] for name in section.fields], "table": table}

    @property
    def wrong(self) -> int:
        """Return how many places have to be put right."""
        rows = (form for table in self.tables.values() for form in table.forms)
        tables = sum(len(table.non_form_errors()) for table in self.tables.values())
        return len(self.form.errors) + sum(len(form.errors) for form in rows) + tables


def _initial(row: type[forms.ModelForm], stored: Iterable[Any]) -> list[dict[str, Any]]:
    return [forms.model_to_dict(one, fields=row._meta.fields) for one in stored]
