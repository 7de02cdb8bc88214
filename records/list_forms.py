"""The shape of what staff type around lists: registering, filtering, looking for somebody, saving, handing out."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Self, cast

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from access.duty_forms import duty_field
from access.models import Purpose, Reach, Request
from access.rules import items_of_list, lists_of
from accounts.actions import check_identity
from accounts.models import Organisation, User
from catalogue.models import Item, ItemVersion, PublicationPeriod
from creditfujian.compiled import Compiled
from creditfujian.lib import identity
from creditfujian.lib.text import normalise_name, strip_format
from records.forms import ItemsChoice, current_versions
from records.list_models import ListSearch
from records.listing import Filters, ListRegistration, items_of
from records.models import record_key
from records.work_lists import colleagues

By = ListSearch.By
Choices = tuple[tuple[int, str], ...]  # of a select: key and label
QUIET = {"autocomplete": "off", "spellcheck": "false"}
DAY = forms.DateInput(attrs={"type": "date"})


class ListRegisterForm(forms.Form):
    """The registration before a list is opened: which items, for which duty and case."""

    reach = forms.ChoiceField(label="列出哪些记录", widget=forms.RadioSelect)
    items = ItemsChoice(label="哪些条目", queryset=ItemVersion.objects.none())
    purpose = forms.ChoiceField(label="查询事由", choices=[("", "请选择"), *Purpose.choices])
    purpose_text = forms.CharField(
        label="事由说明", max_length=200, help_text="用一句话说明为什么要看，列表中的每一位当事人都会看到这句话。"
    )
    duty_code = forms.Field()
    case_no = forms.CharField(label="案件（办件、工作任务）编号", max_length=60)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["duty_code"] = duty_field(user)
        kinds = lists_of(user)
        reach = cast("forms.ChoiceField", self.fields["reach"])
        reach.choices = [(kind.value, kind.label) for kind in kinds]
        reach.initial = kinds[0].value if len(kinds) == 1 else None
        may = Item.objects.none()
        for kind in kinds:
            may = may | items_of_list(user, kind)
        versions = current_versions().filter(item__in=may.values("pk"))
        cast("forms.ModelMultipleChoiceField[ItemVersion]", self.fields["items"]).queryset = versions

    def registration(self) -> ListRegistration:
        """Return the valid form as the gateway takes it."""
        data = self.cleaned_data
        return ListRegistration(
            reach=Reach(data["reach"]), items=[version.item for version in data["items"]],
            purpose=Purpose(data["purpose"]), purpose_text=data["purpose_text"], duty_code=data["duty_code"],
            case_no=data["case_no"],
        )  # fmt: skip


class _PlainSelect(forms.Select):
    """A select without groups, drawn in one go: option by option, templates take longer than the list behind it."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        chosen = self.format_value(value)
        shown = (
            (key, " selected" if str("" if key is None else key) in chosen else "", label)
            for key, label in self.choices
        )
        options = format_html_join("", '<option value="{}"{}>{}</option>', shown)
        drawn = flatatt({"name": name, **self.build_attrs(self.attrs, attrs)})
        return format_html("<select{}>{}</select>", drawn, options)


class _Chosen(forms.TypedChoiceField):
    widget = _PlainSelect


class FilterForm(forms.Form):
    """Filters that an index serves. They stand in the address, so nothing about a person is among them."""

    item = _Chosen(label="条目", coerce=int, required=False, empty_value=None)
    provider = _Chosen(label="提供单位", coerce=int, required=False, empty_value=None)
    severity = _Chosen(
        label="失信程度", coerce=int, required=False, empty_value=None,
        choices=[("", "全部"), *PublicationPeriod.Severity.choices],
    )  # fmt: skip
    decided_from = forms.DateField(label="认定日期自", required=False, widget=DAY)
    decided_until = forms.DateField(label="认定日期至", required=False, widget=DAY)
    ends_within = _Chosen(
        label="公示即将结束", coerce=int, required=False, empty_value=None,
        choices=[("", "不限"), ("7", "7 天内"), ("30", "30 天内"), ("90", "90 天内")],
        help_text="选择后，最先结束的排在最前",
    )  # fmt: skip
    public = forms.BooleanField(label="只看公示中的", required=False)

    def __init__(self, data: Mapping[str, str], *, items: Choices, providers: Choices | None) -> None:
        """Offer these items, and these providers or, where only the own organisation's records are listed, none."""
        super().__init__(data)
        self._among = items, providers
        self._choose("item", items)
        if providers is None:
            del self.fields["provider"]
        else:
            self._choose("provider", providers)

    @classmethod
    def within(cls, data: Mapping[str, str], registered: Request, user: User) -> Self:
        """Return the form over the items of a registration and the providers near the user and of those items."""
        items = tuple((item.pk, item.name) for item in items_of(registered) if item.name)
        if registered.reach == Reach.SUPPLIED:
            return cls(data, items=items, providers=None)
        return cls(data, items=items, providers=tuple(_PROVIDERS(user.organisation_id, registered.pk)))

    def _choose(self, name: str, choices: Choices) -> None:
        cast("forms.ChoiceField", self.fields[name]).choices = [("", "全部"), *choices]

    def drawn(self) -> SafeString:
        """Return the form as it is drawn. The same choices, filtered the same, look the same to everybody: drawn once."""
        return _drawn(*self._among, tuple((name, self.data[name]) for name in self.fields if name in self.data))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("decided_from"), data.get("decided_until")
        if first and last and first > last:
            self.add_error("decided_until", "“认定日期至”早于“认定日期自”。请改正后再筛选。")
        return data

    def in_words(self) -> list[tuple[str, str]]:
        """Return what the valid form narrows to, by label."""
        said = []
        for name, value in self.cleaned_data.items():
            if value in (None, "", False):
                continue
            choices = {str(key): str(label) for key, label in getattr(self.fields[name], "choices", [])}
            said.append((str(self.fields[name].label), "是" if value is True else choices.get(str(value), str(value))))
        return said

    def filters(self) -> Filters:
        """Return the valid form as the gateway takes it."""
        data = self.cleaned_data
        return Filters(
            items=(data["item"],) if data.get("item") else (),
            providers=(data["provider"],) if data.get("provider") else (),
            severity=data.get("severity"), decided_from=data.get("decided_from"),
            decided_until=data.get("decided_until"), public=bool(data.get("public")), ends_within=data.get("ends_within"),
        )  # fmt: skip


def _providers(organisation: int, registered: int) -> "QuerySet[Organisation, tuple[int, str]]":
    items = Request.items.through.objects.filter(request=registered)
    near = Q(pk=organisation) | Q(parent=organisation) | Q(pk__in=items.values("item__provider"))
    return Organisation.objects.filter(near).values_list("pk", "name")


_PROVIDERS = Compiled(_providers, 1 << 60, 1 << 61)


@lru_cache(256)
def _drawn(items: Choices, providers: Choices | None, given: tuple[tuple[str, str], ...]) -> SafeString:
    """Draw the filters; field by field templates take longer than the list's rows. Nothing here is about a person."""
    return FilterForm(dict(given), items=items, providers=providers).render()


class SearchForm(forms.Form):
    """What is looked for. Posted, never part of an address."""

    by = forms.ChoiceField(label="按什么找", choices=By.choices)
    text = forms.CharField(
        label="检索内容", max_length=100, widget=forms.TextInput(attrs=QUIET),
        help_text="证件号码、文书号、记录编号填全；姓名填两个字以上；文书号开头填六个字以上。",
    )  # fmt: skip
    name = forms.CharField(
        label="姓名（选填，与证件号码核对）", max_length=100, required=False, widget=forms.TextInput(attrs=QUIET)
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "text" in data and "by" in data:
            try:
                data["text"] = _CLEAN[By(data["by"])](data["text"])
            except ValidationError as error:
                self.add_error("text", error)
        data["name"] = normalise_name(data.get("name", ""))
        return data


def _name(text: str) -> str:
    name = normalise_name(text)
    if len(name) < 2:
        raise ValidationError("姓名至少填两个字。", code="short")
    return name


def _document(text: str) -> str:
    document = strip_format(text)
    if any(character.isdigit() for character in document) and _looks_like_a_number(document):
        raise ValidationError("这像是证件号码。请在“按什么找”里选“证件号码”。", code="number")
    return document


def _document_start(text: str) -> str:
    document = _document(text)
    if len(document) < 6:
        raise ValidationError("文书号开头至少填六个字。", code="short")
    return document


def _record(text: str) -> str:
    number = identity.normalise(text)
    if record_key(number) is None:
        raise ValidationError("记录编号不对：应为 R 开头的 20 位编号。请从列表或告知书上抄全。", code="record")
    return number


def _looks_like_a_number(text: str) -> bool:
    return identity.is_shaped(identity.normalise(text))


_CLEAN = {
    By.NUMBER: check_identity, By.NAME: _name, By.DOCUMENT: _document, By.DOCUMENT_START: _document_start, By.RECORD: _record,
}  # fmt: skip


class SaveViewForm(forms.Form):
    """A name for the filters at hand."""

    name = forms.CharField(label="视图名称", max_length=40)
    is_default = forms.BooleanField(label="打开列表时默认使用", required=False)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if _looks_like_a_number(name):
            raise ValidationError("视图名称里不要写证件号码。", code="number")
        return name


class WorkListForm(forms.Form):
    """Who is to compare which records with the papers, and until when."""

    title = forms.CharField(label="名单名称", max_length=60, help_text="例如：2026 年第三季度案卷核对")
    assigned_to = forms.ChoiceField(label="核对人")
    due_on = forms.DateField(label="完成期限", widget=DAY)
    which = forms.ChoiceField(label="哪些记录", widget=forms.RadioSelect)

    def __init__(self, *args: Any, user: User, ticked: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.staff = {str(one.pk): one for one in colleagues(user)}
        choices = [("", "请选择"), *((key, one.name) for key, one in self.staff.items())]
        cast("forms.ChoiceField", self.fields["assigned_to"]).choices = choices
        which = cast("forms.ChoiceField", self.fields["which"])
        which.choices = [("all", "符合当前检索和筛选条件的全部记录（最多 2,000 条）")]
        if ticked:
            which.choices = [("selected", f"勾选的 {ticked} 条记录"), *which.choices]
        which.initial = which.choices[0][0]

    def clean_title(self) -> str:
        title: str = self.cleaned_data["title"]
        if _looks_like_a_number(title):
            raise ValidationError("名单名称里不要写证件号码。", code="number")
        return title
