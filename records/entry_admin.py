"""Pages for typing and pasting records: part of the batches' admin."""

from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from accounts.models import User
from accounts.web import sentence_of, signed_in
from catalogue.models import ItemVersion, ItemVersionQuerySet
from catalogue.rules import items_for
from records import entry
from records.entry import Problems, Typed
from records.entry_forms import EntryForm, blank, is_blank, typed_of
from records.forms import current_versions
from records.intake.base import FileRefused
from records.intake.schema import Schema
from records.models import Batch

CARDS = 10  # records open for typing at once; more are pasted


@dataclass
class Sheet:
    """What the page holds: records open for typing, records pasted, what is wrong with them, what to say."""

    cards: list[Typed]
    pasted: list[Typed] = field(default_factory=list)
    text: str = ""  # pasted text that cannot be read, as it was
    problems: Problems = field(default_factory=dict)  # of cards
    errors: list[str] = field(default_factory=list)

    def open_up(self, problems: Problems, order: list[tuple[str, int]]) -> None:
        """Put each problem to its card; pasted records with problems become cards as long as there is room."""
        kept = []
        found = {order[at]: found for at, found in problems.items()}
        self.problems = {at: found["card", at] for at in range(len(self.cards)) if ("card", at) in found}
        for at, row in enumerate(self.pasted):
            if ("pasted", at) not in found:
                kept.append(row)
            elif len(self.cards) < CARDS:
                self.problems[len(self.cards)] = found["pasted", at]
                self.cards.append(row)
            else:
                first = found["pasted", at][0][2]
                self.errors.append(f"粘贴部分的第 {len(kept) + 1} 条：{first}")
                kept.append(row)
        self.pasted = kept


class EntryPages:
    """Views of BatchAdmin for typing; `entry_urls` are its addresses."""

    admin_site: Any
    opts: Any

    def entry_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("type/", view(self.choose_view), name="records_batch_type"),
            path("type/<str:code>/", view(self.type_view), name="records_batch_type_item"),
            path("<int:pk>/take-back/", view(self.take_back_view), name="records_batch_take_back"),
        ]

    def choose_view(self, request: HttpRequest) -> HttpResponse:
        """Choose the item; straight on when there is only one."""
        versions = _versions(signed_in(request))
        if len(versions) == 1:
            return redirect("admin:records_batch_type_item", versions[0].item.code)
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "表单录入"}
        return render(request, "admin/records/batch/choose.html", {**context, "versions": versions})

    @method_decorator(sensitive_post_parameters())
    @method_decorator(sensitive_variables())
    def type_view(self, request: HttpRequest, code: str) -> HttpResponse:
        user = signed_in(request)
        version = next((v for v in _versions(user) if v.item.code == code), None)
        if version is None:
            raise Http404
        assert user.organisation is not None
        rules = Schema(version.item, user.organisation)
        begun = blank(rules, user.organisation)
        if request.method != "POST":
            return self._page(request, version, rules, Sheet([begun]))
        sheet = _posted(request.POST, rules, begun)
        if request.POST.get("deed") != "submit":
            _rearrange(sheet, request.POST.get("deed", ""), begun)
            return self._page(request, version, rules, sheet)
        batch = None if sheet.errors else _hand_in(sheet, version, begun, user)
        if isinstance(batch, entry.Outcome) and batch.batch is not None:
            return _handed_in(request, batch)
        return self._page(request, version, rules, sheet, status=422)

    def take_back_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Cancel a batch that waits and put what was typed back into the form."""
        user = signed_in(request)
        batch = Batch.objects.visible_to(user).select_related("item", "supplier", "file").filter(pk=pk).first()
        if batch is None:
            raise Http404
        version = next((v for v in _versions(user) if v.item_id == batch.item_id), None)
        if request.method != "POST" or version is None:
            return redirect("admin:records_batch_change", pk)
        try:
            rows = entry.take_back(batch, by=user)
        except (PermissionDenied, ValidationError) as error:
            messages.error(request, sentence_of(error))
            return redirect("admin:records_batch_change", pk)
        messages.success(request, f"批次 {batch.number} 已取消，内容都在下面，改好后重新提交。")
        return self._page(request, version, Schema(batch.item, batch.supplier), Sheet(rows[:CARDS], rows[CARDS:]))

    def _page(
        self, request: HttpRequest, version: ItemVersion, rules: Schema, sheet: Sheet, status: int = 200
    ) -> HttpResponse:
        forms = [
            EntryForm(row, rules=rules, prefix=f"r{at}", problems=sheet.problems.get(at, ()), number=at + 1)
            for at, row in enumerate(sheet.cards)
        ]
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": f"表单录入：{version.name}",
            "version": version, "forms": forms, "errors": sheet.errors, "pasted_count": len(sheet.pasted),
            "pasted": sheet.text or (entry.as_pasted(rules, sheet.pasted) if sheet.pasted else ""),
            "order": [f.label for f in entry.fields_of(rules)], "rows_at_once": settings.INTAKE_FORM_ROWS,
            "has_room": len(forms) < CARDS, "wrong": sum(len(form.errors) for form in forms) + len(sheet.errors),
            "action": request.resolver_match and version.item.code,
        }  # fmt: skip
        return render(request, "admin/records/batch/type.html", context, status=status)


def _versions(user: User) -> list[ItemVersion]:
    """Return the versions in force of the items that the user may deliver. Raises PermissionDenied."""
    if not user.has_perm("records.add_batch"):
        raise PermissionDenied("您没有报送数据的职责。")
    mine = items_for(user.organisation, "supply_item")
    found: ItemVersionQuerySet = current_versions().by_delivery().filter(item__in=mine)
    return list(found)


def _posted(data: QueryDict, rules: Schema, begun: Typed) -> Sheet:
    """Return what was typed; a pasted text that cannot be read is kept with the reason."""
    count = data.get("count", "1")
    many = min(max(int(count), 1), CARDS) if count.isascii() and count.isdecimal() and len(count) < 4 else 1
    sheet = Sheet([typed_of(data, rules=rules, prefix=f"r{at}") for at in range(many)])
    try:
        sheet.pasted = entry.read_pasted(data.get("pasted", ""), rules)
    except ValidationError as error:
        sheet.text, sheet.errors = data.get("pasted", ""), error.messages
    return sheet


def _rearrange(sheet: Sheet, deed: str, begun: Typed) -> None:
    """Add an empty record, take one out, or open the pasted ones for typing."""
    kind, _, at = deed.partition("-")
    if kind == "add" and len(sheet.cards) < CARDS:
        sheet.cards.append(begun)
    elif kind == "remove" and at.isdecimal() and int(at) < len(sheet.cards):
        del sheet.cards[int(at)]
    elif kind == "open":
        sheet.cards = [card for card in sheet.cards if not is_blank(card, begun)]
        room = CARDS - len(sheet.cards)
        sheet.cards, sheet.pasted = sheet.cards + sheet.pasted[:room], sheet.pasted[room:]
    sheet.cards = sheet.cards or [begun]


def _hand_in(sheet: Sheet, version: ItemVersion, begun: Typed, user: User) -> entry.Outcome | None:
    """Hand the records in; what is wrong is noted on the sheet."""
    cards = [(("card", at), row) for at, row in enumerate(sheet.cards) if not is_blank(row, begun)]
    rows = cards + [(("pasted", at), row) for at, row in enumerate(sheet.pasted)]
    try:
        outcome = entry.hand_in([replace(row) for _, row in rows], item=version.item, by=user)
    except (ValidationError, PermissionDenied) as error:
        sheet.errors.append(sentence_of(error))
        return None
    except FileRefused as refused:
        sheet.errors.append(refused.message)
        return None
    if outcome.problems:
        sheet.open_up(outcome.problems, [place for place, _ in rows])
        sheet.cards, sheet.problems = _without_blank(sheet, begun)
    return outcome


def _without_blank(sheet: Sheet, begun: Typed) -> tuple[list[Typed], Problems]:
    kept = [(row, sheet.problems.get(at, [])) for at, row in enumerate(sheet.cards) if not is_blank(row, begun)]
    return [row for row, _ in kept], {at: found for at, (_, found) in enumerate(kept) if found}


def _handed_in(request: HttpRequest, outcome: entry.Outcome) -> HttpResponse:
    assert outcome.batch is not None
    if outcome.again:
        messages.info(request, f"这些内容此前已录入，批次 {outcome.batch.number}，没有重复处理。")
    else:
        messages.success(request, f"已录入 {outcome.batch.rows} 条，等候本单位另一名审核员核对入库。")
    return redirect("admin:records_batch_change", outcome.batch.pk)
