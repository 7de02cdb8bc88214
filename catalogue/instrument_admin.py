"""What everything rests on: instruments and their articles, code sets, and what is never collected."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

from accounts.admin import ReadOnlyAdmin
from accounts.web import signed_in
from catalogue import actions, desk
from catalogue.deed_forms import ArticleForm, InstrumentForm, ProhibitedForm, RepealForm
from catalogue.item_admin import one
from catalogue.models import Article, CodeSet, CodeValue, Instrument, ProhibitedCategory
from catalogue.refusals import attempt, in_words

FIXED_IN_USE = ("level", "territory", "effective_on", "state_council_order")  # fixed once something rests on it


class ArticleInline(admin.StackedInline):
    """The articles that items cite."""

    model = Article
    form = ArticleForm
    extra = 2
    can_delete = False


@admin.register(Instrument)
class InstrumentAdmin(admin.ModelAdmin):
    """The credit office enters, compares with the published text, and enters the repeal."""

    form = InstrumentForm
    actions = None
    add_label = "录入法规文件"
    change_form_template = "admin/catalogue/instrument/change_form.html"
    list_display = ["title", "doc_no", "level", "effective_on", "repealed_on", "confidence", "verified_on"]
    list_filter = ["level", "confidence"]
    search_fields = ["title", "doc_no", "articles__summary"]
    inlines = [ArticleInline]

    def has_delete_permission(self, request: HttpRequest, obj: Instrument | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Instrument | None = None) -> tuple[str, ...]:
        told = ("verified", "repealed")
        return (*FIXED_IN_USE, *told) if obj is not None and desk.in_use(obj) else told

    def get_fields(self, request: HttpRequest, obj: Instrument | None = None) -> Any:
        return (*InstrumentForm.Meta.fields, "verified", "repealed") if obj else InstrumentForm.Meta.fields

    @admin.display(description="核对")
    def verified(self, instrument: Instrument) -> str:
        if instrument.verified_by is None:
            return "尚未对照公布的文本核对"
        return f"{instrument.verified_by.name}，{instrument.verified_on}"

    @admin.display(description="废止")
    def repealed(self, instrument: Instrument) -> str:
        if instrument.repealed_on is None:
            return "没有登记废止"
        return f"{instrument.repealed_on} 废止" + (
            f"，由{instrument.superseded_by}替代" if instrument.superseded_by else ""
        )

    def get_urls(self) -> list[Any]:
        view, name = self.admin_site.admin_view, "catalogue_instrument"
        own = [
            path("<int:pk>/verify/", view(self.verify_view), name=f"{name}_verify"),
            path("<int:pk>/repeal/", view(self.repeal_view), name=f"{name}_repeal"),
        ]
        return own + super().get_urls()

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **more: Any) -> HttpResponse:
        instrument = context.get("original")
        context |= {
            "in_use": instrument is not None and desk.in_use(instrument),
            "may_verify": request.user.has_perm("catalogue.verify_instrument"),
            "may_repeal": request.user.has_perm("catalogue.change_instrument"),
        }
        return super().render_change_form(request, context, *args, **more)

    def changeform_view(self, request: HttpRequest, *args: Any, **more: Any) -> HttpResponse:
        try:
            with in_words():
                return super().changeform_view(request, *args, **more)
        except ValidationError as error:  # somebody handed a version in meanwhile
            messages.error(request, error.messages[0])
            return redirect(request.path)

    def save_model(self, request: HttpRequest, obj: Instrument, form: forms.ModelForm, change: bool) -> None:
        if form.changed_data or not change:
            actions.write_instrument(obj, by=signed_in(request))

    def verify_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        instrument = one(self, request, pk)
        if request.method == "POST":
            refused = attempt(lambda: actions.verify_instrument(instrument, by=signed_in(request)))
            if refused:
                messages.error(request, refused.reasons[0])
            else:
                messages.success(request, "已核对，与公布的文本一致。")
        return redirect("admin:catalogue_instrument_change", pk)

    def repeal_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show first which items would lose their basis; then enter the repeal."""
        instrument = one(self, request, pk)
        if not request.user.has_perm("catalogue.change_instrument"):
            raise PermissionDenied("只有省信用办可以登记废止。")
        data = request.POST if request.method == "POST" else request.GET if "on" in request.GET else None
        form = RepealForm(data, instrument=instrument)
        losing = desk.losing_basis(instrument, form.cleaned_data["on"]) if form.is_valid() else None
        if request.method == "POST" and losing is not None:
            stopped: list[int] = []
            refused = attempt(
                lambda: stopped.append(actions.repeal(instrument, by=signed_in(request), **form.cleaned_data))
            )
            if refused is None:
                messages.success(request, f"已登记废止。今天暂停了 {stopped[0]} 个条目。")
                return redirect("admin:catalogue_instrument_change", pk)
            refused.tell(form)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": f"登记废止：{instrument}",
            "instrument": instrument, "form": form, "losing": losing,
        }  # fmt: skip
        status = 422 if form.errors else 200
        return render(request, "admin/catalogue/instrument/repeal.html", context, status=status)


@admin.register(ProhibitedCategory)
class ProhibitedCategoryAdmin(admin.ModelAdmin):
    """Added to by the credit office; nothing is ever taken away."""

    form = ProhibitedForm
    actions = None
    add_label = "增加类别"
    list_display = ["code", "title", "basis"]
    search_fields = ["code", "title"]

    def has_delete_permission(self, request: HttpRequest, obj: ProhibitedCategory | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ProhibitedCategory, form: forms.ModelForm, change: bool) -> None:
        actions.write_prohibited(obj, by=signed_in(request))


class CodeValueInline(admin.TabularInline):
    """The values of a code set, to read."""

    model = CodeValue
    extra = 0
    can_delete = False
    fields = ["code", "label", "aliases", "severity", "refusal"]

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(CodeSet)
class CodeSetAdmin(ReadOnlyAdmin):
    list_display = ["code", "title", "source"]
    inlines = [CodeValueInline]
