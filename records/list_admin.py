"""Records in the admin: registered lists of any length, one record with its history, saved views, work lists."""

from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.views.decorators.debug import sensitive_post_parameters

from access.models import Request, RequestQuerySet
from access.rules import bounds_of, lists_of
from access.web import STAFF_SITE, asker
from accounts.admin import ReadOnlyAdmin
from accounts.models import User
from accounts.web import do_and_say, sentence_of, signed_in
from creditfujian.compiled import Compiled
from records import bulk, list_exports, listing, work_lists
from records.export_models import Export
from records.export_rules import review_above
from records.list_exports import ListedExportForm
from records.list_forms import FilterForm, ListRegisterForm, SaveViewForm, SearchForm, WorkListForm
from records.list_rows import rows
from records.listing import Filters
from records.models import ListSearch, Record, SavedView, WorkList
from records.reading import Refused

ENTRIES = 50
KEPT = ("r", "s", *FilterForm.base_fields)  # what a page's address carries on to the next


class ListsAdmin(ReadOnlyAdmin):
    """For officers who may open lists of records."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_authenticated and bool(lists_of(signed_in(request)))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def _allowed(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied("您没有查看记录列表的职责。")


@admin.register(Record)
class RecordAdmin(ListsAdmin):
    """Register, filter, look for, page, open one. No count and no scan, however long the table."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("register/", view(self.register_view), name="records_record_register"),
            path("search/", view(self.search_view), name="records_record_search"),
            path("views/save/", view(self.save_view), name="records_record_save_view"),
            path("views/drop/", view(self.drop_view), name="records_record_drop_view"),
            path("hand-out/", view(self.hand_out_view), name="records_record_hand_out"),
            path("export/", view(self.export_view), name="records_record_export"),
        ]
        return own + super().get_urls()

    @method_decorator(sensitive_post_parameters())
    def register_view(self, request: HttpRequest) -> HttpResponse:
        self._allowed(request)
        form = ListRegisterForm(request.POST or None, user=signed_in(request))
        if request.method == "POST" and form.is_valid():
            outcome = listing.register(form.registration(), by=asker(request, STAFF_SITE))
            return self._refused(request, outcome) if isinstance(outcome, Refused) else _to_list(r=outcome.pk)
        context = self._context(request, "登记后查看记录列表", form=form)
        return render(request, "admin/records/record/register.html", context, status=422 if form.errors else 200)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        self._allowed(request)
        user, registered = signed_in(request), _registered(request)
        if registered is None:
            return redirect("admin:records_record_register")
        views = listing.saved_views(user)
        if (default := _default_of(views)) and set(request.GET) <= {"r"}:
            return _to_list(r=registered.pk, **_as_address(default))
        form = FilterForm.within(request.GET, registered, user)
        search = _search_of(request.GET.get("s"), registered)
        filters = form.filters() if form.is_valid() else Filters()
        found = listing.page(
            registered, filters, search, after=_key(request.GET.get("after")), newer="back" in request.GET,
            by=asker(request, STAFF_SITE),
        )  # fmt: skip
        if isinstance(found, Refused):
            return self._refused(request, found)
        addresses = [(view, urlencode({"r": registered.pk, **_as_address(view)})) for view in views]
        context = self._context(
            request, "信用记录", registered=registered, page=found, filter_form=form, search=search, views=addresses,
            search_form=_blank(SearchForm, "find_%s"), view_form=_blank(SaveViewForm, "view_%s"),
            rows=rows(found.lines, registered), bounds=bounds_of(registered),
            narrowed=filters != Filters(),
            kept=_kept(request, registered), without_search=_kept(request, registered, but=("s",)),
        )  # fmt: skip
        return render(request, "admin/records/record/list.html", context, status=422 if form.errors else 200)

    @method_decorator(sensitive_post_parameters())
    def search_view(self, request: HttpRequest) -> HttpResponse:
        registered = self._posted(request)
        form = SearchForm(request.POST)
        if not form.is_valid():
            context = self._context(
                request, "检索记录", form=form, kept=request.POST.get("kept", ""), registered=registered
            )
            return render(request, "admin/records/record/search.html", context, status=422)
        data = form.cleaned_data
        search = listing.look_for(registered, ListSearch.By(data["by"]), data["text"], name=data["name"])
        return _to_list(**{**_posted_address(request), "r": registered.pk, "s": search.pk})

    def save_view(self, request: HttpRequest) -> HttpResponse:
        registered, user = self._posted(request), signed_in(request)
        form, address = SaveViewForm(request.POST), _posted_address(request)
        filters = FilterForm.within(address, registered, user)
        if form.is_valid() and filters.is_valid():
            try:
                listing.save_view(user, filters=filters.filters(), **form.cleaned_data)
            except IntegrityError:
                messages.error(request, "没有保存：您已有同名的视图，请换一个名称。")
            else:
                messages.success(request, f"已保存视图“{form.cleaned_data['name']}”，只有您自己看得到。")
        else:
            messages.error(request, "没有保存：" + "；".join(str(m) for errors in form.errors.values() for m in errors))
        return _to_list(**address)

    def drop_view(self, request: HttpRequest) -> HttpResponse:
        self._posted(request)
        SavedView.objects.filter(owner=signed_in(request), pk=_key(request.POST.get("view")) or 0).delete()
        messages.success(request, "视图已删除。")
        return _to_list(**_posted_address(request))

    def hand_out_view(self, request: HttpRequest) -> HttpResponse:
        """Put the ticked records, or all that the filters find, on a colleague's work list; the worker fills it."""
        registered, user, address = self._posted(request), signed_in(request), _posted_address(request)
        ticked = request.POST.getlist("record")
        form = WorkListForm(request.POST if "title" in request.POST else None, user=user, ticked=len(ticked))
        if not form.is_valid():
            context = self._context(
                request, "列入核对名单", form=form, registered=registered, kept=urlencode(address), ticked=ticked
            )
            page = "admin/records/record/hand_out.html"
            return render(request, page, context, status=422 if form.errors else 200)
        data = form.cleaned_data
        try:
            keys = self._keys(request, registered, whole=data["which"] == "all", address=address)
            with transaction.atomic():
                job = bulk.start("work_list", request=registered, record_ids=keys, params={}, by=user)
                made = work_lists.make(
                    job,
                    title=data["title"],
                    assigned_to=form.staff[data["assigned_to"]],
                    due_on=data["due_on"],
                    by=user,
                )
        except (ValidationError, PermissionDenied) as error:
            messages.error(request, sentence_of(error))
            return _to_list(**address)
        return redirect("admin:records_worklist_change", made.pk)

    def export_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for an export of the ticked records, or of just what filters or search find."""
        registered, address = self._posted(request), _posted_address(request)
        if not request.user.has_perm("records.add_export"):
            raise PermissionDenied("您没有导出信用记录的职责。")
        ticked, search = request.POST.getlist("record"), _search_of(address.get("s"), registered)
        given = request.POST if "format" in request.POST else None
        form = ListedExportForm(given, ticked=len(ticked), searched=search is not None)
        try:
            narrowed = self._filter_form(request, registered, address)
            if form.is_valid():
                whole, wanted = form.cleaned_data["which"] == "all", Export.Format(form.cleaned_data["format"])
                exact = not whole or search is not None  # filters go in as such, what was looked for as keys
                keys = self._keys(request, registered, whole=whole, address=address) if exact else None
                list_exports.check(keys)
                by = asker(request, STAFF_SITE)
                outcome = list_exports.request(registered, narrowed.filters(), keys=keys, form=wanted, by=by)
                if isinstance(outcome, Refused):
                    return self._refused(request, outcome)
                return redirect("admin:records_export_change", outcome.pk)
        except (ValidationError, PermissionDenied) as error:
            messages.error(request, sentence_of(error))
            return _to_list(**address)
        context = self._context(
            request, "导出列表中的记录", form=form, registered=registered, kept=urlencode(address), ticked=ticked,
            review_above=review_above(), narrowed=narrowed.in_words(), search=search,
        )  # fmt: skip
        return render(request, "admin/records/record/export.html", context, status=422 if form.errors else 200)

    def _filters(self, request: HttpRequest, registered: Request, address: dict[str, str]) -> Filters:
        """Return the filters of a posted address. Raises ValidationError."""
        return self._filter_form(request, registered, address).filters()

    def _filter_form(self, request: HttpRequest, registered: Request, address: dict[str, str]) -> FilterForm:
        """Return the valid filters of a posted address; nobody gets the whole list for a filter that is wrong."""
        form = FilterForm.within(address, registered, signed_in(request))
        if not form.is_valid():
            raise ValidationError("筛选条件有误，没有提交。请在列表页改正筛选条件后再试。", code="filters")
        return form

    def _keys(self, request: HttpRequest, registered: Request, *, whole: bool, address: dict[str, str]) -> list[int]:
        """Return the records meant: ticked ones that this registration has shown, or all that the filters find."""
        if not whole:
            ticked = [int(key) for key in request.POST.getlist("record") if key.isdecimal()]
            return listing.shown_to(registered, ticked)
        search = _search_of(address.get("s"), registered)
        filters = self._filters(request, registered, address)
        found = listing.ids_for_a_job(registered, filters, search, most=bulk.MOST + 1, by=asker(request, STAFF_SITE))
        if isinstance(found, Refused):
            raise PermissionDenied(found.reason)
        return found

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        self._allowed(request)
        registered = _registered(request)
        if registered is None:
            return redirect("admin:records_record_register")
        if (key := _key(object_id)) is None:
            raise Http404
        found = listing.one(registered, key, by=asker(request, STAFF_SITE))
        if isinstance(found, Refused):
            return self._refused(request, found)
        if found is None:
            raise Http404
        context = self._context(
            request, f"记录 {found.view.number}", found=found, record=found.view, registered=registered
        )
        return render(request, "admin/records/record/detail.html", context)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        return redirect("admin:records_record_change", object_id)

    def _posted(self, request: HttpRequest) -> Request:
        """Return the registration that a deed belongs to; a deed is posted."""
        self._allowed(request)
        registered = _registered(request) if request.method == "POST" else None
        if registered is None:
            raise Http404
        return registered

    def _refused(self, request: HttpRequest, refused: Refused) -> HttpResponse:
        reason = f"{refused.reason}。本次尝试已记入查询日志。"
        back = reverse("admin:records_record_register")
        return render(request, "403.html", {"reason": reason, "back": back}, status=403)

    def _context(self, request: HttpRequest, title: str, **more: Any) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts, "title": title, **more}


@admin.register(WorkList)
class WorkListAdmin(ListsAdmin):
    """What is to be compared with the papers; a record is opened under a registration like any other."""

    list_display = ["title", "assigned_to", "made_by", "due_on", "left_"]
    list_select_related = ["assigned_to", "made_by"]
    list_per_page = 50
    show_full_result_count = False

    @admin.display(description="待核对 / 共")
    def left_(self, work_list: Any) -> str:
        return f"{work_list.left} / {work_list.held}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[WorkList]:
        return work_lists.with_counts(WorkList.objects.visible_to(signed_in(request)))

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/cancel/", view(self.cancel_view), name="records_worklist_cancel"),
            path("<int:pk>/resume/", view(self.resume_view), name="records_worklist_resume"),
            path("<int:pk>/finding/", view(self.finding_view), name="records_worklist_finding"),
        ]
        return own + super().get_urls()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        work_list = self._list(request, object_id)
        entries = Paginator(work_list.entries.all(), ENTRIES).get_page(request.GET.get("page"))
        left_out = work_list.job.outcomes.filter(done=False)[:ENTRIES]
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": work_list.title, "work_list": work_list,
            "job": work_list.job, "sheet": entries, "left_out": left_out, "findings": work_lists.Finding.choices[1:],
            "may_note": work_list.assigned_to_id == signed_in(request).pk,
            "may_steer": work_list.made_by_id == signed_in(request).pk,
            "registered": Request.objects.visible_to(signed_in(request)).lists().open().first(),
        }  # fmt: skip
        return render(request, "admin/records/worklist/detail.html", context)

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._steer(request, pk, bulk.cancel, "已要求停止，已列入的记录保留。")

    def resume_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._steer(request, pk, bulk.resume, "已继续。")

    def finding_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        work_list = self._list(request, pk)
        back = f"{reverse('admin:records_worklist_change', args=[pk])}?page={_key(request.GET.get('page')) or 1}"
        if request.method != "POST":
            return redirect(back)
        entry = work_list.entries.filter(pk=_key(request.POST.get("entry")) or 0).first()
        if entry is None:
            raise Http404
        try:
            work_lists.note_finding(
                entry.pk, request.POST.get("finding", ""), request.POST.get("note", ""), by=signed_in(request)
            )
        except ValidationError as error:
            messages.error(request, f"{entry.number}：{error.messages[0]}")
        else:
            messages.success(request, f"{entry.number}：已记下。")
        return redirect(back)

    def _steer(self, request: HttpRequest, pk: int, deed: Any, done: str) -> HttpResponse:
        work_list = self._list(request, pk)
        if request.method == "POST":
            if work_list.made_by_id != signed_in(request).pk:
                raise PermissionDenied("只有建立人可以停止或继续。")
            do_and_say(request, lambda: deed(work_list.job_id, by=signed_in(request)), done)
        return redirect("admin:records_worklist_change", pk)

    def _list(self, request: HttpRequest, pk: str | int) -> WorkList:
        self._allowed(request)
        mine = work_lists.with_counts(WorkList.objects.visible_to(signed_in(request))).select_related(
            "job", "made_by", "assigned_to"
        )
        if (key := _key(str(pk))) is None or (found := mine.filter(pk=key).first()) is None:
            raise Http404
        return found


@cache
def _blank(form: type[Form], auto_id: str) -> SafeString:
    """Return an empty form as it is drawn: the same for everybody, so drawn once."""
    return form(auto_id=auto_id).render()


def _registered(request: HttpRequest) -> Request | None:
    """Return the list registration that the page names, or the last one still open."""
    user, named = signed_in(request), request.POST.get("r") or request.GET.get("r")
    if named:
        return _NAMED.first(user.pk, _key(named) or 0)
    return _lists_of(user).open().first()


def _lists_of(user: User) -> RequestQuerySet:
    """Return an account's registrations of lists, with where their organisations are."""
    return Request.objects.visible_to(user).lists().select_related("organisation__region")


_NAMED = Compiled(lambda account, key: _lists_of(User(pk=account)).filter(pk=key), 1 << 60, 1 << 61)


def _search_of(named: str | None, registered: Request) -> ListSearch | None:
    """Return what an address looks for; an address of a search that is gone is not one of the whole list."""
    if named is None:
        return None
    search = ListSearch.objects.filter(pk=_key(named) or 0, request=registered).first()
    if search is None:
        raise Http404
    return search


def _key(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 19 else None


def _default_of(views: list[SavedView]) -> SavedView | None:
    return next((view for view in views if view.is_default), None)


def _as_address(view: SavedView) -> dict[str, Any]:
    """Return a saved view's filters as an address carries them."""
    filters = listing.from_stored(view.filters)
    named = {
        "view": view.pk, "item": next(iter(filters.items), None), "provider": next(iter(filters.providers), None),
        "severity": filters.severity, "decided_from": filters.decided_from, "decided_until": filters.decided_until,
        "ends_within": filters.ends_within, "public": "on" if filters.public else None,
    }  # fmt: skip
    return {name: value for name, value in named.items() if value is not None}


def _kept(request: HttpRequest, registered: Request, *, but: tuple[str, ...] = ()) -> str:
    kept = {name: request.GET[name] for name in KEPT if request.GET.get(name) and name not in but}
    return urlencode({**kept, "r": registered.pk})


def _posted_address(request: HttpRequest) -> dict[str, str]:
    """Return what a posted form carries of its page's address: known names only."""
    return {name: value for name, value in parse_qsl(request.POST.get("kept", "")) if name in KEPT}


def _query(address: dict[str, str]) -> QueryDict:
    return QueryDict(urlencode(address))


def _to_list(**address: Any) -> HttpResponse:
    return redirect(f"{reverse('admin:records_record_changelist')}?{urlencode(address)}")
