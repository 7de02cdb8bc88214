"""What a deed on a page asks for: a reason, an opinion, an assessment, an answer, an edition."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from catalogue.actions import refuse_fewer_words
from catalogue.forms import EMPTY, DateInput, WordsField
from catalogue.models import (
    Article,
    Edition,
    ImpactAssessment,
    Instrument,
    Item,
    ItemVersion,
    ProhibitedCategory,
    Retirement,
)
from catalogue.publishing import Leaving, entries_of, latest_edition


class DeedForm(forms.Form):
    """A deed that asks for nothing but the button."""

    def __init__(self, data: Any = None, *, version: ItemVersion) -> None:
        self.version = version
        super().__init__(data, auto_id=f"id_{type(self).__name__.lower()}_%s")


class NoteForm(DeedForm):
    note = forms.CharField(label="说明", max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2}))


class ReasonForm(DeedForm):
    note = forms.CharField(label="理由", max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class OpinionForm(DeedForm):
    note = forms.CharField(
        label="审核意见", max_length=500, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="写明依据是否充分、层级是否足够、公开和期限是否合法。",
    )  # fmt: skip


class ConsultForm(DeedForm):
    explanation = forms.CharField(
        label="起草说明", max_length=2000, widget=forms.Textarea(attrs={"rows": 6}),
        help_text="公众会看到：为什么要设这个条目，依据什么，谁会受影响。",
    )  # fmt: skip


class RenewForm(DeedForm):
    assessment = forms.ModelChoiceField(
        label="改用的影响评估", queryset=ImpactAssessment.objects.none(), empty_label="请选择",
        help_text="只列出复核通过、比现在的更晚到期的。",
    )  # fmt: skip

    def __init__(self, data: Any = None, *, version: ItemVersion) -> None:
        super().__init__(data, version=version)
        signed = ImpactAssessment.objects.filter(passed=True, reviewed_by__isnull=False)
        now = version.assessment.valid_until if version.assessment else timezone.localdate()
        self.fields["assessment"].queryset = signed.filter(valid_until__gt=now)  # type: ignore[attr-defined]


class AssessmentForm(forms.ModelForm):
    """An impact assessment by the three questions of PIPL article 56."""

    class Meta:
        model = ImpactAssessment
        fields = ["number", "title", "purpose", "risks", "safeguards", "assessed_on", "valid_until"]
        widgets = {
            "assessed_on": DateInput(), "valid_until": DateInput(),
            **{name: forms.Textarea(attrs={"rows": 5}) for name in ("purpose", "risks", "safeguards")},
        }  # fmt: skip
        help_texts = {
            "purpose": "处理哪些个人信息，为什么必要，有没有更少的办法。",
            "risks": "泄露、误认、过度公开会给当事人造成什么影响。",
            "safeguards": "加密、脱敏、授权、留痕、期满删除等。",
        }


class AnswerForm(forms.Form):
    """Answer to one comment."""

    text = forms.CharField(label="答复", max_length=1000, widget=forms.Textarea(attrs={"rows": 3}),
                           help_text="写明是否采纳和理由，公众会看到。")  # fmt: skip


class OutcomeForm(forms.Form):
    outcome = forms.CharField(label="意见采纳情况", max_length=2000, widget=forms.Textarea(attrs={"rows": 4}),
                              help_text="收到多少条，采纳了什么，没有采纳的理由；公众会看到。")  # fmt: skip


# --- an edition ------------------------------------------------------------------------------------------


class EditionForm(forms.ModelForm):
    """Number and title of the next edition; `seen` is what the preview showed."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Edition
        fields = ["number", "title", "note"]
        widgets = {"note": forms.Textarea(attrs={"rows": 2})}


class LeavingForm(forms.Form):
    """An item to be retired: from when, what becomes of its records, why."""

    item = forms.ChoiceField(label="停用的条目", required=False)
    effective_on = forms.DateField(label="停用日期", widget=DateInput(), required=False)
    old_records = forms.ChoiceField(label="已有记录", choices=[EMPTY, *Retirement.OldRecords.choices], required=False)
    reason = forms.CharField(label="理由", max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, items: list[tuple[Any, Any]], **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["item"].choices = items  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name, told in (("item", "请选择要停用的条目。"), ("effective_on", "请填写停用日期。"),
                           ("old_records", "请选择已有记录如何处理。"), ("reason", "请写明停用理由。")):  # fmt: skip
            if self.has_changed() and not data.get(name) and name not in self.errors:
                self.add_error(name, told)
        return data


class LeavingRows(forms.BaseFormSet):
    """The items that leave with the edition."""

    def leaving(self) -> list[Leaving]:
        """Return the rows of a valid table."""
        rows = [form.cleaned_data for form in self.forms if form.has_changed()]
        items = Item.objects.in_bulk([int(row["item"]) for row in rows])
        return [
            Leaving(items[int(row["item"])], row["effective_on"], row["old_records"], row["reason"]) for row in rows
        ]

    def clean(self) -> None:
        chosen = [form.cleaned_data.get("item") for form in self.forms if form.cleaned_data.get("item")]
        if len(chosen) != len(set(chosen)):
            raise ValidationError("同一个条目只能填一行。", code="twice")


LeavingTable = forms.formset_factory(LeavingForm, formset=LeavingRows, extra=1, max_num=100)


def standing_items() -> list[tuple[Any, Any]]:
    """Return the items of the last edition that may be retired, to choose from."""
    standing = sorted(entries_of(latest_edition()).values(), key=lambda version: version.item.code)
    return [EMPTY, *((version.item_id, f"{version.item.code} {version.name}") for version in standing)]


# --- instruments and what is never collected ---------------------------------------------------------------


class RepealForm(forms.Form):
    """From which day an instrument is no longer valid, and what takes its place."""

    on = forms.DateField(label="废止日期", widget=DateInput(), help_text="这一天起不再有效")
    superseded_by = forms.ModelChoiceField(
        label="替代文件", queryset=Instrument.objects.none(), required=False, empty_label="没有"
    )

    def __init__(self, data: Any = None, *, instrument: Instrument) -> None:
        self.instrument = instrument
        super().__init__(data)
        self.fields["superseded_by"].queryset = Instrument.objects.exclude(pk=instrument.pk)  # type: ignore[attr-defined]

    def clean_on(self) -> date:
        if (day := self.cleaned_data["on"]) < self.instrument.effective_on:
            raise ValidationError(f"废止日期不能早于施行日期 {self.instrument.effective_on}。", code="early")
        return day


class HttpsField(forms.URLField):
    """An address; without a scheme https is meant."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**{**more, "assume_scheme": "https"})


class InstrumentForm(forms.ModelForm):
    """The entry of an instrument; repeal and verification are deeds of their own."""

    class Meta:
        model = Instrument
        fields = ["code", "title", "issuer", "doc_no", "level", "promulgated_on", "effective_on", "territory",
                  "source_url", "state_council_order", "text_digest", "confidence"]  # fmt: skip
        field_classes = {"source_url": HttpsField}


class ArticleForm(forms.ModelForm):
    class Meta:
        model = Article
        fields = ["number", "summary"]
        widgets = {"summary": forms.Textarea(attrs={"rows": 2})}


class ProhibitedForm(forms.ModelForm):
    """Words that refuse a cell or a column: added to, never taken away."""

    keywords = WordsField(
        label="正文关键词", word_length=20, rows=4, help_text="内容里出现就退回；用“、”隔开。只能增加，不能删去。"
    )
    header_keywords = WordsField(
        label="列名关键词",
        word_length=20,
        rows=4,
        help_text="列名、数据项名里出现就不收；用“、”隔开。只能增加，不能删去。",
    )
    exceptions = WordsField(label="不算命中的词", word_length=20, help_text="含关键词但与个人无关，如“病死”“转基因”")  # fmt: skip

    class Meta:
        model = ProhibitedCategory
        fields = ["code", "title", "basis", "keywords", "header_keywords", "exceptions", "advice"]

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        before = ProhibitedCategory.objects.filter(pk=self.instance.pk).first()
        if before is not None and not self.errors:
            try:
                refuse_fewer_words(before, self.instance)
            except ValidationError as error:
                self.add_error(None, error)
