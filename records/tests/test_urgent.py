"""A file opened in an emergency: one person, some minutes, an alarm at once, a review that its reader cannot pass by."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.utils import timezone

from access import reviews, urgent
from access.actions import Ask, write_query
from access.models import (
    URGENT_FIELDS,
    Anomaly,
    AnomalyStep,
    Kind,
    Message,
    Query,
    UrgentGround,
    UrgentReading,
)
from access.reading import access_history
from access.waiting import waiting_for
from accounts.models import Role, User
from catalogue import actions as catalogue_actions
from catalogue.models import Deadline, Item, ItemVersion
from catalogue.tests.editions import approved, publish
from creditfujian.tests.cast import CITIZEN_NUMBER, Cast
from records.glass import Emergency, file_in_emergency, open_in_emergency
from records.life_models import RecordAct
from records.models import Record
from records.reading import File, Refused
from records.tests.deliveries import deliver, penalty
from records.tests.life import done, numbers_of
from records.tests.stepping_up import stepped_up
from records.tests.test_gateway import staff

FACTS = "山体滑坡，须立即查明被困人员的从业资格"


def emergency(cast: Cast, **changes: Any) -> Emergency:
    values: dict[str, Any] = {
        "id_number": CITIZEN_NUMBER, "name": "陈小满", "items": [cast.item], "ground": UrgentGround.objects.get(pk="LIFE"),
        "incident_no": "接警〔2026〕31号", "facts": FACTS,
    }  # fmt: skip
    return Emergency(**values | changes)


def broken(cast: Cast, user: User | None = None, **changes: Any) -> UrgentReading:
    """The officer elsewhere, who has no duty for penalties, opened the citizen's file in an emergency."""
    outcome = open_in_emergency(emergency(cast, **changes), by=staff(stepped_up(user or cast.officer_elsewhere)))
    assert isinstance(outcome, UrgentReading), outcome
    return outcome


def refusal(cast: Cast, user: User, **changes: Any) -> str:
    outcome = open_in_emergency(emergency(cast, **changes), by=staff(user))
    assert isinstance(outcome, Refused), outcome
    return outcome.refusal.value


def sql(words: str, statement: str, *values: object) -> None:
    """The statement, as the application role, is refused in those words."""
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match=words), transaction.atomic():
        cursor.execute(statement, values)


BREAK = "SELECT access_break_glass(%s, %s, %s, 'LIFE', '接警〔2026〕31号', %s, %s)"


def colleague(cast: Cast, role: Role, name: str = "head2") -> User:
    """Another of the transport department, which reads penalties of its own and no others."""
    user = User.objects.create(username=name, name="厅里同事", organisation=cast.transport, is_staff=True)
    user.groups.set(Group.objects.filter(name=role))
    return user


# --- opening ------------------------------------------------------------------------------------------------


def test_the_file_opens_masked_and_everybody_concerned_is_told_at_once(
    cast: Cast, caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Any
) -> None:
    deliver(cast, [penalty(cast)])
    head = colleague(cast, Role.DECIDER_HEAD)
    with caplog.at_level(logging.WARNING, "creditfujian.alarm"), django_capture_on_commit_callbacks(execute=True):
        opened = broken(cast)
    assert opened.number in caplog.text
    assert "陈小满" not in caplog.text
    for watcher in (cast.auditor, cast.security_admin, cast.credit_office, head):
        assert [card.count for card in waiting_for(watcher) if card.title == "紧急查询报警"] == [1], watcher
    assert not [card for card in waiting_for(cast.officer_here) if card.title == "紧急查询报警"]
    assert [card.count for card in waiting_for(cast.head) if card.title == "紧急查询报警"] == [0], "another unit's"
    message = Message.objects.to(cast.citizen.person).get()
    assert opened.number in message.text
    assert "省交通运输厅" in message.subject

    file = file_in_emergency(opened, by=staff(cast.officer_elsewhere))
    assert Message.objects.to(cast.citizen.person).get() == message, "told once, and not as a reading by duty"
    assert isinstance(file, File)
    assert (len(file.records), file.id_number) == (1, "359901********0011")
    seen = access_history(cast.citizen.person)[0]
    assert (seen.is_urgent, seen.case_no, seen.reviewed.open) == (True, opened.number, True)
    assert "个人信息保护法" in seen.ground
    review = Anomaly.objects.get(sign="urgent")
    assert (review.organisation, review.lines.count()) == (cast.transport, 1)
    assert Deadline.objects.of(review).get().rule.code == "D45"


def test_only_who_reads_by_role_and_confirmed_just_now(cast: Cast) -> None:
    assert refusal(cast, cast.officer_elsewhere) == "no_step_up"
    for user in (cast.data_officer, cast.clerk, cast.auditor, cast.operator, cast.credit_office, cast.bank_clerk):
        assert refusal(cast, stepped_up(user)) == "no_role"
        sql("may not open", BREAK, user.pk, cast.citizen.person_id, [cast.item.pk], FACTS, urgent.STATEMENT)
    assert Query.objects.filter(decision="refused").count() == 7
    assert access_history(cast.citizen.person)[0].refused
    assert not UrgentReading.objects.exists()


def test_nobody_is_found_by_another_name_and_the_attempt_is_logged(cast: Cast) -> None:
    stepped_up(cast.officer_elsewhere)
    assert open_in_emergency(emergency(cast, name="陈大满"), by=staff(cast.officer_elsewhere)) is None
    assert Query.objects.latest("seq").case_no == "接警〔2026〕31号"
    assert not UrgentReading.objects.exists()


def test_where_a_duty_opens_the_items_a_registration_is_the_way(cast: Cast) -> None:
    assert refusal(cast, stepped_up(cast.officer_here)) == "ordinary"
    sql(
        "registration is the way", BREAK, cast.officer_here.pk, cast.citizen.person_id, [cast.item.pk], FACTS,
        urgent.STATEMENT,
    )  # fmt: skip


def test_what_is_shown_to_the_person_alone_stays_closed(cast: Cast) -> None:
    """By code and by SQL: an item that is suspended, or for the person alone."""
    assert cast.item.pk in urgent.items_open()
    transport = Item.objects.get(code="FJ1-03-TRAN-0001")
    version = transport.version_on(timezone.localdate())
    assert version is not None
    catalogue_actions.suspend(version, by=cast.credit_office, note="依据修订中")
    approved(
        cast,
        disclosure="SELF",
        disclosure_basis=None,
        public_name_in_full=False,
        effective=DateRange(timezone.localdate(), None),
    )
    publish(cast)
    stepped_up(cast.officer_elsewhere)
    for item in (transport, cast.item):
        assert refusal(cast, cast.officer_elsewhere, items=[item]) == "closed_item"
        sql(
            "person alone", BREAK, cast.officer_elsewhere.pk, cast.citizen.person_id, [item.pk], FACTS, urgent.STATEMENT
        )
    sql("person alone", BREAK, cast.officer_elsewhere.pk, cast.citizen.person_id, [], FACTS, urgent.STATEMENT)


def test_records_held_back_withheld_or_hidden_stay_closed(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    with transaction.atomic():  # the person's own look would open the record for the rest of this transaction
        number = numbers_of(cast.citizen)[0]
        transaction.set_rollback(True)
    done(cast, RecordAct.Kind.CANCEL, number)
    file = file_in_emergency(broken(cast), by=staff(cast.officer_elsewhere))
    assert isinstance(file, File)
    assert file.records == []


def test_it_says_why_in_words_and_by_a_law_that_is_on_the_list(cast: Cast) -> None:
    who, whom, items = stepped_up(cast.officer_elsewhere).pk, cast.citizen.person_id, [cast.item.pk]
    sql("statutory reason", BREAK, who, whom, items, "急", urgent.STATEMENT)
    sql("statutory reason", BREAK, who, whom, items, FACTS, "")
    sql("statutory reason", BREAK.replace("'LIFE'", "'CURIOUS'"), who, whom, items, FACTS, urgent.STATEMENT)
    sql("statutory reason", BREAK.replace("〔2026〕31号", "待补"), who, whom, items, FACTS, urgent.STATEMENT)


# --- afterwards ---------------------------------------------------------------------------------------------


def test_nobody_breaks_again_before_the_answer(cast: Cast) -> None:
    opened = broken(cast)
    assert refusal(cast, cast.officer_elsewhere) == "unanswered"
    sql(
        "may not open", BREAK, cast.officer_elsewhere.pk, cast.other_citizen.person_id, [cast.item.pk], FACTS,
        urgent.STATEMENT,
    )  # fmt: skip
    reviews.answer(opened.anomaly, verdict="justified", text="险情属实，附接警单", by=cast.credit_office)
    assert broken(cast).number != opened.number


@pytest.mark.parametrize("closed", [False, True])
def test_nobody_breaks_again_after_one_without_a_ground(cast: Cast, closed: bool) -> None:
    opened = broken(cast)
    verdict = "justified" if closed else "unjustified"
    reviews.answer(opened.anomaly, verdict=verdict, text="没有险情", by=cast.credit_office)
    if closed:  # the auditor has the last word
        opened.anomaly.refresh_from_db()
        reviews.close(opened.anomaly, verdict="unjustified", text="没有这次接警", by=cast.auditor)
    assert refusal(cast, cast.officer_elsewhere) == "unjustified"
    sql(
        "may not open",
        BREAK,
        cast.officer_elsewhere.pk,
        cast.citizen.person_id,
        [cast.item.pk],
        FACTS,
        urgent.STATEMENT,
    )
    told = access_history(cast.citizen.person)
    assert told[0].refused


def test_the_units_head_answers_and_the_auditor_gives_the_verdict(cast: Cast) -> None:
    head, reviewer = colleague(cast, Role.DECIDER_HEAD), colleague(cast, Role.DATA_REVIEWER, "reviewer2")
    opened = broken(cast)
    file_in_emergency(opened, by=staff(cast.officer_elsewhere))
    review = opened.anomaly
    for user in (cast.officer_elsewhere, reviewer, cast.credit_office, cast.head, cast.auditor):
        with pytest.raises(PermissionDenied):
            reviews.answer(review, verdict="justified", text="有依据", by=user)
        with pytest.raises(DatabaseError, match="supervisor"), transaction.atomic():
            AnomalyStep.objects.create(anomaly=review, deed="answered", verdict="justified", text="有依据", by=user)
    reviews.answer(review, verdict="justified", text="险情属实", by=head)
    review.refresh_from_db()
    with pytest.raises(ValidationError, match="审计员作出结论"):
        reviews.close(review, text="同意", by=cast.auditor)
    with pytest.raises(DatabaseError, match="what an emergency was"), transaction.atomic():
        AnomalyStep.objects.create(anomaly=review, deed="closed", text="同意", by=cast.auditor)
    reviews.close(review, verdict="mistaken", text="应先申请登记职责", by=cast.auditor)
    review.refresh_from_db()
    assert (review.verdict, review.closed_by) == ("mistaken", cast.auditor)
    assert access_history(cast.citizen.person)[0].reviewed.verdict == "操作失误，已改正"
    assert not [card for card in waiting_for(head) if card.title == "紧急查询报警" and card.count]


def test_a_head_who_broke_the_glass_is_not_the_one_who_answers(cast: Cast) -> None:
    head = colleague(cast, Role.DECIDER_HEAD)
    opened = broken(cast, head)  # and opened no file yet
    assert opened.anomaly not in Anomaly.objects.visible_to(head)
    with pytest.raises(PermissionDenied):
        reviews.answer(opened.anomaly, verdict="justified", text="有依据", by=head)
    with pytest.raises(DatabaseError, match="supervisor"), transaction.atomic():
        AnomalyStep.objects.create(anomaly=opened.anomaly, deed="answered", verdict="justified", text="有依据", by=head)
    assert opened.anomaly in Anomaly.objects.to_answer_by(cast.credit_office), "nobody is left in the unit"


def test_the_file_closes_when_it_is_answered_for_and_for_everybody_else_it_never_opens(cast: Cast) -> None:
    opened = broken(cast)
    assert isinstance(file_in_emergency(opened, by=staff(stepped_up(cast.officer_here))), Refused)
    reviews.answer(opened.anomaly, verdict="justified", text="险情属实", by=cast.credit_office)
    opened.anomaly.refresh_from_db()
    outcome = file_in_emergency(opened, by=staff(cast.officer_elsewhere))
    assert isinstance(outcome, Refused)
    assert outcome.refusal == "reviewed"


def test_no_path_around_it(cast: Cast) -> None:
    """By SQL as the application: an urgent line without its reading, of another person, of another item; a row by hand."""
    deliver(cast, [penalty(cast)])
    opened = broken(cast)
    values: dict[str, Any] = {
        "kind": Kind.DUTY, "ground": "紧急查询", "purpose": "紧急查询", "fields_class": URGENT_FIELDS, "items": [cast.item],
        "case_no": opened.number, "person": cast.citizen.person,
    }  # fmt: skip
    other = Item.objects.get(code="FJ1-03-TRAN-0001")
    for changes, user in (
        ({"case_no": "JJ20260101-000001"}, cast.officer_elsewhere), ({}, cast.officer_here), ({"items": [other]}, cast.officer_elsewhere),
    ):  # fmt: skip
        with pytest.raises(DatabaseError, match="urgent line"), transaction.atomic():
            write_query(Ask(**{**values, **changes}), by=staff(user))
    for changes in ({"person": cast.other_citizen.person}, {"items": None}):
        with pytest.raises(DatabaseError, match="emergency"), transaction.atomic():
            write_query(Ask(**{**values, **changes}), by=staff(cast.officer_elsewhere))
    with transaction.atomic():
        write_query(Ask(**values), by=staff(cast.officer_elsewhere))
        assert Record.objects.count() == 1
    sql("permission denied", "INSERT INTO access_urgentreading (number) VALUES ('x')")
    sql("permission denied|append-only", "UPDATE access_urgentreading SET expires_at = now() + interval '1 day'")
    sql("permission denied|append-only", "DELETE FROM access_urgentreading")
    sql("permission denied|append-only", "UPDATE access_urgentground SET confidence = 'H'")


# --- by page ------------------------------------------------------------------------------------------------


def test_by_page(cast: Cast, as_user: Callable[[User | None], Client]) -> None:
    deliver(cast, [penalty(cast)])
    stepped_up(cast.officer_elsewhere)
    officer = as_user(cast.officer_elsewhere)
    page = officer.get("/admin/access/urgentreading/add/").content.decode()
    assert "条文待核对" in page
    assert "本人具结" in page
    version = ItemVersion.objects.get(item=cast.item)
    form = {
        "name": "陈小满", "id_number": CITIZEN_NUMBER, "ground": "LIFE", "incident_no": "接警〔2026〕31号", "facts": FACTS,
        "items": [version.pk], "sworn": "on",
    }  # fmt: skip
    for missing in ("sworn", "facts", "ground", "items", "incident_no"):
        assert officer.post("/admin/access/urgentreading/add/", {**form, missing: ""}).status_code == 422
    answer = officer.post("/admin/access/urgentreading/add/", form)
    opened = UrgentReading.objects.get()
    assert answer["Location"] == f"/admin/access/urgentreading/{opened.pk}/file/"
    file = officer.get(answer["Location"]).content.decode()
    assert "闽市监处罚〔2026〕1号" in file
    assert CITIZEN_NUMBER not in file
    assert "还没有经单位负责人答复" in officer.get("/admin/access/urgentreading/add/").content.decode()
    assert officer.post("/admin/access/urgentreading/add/", form).status_code == 403
    for watcher in (cast.auditor, cast.security_admin, cast.credit_office):
        assert "紧急查询报警" in as_user(watcher).get("/admin/").content.decode()
        told = as_user(watcher).get(f"/admin/access/urgentreading/{opened.pk}/change/").content.decode()
        assert FACTS in told
        assert "陈小满" not in told, "whose file it was is not shown"
        assert as_user(watcher).get(f"/admin/access/urgentreading/{opened.pk}/file/").status_code in (403, 404)
    for stranger in (cast.officer_here, cast.head, cast.data_officer, cast.operator, cast.citizen):
        assert as_user(stranger).get(f"/admin/access/urgentreading/{opened.pk}/change/").status_code in (302, 403, 404)
    assert "紧急查询" in as_user(cast.citizen).get("/me/access/").content.decode()
    assert opened.number in as_user(cast.citizen).get("/me/messages/").content.decode()


def test_by_page_the_auditor_gives_the_verdict(cast: Cast, as_user: Callable[[User | None], Client]) -> None:
    head, opened = colleague(cast, Role.DECIDER_HEAD), broken(cast)
    url = f"/admin/access/anomaly/{opened.anomaly_id}/"
    assert FACTS in as_user(head).get(f"{url}change/").content.decode()
    as_user(head).post(f"{url}answer/", {"verdict": "justified", "text": "险情属实"})
    auditor = as_user(cast.auditor)
    assert auditor.post(f"{url}close/", {"text": "同意"}).status_code == 422
    auditor.post(f"{url}close/", {"text": "没有这次接警", "verdict": "unjustified"})
    opened.anomaly.refresh_from_db()
    assert (opened.anomaly.state, opened.anomaly.verdict) == ("closed", "unjustified")
