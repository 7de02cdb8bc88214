"""The catalogue, to read: what may be collected, on what basis, shown to whom, until when."""

from django.contrib import admin
from django.http import HttpRequest

from accounts.admin import ReadOnlyAdmin
from catalogue.exchange_admin import ExportView
from catalogue.models import (
    Article,
    CodeSet,
    CodeValue,
    Field,
    Instrument,
    Item,
    ItemVersion,
    ProhibitedCategory,
    PublicationPeriod,
)  # fmt: skip


class ReadOnlyInline(admin.TabularInline):
    extra = 0
    can_delete = False
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class ArticleInline(ReadOnlyInline):
    model = Article


class FieldInline(ReadOnlyInline):
    model = Field
    fields = ["position", "code", "label", "datatype", "length", "required", "binds", "visible_to"]


class PeriodInline(ReadOnlyInline):
    model = PublicationPeriod


class CodeValueInline(ReadOnlyInline):
    model = CodeValue
    fields = ["code", "label", "aliases", "severity", "refusal"]


@admin.register(Instrument)
class InstrumentAdmin(ReadOnlyAdmin):
    list_display = ["title", "doc_no", "level", "effective_on", "repealed_on", "confidence"]
    list_filter = ["level", "confidence"]
    search_fields = ["title", "doc_no"]
    inlines = [ArticleInline]


@admin.register(Item)
class ItemAdmin(ExportView, ReadOnlyAdmin):
    list_display = ["code", "polarity", "provider"]
    list_select_related = ["provider"]
    search_fields = ["code"]


@admin.register(ItemVersion)
class ItemVersionAdmin(ReadOnlyAdmin):
    list_display = ["name", "item", "version", "disclosure", "effective", "state"]
    list_filter = ["state", "disclosure"]
    list_select_related = ["item"]
    search_fields = ["name", "item__code"]
    inlines = [PeriodInline, FieldInline]


@admin.register(CodeSet)
class CodeSetAdmin(ReadOnlyAdmin):
    list_display = ["code", "title", "source"]
    inlines = [CodeValueInline]


@admin.register(ProhibitedCategory)
class ProhibitedCategoryAdmin(ReadOnlyAdmin):
    list_display = ["code", "title", "basis"]


from catalogue import deadline_admin, supply_admin  # noqa: E402, F401
