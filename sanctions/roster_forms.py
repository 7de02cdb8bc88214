"""The shape of what the credit office types about rosters, measures and who runs them."""

from typing import Any

from django import forms

from accounts.models import Organisation
from catalogue.models import Article, Item
from sanctions.measure_models import Measure
from sanctions.roster_models import Ground, PersonCategory, Roster, RosterArticle, RosterGrant, RosterVersion

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
ARTICLES = Article.objects.select_related("instrument").order_by("instrument__level", "instrument__code", "pk")


def _lines(label: str, help_text: str, *, required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label, help_text=help_text, required=required, widget=forms.Textarea(attrs={"rows": 4})
    )


def _split(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


class RosterForm(forms.ModelForm):
    """A roster that is new: what it is. Its rules are proposed afterwards."""

    class Meta:
        model = Roster
        fields = ["name", "code", "scope", "item"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["item"].queryset = Item.objects.filter(category=Item.LISTS, roster=None)  # type: ignore[attr-defined]


class VersionForm(forms.ModelForm):
    """The rules of a roster, whole."""

    grounds = forms.MultipleChoiceField(label="法定情形", choices=Ground.choices, widget=forms.CheckboxSelectMultiple)
    categories = forms.MultipleChoiceField(
        label="可列入的人员类别", choices=PersonCategory.choices, widget=forms.CheckboxSelectMultiple,
        help_text="只选制度点名的类别；责任人员须各自告知、各自决定。",
    )  # fmt: skip
    acts = _lines("列入的具体行为", "一行一种，照制度原文。")
    early_conditions = _lines(
        "提前移出的条件", "一行一条，须全部具备；具备其一即可的写在同一行。留空表示不能提前移出。", required=False
    )
    public_fields = _lines("公示的数据项", "目录条目中公众可见的数据项代码，一行一个。", required=False)

    class Meta:
        model = RosterVersion
        fields = [
            "grounds", "acts", "categories", "term_months", "early_wait_months", "early_conditions", "remedy_exit",
            "upper_consent", "defence_clock", "review_clock", "decide_clock", "serve_clock", "publish_clock", "lift_clock",
            "relief", "reconsideration_body", "litigation_court", "public", "public_wait_days", "public_fields", "source",
            "confidence", "change_note", "valid_from",
        ]  # fmt: skip
        widgets = {"valid_from": DAY, "relief": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, before: RosterVersion | None = None, **kwargs: Any) -> None:
        if before is not None:
            kwargs["initial"] = {name: getattr(before, name) for name in self.Meta.fields} | {
                "acts": "\n".join(before.acts), "early_conditions": "\n".join(before.early_conditions),
                "public_fields": "\n".join(before.public_fields), "valid_from": None, "change_note": "", "source": "",
            }  # fmt: skip
        super().__init__(*args, **kwargs)
        for use in RosterArticle.Use:
            old = before.bases.filter(use=use).values_list("article", flat=True) if before else []
            self.fields[f"basis_{use.value}"] = forms.ModelMultipleChoiceField(
                label=use.label, queryset=ARTICLES, required=use == RosterArticle.Use.LIST, initial=list(old),
                widget=forms.SelectMultiple(attrs={"size": 6}),
            )  # fmt: skip

    def clean_acts(self) -> list[str]:
        return _split(self.cleaned_data["acts"])

    def clean_early_conditions(self) -> list[str]:
        return _split(self.cleaned_data["early_conditions"])

    def clean_public_fields(self) -> list[str]:
        return _split(self.cleaned_data["public_fields"])

    def _post_clean(self) -> None:
        """Leave the model's own checks to the deed: arrays come as texts."""

    def bases(self) -> list[tuple[Article, str]]:
        """Return the articles chosen, each with its use."""
        return [
            (article, use.value) for use in RosterArticle.Use for article in self.cleaned_data[f"basis_{use.value}"]
        ]

    def values(self) -> dict[str, Any]:
        """Return what the version says."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}


class MeasureForm(forms.ModelForm):
    """A measure, or a further version of it."""

    basis = forms.ModelChoiceField(label="惩戒依据", queryset=ARTICLES, empty_label="请选择")
    rosters = forms.ModelMultipleChoiceField(
        label="适用名单", queryset=Roster.objects.all(), widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Measure
        fields = [
            "code", "name", "kind", "content", "subject", "basis", "implementer", "implementer_name", "proportionality",
            "rosters", "source", "confidence", "published_on", "valid_from",
        ]  # fmt: skip
        widgets = {"valid_from": DAY, "published_on": DAY, "content": forms.Textarea(attrs={"rows": 3}),
                   "proportionality": forms.Textarea(attrs={"rows": 3})}  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        departments = Organisation.objects.filter(kind=Organisation.Kind.DEPARTMENT, valid_to=None)
        self.fields["implementer"].queryset = departments  # type: ignore[attr-defined]

    def _post_clean(self) -> None:
        """Leave the model's own checks to the deed."""


class GrantForm(forms.ModelForm):
    """Who would run or check a roster, on what basis."""

    class Meta:
        model = RosterGrant
        fields = ["organisation", "roster", "permission", "basis", "reason", "valid_to"]
        widgets = {"valid_to": DAY}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        departments = Organisation.objects.filter(kind=Organisation.Kind.DEPARTMENT, valid_to=None)
        self.fields["organisation"].queryset = departments  # type: ignore[attr-defined]
        self.fields["valid_to"].required = False
        self.fields["valid_to"].help_text = "留空为最长期限（时限规则 D73）；到期当天自动失效"

    def _post_clean(self) -> None:
        """Leave the model's own checks to the deed."""
