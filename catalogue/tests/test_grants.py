"""The register of grants: two officials, an end, taken back at once; and what tries to get round it."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from guardian.shortcuts import assign_perm

from accounts.models import Role, User
from catalogue import grants, publishing
from catalogue.models import DeadlineRule, ItemGrant
from catalogue.rules import items_for, may_supply
from catalogue.tests.editions import publish
from catalogue.tests.many import many_approved
from catalogue.tests.office import refused_by_database
from catalogue.waiting import waiting_for
from creditfujian.tests.cast import Cast, browser_of, granted

DAY = timedelta(days=1)
LIST = "/admin/catalogue/itemgrant/"


def ask(cast: Cast, **changes: Any) -> ItemGrant:
    values = {
        "organisation": cast.transport, "item": cast.item, "permission": "query_item", "basis": "《道路运输条例》第九条",
        "reason": "许可前核查", "by": cast.credit_office,
    }  # fmt: skip
    return grants.ask(**values | changes)


def may_query(cast: Cast) -> bool:
    return items_for(cast.transport, "query_item").filter(pk=cast.item.pk).exists()


# --- two hands, an end ------------------------------------------------------------------------------------------


def test_what_one_asks_for_opens_nothing_until_another_confirms(cast: Cast) -> None:
    grant = ask(cast)
    assert not may_query(cast)
    with pytest.raises(PermissionDenied, match="另一名"):
        grants.confirm(grant.pk, by=cast.credit_office)
    grants.confirm(grant.pk, by=cast.credit_office_2)
    assert may_query(cast)
    assert not may_supply(cast.transport, cast.item), "the other permission stays closed"
    assert grant.valid_to == grants.longest_end(grants.today())


def test_every_grant_ends_within_the_rule_and_has_a_basis_and_a_reason(cast: Cast) -> None:
    today = grants.today()
    for values, words in (
        ({"valid_to": grants.longest_end(today) + DAY}, "授权最长到"), ({"valid_from": today - DAY}, "不能早于今天"),
        ({"valid_to": today}, "晚于起始日期"), ({"basis": " "}, "basis"), ({"reason": ""}, "reason"),
        ({"organisation": cast.bank}, "查询机构"),
    ):  # fmt: skip
        with pytest.raises(ValidationError, match=words):
            ask(cast, **values)
    rule = DeadlineRule.objects.get(code=grants.LONGEST)
    assert rule.source
    assert rule.basis


@pytest.mark.parametrize("who", ["system_admin", "security_admin", "operator", "auditor", "head", "data_officer"])
def test_nobody_else_asks_or_confirms(cast: Cast, who: str) -> None:
    user = getattr(cast, who)
    with pytest.raises(PermissionDenied):
        ask(cast, by=user)
    grant = ask(cast)
    with pytest.raises(PermissionDenied):
        grants.confirm(grant.pk, by=user)
    with pytest.raises(PermissionDenied):
        grants.refuse(grant.pk, by=user, reason="不同意")
    assert not may_query(cast)


def test_who_would_use_it_neither_asks_nor_confirms(cast: Cast) -> None:
    cast.credit_office.groups.add(Group.objects.get(name=Role.DECIDER_OFFICER))
    office = User.objects.get(pk=cast.credit_office.pk)
    with pytest.raises(PermissionDenied, match="您自己会用到"):
        ask(cast, organisation=cast.platform, by=office)
    grant = ask(cast, organisation=cast.platform, by=cast.credit_office_2)
    with pytest.raises(PermissionDenied, match="您自己会用到"):
        grants.confirm(grant.pk, by=office)
    put = "UPDATE catalogue_itemgrant SET state = 'in_force', confirmed_at = now(), confirmed_by_id = %s WHERE id = %s"
    refused_by_database("itemgrant_is_not_for_oneself", put, [office.pk, grant.pk])


def test_a_refusal_has_a_reason_and_is_for_good(cast: Cast) -> None:
    grant = ask(cast)
    with pytest.raises(ValidationError, match="退回理由"):
        grants.refuse(grant.pk, by=cast.credit_office_2, reason=" ")
    grants.refuse(grant.pk, by=cast.credit_office_2, reason="没有必要")
    with pytest.raises(PermissionDenied):
        grants.confirm(grant.pk, by=cast.credit_office_2)
    assert not may_query(cast)


# --- the end ------------------------------------------------------------------------------------------------------


def test_taken_back_it_opens_nothing_at_once_and_one_hand_is_enough(cast: Cast) -> None:
    grant = granted(cast, cast.transport, cast.item, "query_item")
    with pytest.raises(ValidationError, match="收回理由"):
        grants.take_back(grant.pk, by=cast.credit_office, reason="")
    with pytest.raises(PermissionDenied):
        grants.take_back(grant.pk, by=cast.system_admin, reason="试")
    ended = grants.take_back(grant.pk, by=cast.security_admin, reason="职责划出")
    assert not may_query(cast)
    assert ended.ended_at is not None
    with pytest.raises(ValidationError, match="只有现行"):
        grants.take_back(grant.pk, by=cast.credit_office, reason="再收回")
    granted(cast, cast.transport, cast.item, "query_item")
    assert may_query(cast), "given again by a further row"


def test_on_its_last_day_it_holds_and_the_day_after_it_does_not_without_any_job(cast: Cast) -> None:
    today = grants.today()
    granted(cast, cast.transport, cast.item, "query_item")
    soon = grants.confirm(ask(cast, organisation=cast.personnel, valid_to=today + DAY).pk, by=cast.credit_office_2)
    later = grants.confirm(ask(cast, organisation=cast.counter, valid_from=today + DAY).pk, by=cast.credit_office_2)
    with connection.cursor() as cursor:
        cursor.execute("SELECT catalogue_granted_items(%s, 'query_item')", [cast.personnel.pk])
        assert cast.item.pk in cursor.fetchone()[0]
    assert [one.pk for one in ItemGrant.objects.ending_within(1)] == [soon.pk]
    assert not items_for(cast.counter, "query_item").exists()
    assert (soon.last_day, later.state_on(today), soon.state_on(today + DAY)) == (today, "未开始", "已到期")


def test_a_renewal_is_a_further_row_from_the_day_the_first_ends(cast: Cast) -> None:
    today = grants.today()
    first = grants.confirm(ask(cast, valid_to=today + 10 * DAY).pk, by=cast.credit_office_2)
    assert ItemGrant.objects.ending_within(30).filter(pk=first.pk).exists()
    second = grants.renew(first, basis=first.basis, reason="仍在办理", by=cast.credit_office)
    assert not ItemGrant.objects.ending_within(30).filter(pk=first.pk).exists(), "somebody has seen to it"
    grants.confirm(second.pk, by=cast.credit_office_2)
    assert (second.valid_from, second.renews) == (first.valid_to, first)
    first.refresh_from_db()
    assert (first.valid_to, first.ended_on) == (today + 10 * DAY, None)
    with pytest.raises(ValidationError, match="已有该条目的同一授权"):
        grants.confirm(ask(cast, valid_to=today + 20 * DAY).pk, by=cast.credit_office_2)


# --- by SQL, as the application -----------------------------------------------------------------------------------


def test_the_database_gives_nothing_without_two_officials(cast: Cast) -> None:
    columns = (
        "INSERT INTO catalogue_itemgrant (organisation_id, item_id, permission, basis, reason, valid_from, valid_to, state,"
        " proposed_at, proposed_by_id, confirmed_by_id, confirmed_at, withdrawn_reason, end_reason)"
        " VALUES (%s, %s, 'query_item', '法', '由', cf_today(), cf_today() + %s, %s, now(), %s, %s, %s, '', '')"
    )
    unit, item, office, other = cast.transport.pk, cast.item.pk, cast.credit_office.pk, cast.credit_office_2.pk
    born = "catalogue_itemgrant_begins_as_a_proposal"
    refused_by_database(born, columns, [unit, item, 30, "in_force", office, other, "2026-01-01"])
    refused_by_database(born, columns, [unit, item, 30, "draft", None, None, None])
    asked = "itemgrant_is_asked_for_by_the_credit_office"
    refused_by_database(asked, columns, [unit, item, 30, "draft", cast.system_admin.pk, None, None])
    refused_by_database(asked, columns, [unit, item, 30, "draft", cast.officer_elsewhere.pk, None, None])
    refused_by_database("itemgrant_is_no_longer_than_the_rule", columns, [unit, item, 400, "draft", office, None, None])
    refused_by_database("itemgrant_is_for_departments", columns, [cast.bank.pk, item, 30, "draft", office, None, None])
    assert not ItemGrant.objects.filter(organisation=unit, item=item).exists()


def test_the_database_confirms_by_another_and_rewrites_nothing(cast: Cast) -> None:
    grant = ask(cast)
    put = "UPDATE catalogue_itemgrant SET state = 'in_force', confirmed_at = now(), confirmed_by_id = %s WHERE id = %s"
    refused_by_database("catalogue_itemgrant_confirmed_by_another", put, [cast.credit_office.pk, grant.pk])
    refused_by_database("itemgrant_is_confirmed_by_the_credit_office", put, [cast.system_admin.pk, grant.pk])
    grants.confirm(grant.pk, by=cast.credit_office_2)
    change = "UPDATE catalogue_itemgrant SET {} WHERE id = %s"
    for what in (
        "valid_to = valid_to + 100",
        f"organisation_id = {cast.personnel.pk}",
        "permission = 'supply_item'",
        "reason = 'x'",
    ):
        refused_by_database("catalogue_itemgrant_is_fixed", change.format(what), [grant.pk])
    refused_by_database("catalogue_itemgrant_is_kept", "DELETE FROM catalogue_itemgrant WHERE id = %s", [grant.pk])
    refused_by_database("itemgrant_ends_by_its_day", change.format("state = 'superseded'"), [grant.pk])
    end = change.format("ended_on = {}, ended_by_id = {}, ended_at = now(), end_reason = '{}'")
    office = cast.credit_office.pk
    for day, who, why, rule in (
        ("cf_today() - 1", office, "由", "itemgrant_is_taken_back_once"),
        ("cf_today()", cast.system_admin.pk, "由", "itemgrant_is_taken_back_once"),
        ("cf_today()", office, "", "itemgrant_taken_back_by_somebody_for_a_reason"),
    ):
        refused_by_database(rule, end.format(day, who, why), [grant.pk])
    grants.take_back(grant.pk, by=cast.credit_office, reason="职责划出")
    undo = "ended_on = NULL, ended_by_id = NULL, ended_at = NULL, end_reason = ''"
    refused_by_database("itemgrant_is_taken_back_once", change.format(undo), [grant.pk])


def test_nothing_is_granted_beside_the_register(cast: Cast) -> None:
    for permission in ("supply_item", "query_item"):
        for whom in (cast.transport.group, cast.officer_elsewhere):
            with pytest.raises(DatabaseError, match="granted in the register"), transaction.atomic():
                assign_perm(f"catalogue.{permission}", whom, cast.item)
    assign_perm("catalogue.propose_item", cast.transport.group, cast.item)
    assert not may_query(cast)


# --- an edition, the cards, the pages --------------------------------------------------------------------------------


def test_publishing_an_item_asks_for_its_providers_grants(cast: Cast) -> None:
    many_approved(cast, 1)
    publish(cast)  # by who approved it: one hand, so both grants wait
    fresh = ItemGrant.objects.filter(item__code="FJ1-03-MRKT-1000")
    assert set(fresh.values_list("permission", "state")) == {("supply_item", "draft"), ("query_item", "draft")}
    assert {one.organisation for one in fresh} == {cast.market}
    card = next(card for card in waiting_for(cast.credit_office_2) if card.title == "待确认的目录授权")
    assert card.count == 2
    assert next(card for card in waiting_for(cast.credit_office) if card.title == "待确认的目录授权").count == 0
    answer = browser_of(cast.credit_office_2).post(
        LIST, {"action": "confirm_selected", "_selected_action": [one.pk for one in fresh]}, follow=True
    )
    assert "已确认 2 项" in answer.content.decode()
    assert may_supply(cast.market, fresh[0].item)


def test_an_item_that_two_officials_approved_and_published_comes_with_its_grants(cast: Cast) -> None:
    many_approved(cast, 1)
    cast.credit_office_2.groups.set(cast.credit_office.groups.all())
    publishing.publish(number="FJ-T-90", title="测试版", by=cast.credit_office_2)
    fresh = ItemGrant.objects.filter(item__code="FJ1-03-MRKT-1000")
    assert {(one.state, one.proposed_by, one.confirmed_by) for one in fresh} == {
        ("in_force", cast.credit_office, cast.credit_office_2)
    }


def uses_it_too(cast: Cast, official: User) -> User:
    """Let an official of the credit office belong to the provider and read there by duty."""
    User.objects.filter(pk=official.pk).update(organisation=cast.market)
    official.groups.set(Group.objects.filter(name__in=[Role.CREDIT_OFFICE, Role.DECIDER_OFFICER]))
    return User.objects.get(pk=official.pk)


def test_who_approved_an_item_and_would_use_it_is_not_named_as_asking_for_it(cast: Cast) -> None:
    many_approved(cast, 1)
    uses_it_too(cast, cast.credit_office)
    publishing.publish(number="FJ-T-91", title="测试版", by=cast.credit_office_2)
    fresh = ItemGrant.objects.filter(item__code="FJ1-03-MRKT-1000")
    assert {(one.state, one.proposed_by) for one in fresh} == {("draft", cast.credit_office_2)}


def test_who_publishes_an_item_and_would_use_it_does_not_confirm_its_grants(cast: Cast) -> None:
    many_approved(cast, 1)
    by = uses_it_too(cast, cast.credit_office_2)
    publishing.publish(number="FJ-T-92", title="测试版", by=by)
    fresh = ItemGrant.objects.filter(item__code="FJ1-03-MRKT-1000")
    assert {(one.state, one.proposed_by) for one in fresh} == {("draft", cast.credit_office)}


def test_who_would_use_an_item_that_nobody_else_approved_is_told_who_has_to_publish(cast: Cast) -> None:
    many_approved(cast, 1)
    by = uses_it_too(cast, cast.credit_office)
    with pytest.raises(ValidationError, match="FJ1-03-MRKT-1000 的授权，不能由您申请。请由省信用办另一名"):
        publishing.publish(number="FJ-T-93", title="测试版", by=by)


def test_asking_by_page_shows_the_effect_in_words_first(cast: Cast) -> None:
    office, other = browser_of(cast.credit_office), browser_of(cast.credit_office_2)
    today = grants.today()
    form = {
        "organisation": cast.transport.pk, "item": cast.item.pk, "permission": "query_item", "basis": "《道路运输条例》第九条",
        "reason": "许可前核查", "valid_from": today.isoformat(), "valid_to": (today + 90 * DAY).isoformat(),
    }  # fmt: skip
    assert office.get(f"{LIST}add/").status_code == 200
    shown = office.post(f"{LIST}add/", form).content.decode()
    assert "确认后的效果" in shown
    assert "福建省及其下辖区划" in shown
    assert not ItemGrant.objects.filter(organisation=cast.transport, item=cast.item).exists()
    assert office.post(f"{LIST}add/", {**form, "go": "1", "valid_to": "2099-01-01"}).status_code == 422
    assert office.post(f"{LIST}add/", {**form, "go": "1"}).status_code == 302
    grant = ItemGrant.objects.get(organisation=cast.transport, item=cast.item)
    office.post(f"{LIST}{grant.pk}/confirm/")
    assert not may_query(cast)
    assert "确认后的效果" in other.get(f"{LIST}{grant.pk}/change/").content.decode()
    other.post(f"{LIST}{grant.pk}/confirm/")
    assert may_query(cast)
    renewal = {"basis": "《道路运输条例》第九条", "reason": "仍需核查", "valid_to": (today + 120 * DAY).isoformat()}
    assert office.post(f"{LIST}add/?renews={grant.pk}", {**renewal, "go": "1"}).status_code == 302
    assert ItemGrant.objects.get(renews=grant).valid_from == today + 90 * DAY
    security = browser_of(cast.security_admin)
    security.post(f"{LIST}{grant.pk}/end/", {"reason": " "})
    assert may_query(cast)
    security.post(f"{LIST}{grant.pk}/end/", {"reason": "账户异常，先行收回"})
    assert not may_query(cast)
    page = office.get(f"{LIST}{grant.pk}/change/").content.decode()
    assert "已收回" in page
    assert "账户异常，先行收回" in page


def test_a_unit_sees_its_own_grants_and_the_system_administrator_none(cast: Cast) -> None:
    theirs = granted(cast, cast.transport, cast.item, "query_item")
    mine = ItemGrant.objects.get(organisation=cast.market, item=cast.item, permission="query_item")
    officer = browser_of(cast.officer_here)
    assert officer.get(f"{LIST}{theirs.pk}/change/").status_code == 404
    assert "目录条目的提供单位" in officer.get(f"{LIST}{mine.pk}/organisation/").content.decode()
    assert "省交通运输厅" not in officer.get(f"{LIST}{mine.pk}/item/").content.decode()
    by_item = browser_of(cast.auditor).get(f"{LIST}{mine.pk}/item/").content.decode()
    assert "省交通运输厅" in by_item
    assert "省市场监督管理局" in by_item
    for who in (cast.system_admin, cast.clerk):
        assert browser_of(who).get(LIST).status_code == 403
        assert browser_of(who).get(f"{LIST}{mine.pk}/change/").status_code == 403
    for standing in ("now", "ending", "asked", "over", "x"):
        assert browser_of(cast.credit_office).get(f"{LIST}?standing={standing}").status_code in (200, 302)


def test_what_ends_soon_is_on_the_cards_of_the_office_and_of_the_unit(cast: Cast) -> None:
    grants.confirm(ask(cast, valid_to=grants.today() + 10 * DAY).pk, by=cast.credit_office_2)
    title = "30 天内到期的目录授权"
    for user in (cast.credit_office, cast.officer_elsewhere):
        assert next(card for card in waiting_for(user) if card.title == title).count == 1
    assert next(card for card in waiting_for(cast.officer_here) if card.title == title).count == 0
