"""The deeds of the register of grants: one official of the credit office asks, another confirms, one alone takes back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Organisation, User
from catalogue import deadline_actions as proposals
from catalogue.deadlines import rule_for
from catalogue.models import Item, ItemGrant, ItemVersion, VersionStep
from catalogue.rules import add_months
from catalogue.trail import note_changed, note_created

PROPOSE, CONFIRM, END = "catalogue.propose_itemgrant", "catalogue.confirm_itemgrant", "catalogue.end_itemgrant"
LONGEST, NOTICE = "D73", "D74"  # rows of the table of time limits
PROVIDER_BASIS, PROVIDER_REASON = "征集目录条目所列提供单位", "目录条目的提供单位：报送本条目，查询本单位报送的条目"
Permission, State = ItemGrant.Permission, ItemGrant.State


def today() -> date:
    """Return the day by which grants begin and end: the database's own."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT cf_today()")
        return cursor.fetchone()[0]


def longest_end(first: date) -> date:
    """Return the latest day on which a grant that begins on `first` may end: rule D73 in force today."""
    rule = rule_for(LONGEST, today())
    return add_months(first, rule.strict or rule.n)


def notice_days() -> int:
    """Return how long before its end a grant is shown as ending: rule D74 in force today."""
    return rule_for(NOTICE, today()).n


@transaction.atomic
def ask(
    *,
    organisation: Organisation,
    item: Item,
    permission: str,
    basis: str,
    reason: str,
    by: User,
    valid_from: date | None = None,
    valid_to: date | None = None,
    renews: ItemGrant | None = None,
) -> ItemGrant:
    """Ask for a grant; it opens nothing until another official confirms it. Without days: from today, as long as may be.

    Raises PermissionDenied, ValidationError.
    """
    _may_ask(by, organisation)
    first = valid_from or today()
    if first < today():
        raise ValidationError({"valid_from": "起始日期不能早于今天：授权不追溯。"})
    last = valid_to or longest_end(first)
    if last > longest_end(first):
        raise ValidationError(
            {"valid_to": f"授权最长到 {longest_end(first)}（时限规则 {LONGEST}）。需要继续的，到期前续期。"}
        )
    if organisation.kind != Organisation.Kind.DEPARTMENT:
        raise ValidationError({"organisation": "只能授权行政机关和公共管理机构；查询机构经本人授权查询，不在此列。"})
    grant = ItemGrant(
        organisation=organisation, item=item, permission=permission, basis=basis.strip(), reason=reason.strip(),
        valid_from=first, valid_to=last, renews=renews, proposed_by=by,
    )  # fmt: skip
    grant.full_clean()
    grant.save()
    return grant


def renew(grant: ItemGrant, *, basis: str, reason: str, by: User, valid_to: date | None = None) -> ItemGrant:
    """Ask for a further row that goes on where this one ends, or from today when it has ended.

    Raises PermissionDenied, ValidationError.
    """
    end = grant.ended_on or grant.valid_to
    return ask(
        organisation=grant.organisation, item=grant.item, permission=grant.permission, basis=basis, reason=reason, by=by,
        valid_from=max(end, today()), valid_to=valid_to, renews=grant,
    )  # fmt: skip


def confirm(grant_id: int, *, by: User) -> ItemGrant:
    """Put a grant in force as another official. Raises PermissionDenied, ValidationError."""
    with transaction.atomic():
        grant = _locked(grant_id)
        proposals.may_decide(grant, by, CONFIRM, confirm=True)
        _not_for_oneself(by, grant.organisation)
        if grant.valid_to <= today():
            raise ValidationError("截止日期已过，不能确认。请退回后另行申请。", code="over")
        if ItemGrant.objects.overlapping(grant).exists():
            raise ValidationError(
                "这个单位在这段时间里已有该条目的同一授权。请退回，或者先收回原授权。", code="overlap"
            )
        proposals.put_in_force(grant, by)
    return grant


@transaction.atomic
def confirm_together(waiting: Sequence[ItemGrant], *, by: User) -> int:
    """Put many grants in force by one statement, as the second official; return how many.

    Raises PermissionDenied when one of them is not this official's to confirm, and then confirms none.
    """
    for grant in waiting:
        proposals.may_decide(grant, by, CONFIRM, confirm=True)
        _not_for_oneself(by, grant.organisation)
    drafts = ItemGrant.objects.filter(pk__in=[grant.pk for grant in waiting], state=State.DRAFT)
    count = drafts.update(state=State.IN_FORCE, confirmed_by=by, confirmed_at=timezone.now())
    note_changed(
        waiting, {"state": (State.DRAFT.value, State.IN_FORCE.value), "confirmed_by": ("None", str(by))}, by=by
    )
    return count


def refuse(grant_id: int, *, by: User, reason: str) -> ItemGrant:
    """Send back what was asked for; it stays on file with the reason. Raises PermissionDenied, ValidationError."""
    with transaction.atomic():
        grant = _locked(grant_id)
        proposals.may_decide(grant, by, PROPOSE, confirm=False)
        proposals.send_back(grant, reason)
    return grant


def take_back(grant_id: int, *, by: User, reason: str, on: date | None = None) -> ItemGrant:
    """Let a grant open nothing any more, at once or from a later day: one person is enough to close a door.

    Raises PermissionDenied, ValidationError.
    """
    if not by.has_perm(END):
        raise PermissionDenied("您没有收回目录授权的职责。")
    if not reason.strip():
        raise ValidationError("请写明收回理由。", code="reason")
    with transaction.atomic():
        grant = _locked(grant_id)
        if grant.state != State.IN_FORCE or grant.ended_on is not None or grant.valid_to <= today():
            raise ValidationError("只有现行的授权可以收回。", code="state")
        day = max(on or today(), today(), grant.valid_from)
        grant.ended_on, grant.ended_by = min(day, grant.valid_to), by
        grant.end_reason = reason.strip()[:300]
        grant.save(update_fields=["ended_on", "ended_by", "end_reason"])
        grant.refresh_from_db(fields=["ended_at"])
    return grant


@transaction.atomic
def ask_for_providers(items: Iterable[Item], *, by: User) -> list[ItemGrant]:
    """Ask for what the provider of each item needs, where it was never asked for; done when an edition is published.

    The edition names the provider. Where another official of the credit office approved the item, two have looked at it:
    that official asks, the publisher confirms. Else the grants wait for another official. Nobody asks for or confirms
    what they would use themselves; raises ValidationError when there is nobody else to ask.
    """
    wanted = list(Item.objects.filter(pk__in=[item.pk for item in items], grants=None).select_related("provider"))
    askers = _approvers(wanted, by)
    if own := [item.code for item in wanted if item.pk not in askers and _would_use(by, item.provider)]:
        raise ValidationError(
            f"您自己会用到 {'、'.join(own)} 的授权，不能由您申请。请由省信用办另一名不报送、不查询这些条目的工作人员发布。",
            code="own",
        )
    first = today()
    last = longest_end(first)
    made = ItemGrant.objects.bulk_create(
        ItemGrant(
            organisation=item.provider, item=item, permission=permission, basis=PROVIDER_BASIS, reason=PROVIDER_REASON,
            valid_from=first, valid_to=last, proposed_by=askers.get(item.pk, by),
        )
        for item in wanted
        for permission in Permission
    )  # fmt: skip
    note_created(made, by=by)
    if by.has_perm(CONFIRM) and askers:
        others = [grant for grant in made if grant.proposed_by_id != by.pk]
        confirm_together([grant for grant in others if not _would_use(by, grant.organisation)], by=by)
    return made


def _approvers(items: Sequence[Item], by: User) -> dict[int, User]:
    """Return who approved each item, where it was another official than the publisher, who may still ask for its grants."""
    providers = {item.pk: item.provider for item in items}
    steps = VersionStep.objects.filter(
        item_version__item__in=items, to_state=ItemVersion.State.APPROVED
    ).select_related("by", "item_version")
    known: dict[int, bool] = {}
    found: dict[int, User] = {}
    for step in steps:
        who = step.by
        if who is None or who.pk == by.pk:
            continue
        if who.pk not in known:
            known[who.pk] = who.is_active and who.has_perm(PROPOSE)
        if known[who.pk] and not _would_use(who, providers[step.item_version.item_id]):
            found[step.item_version.item_id] = who
    return found


def of_supplier(item: Item, supplier: Organisation) -> list[ItemGrant]:
    """Return what lets an organisation supply an item today or later, asked for or in force."""
    open_ones = Q(state=State.DRAFT) | Q(state=State.IN_FORCE, ended_on=None, valid_to__gt=today())
    return list(ItemGrant.objects.filter(open_ones, item=item, organisation=supplier, permission=Permission.SUPPLY))


@dataclass(frozen=True)
class Effect:
    """What a grant would do, in plain words, before it is asked for."""

    opens: list[str]
    stays_closed: list[str]


def effect_of(values: dict[str, Any]) -> Effect:
    """Say what a grant of these values would open, from when to when, and what it does not."""
    organisation, item = values["organisation"], values["item"]
    name = f"{item.name}（{item.code}）" if getattr(item, "name", "") else item.code
    first, last = values["valid_from"], values["valid_to"]
    days = f"自 {first:%Y-%m-%d} 起，到 {last:%Y-%m-%d} 当天失效"
    if values["permission"] == Permission.SUPPLY:
        opens = [
            f"{organisation}可以报送“{name}”：上传表格、表单录入、接口报送和提交入库，{days}。",
            f"{organisation}可以列出、导出本单位报送的这类记录，不能查看其他单位报送的。",
        ]
        closed = ["报送仍须经办、审核两人办理；已报送的数据不因授权到期而删除。"]
    else:
        opens = [
            f"{organisation}有查询职责的工作人员可以依职责查询“{name}”，{days}。",
            f"查到的记录限于提供单位在{organisation.region}及其下辖区划的；职责事项另行写明更大区域的除外。",
        ]
        closed = ["仍须有登记在册、需要本条目的职责事项，逐次登记事由和案件编号；每次查询都告知本人。"]
    same = ItemGrant.objects.in_force().filter(organisation=organisation, item=item, permission=values["permission"])
    if same.exists():
        closed.append(f"这个单位已有该条目的同一授权，到 {same[0].last_day:%Y-%m-%d} 为止；期间重叠的不能确认。")
    closed.append("须由省信用办另一名工作人员确认，确认前什么也不打开。")
    return Effect(opens, closed)


def _locked(grant_id: int) -> ItemGrant:
    related = ItemGrant.objects.select_for_update(of=("self",)).select_related("organisation", "item")
    return related.get(pk=grant_id)


def _may_ask(by: User, organisation: Organisation) -> None:
    if not by.has_perm(PROPOSE):
        raise PermissionDenied("只有省信用办可以申请目录授权。")
    _not_for_oneself(by, organisation)


def _not_for_oneself(by: User, organisation: Organisation) -> None:
    """Refuse the hand of somebody who would use the grant; the database refuses it too."""
    if _would_use(by, organisation):
        raise PermissionDenied("您自己会用到这项授权，不能由您申请或者确认。")


def _would_use(who: User, organisation: Organisation) -> bool:
    """Tell whether somebody would use what their organisation is granted; the database's `catalogue_would_use`."""
    return who.organisation_id == organisation.pk and any(who.has_perm(permission) for permission in _USES)


_USES = (
    "access.add_request", "access.list_by_duty", "access.list_supplied", "records.add_batch", "records.commit_batch",
)  # fmt: skip
