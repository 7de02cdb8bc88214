"""The second look at readings: rules find lines, the unit answers, the auditor closes, and whoever reads the log is seen."""

from collections.abc import Callable
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from auditlog.context import set_actor
from auditlog.models import LogEntry
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from access import reviews
from access.actions import Ask, Asker, write_query
from access.models import Anomaly, AnomalyStep, Kind, LogReading, Query, ReviewRule
from access.reading import access_history
from access.waiting import waiting_for
from accounts.models import Person, Role, User
from catalogue.models import Deadline
from creditfujian.lib import identity
from creditfujian.lib.waiting import Tone
from creditfujian.tests.cast import Cast
from creditfujian.tests.registrations import registration_of

Day = timezone.localdate


def somebody(serial: int) -> Person:
    person = Person.seal(identity.invent(date(1970 + serial % 30, 3, 4), 200 + serial), f"林甲{serial}")
    person.save()
    return person


def read(user: User, person: Person | None, **changes: Any) -> int:
    """A line of a file opened under a registration."""
    values = {
        "kind": Kind.DUTY, "ground": "履行法定职责", "purpose": "日常监督检查：双随机", "fields_class": "部门可见",
        "case_no": "闽市监检〔2026〕7号", "duty_code": "350000-MRKT-01", "request_no": 1, "person": person, "items": [],
    }  # fmt: skip
    made = values | changes
    if made["kind"] is Kind.DUTY and made["person"] and not made.get("refusal"):
        names = {name: made[name] for name in ("case_no", "duty_code")}
        made["request_no"] = registration_of(user, made["person"], made["items"], **names).pk
    return write_query(Ask(**made), by=Asker(user, "工作平台", "192.0.2.0/24"))  # type: ignore[arg-type]


def rule(cast: Cast, sign: str, **values: Any) -> ReviewRule:
    drafted = reviews.propose(by=cast.credit_office, sign=sign, basis="试验", valid_from=Day(), **values)
    return reviews.confirm(drafted.pk, by=cast.credit_office_2)


def quiet(cast: Cast) -> None:
    """Keep the rules that depend on chance or the hour from finding anything."""
    rule(cast, "sample", share=Decimal(0))
    rule(cast, "night", threshold=9999, night_from=time(22), night_until=time(6))


def only(sign: str) -> Anomaly:
    return Anomaly.objects.get(sign=sign)


def refused_by_database(words: str, statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:

        def deed() -> None:
            cursor.execute(statement, values)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

        with pytest.raises(DatabaseError, match=words), transaction.atomic():
            deed()


@pytest.fixture
def many(cast: Cast) -> Anomaly:
    """The officer opened more files in an hour than the rule lets pass."""
    quiet(cast)
    rule(cast, "hourly", threshold=3, hours=1)
    for serial in range(4):
        read(cast.officer_here, somebody(serial))
    assert reviews.look_at(Day()) >= 1
    return only("hourly")


# --- what rules find ----------------------------------------------------------------------------------------


def test_files_of_more_persons_than_usual_in_an_hour(cast: Cast) -> None:
    quiet(cast)
    rule(cast, "hourly", threshold=3, hours=1)
    people = [somebody(serial) for serial in range(4)]
    for person in (*people[:3], people[0], people[1]):
        read(cast.officer_here, person)
    reviews.look_at(Day())
    assert not Anomaly.objects.filter(sign="hourly").exists(), "three persons, however often, are not four"
    read(cast.officer_here, people[3])
    reviews.look_at(Day())
    found = only("hourly")
    assert (found.actor, found.organisation, found.value, found.lines.count()) == (cast.officer_here, cast.market, 4, 6)


def test_looking_again_finds_nothing_twice_and_adds_what_came_since(cast: Cast, many: Anomaly) -> None:
    assert reviews.look_at(Day()) == 0
    read(cast.officer_here, somebody(9))
    assert reviews.look_at(Day()) == 0
    many.refresh_from_db()
    assert (Anomaly.objects.count(), many.value, many.lines.count()) == (1, 5, 5)
    assert Deadline.objects.of(many).count() == 1


def test_lists_and_exports_are_not_opened_files(cast: Cast) -> None:
    quiet(cast)
    rule(cast, "hourly", threshold=1, hours=1)
    rule(cast, "listed", threshold=2, hours=1)
    for serial in range(3):
        read(cast.officer_here, somebody(serial), fields_class="列表，部门可见，证件号码脱敏")
    reviews.look_at(Day())
    assert [a.sign for a in Anomaly.objects.all()] == ["listed"]


@pytest.mark.parametrize("inside", [True, False])
def test_reading_at_night(cast: Cast, inside: bool) -> None:
    rule(cast, "sample", share=Decimal(0))
    now = timezone.localtime()
    earlier, later = ((now + timedelta(hours=step)).time().replace(second=0, microsecond=0) for step in (-2, 2))
    hours = (earlier, later) if inside else (later, earlier)
    rule(cast, "night", threshold=1, night_from=hours[0], night_until=hours[1])
    read(cast.officer_here, somebody(1))
    read(cast.citizen, cast.citizen.person, kind=Kind.SELF, case_no="", request_no=None)
    reviews.look_at(Day())
    found = Anomaly.objects.filter(sign="night")
    assert [(a.actor, a.lines.count()) for a in found] == ([(cast.officer_here, 1)] if inside else [])


def test_one_person_read_by_many_units(cast: Cast) -> None:
    quiet(cast)
    rule(cast, "many_units", threshold=3, hours=168)
    person = somebody(1)
    staff = [cast.officer_here, cast.officer_elsewhere]
    for user in staff:
        read(user, person)
    reviews.look_at(Day())
    assert not Anomaly.objects.filter(sign="many_units").exists()
    read(cast.operator, person)
    read(cast.clerk, person, kind=Kind.COUNTER)
    reviews.look_at(Day())
    found = only("many_units")
    assert (found.organisation, found.actor, found.value, found.lines.count()) == (None, None, 3, 3)
    assert Anomaly.objects.to_answer_by(cast.credit_office).get() == found
    assert not Anomaly.objects.to_answer_by(cast.head).exists()


def test_being_refused_again_and_again(cast: Cast) -> None:
    quiet(cast)
    for _ in range(5):
        read(cast.officer_elsewhere, None, refusal="no_right", ground="未取得查询依据")
    reviews.look_at(Day())
    assert (only("refused").actor, only("refused").value) == (cast.officer_elsewhere, 5)


@pytest.mark.parametrize(
    ("case_no", "found"),
    [("无", True), ("……", True), ("1111", True), ("案件待立", True), ("闽市监检〔2026〕7号", False)],
)
def test_a_case_number_that_is_none(cast: Cast, case_no: str, found: bool) -> None:
    quiet(cast)
    read(cast.officer_here, somebody(1), case_no=case_no)
    reviews.look_at(Day())
    assert Anomaly.objects.filter(sign="no_case").exists() is found


def test_every_reader_is_sampled_once_a_month(cast: Cast) -> None:
    quiet(cast)
    for user in (cast.officer_here, cast.officer_here, cast.officer_elsewhere):
        read(user, somebody(User.objects.count() + Query.objects.count()))
    assert reviews.sample_each_reader(Day()) == 2
    assert {a.actor for a in Anomaly.objects.filter(sign="sample")} == {cast.officer_here, cast.officer_elsewhere}
    assert reviews.sample_each_reader(Day()) == 0


def test_a_share_is_drawn_of_staff_and_never_twice(cast: Cast) -> None:
    rule(cast, "sample", share=Decimal(100))
    read(cast.officer_here, somebody(1))
    read(cast.officer_here, somebody(2))
    read(cast.citizen, cast.citizen.person, kind=Kind.SELF, case_no="", request_no=None)
    reviews.look_at(Day())
    reviews.look_at(Day())
    assert Anomaly.objects.filter(sign="sample").count() == 2


def test_the_night_looks_at_every_day_that_was_not_looked_at(cast: Cast, many: Anomaly) -> None:
    from access.nightly import nightly

    assert nightly(Day() + timedelta(days=3))["reviews"] == 0
    assert nightly(Day())["reviews"] == 0


# --- who answers, who closes --------------------------------------------------------------------------------


def test_the_unit_answers_and_the_auditor_closes(cast: Cast, many: Anomaly) -> None:
    assert Deadline.objects.of(many).get().rule.code == "D45"
    assert waiting_for(cast.head)[0].count == 1
    reviews.answer(many, verdict="mistaken", text="同一案件连续核对", by=cast.head)
    many.refresh_from_db()
    assert (many.state, many.verdict, many.answered_by) == ("answered", "mistaken", cast.head)
    assert Deadline.objects.of(many).get().met_on == Day()
    assert [card.count for card in waiting_for(cast.auditor) if card.title == "待办结的查询核查"] == [1]
    reviews.send_back(many, text="请附案件清单", by=cast.auditor)
    many.refresh_from_db()
    assert (many.state, many.verdict) == ("open", "")
    assert Deadline.objects.of(many).filter(met_on=None).count() == 1
    reviews.answer(many, verdict="justified", text="附案件清单，均已立案", by=cast.data_reviewer)
    many.refresh_from_db()
    reviews.close(many, text="与案卷一致", by=cast.auditor)
    many.refresh_from_db()
    assert (many.state, many.verdict, many.closed_by) == ("closed", "justified", cast.auditor)
    assert [step.deed for step in many.steps.all()] == ["answered", "returned", "answered", "closed"]


def test_nobody_answers_for_themselves_for_others_or_without_the_duty(cast: Cast, many: Anomaly) -> None:
    stranger = User.objects.create(username="head2", name="别处负责人", organisation=cast.transport, is_staff=True)
    stranger.groups.set(Group.objects.filter(name=Role.DECIDER_HEAD))
    for user in (
        cast.officer_here,
        cast.officer_elsewhere,
        cast.credit_office,
        cast.auditor,
        cast.data_officer,
        stranger,
    ):
        with pytest.raises(PermissionDenied):
            reviews.answer(many, verdict="justified", text="有依据", by=user)
        with pytest.raises(DatabaseError, match="supervisor"), transaction.atomic():
            AnomalyStep.objects.create(anomaly=many, deed="answered", verdict="justified", text="有依据", by=user)


def test_a_supervisor_who_read_is_not_the_one_who_answers(cast: Cast) -> None:
    quiet(cast)
    rule(cast, "hourly", threshold=1, hours=1)
    for serial in range(2):
        read(cast.head, somebody(serial))
    reviews.look_at(Day())
    found = only("hourly")
    assert found not in Anomaly.objects.visible_to(cast.head)
    with pytest.raises(PermissionDenied):
        reviews.answer(found, verdict="justified", text="有依据", by=cast.head)
    assert found in Anomaly.objects.to_answer_by(cast.data_reviewer)
    cast.data_reviewer.is_active = False
    cast.data_reviewer.save()
    assert found in Anomaly.objects.to_answer_by(cast.credit_office), "nobody is left in the unit"


def test_what_is_overdue_goes_to_the_credit_office(cast: Cast, many: Anomaly) -> None:
    import time_machine

    assert many not in Anomaly.objects.visible_to(cast.credit_office)
    clock = Deadline.objects.of(many).get()
    with time_machine.travel(clock.due_on + timedelta(days=1)):
        assert many in Anomaly.objects.overdue()
        card = next(card for card in waiting_for(cast.auditor) if card.title.startswith("超期"))
        assert (card.count, card.tone) == (1, Tone.OVERDUE)
    refused_by_database(
        "supervisor", "INSERT INTO access_anomalystep (anomaly_id, deed, verdict, text, by_id)"
        " VALUES (%s, 'answered', 'justified', '有依据', %s)", many.pk, cast.credit_office.pk,
    )  # fmt: skip


def test_only_the_auditor_closes_and_not_before_an_answer(cast: Cast, many: Anomaly) -> None:
    with pytest.raises(PermissionDenied, match="不能办结"):
        reviews.close(many, text="同意", by=cast.auditor)
    with pytest.raises(DatabaseError, match="is not closed"), transaction.atomic():
        AnomalyStep.objects.create(anomaly=many, deed="closed", text="同意", by=cast.auditor)
    reviews.answer(many, verdict="justified", text="已立案", by=cast.head)
    many.refresh_from_db()
    for user in (cast.head, cast.data_reviewer, cast.credit_office, cast.officer_here):
        with pytest.raises(PermissionDenied):
            reviews.close(many, text="同意", by=user)
        with pytest.raises(DatabaseError, match="auditor"), transaction.atomic():
            AnomalyStep.objects.create(anomaly=many, deed="closed", text="同意", by=user)


@pytest.mark.parametrize("values", [{"verdict": "", "text": "已立案"}, {"verdict": "justified", "text": " "}])
def test_an_answer_says_what_was_found(cast: Cast, many: Anomaly, values: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        reviews.answer(many, by=cast.head, **values)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE access_anomaly SET state = 'closed'", "DELETE FROM access_anomaly", "TRUNCATE access_anomaly CASCADE",
        "INSERT INTO access_anomaly (rule_id, sign, key, day, actor_name, value, state, verdict)"
        " SELECT id, 'sample', 'x', now(), '', 1, 'open', '' FROM access_reviewrule LIMIT 1",
        "UPDATE access_anomalyline SET query_seq = 1", "DELETE FROM access_anomalyline",
        "INSERT INTO access_anomalyline (anomaly_id, query_seq, query_at) SELECT id, 1, now() FROM access_anomaly",
        "UPDATE access_anomalystep SET text = 'x'", "DELETE FROM access_logreading", "DELETE FROM access_reviewlook",
        "INSERT INTO access_reviewlook (day, until) VALUES ('2026-01-01', now())",
    ],
)  # fmt: skip
def test_reviews_are_not_written_by_hand(cast: Cast, many: Anomaly, statement: str) -> None:
    refused_by_database("permission denied|append-only", statement)


# --- who reads the log is seen ------------------------------------------------------------------------------


def test_the_person_sees_that_a_reading_was_reviewed(cast: Cast) -> None:
    quiet(cast)
    rule(cast, "hourly", threshold=1, hours=1)
    read(cast.officer_here, cast.citizen.person)
    read(cast.officer_here, somebody(1))
    reviews.look_at(Day())
    found = only("hourly")
    assert access_history(cast.citizen.person)[0].reviewed.open
    shown = reviews.lines_of(found, by=cast.head)
    assert [line.case_no for line in shown] == ["闽市监检〔2026〕7号"] * 2
    assert LogReading.objects.get().seqs == [line.seq for line in shown]
    reviews.answer(found, verdict="unjustified", text="没有立案", by=cast.head)
    found.refresh_from_db()
    reviews.close(found, text="转机关纪委", by=cast.auditor)
    told = access_history(cast.citizen.person)[0].reviewed
    assert (told.read, told.open, told.verdict) == (1, False, "没有依据")


def test_the_auditor_gives_a_reason_before_the_log_opens(cast: Cast, as_user: Callable[[User | None], Client]) -> None:
    seq = read(cast.officer_here, cast.citizen.person)
    auditor = as_user(cast.auditor)
    for page in ("/admin/access/query/", f"/admin/access/query/{seq}/change/"):
        assert auditor.get(page).headers["Location"] == "/admin/access/query/reason/"
    assert auditor.post("/admin/access/query/reason/", {"reason": " "}).status_code == 422
    assert not LogReading.objects.exists()
    auditor.post("/admin/access/query/reason/", {"reason": "季度审计"})
    page = auditor.get("/admin/access/query/?q=经办人丙").content.decode()
    assert "闽市监检〔2026〕7号" in page
    auditor.get(f"/admin/access/query/{seq}/change/")
    opened, listed = LogReading.objects.all()
    assert (listed.reader, listed.reason, listed.seqs, opened.seqs) == (cast.auditor, "季度审计", [seq], [seq])
    assert "%E7%BB%8F" in listed.terms
    assert "核查人员查看过这条查询记录 2 次" in as_user(cast.citizen).get("/me/access/").content.decode()
    assert "季度审计" in as_user(cast.credit_office).get("/admin/access/logreading/").content.decode()
    for user in (cast.officer_here, cast.head, cast.operator, cast.system_admin):
        assert as_user(user).get("/admin/access/query/reason/").status_code == 403
        assert as_user(user).get("/admin/access/query/").status_code == 403


def test_the_query_log_names_officials_and_no_citizen(cast: Cast, as_user: Callable[[User | None], Client]) -> None:
    read(cast.officer_here, cast.citizen.person)
    own = read(cast.citizen, cast.citizen.person, kind=Kind.SELF, case_no="", duty_code="", request_no=None)
    auditor = as_user(cast.auditor)
    auditor.post("/admin/access/query/reason/", {"reason": "季度审计"})
    listed = auditor.get("/admin/access/query/").content.decode()
    assert "陈*" in listed
    assert "经办人丙" in listed
    assert "陈小满" not in listed
    for page in ("change", "history"):
        shown = auditor.get(f"/admin/access/query/{own}/{page}/", follow=True).content.decode()
        assert "陈*" in shown
        assert "陈小满" not in shown
    found = auditor.get("/admin/access/query/?q=陈小满").content.decode()
    assert "陈*" not in found, "nor is one found by name"
    narrowed = auditor.get("/admin/access/query/?actor_name__startswith=陈小满", follow=True)
    assert "陈*" not in narrowed.content.decode() or narrowed.status_code == 400


def test_the_log_of_changes_names_no_citizen_and_its_reading_is_seen(
    cast: Cast, as_user: Callable[[User | None], Client]
) -> None:
    cast.citizen.email = "chen@example.org"
    with set_actor(cast.citizen):
        cast.citizen.save()
    with set_actor(cast.system_admin):
        cast.officer_here.email = "c@example.org"
        cast.officer_here.save()
    line = LogEntry.objects.get_for_object(cast.citizen).latest("pk")
    made = LogEntry.objects.get_for_object(cast.citizen).earliest("pk")
    log, auditor = "/admin/auditlog/logentry/", as_user(cast.auditor)
    for page in (log, f"{log}{line.pk}/change/"):
        assert auditor.get(page).headers["Location"] == f"{log}reason/"
    auditor.post("/admin/access/query/reason/", {"reason": "季度审计"})
    assert auditor.get(log).status_code == 302, "the reason for one log opens no other"
    auditor.post(f"{log}reason/", {"reason": "核对账户变更"})
    listed = auditor.get(log).content.decode()
    assert "陈*" in listed
    assert cast.officer_here.name in listed
    for entry in (line, made):
        for page in ("change", "history"):
            opened = auditor.get(f"{log}{entry.pk}/{page}/", follow=True).content.decode()
            assert "陈*" in opened
            assert not [word for word in ("陈小满", "chen@example.org") if word in listed + opened]
    assert "陈*" not in auditor.get(f"{log}?q=陈小满").content.decode()
    for guess in ("object_repr", "actor__name", "changes__contains"):
        assert "陈*" not in auditor.get(f"{log}?{guess}=陈小满", follow=True).content.decode()
    readings = list(LogReading.objects.filter(log="changes").order_by("pk"))
    assert {reading.reason for reading in readings} == {"核对账户变更"}
    assert line.pk in readings[0].seqs
    assert [line.pk] in [reading.seqs for reading in readings]
    assert "核对账户变更" in as_user(cast.credit_office).get("/admin/access/logreading/").content.decode()
    assert not LogReading.objects.filter(log="query").exists()
    for user in (cast.officer_here, cast.credit_office, cast.system_admin, cast.operator):
        assert as_user(user).get(log).status_code == 403
        assert as_user(user).get(f"{log}reason/").status_code == 403


def test_a_reading_of_changes_is_no_reading_of_queries(cast: Cast, as_user: Callable[[User | None], Client]) -> None:
    seq = read(cast.officer_here, cast.citizen.person)
    reviews.note_reading([seq], reason="核对账户变更", log=LogReading.Log.CHANGES, by=cast.auditor)
    assert access_history(cast.citizen.person)[0].reviewed.read == 0
    row = (
        "INSERT INTO access_logreading (log, reader_id, reader_name, organisation_name, roles, reason, terms, seqs)"
        " VALUES (%s, %s, '', '', '', '看看', '', '{1}')"
    )
    for user in (cast.credit_office, cast.system_admin, cast.officer_here):
        refused_by_database("read by its auditor", row, "changes", user.pk)
    refused_by_database("known_log", row, "other", cast.auditor.pk)


def test_nobody_notes_a_reading_for_somebody_without_that_duty(cast: Cast, many: Anomaly) -> None:
    for user, anomaly in ((cast.head, None), (cast.officer_here, many), (cast.operator, None)):
        with pytest.raises(DatabaseError, match="read by its auditor"), transaction.atomic():
            reviews.note_reading([1], reason="看看", anomaly=anomaly, by=user)
    with pytest.raises(ValidationError):
        reviews.note_reading([1], reason=" ", by=cast.auditor)


# --- by page ------------------------------------------------------------------------------------------------


def test_by_page(cast: Cast, many: Anomaly, as_user: Callable[[User | None], Client]) -> None:
    url = f"/admin/access/anomaly/{many.pk}/"
    page = as_user(cast.head).get(f"{url}change/").content.decode()
    assert "闽市监检〔2026〕7号" in page
    assert "答复</button>" in page
    assert "林甲" not in page, "whose file it was is not shown"
    assert "办结</button>" not in as_user(cast.auditor).get(f"{url}change/").content.decode()
    assert as_user(cast.head).post(f"{url}answer/", {"verdict": "justified", "text": ""}).status_code == 422
    for user in (cast.officer_here, cast.officer_elsewhere, cast.operator, cast.citizen):
        answer = as_user(user).post(f"{url}answer/", {"verdict": "justified", "text": "有依据"})
        assert answer.status_code in (302, 403, 404)
    many.refresh_from_db()
    assert many.state == "open"
    as_user(cast.head).post(f"{url}answer/", {"verdict": "justified", "text": "已立案"})
    as_user(cast.head).post(f"{url}close/", {"text": "同意"})
    many.refresh_from_db()
    assert many.state == "answered"
    assert "待办结的查询核查" in as_user(cast.auditor).get("/admin/").content.decode()
    as_user(cast.auditor).post(f"{url}return/", {"text": "请附清单"})
    many.refresh_from_db()
    assert many.state == "open"
    as_user(cast.head).post(f"{url}answer/", {"verdict": "justified", "text": "清单已附"})
    as_user(cast.auditor).post(f"{url}close/", {"text": "同意"})
    many.refresh_from_db()
    assert many.state == "closed"
    assert "清单已附" in as_user(cast.auditor).get(f"{url}change/").content.decode()


# --- the rules ----------------------------------------------------------------------------------------------


def test_a_rule_takes_two_and_is_never_edited(cast: Cast) -> None:
    drafted = reviews.propose(
        by=cast.credit_office, sign="refused", threshold=3, hours=24, basis="试验", valid_from=Day()
    )
    with pytest.raises(PermissionDenied, match="另一名"):
        reviews.confirm(drafted.pk, by=cast.credit_office)
    put = "UPDATE access_reviewrule SET state = 'in_force', confirmed_at = now(), confirmed_by_id = %s WHERE id = %s"
    refused_by_database("another person|confirmed_by_another", put, cast.credit_office.pk, drafted.pk)
    refused_by_database("not an edit", "UPDATE access_reviewrule SET threshold = 999 WHERE id = %s", drafted.pk)
    refused_by_database("kept for good", "DELETE FROM access_reviewrule WHERE id = %s", drafted.pk)
    before = ReviewRule.objects.get(sign="refused", state="in_force")
    refused_by_database(
        "by the next", "UPDATE access_reviewrule SET valid_to = cf_today() + 1 WHERE id = %s", before.pk
    )
    reviews.confirm(drafted.pk, by=cast.credit_office_2)
    before.refresh_from_db()
    assert before.valid_to == Day()
    for user in (cast.auditor, cast.head, cast.system_admin):
        with pytest.raises(PermissionDenied):
            reviews.propose(by=user, sign="refused", threshold=3, hours=24, basis="试验", valid_from=Day())


@pytest.mark.parametrize(
    "values",
    [
        {"sign": "hourly", "threshold": 3}, {"sign": "hourly", "threshold": 0, "hours": 1}, {"sign": "sample", "share": 101},
        {"sign": "no_case", "hours": 3}, {"sign": "night", "threshold": 1, "night_from": time(22)}, {"sign": "curious"},
    ],
)  # fmt: skip
def test_a_rule_that_makes_no_sense_is_refused_in_words(cast: Cast, values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        reviews.propose(by=cast.credit_office, basis="试验", valid_from=Day(), **values)
    assert all(any("一" <= letter <= "鿿" for letter in message) for message in refused.value.messages)


def test_rules_by_page(cast: Cast, as_user: Callable[[User | None], Client]) -> None:
    office, other = as_user(cast.credit_office), as_user(cast.credit_office_2)
    assert "每日随机抽取 2%，" in office.get("/admin/access/reviewrule/").content.decode()
    form = {"sign": "hourly", "threshold": "20", "hours": "1", "basis": "按本省常态", "valid_from": Day().isoformat()}
    assert office.post("/admin/access/reviewrule/add/", {**form, "hours": ""}).status_code == 422
    assert office.post("/admin/access/reviewrule/add/", form).status_code == 302
    drafted = ReviewRule.objects.get(state="draft")
    office.post(f"/admin/access/reviewrule/{drafted.pk}/confirm/")
    assert ReviewRule.objects.get(pk=drafted.pk).state == "draft"
    assert "待确认的查询核查规则" in other.get("/admin/").content.decode()
    other.post(f"/admin/access/reviewrule/{drafted.pk}/confirm/")
    assert ReviewRule.objects.get(pk=drafted.pk).state == "in_force"
    assert as_user(cast.head).get("/admin/access/reviewrule/").status_code == 200
    assert as_user(cast.head).get("/admin/access/reviewrule/add/").status_code == 403
    assert as_user(cast.officer_here).get("/admin/access/reviewrule/").status_code == 403
