"""Deeds on records outside batches: asked by one official, decided by another, done by the database, all in the trail."""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from access.actions import Ask, Asker, write_query
from access.models import Kind as QueryKind
from access.models import Query
from catalogue.models import Deadline
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, Cast, make_cast
from records import acts
from records.act_reading import records_of
from records.life_models import ActRecord, RecordAct, RecordEvent
from records.models import Record, RecordVersion
from records.reading import own_file, public_records
from records.tests.deliveries import as_csv, check, deliver, penalty, problems
from records.tests.life import asker, done, numbers_of, one_record, opened_and_decided, states

Kind, State = RecordAct.Kind, Record.State
# A query line stays a key for its transaction: readings by several people need transactions of their own.
apart = pytest.mark.django_db(transaction=True)
PAPER = {"document_no": "闽政复〔2026〕9号", "document_date": date(2026, 11, 2)}


def own(cast: Cast) -> list[str]:
    return [view.state.label for view in own_file(cast.citizen.person, by=Asker(cast.citizen, "公示网站")).records]


def public(cast: Cast) -> int:
    return len(public_records(name="陈小满", id_number=CITIZEN_NUMBER, by=Asker(None, "公示网站")).records)


def test_a_withdrawal_asked_by_one_and_decided_by_another_takes_the_record_out(cast: Cast) -> None:
    number = one_record(cast)
    act = acts.ask(Kind.WITHDRAW, [number], by=cast.data_officer, reason="重复报送")
    assert public(cast) == 1  # asking changes nothing
    act = opened_and_decided(cast, act)
    assert (act.state, act.decided_by) == ("done", cast.data_reviewer)
    assert (own(cast), public(cast)) == ([], 0)
    event = RecordEvent.objects.get()
    assert (event.from_state, event.to_state, event.act_id, event.by) == (1, 2, act.pk, cast.data_reviewer)


@apart
def test_an_annulled_decision_is_cancelled_and_the_person_still_sees_what_became_of_it(cast: Cast) -> None:
    done(cast, Kind.CANCEL, one_record(cast), **PAPER)
    assert (own(cast), public(cast)) == (["已撤销"], 0)


def test_a_cancellation_rests_on_a_document(cast: Cast) -> None:
    number = one_record(cast)
    with pytest.raises(ValidationError, match="文书号"):
        acts.ask(Kind.CANCEL, [number], by=cast.data_officer, reason="被复议撤销")


def test_the_clock_of_a_withdrawal_on_annulment_runs_from_the_document_and_stops_when_done(cast: Cast) -> None:
    act = acts.ask(Kind.CANCEL, [one_record(cast)], by=cast.data_officer, reason="被复议撤销", **PAPER)
    clock = Deadline.objects.of(act).get()
    assert (clock.rule.code, clock.started_on, clock.due_on) == ("D10", date(2026, 11, 2), date(2026, 11, 5))
    opened_and_decided(cast, act)
    assert Deadline.objects.of(act).get().met_on == timezone.localdate()


def test_what_was_withdrawn_can_be_restored(cast: Cast) -> None:
    number = one_record(cast)
    done(cast, Kind.WITHDRAW, number)
    done(cast, Kind.RESTORE, number)
    assert (own(cast), public(cast)) == (["有效"], 1)
    assert states(number) == [(1, 2), (2, 1)]


def test_a_refusal_needs_a_reason_and_changes_nothing(cast: Cast) -> None:
    act = acts.ask(Kind.WITHDRAW, [one_record(cast)], by=cast.data_officer, reason="重复报送")
    with pytest.raises(ValidationError, match="理由"):
        opened_and_decided(cast, act, agree=False)
    assert opened_and_decided(cast, act, agree=False, note="不是重复").state == "refused"
    assert public(cast) == 1


def test_nobody_decides_what_they_asked_for_nor_what_another_department_supplied(cast: Cast) -> None:
    act = acts.ask(Kind.WITHDRAW, [one_record(cast)], by=cast.data_officer, reason="重复报送")
    for user in (cast.data_officer, cast.officer_here, cast.officer_elsewhere, cast.credit_office, cast.operator):
        with pytest.raises(PermissionDenied):
            acts.decide(act.pk, by=user, agree=True)


@pytest.mark.parametrize("agree", [True, False])
@pytest.mark.parametrize("kind", [Kind.WITHDRAW, Kind.CANCEL, Kind.REVIEW])
def test_nobody_decides_about_records_that_they_have_not_opened(cast: Cast, kind: RecordAct.Kind, agree: bool) -> None:
    number = one_record(cast)
    act = acts.ask(kind, [number], by=cast.data_officer, reason="重复报送", **PAPER)
    records_of(act, by=asker(cast.data_officer))  # a colleague's look is not one's own
    with pytest.raises(PermissionDenied, match="查阅记录内容"):
        acts.decide(act.pk, by=cast.data_reviewer, agree=agree, note="不同意")
    with pytest.raises(IntegrityError, match="has opened the records"), transaction.atomic():
        RecordAct.objects.filter(pk=act.pk).update(
            state="decided" if agree else "refused", decided_by=cast.data_reviewer, decided_at=timezone.now(),
            decision_note="不同意",
        )  # fmt: skip
    with pytest.raises(IntegrityError, match="not rewritten"), transaction.atomic():
        RecordAct.objects.filter(pk=act.pk).update(handed_in_at=None)
    assert opened_and_decided(cast, act, agree=agree, note="不同意").state == ("done" if agree else "refused")


@apart
def test_a_look_at_the_draft_of_a_correction_is_none_at_the_correction() -> None:
    cast = make_cast()
    number = one_record(cast)
    act = acts.ask(Kind.CORRECT, [number], by=cast.data_officer, reason="罚款金额录入有误")
    records_of(act, by=asker(cast.data_reviewer))
    act, wrong = correction(cast, number, act, 处罚内容="吊销登记证。")
    assert wrong == {}
    with pytest.raises(PermissionDenied, match="查阅记录内容"):
        acts.decide(act.pk, by=cast.data_reviewer, agree=True)
    assert opened_and_decided(cast, act).state == "done"


@apart
def test_a_look_at_one_person_of_an_act_is_none_at_the_other() -> None:
    cast = make_cast()
    other = penalty(cast, 行政相对人名称="林大雪", 证件号码=OTHER_NUMBER, 行政处罚决定书文号="闽市监处罚〔2026〕2号")
    numbers = [one_record(cast)]
    deliver(cast, [other])
    numbers += numbers_of(cast.other_citizen)
    act = acts.ask(Kind.WITHDRAW, numbers, by=cast.data_officer, reason="重复报送")
    assert acts.why_not_decide(act, cast.data_reviewer)
    with transaction.atomic():
        line = Ask(
            kind=QueryKind.DUTY, ground="核对", purpose="办理撤回", fields_class="提供单位可见", items=[cast.item],
            case_no=act.number, person=cast.citizen.person,
        )  # fmt: skip
        write_query(line, by=asker(cast.data_reviewer))
    assert acts.why_not_decide(act, cast.data_reviewer)
    records_of(act, by=asker(cast.data_reviewer))
    assert not acts.why_not_decide(act, cast.data_reviewer)


@pytest.mark.parametrize("decider", ["data_officer", "officer_elsewhere"])
def test_two_officials_of_the_supplier_decide_even_by_sql(cast: Cast, decider: str) -> None:
    act = acts.ask(Kind.WITHDRAW, [one_record(cast)], by=cast.data_officer, reason="重复报送")
    records_of(act, by=asker(cast.data_officer))
    with pytest.raises(IntegrityError, match="decided_by_another|decides about it"), transaction.atomic():
        RecordAct.objects.filter(pk=act.pk).update(
            state="decided", decided_by=getattr(cast, decider), decided_at=timezone.now()
        )


def test_an_act_reaches_only_records_that_its_organisation_supplied(cast: Cast) -> None:
    number = one_record(cast)
    cast.data_officer.organisation = cast.transport
    cast.data_officer.save()
    with pytest.raises(ValidationError, match="不是本单位"):
        acts.ask(Kind.WITHDRAW, [number], by=cast.data_officer, reason="试试")
    assert not ActRecord.objects.exists()


@pytest.mark.parametrize("number", ["R202611240000000001", "", "R20261124000000000AX", "' OR 1=1"])
def test_a_number_that_is_none_is_refused(cast: Cast, number: str) -> None:
    one_record(cast)
    with pytest.raises(ValidationError):
        acts.ask(Kind.WITHDRAW, [number], by=cast.data_officer, reason="试试")


def test_the_key_of_an_act_opens_its_own_record_with_a_line_and_no_other(cast: Cast) -> None:
    number = one_record(cast)
    deliver(
        cast,
        [penalty(cast, 行政相对人名称="林大雪", 证件号码=OTHER_NUMBER, 行政处罚决定书文号="闽市监处罚〔2026〕2号")],
    )
    act = acts.ask(Kind.WITHDRAW, [number], by=cast.data_officer, reason="重复报送")
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('cf.act', %s, true)", [str(act.pk)])
    before = Query.objects.count()
    opened = acts.open_for(act, by=asker(cast.data_reviewer))
    assert Query.objects.count() == before + 1
    line = Query.objects.latest("seq")
    assert (line.case_no, line.kind) == (act.number, "Q5")
    assert opened == [int(number[9:19])]
    assert cast.other_citizen.person_id not in set(Record.objects.values_list("person_id", flat=True))


@pytest.mark.django_db(transaction=True)
def test_the_key_of_an_act_opens_nothing_without_a_line() -> None:
    from creditfujian.tests.cast import make_cast

    cast = make_cast()
    act = acts.ask(Kind.WITHDRAW, [one_record(cast)], by=cast.data_officer, reason="重复报送")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('cf.act', %s, true)", [str(act.pk)])
        assert Record.objects.count() == 0
        assert RecordVersion.objects.count() == 0


# --- every arrow, tried as the application by raw SQL --------------------------------------------------


@pytest.mark.parametrize("state", [1, 2, 3, 4, 5, 6])
def test_no_state_of_a_record_is_set_by_sql(cast: Cast, state: int) -> None:
    number = one_record(cast)
    act = acts.ask(Kind.WITHDRAW, [number], by=cast.data_officer, reason="重复报送")
    acts.open_for(act, by=asker(cast.data_officer))
    assert Record.objects.filter(pk=int(number[9:19])).exists()
    assert Record.objects.filter(pk=int(number[9:19])).update(state=state) == 0  # readable, not writable


@pytest.mark.parametrize("state", [2, 3, 4, 5, 6])
def test_not_even_a_batch_at_work_moves_a_record_off_its_arrows(cast: Cast, state: int) -> None:
    number = one_record(cast)
    from records.tests.test_database_rules import at_work

    batch = check(cast, as_csv([penalty(cast, 处罚内容="吊销登记证，罚款五万元。")]))
    at_work(batch)
    with pytest.raises(IntegrityError), transaction.atomic():
        Record.objects.filter(pk=int(number[9:19])).update(state=state)


@pytest.mark.parametrize("change", [
    {"objected_at": timezone.now()}, {"hidden_at": timezone.now()}, {"usable_from": date(2030, 1, 1)}, {"doc_no": "别的"},
])  # fmt: skip
def test_marks_notices_and_documents_are_not_set_by_a_batch(cast: Cast, change: dict[str, object]) -> None:
    number = one_record(cast)
    from records.tests.test_database_rules import at_work

    at_work(check(cast, as_csv([penalty(cast, 处罚内容="吊销登记证，罚款五万元。")])))
    with pytest.raises(IntegrityError), transaction.atomic():
        Record.objects.filter(pk=int(number[9:19])).update(**change)


@pytest.mark.parametrize("target", ["decided", "done", "refused", "draft", "dropped"])
def test_an_act_cannot_jump_by_sql(cast: Cast, target: str) -> None:
    act = acts.ask(Kind.WITHDRAW, [one_record(cast)], by=cast.data_officer, reason="重复报送")
    changes: dict[str, object] = {"state": target}
    if target == "done":
        changes |= {"decided_by": cast.data_reviewer, "decided_at": timezone.now(), "done_at": timezone.now()}
    if target == "dropped":
        opened_and_decided(cast, act)
    with pytest.raises(IntegrityError), transaction.atomic():
        RecordAct.objects.filter(pk=act.pk).update(**changes)


def test_an_act_decided_by_sql_is_not_done_by_saying_so(cast: Cast) -> None:
    act = acts.ask(Kind.WITHDRAW, [one_record(cast)], by=cast.data_officer, reason="重复报送")
    records_of(act, by=asker(cast.data_reviewer))
    RecordAct.objects.filter(pk=act.pk).update(
        state="decided", decided_by=cast.data_reviewer, decided_at=timezone.now()
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('cf.act', %s, true)", [str(act.pk)])
    with pytest.raises(IntegrityError, match="when its records are"), transaction.atomic():
        RecordAct.objects.filter(pk=act.pk).update(state="done", done_at=timezone.now())


def test_what_was_asked_is_not_rewritten(cast: Cast) -> None:
    act = acts.ask(Kind.WITHDRAW, [one_record(cast)], by=cast.data_officer, reason="重复报送")
    for change in (
        {"kind": "cancel"},
        {"reason": "别的"},
        {"organisation": cast.transport},
        {"asked_by": cast.data_reviewer},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            RecordAct.objects.filter(pk=act.pk).update(**change)


@pytest.mark.parametrize("sql", [
    "UPDATE records_recordevent SET to_state = 1", "DELETE FROM records_recordevent", "TRUNCATE records_recordevent",
    "INSERT INTO records_recordevent (record_id, kind, from_state, to_state) VALUES (1, 1, 2, 1)",
    "INSERT INTO records_actrecord (act_id, record_id, record_no) VALUES (1, 1, 'x')", "DELETE FROM records_actrecord",
    "INSERT INTO records_disposal (record_no) VALUES ('x')", "UPDATE records_disposal SET proof = ''",
    "DELETE FROM records_disposal", "INSERT INTO records_legacyperiod (instrument) VALUES ('x')",
    "DELETE FROM records_recordact",
])  # fmt: skip
def test_the_trail_is_not_written_or_changed_by_the_application(cast: Cast, sql: str) -> None:
    done(cast, Kind.WITHDRAW, one_record(cast))
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_setting_the_disposal_switch_deletes_nothing(cast: Cast) -> None:
    act = acts.ask(Kind.WITHDRAW, [one_record(cast)], by=cast.data_officer, reason="重复报送")
    acts.open_for(act, by=asker(cast.data_officer))
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('cf.disposing', 'on', true)")
    with pytest.raises(DatabaseError, match="permission denied|append-only"), transaction.atomic():
        RecordVersion.objects.all()._raw_delete("default")


# --- marks ---------------------------------------------------------------------------------------------


def marked(cast: Cast, number: str, kind: RecordAct.Kind = Kind.OBJECTION, **more: object) -> RecordAct:
    return acts.mark(
        kind, [number], organisation=cast.market, by=cast.credit_office, reason="异议〔2026〕1号 E2", **more,  # type: ignore[arg-type]
    )  # fmt: skip


def view(cast: Cast):
    return own_file(cast.citizen.person, by=Asker(cast.citizen, "公示网站")).records[0]


def lifted(cast: Cast, number: str, mark: RecordAct) -> RecordAct:
    kind = Kind.OBJECTION_END if mark.kind == Kind.OBJECTION else Kind.REVIEW_END
    return acts.carry_out_decided(
        kind, [number], organisation=cast.market, asked_by=cast.credit_office, decided_by=cast.credit_office_2,
        reason="核查完毕", marks=mark, **PAPER,  # type: ignore[arg-type]
    )  # fmt: skip


def test_an_objection_is_shown_beside_the_record_at_once_and_hides_nothing_by_itself(cast: Cast) -> None:
    number = one_record(cast)
    marked(cast, number)
    assert view(cast).objected
    found = public_records(name="陈小满", id_number=CITIZEN_NUMBER, by=Asker(None, "公示网站")).records
    assert [record.objected for record in found] == [True]


@apart
def test_an_objection_about_the_wrong_person_hides_the_record_from_all_but_the_person(cast: Cast) -> None:
    number = one_record(cast)
    mark = marked(cast, number, hides=True)
    assert (public(cast), view(cast).held_back) == (0, True)
    assert public_records(name="陈小满", doc_no="闽市监处罚〔2026〕1号", by=Asker(None, "公示网站")).records == []
    lifted(cast, number, mark)
    assert (public(cast), view(cast).objected) == (1, False)


def test_marks_of_several_acts_do_not_clear_each_other(cast: Cast) -> None:
    number = one_record(cast)
    first, second = marked(cast, number, hides=True), marked(cast, number)
    review = marked(cast, number, Kind.REVIEW, **PAPER)
    lifted(cast, number, first)
    assert (view(cast).objected, view(cast).held_back, view(cast).under_review) == (True, False, True)
    lifted(cast, number, second)
    assert (view(cast).objected, view(cast).under_review) == (False, True)
    lifted(cast, number, review)
    assert not view(cast).under_review
    assert RecordEvent.objects.filter(kind=RecordEvent.Kind.MARK).count() >= 5


def test_a_mark_is_lifted_by_two_people_and_only_once(cast: Cast) -> None:
    number = one_record(cast)
    mark = marked(cast, number)
    with pytest.raises(ValidationError, match="另一名"):
        acts.carry_out_decided(
            Kind.OBJECTION_END, [number], organisation=cast.market, asked_by=cast.credit_office,
            decided_by=cast.credit_office, reason="核查完毕", marks=mark, **PAPER,  # type: ignore[arg-type]
        )  # fmt: skip
    lifted(cast, number, mark)
    with pytest.raises(ValidationError, match="已经解除"):
        lifted(cast, number, mark)


# --- repair, and what does not come back ---------------------------------------------------------------


def repaired(cast: Cast, number: str) -> RecordAct:
    return acts.carry_out_decided(
        Kind.REPAIR, [number], organisation=cast.market, asked_by=cast.officer_here, decided_by=cast.head,
        reason="准予信用修复", **PAPER,  # type: ignore[arg-type]
    )  # fmt: skip


@apart
def test_a_repaired_record_is_shown_to_the_person_alone(cast: Cast) -> None:
    number = one_record(cast)
    repaired(cast, number)
    assert (own(cast), public(cast)) == (["已修复"], 0)
    assert not view(cast).repairable


@apart
@pytest.mark.parametrize("closed", ["repair", "cancel"])
def test_a_repaired_or_annulled_record_does_not_come_back_by_another_delivery(cast: Cast, closed: str) -> None:
    number = one_record(cast)
    repaired(cast, number) if closed == "repair" else done(cast, Kind.CANCEL, number, **PAPER)
    batch = check(cast, as_csv([penalty(cast, 处罚内容="吊销登记证，罚款五万元。")]))
    assert problems(batch) == {2: ["R04"]}
    assert public(cast) == 0


def test_a_repaired_record_cannot_be_withdrawn_or_cancelled_twice(cast: Cast) -> None:
    number = one_record(cast)
    repaired(cast, number)
    act = acts.ask(Kind.WITHDRAW, [number], by=cast.data_officer, reason="试试")
    with pytest.raises(ValidationError, match="当前状态不能"):
        opened_and_decided(cast, act)
    assert RecordAct.objects.get(pk=act.pk).state == "asked"


# --- correction ----------------------------------------------------------------------------------------


def correction(
    cast: Cast, number: str, act: RecordAct | None = None, **changes: str
) -> tuple[RecordAct, dict[str, list[str]]]:
    act = act or acts.ask(Kind.CORRECT, [number], by=cast.data_officer, reason="罚款金额录入有误")
    with transaction.atomic():
        record, version, _ = acts.correction_of(act, by=asker(cast.data_officer))
        codes = {field.label: code for code, field in acts.schema_of(record).by_code.items()}
    values = version.content | {codes[label]: value for label, value in changes.items()}
    return act, acts.propose_correction(act.pk, values, by=asker(cast.data_officer))


def test_a_correction_passes_the_checks_of_a_delivered_row_and_makes_a_version(cast: Cast) -> None:
    number = one_record(cast)
    act, wrong = correction(cast, number, **{"罚款金额（万元）": "5.5", "处罚内容": "吊销登记证，罚款五万五千元。"})
    assert wrong == {}
    opened_and_decided(cast, act)
    shown = view(cast)
    assert shown.version == 2
    assert "5.5" in {fact.value for fact in shown.facts}
    with transaction.atomic():
        own_file(cast.citizen.person, by=Asker(cast.citizen, "公示网站"))
        version = RecordVersion.objects.get(version=2)
        assert (version.deed, version.act_id, version.batch_id) == (RecordVersion.Deed.CORRECTED, act.pk, None)
        assert version.by == cast.data_reviewer


def test_a_correction_that_a_row_would_be_refused_for_is_refused_by_field(cast: Cast) -> None:
    _, wrong = correction(cast, one_record(cast), 违法事实="当事人联系电话13800138000。", 处罚类别="行政拘留")
    assert len(wrong) == 2


def test_a_correction_that_changes_nothing_is_told_so(cast: Cast) -> None:
    _, wrong = correction(cast, one_record(cast))
    assert "相同" in wrong[""][0]


def test_a_correction_never_moves_a_record_to_another_document(cast: Cast) -> None:
    number = one_record(cast)
    act, wrong = correction(cast, number, 行政处罚决定书文号="闽市监处罚〔2026〕77号", 处罚内容="吊销登记证。")
    assert wrong == {}
    opened_and_decided(cast, act)
    assert view(cast).doc_no == "闽市监处罚〔2026〕1号"


def test_a_corrected_record_is_left_alone_when_its_batch_is_withdrawn(cast: Cast) -> None:
    from records import actions
    from records.models import Batch

    number = one_record(cast)
    act, _ = correction(cast, number, 处罚内容="吊销登记证。")
    opened_and_decided(cast, act)
    assert actions.withdraw(Batch.objects.get().pk, by=cast.data_officer, reason="整批重报") == 0
    assert numbers_of(cast.citizen) == [number]


def test_the_officers_of_an_act_read_under_its_number_and_the_person_sees_that(cast: Cast) -> None:
    from access.reading import access_history

    act, _ = correction(cast, one_record(cast), 处罚内容="吊销登记证。")
    line = access_history(cast.citizen.person)[0]
    assert (line.case_no, line.unit, line.purpose) == (act.number, "省市场监督管理局", "办理更正")
