"""A delivery outside what is usual waits for a second look, by page, command and SQL; the rules take two people."""

import io
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import Role, User
from catalogue.models import Item
from creditfujian.lib import identity
from creditfujian.tests.cast import Cast
from records import actions, volume
from records.models import Batch, BatchHold, VolumeRule
from records.tests.deliveries import as_csv, check, decided, deliver, penalty

State = Batch.State


def rows(cast: Cast, count: int, start: int = 0, **changes: Any) -> list[dict[str, str]]:
    """Good rows about as many persons, each with a document of its own."""
    return [
        penalty(
            cast, 证件号码=identity.invent(decided(40 * 365), 1 + n), 行政相对人名称="林谷雨",
            行政处罚决定书文号=f"闽市监处罚〔2026〕{100 + n}号", **changes,
        )
        for n in range(start, start + count)
    ]  # fmt: skip


def rule(cast: Cast, **values: Any) -> VolumeRule:
    """A rule in force from today, by two people of the credit office."""
    plain: dict[str, Any] = {
        "measure": "rows",
        "floor": 0,
        "basis": "试验",
        "valid_from": timezone.localdate(),
        "item": cast.item,
    }
    drafted = volume.propose(by=cast.credit_office, **plain | values)
    return volume.confirm(drafted.pk, by=cast.credit_office_2)


def usual(cast: Cast, batches: int = 3, size: int = 4) -> None:
    """Earlier batches of a size, so that there is something usual."""
    rule(cast, factor=Decimal(2), least=3, window=5)
    for n in range(batches):
        deliver(cast, rows(cast, size, start=size * n))


@pytest.fixture
def second_reviewer(cast: Cast) -> User:
    from django.contrib.auth.models import Group

    user = User(username="data_reviewer_2", name="审核员卯", organisation=cast.market, is_staff=True)
    user.save()
    user.groups.set(Group.objects.filter(name=Role.DATA_REVIEWER))
    return user


def held(cast: Cast) -> Batch:
    usual(cast)
    return check(cast, as_csv(rows(cast, 9, start=50)))


def test_a_batch_far_above_the_median_is_held_and_says_why(cast: Cast) -> None:
    batch = held(cast)
    [hold] = batch.holds.all()
    assert str(hold) == "本次 9 行，近 3 批中位数 4 行，多于 8 行须复核"
    with pytest.raises(PermissionDenied, match="复核放行"):
        actions.commit_now(batch.pk, by=cast.data_reviewer)
    with pytest.raises(PermissionDenied, match="复核放行"):
        actions.request_commit(batch.pk, by=cast.data_reviewer)


def test_far_below_the_median_too_and_a_correction_is_not(cast: Cast) -> None:
    usual(cast, size=8)
    short = check(cast, as_csv(rows(cast, 3, start=80)))
    assert str(short.holds.get()) == "本次 3 行，近 3 批中位数 8 行，少于 4 行须复核"
    bad = deliver(cast, [*rows(cast, 5, start=90), penalty(cast, 证件号码="1")])
    row = penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕999号") | {"来源行": f"{bad.number}#7"}
    correction = check(cast, as_csv([row], header=list(row)))
    assert correction.correction_of == bad
    assert not correction.holds.exists()


def test_what_is_usual_needs_enough_batches(cast: Cast) -> None:
    usual(cast, batches=2)
    assert not check(cast, as_csv(rows(cast, 40, start=50))).holds.exists()


def test_typed_records_are_no_measure_for_files_nor_files_for_them(cast: Cast) -> None:
    usual(cast, size=8)
    for n in range(5):
        content = io.BytesIO(as_csv(rows(cast, 1, start=60 + n)))
        typed, _ = actions.receive(content, name="录入.csv", item=cast.item, by=cast.data_officer, channel="form")  # type: ignore[arg-type]
        assert not actions.check_batch(typed.pk).holds.exists()
        actions.commit_now(typed.pk, by=cast.data_reviewer)
    assert not check(cast, as_csv(rows(cast, 8, start=80))).holds.exists()


def test_another_officer_lets_it_go_on_and_it_goes_in(cast: Cast, second_reviewer: User) -> None:
    batch = held(cast)
    hold = batch.holds.get()
    with pytest.raises(ValidationError, match="复核意见"):
        actions.decide_hold(hold.pk, by=cast.data_reviewer, agree=True, note="  ")
    actions.decide_hold(hold.pk, by=second_reviewer, agree=True, note="已与办案科室核实，积压案件集中报送")
    batch = actions.commit_now(batch.pk, by=cast.data_reviewer)
    assert (batch.state, batch.new) == (State.COMMITTED, 9)


def test_who_may_not_take_the_second_look(cast: Cast) -> None:
    hold = held(cast).holds.get()
    for user in (cast.data_officer, cast.officer_here, cast.credit_office, cast.operator, cast.system_admin):
        with pytest.raises(PermissionDenied):
            actions.decide_hold(hold.pk, by=user, agree=True, note="看过了")
    cast.data_officer.groups.set(cast.data_reviewer.groups.all())  # a role of the reviewer does not make two of one
    with pytest.raises(PermissionDenied, match="上传人"):
        actions.decide_hold(hold.pk, by=User.objects.get(pk=cast.data_officer.pk), agree=True, note="看过了")


def test_not_agreed_means_it_can_only_be_cancelled(cast: Cast) -> None:
    batch = held(cast)
    actions.decide_hold(batch.holds.get().pk, by=cast.data_reviewer, agree=False, note="选错了文件")
    with pytest.raises(PermissionDenied, match="选错了文件"):
        actions.commit_now(batch.pk, by=cast.data_reviewer)
    with pytest.raises(PermissionDenied, match="已经复核"):
        actions.decide_hold(batch.holds.get().pk, by=cast.data_reviewer, agree=True, note="改主意")
    assert actions.cancel(batch.pk, by=cast.data_officer).state == State.CANCELLED


def test_one_hand_by_command_takes_no_second_look_at_itself(cast: Cast, tmp_path: Any, capsys: Any) -> None:
    usual(cast)
    Item.objects.filter(pk=cast.item.pk).update(one_hand_by_command=True)
    file = tmp_path / "x.csv"
    file.write_bytes(as_csv(rows(cast, 9, start=50)))
    arguments = ["intake", str(file), "--item", cast.item.code, "--supplier", cast.market.uscc, "--by", "data_officer"]
    with pytest.raises(SystemExit) as ended:
        call_command(*arguments, "--commit", "--json")
    assert ended.value.code == 1
    told = capsys.readouterr().out
    assert '"state": "checked"' in told
    assert "近 3 批中位数 4 行" in told
    batch = Batch.objects.get(channel="command")
    with pytest.raises(PermissionDenied, match="复核放行"):
        actions.commit_now(batch.pk, by=cast.data_officer)
    with pytest.raises(PermissionDenied, match="审核员复核|上传人"):
        actions.decide_hold(batch.holds.get().pk, by=cast.data_officer, agree=True, note="自己看过")


def test_shares_of_refused_and_changed_rows_and_of_the_register(cast: Cast) -> None:
    deliver(cast, rows(cast, 10))
    rule(cast, measure="refused", high=Decimal(30))
    rule(cast, measure="changed", high=Decimal(50))
    rule(cast, measure="touched", high=Decimal(25))
    changed = rows(cast, 3, 处罚内容="吊销登记证，罚款五万元。")
    batch = check(cast, as_csv([*changed, penalty(cast, 证件号码="1"), penalty(cast, 证件号码="2")]))
    assert {str(hold) for hold in batch.holds.all()} == {
        "退回 2 行，占本批的 40.0%，超过 30% 须复核",
        "变更 3 行，占本批的 60.0%，超过 50% 须复核",
        "变更 3 条，占本单位该条目现有记录的 30.0%，超过 25% 须复核",
    }


def test_small_numbers_are_left_alone_and_nothing_to_write_is_not_held(cast: Cast) -> None:
    rule(cast, measure="refused", high=Decimal(10), floor=3)
    assert not check(cast, as_csv([*rows(cast, 2), penalty(cast, 证件号码="1")])).holds.exists()
    rule(cast, measure="refused", high=Decimal(10), item=None, supplier=cast.market, floor=0)
    assert not check(cast, as_csv([penalty(cast, 证件号码="1")])).holds.exists()


def test_the_nearer_rule_answers_and_an_empty_one_says_that_nothing_is_measured(cast: Cast) -> None:
    rule(cast, high=Decimal(2), item=None)
    assert check(cast, as_csv(rows(cast, 3))).holds.exists()
    rule(cast, high=Decimal(5), item=None, supplier=cast.market)
    assert not check(cast, as_csv(rows(cast, 4))).holds.exists()
    rule(cast, high=Decimal(3))
    assert check(cast, as_csv(rows(cast, 5))).holds.exists()
    rule(cast, supplier=cast.market)
    assert not check(cast, as_csv(rows(cast, 6))).holds.exists()


def test_what_has_come_to_be_unusual_since_the_check_is_held_before_it_goes_in(cast: Cast) -> None:
    batch = check(cast, as_csv(rows(cast, 3)))
    rule(cast, high=Decimal(2))
    with pytest.raises(PermissionDenied, match="复核放行"):
        actions.commit_now(batch.pk, by=cast.data_reviewer)
    assert batch.holds.count() == 1, "held although the commit was refused"


def test_what_has_come_to_be_unusual_while_it_waited_for_the_worker_goes_back(cast: Cast) -> None:
    batch = check(cast, as_csv(rows(cast, 3)))
    actions.request_commit(batch.pk, by=cast.data_reviewer)
    rule(cast, high=Decimal(2))
    batch = actions.commit_batch(batch.pk)
    assert (batch.state, batch.committed_by, batch.holds.count()) == (State.CHECKED, None, 1)


def test_more_than_was_agreed_to_is_held_again(cast: Cast) -> None:
    """Rows refused since the second look are more than the officer saw."""
    rule(cast, measure="refused", high=Decimal(30))
    batch = check(
        cast, as_csv([*rows(cast, 2), penalty(cast), penalty(cast, 证件号码="1"), penalty(cast, 证件号码="2")])
    )
    actions.decide_hold(batch.holds.get().pk, by=cast.data_reviewer, agree=True, note="核实过，属实")
    other = penalty(
        cast,
        证件号码=identity.invent(decided(40 * 365), 1),
        行政相对人名称="林立夏",
        行政处罚决定书文号="闽市监处罚〔2026〕77号",
    )
    deliver(cast, [other])  # now one of the rows has another name than the register
    batch = actions.commit_now(batch.pk, by=cast.data_reviewer)
    assert (batch.state, batch.refused, batch.holds.filter(agreed=None).count()) == (State.CHECKED, 3, 1)


# --- withdrawing much ---------------------------------------------------------------------------------------


def test_taking_back_a_large_part_takes_two(cast: Cast, second_reviewer: User) -> None:
    rule(cast, measure="withdrawn", high=Decimal(40))
    deliver(cast, rows(cast, 4))
    batch = deliver(cast, rows(cast, 6, start=10))
    assert actions.withdraw(batch.pk, by=cast.data_officer, reason="整批错报") is None
    hold = BatchHold.objects.get(batch=batch)
    assert str(hold) == "撤回涉及 6 条记录，占本单位该条目现有记录的 60.0%，超过 40% 须复核"
    assert Batch.objects.get(pk=batch.pk).state == State.COMMITTED
    with pytest.raises(PermissionDenied, match="自己的申请"):
        actions.decide_hold(hold.pk, by=cast.data_officer, agree=True, note="同意")
    assert actions.withdraw(batch.pk, by=cast.data_officer, reason="再点一次") is None
    assert batch.holds.count() == 1
    actions.decide_hold(hold.pk, by=second_reviewer, agree=True, note="已核实")
    batch.refresh_from_db()
    assert (batch.state, batch.withdrawn_by, batch.withdraw_reason) == (State.WITHDRAWN, cast.data_officer, "整批错报")


def test_a_withdrawal_not_agreed_to_can_be_asked_for_again(cast: Cast) -> None:
    rule(cast, measure="withdrawn", high=Decimal(40))
    batch = deliver(cast, rows(cast, 4))
    actions.withdraw(batch.pk, by=cast.data_officer, reason="错报")
    actions.decide_hold(batch.holds.get().pk, by=cast.data_reviewer, agree=False, note="并没有错")
    with pytest.raises(IntegrityError, match="this big"), transaction.atomic():
        Batch.objects.filter(pk=batch.pk).update(state=State.WITHDRAWING)
    assert actions.withdraw(batch.pk, by=cast.data_officer, reason="确实错了") is None
    assert batch.holds.count() == 2


def test_the_command_says_that_another_has_to_agree(cast: Cast) -> None:
    rule(cast, measure="withdrawn", high=Decimal(40))
    batch = deliver(cast, rows(cast, 4))
    with pytest.raises(CommandError, match="另一名工作人员"):
        call_command("withdraw_batch", batch.number, "--by", "data_officer", "--reason", "错报")
    assert batch.holds.filter(agreed=None).count() == 1


def test_what_was_agreed_to_while_the_register_shrank_is_asked_again(cast: Cast, second_reviewer: User) -> None:
    """The share has grown since it was asked: it is not taken for agreed, nor does it stay waiting for ever."""
    rule(cast, measure="withdrawn", high=Decimal(40))
    deliver(cast, rows(cast, 4))
    batch = deliver(cast, rows(cast, 6, start=10))
    actions.withdraw(batch.pk, by=cast.data_officer, reason="整批错报")
    one_more = deliver(cast, rows(cast, 2, start=30))
    actions.withdraw(one_more.pk, by=cast.data_officer, reason="错报")
    hold = actions.decide_hold(batch.holds.get().pk, by=second_reviewer, agree=True, note="已核实")
    assert (hold.agreed, Batch.objects.get(pk=batch.pk).state) == (True, State.COMMITTED)
    again = batch.holds.get(agreed=None)
    assert (again.asked_by, again.asked_reason, again.affected) == (cast.data_officer, "整批错报", 8)
    actions.decide_hold(again.pk, by=second_reviewer, agree=True, note="连同另一批，属实")
    assert Batch.objects.get(pk=batch.pk).state == State.WITHDRAWN


def test_much_taken_back_in_small_parts_takes_two_as_well(cast: Cast, second_reviewer: User) -> None:
    rule(cast, measure="withdrawn", high=Decimal(40), floor=3)
    deliver(cast, rows(cast, 4))
    parts = [deliver(cast, rows(cast, 2, start=10 + 2 * n)) for n in range(3)]
    assert actions.withdraw(parts[0].pk, by=cast.data_officer, reason="错报") == 2
    assert actions.withdraw(parts[1].pk, by=cast.data_officer, reason="错报") == 2
    assert actions.withdraw(parts[2].pk, by=cast.data_officer, reason="错报") is None
    hold = parts[2].holds.get()
    assert str(hold) == (
        "撤回涉及 6 条记录（连同 24 小时内的其他批次），占本单位该条目现有记录的 60.0%，超过 40% 须复核"
    )
    actions.decide_hold(hold.pk, by=second_reviewer, agree=True, note="三批同源，均错")
    assert Batch.objects.get(pk=parts[2].pk).state == State.WITHDRAWN


def test_much_changed_in_small_parts_is_held_and_what_was_agreed_to_does_not_count_again(cast: Cast) -> None:
    deliver(cast, rows(cast, 10))
    rule(cast, measure="touched", high=Decimal(30))
    new = {"处罚内容": "吊销登记证，罚款五万元。"}
    deliver(cast, rows(cast, 2, **new))
    held_one = check(cast, as_csv(rows(cast, 2, start=2, **new)))
    hold = held_one.holds.get()
    assert "变更 4 条（连同 24 小时内的其他批次），占本单位该条目现有记录的 40.0%" in str(hold)
    actions.decide_hold(hold.pk, by=cast.data_reviewer, agree=True, note="已核实")
    actions.commit_now(held_one.pk, by=cast.data_reviewer)
    assert not check(cast, as_csv(rows(cast, 1, start=4, **new))).holds.exists()


# --- attacks by SQL -----------------------------------------------------------------------------------------


def refused_by_database(match: str, sql: str, *values: Any) -> None:
    with pytest.raises(DatabaseError, match=match), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)


def test_a_held_batch_does_not_move_by_sql(cast: Cast) -> None:
    batch = held(cast)
    move = "UPDATE records_batch SET state = 'committing', committed_by_id = %s WHERE id = %s"
    refused_by_database("second look", move, cast.data_reviewer.pk, batch.pk)
    refused_by_database("kept|permission", "DELETE FROM records_batchhold WHERE batch_id = %s", batch.pk)
    refused_by_database("permission|refuse|append", "TRUNCATE records_batchhold")
    refused_by_database("stays", "UPDATE records_batchhold SET high = 9999 WHERE batch_id = %s", batch.pk)
    refused_by_database("stays", "UPDATE records_batchhold SET batch_id = batch_id + 1 WHERE batch_id = %s", batch.pk)
    agree = "UPDATE records_batchhold SET agreed = true, decided_at = now(), note = %s, decided_by_id = %s WHERE batch_id = %s"
    refused_by_database("another officer", agree, "同意", cast.data_officer.pk, batch.pk)
    refused_by_database("officer of the supplier", agree, "同意", cast.credit_office.pk, batch.pk)
    refused_by_database("for_a_reason", agree, "", cast.data_reviewer.pk, batch.pk)
    refused_by_database(
        "permission denied",
        "INSERT INTO records_batchhold (batch_id, rule_id, measure, affected, value, earlier, asked_reason, agreed, note,"
        " decided_by_id, decided_at) SELECT batch_id, rule_id, measure, affected, value, 0, '', true, '同意', %s, now()"
        " FROM records_batchhold WHERE batch_id = %s",
        cast.data_reviewer.pk, batch.pk,
    )  # fmt: skip


def test_a_hold_is_made_of_what_the_batch_is_and_asked_for_by_its_own_officers(cast: Cast) -> None:
    """The functions that write holds take no figures from whoever calls them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT oidvectortypes(proargtypes) FROM pg_proc"
            " WHERE prosecdef AND provolatile = 'v' AND prosrc LIKE '%%INTO records_batchhold%%'"
        )
        assert cursor.fetchall() == [("bigint, bigint, text",)]
    rule(cast, measure="withdrawn", high=Decimal(40))
    batch = deliver(cast, rows(cast, 4))
    ask = "SELECT records_hold_withdrawal(%s, %s, '错报')"
    refused_by_database("officer of the supplier", ask, batch.pk, cast.credit_office.pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT records_hold(%s, NULL, '')", [batch.pk])
    assert not batch.holds.exists()


def test_a_rule_ends_only_by_the_next_one(cast: Cast) -> None:
    """By one hand and SQL nothing would be measured any more."""
    mine = rule(cast, high=Decimal(5))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    end = "UPDATE records_volumerule SET valid_to = cf_today() + 1 WHERE id = %s"
    refused_by_database("by the next", end, mine.pk)
    refused_by_database("by the next", "UPDATE records_volumerule SET state = 'superseded' WHERE id = %s", mine.pk)


def test_a_batch_that_skipped_the_check_is_judged_when_it_goes_in(cast: Cast) -> None:
    batch = check(cast, as_csv(rows(cast, 3)))
    rule(cast, high=Decimal(2))
    refused_by_database(
        "second look", "UPDATE records_batch SET state = 'committing', committed_by_id = %s WHERE id = %s",
        cast.data_reviewer.pk, batch.pk,
    )  # fmt: skip


def test_a_rule_is_never_edited_and_takes_two(cast: Cast) -> None:
    drafted = volume.propose(
        by=cast.credit_office,
        measure="rows",
        item=cast.item,
        high=Decimal(5),
        basis="试验",
        valid_from=timezone.localdate(),
    )
    with pytest.raises(PermissionDenied, match="另一名"):
        volume.confirm(drafted.pk, by=cast.credit_office)
    put = "UPDATE records_volumerule SET state = 'in_force', confirmed_at = now(), confirmed_by_id = %s WHERE id = %s"
    refused_by_database("another person|confirmed_by_another", put, cast.credit_office.pk, drafted.pk)
    refused_by_database("not an edit", "UPDATE records_volumerule SET high = 99999 WHERE id = %s", drafted.pk)
    refused_by_database("kept for good", "DELETE FROM records_volumerule WHERE id = %s", drafted.pk)
    refused_by_database("permission|refuse|append", "TRUNCATE records_volumerule CASCADE")
    refused_by_database(
        "proposes it first",
        'INSERT INTO records_volumerule (measure, high, "window", least, floor, basis, valid_from, state, proposed_at,'
        " confirmed_at, withdrawn_reason) VALUES ('rows', 9, 12, 6, 0, 'x', '2026-01-01', 'in_force', now(), now(), '')",
    )
    for user in (cast.data_officer, cast.operator, cast.system_admin):
        with pytest.raises(PermissionDenied):
            volume.propose(by=user, measure="rows", basis="试验", valid_from=timezone.localdate())
    with pytest.raises(ValidationError, match="早于今天"):
        volume.propose(
            by=cast.credit_office, measure="rows", basis="试验", valid_from=timezone.localdate() - timedelta(days=1)
        )


def test_a_new_rule_ends_the_one_before_on_its_first_day(cast: Cast) -> None:
    first = rule(cast, high=Decimal(5))
    tomorrow = timezone.localdate() + timedelta(days=1)
    rule(cast, high=Decimal(6), valid_from=tomorrow)
    first.refresh_from_db()
    assert first.valid_to == tomorrow
    refused_by_database("not moved", "UPDATE records_volumerule SET valid_to = NULL WHERE id = %s", first.pk)


@pytest.mark.parametrize(
    "values", [{"measure": "changed", "low": 5}, {"measure": "refused", "factor": 3}, {"low": 9, "high": 5}]
)
def test_a_rule_that_makes_no_sense_is_refused_in_words(cast: Cast, values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        volume.propose(
            by=cast.credit_office, **{"measure": "rows", "basis": "试验", "valid_from": timezone.localdate()} | values
        )
    assert all(any("一" <= letter <= "鿿" for letter in message) for message in refused.value.messages)


# --- by page ------------------------------------------------------------------------------------------------


def test_by_page(cast: Cast, as_user: Callable[[User | None], Client], second_reviewer: User) -> None:
    batch = held(cast)
    hold, url = batch.holds.get(), f"/admin/records/batch/{batch.pk}/"
    for user in (cast.data_officer, cast.data_reviewer, cast.credit_office):
        page = as_user(user).get(f"{url}change/").content.decode()
        assert "本次 9 行，近 3 批中位数 4 行" in page
        assert ("核实无误，放行" in page) is (user == cast.data_reviewer)
        assert "提交入库</button>" not in page
    assert "数量异常待复核的批次" in as_user(cast.data_reviewer).get("/admin/").content.decode()
    assert batch.number in as_user(cast.data_reviewer).get("/admin/records/batch/?held=1").content.decode()
    for user in (cast.data_officer, cast.credit_office, cast.officer_elsewhere):
        as_user(user).post(f"{url}hold/{hold.pk}/", {"agree": "1", "note": "同意"})
    as_user(cast.data_officer).post(f"{url}commit/")
    assert (Batch.objects.get(pk=batch.pk).state, BatchHold.objects.get(pk=hold.pk).agreed) == (State.CHECKED, None)
    page = (
        as_user(cast.data_reviewer)
        .post(f"{url}hold/{hold.pk}/", {"agree": "1", "note": ""}, follow=True)
        .content.decode()
    )
    assert "请写明复核意见" in page
    page = (
        as_user(second_reviewer)
        .post(f"{url}hold/{hold.pk}/", {"agree": "1", "note": "已核实"}, follow=True)
        .content.decode()
    )
    assert "已放行" in page
    assert "审核通过，提交入库" in page


def test_rules_by_page(cast: Cast, as_user: Callable[[User | None], Client]) -> None:
    office, other = as_user(cast.credit_office), as_user(cast.credit_office_2)
    page = office.get("/admin/records/volumerule/").content.decode()
    assert "近 12 批中位数的 1/10 至 10 倍" in page
    form = {"measure": "rows", "item": cast.item.pk, "supplier": "", "high": "500", "low": "", "factor": "", "window": "12",
            "least": "6", "floor": "0", "basis": "每月约三百件", "valid_from": timezone.localdate().isoformat()}  # fmt: skip
    assert office.post("/admin/records/volumerule/add/", {**form, "basis": ""}).status_code == 422
    assert office.post("/admin/records/volumerule/add/", form).status_code == 302
    drafted = VolumeRule.objects.get(state="draft")
    office.post(f"/admin/records/volumerule/{drafted.pk}/confirm/")
    assert VolumeRule.objects.get(pk=drafted.pk).state == "draft"
    assert "待确认的数量规则" in other.get("/admin/").content.decode()
    other.post(f"/admin/records/volumerule/{drafted.pk}/confirm/")
    assert VolumeRule.objects.get(pk=drafted.pk).state == "in_force"
    assert as_user(cast.data_officer).get("/admin/records/volumerule/add/").status_code == 403
    assert as_user(cast.data_officer).get("/admin/records/volumerule/").status_code == 200
    assert as_user(cast.officer_here).get("/admin/records/volumerule/").status_code == 403
