"""Every field, by every way out: exactly what the catalogue lets that reader see, in the situations of one table."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.utils import timezone

from access.actions import Ask, Asker, write_query
from access.models import Kind, Request
from accounts.models import User
from catalogue import actions as catalogue_actions
from catalogue.models import Field, Item
from catalogue.tests.editions import approved, publish
from creditfujian.tests.cast import CITIZEN_NUMBER, Cast
from creditfujian.tests.registrations import registration_of
from records import actions, consent_answers
from records.glass import file_in_emergency
from records.life_models import RecordAct
from records.listing import Filters, Page, one, page
from records.models import Record, RecordVersion, Visibility
from records.reading import File, file_by_request, own_file, own_file_to_hand_on, public_records, register
from records.tests import grounds
from records.tests.consenting import granted, read
from records.tests.deliveries import HEADER, as_csv, check, penalty
from records.tests.life import done, numbers_of
from records.tests.listings import opened
from records.tests.test_acts import marked
from records.tests.test_exports import done as done_export
from records.tests.test_exports import fetched
from records.tests.test_gateway import registration, staff
from records.tests.test_urgent import broken
from records.visibility import KEPT_BACK, SIGHTS, sight_of
from records.visibility_admin import lines_of

R = Field.Reader
# One value for each kind of visibility that the market's penalties know; none of them stands anywhere else.
SAID = {
    "BZ": "仅供案卷归档之备注", "CF_SY": "菌落总数超出限量三倍", "CF_NR_FK": "6.7891", "CF_NR": "没收腌制品九百公斤",
    "CF_YXQ": "2031-07-19",
}  # fmt: skip
LABELS = {
    "CF_SY": "违法事实",
    "CF_NR_FK": "罚款金额（万元）",
    "CF_NR": "处罚内容",
    "BZ": "备注",
    "CF_YXQ": "处罚有效期",
}


@pytest.fixture
def told(transactional_db: None, cast: Cast) -> Cast:
    """The citizen's record, which says something in fields of every visibility. Each way has transactions of its own."""
    row = penalty(cast, **{LABELS[code]: value for code, value in SAID.items()})
    batch = check(cast, as_csv([row], header=[*HEADER, "备注", "处罚有效期"]))
    assert batch.refused == 0, batch.reasons
    actions.commit_now(batch.pk, by=cast.data_reviewer)
    return cast


def by_duty(cast: Cast) -> str:
    request = register(registration(cast), by=staff(cast.officer_here))
    assert isinstance(request, Request)
    return str(file_by_request(request, by=staff(cast.officer_here)))


def by_list(cast: Cast) -> str:
    listed = opened(cast)
    shown = page(listed, Filters(), None, by=staff(cast.officer_here))
    assert isinstance(shown, Page)
    record = one(listed, shown.lines[0].pk, by=staff(cast.officer_here))
    return f"{shown}{record}"


def by_export(cast: Cast) -> str:
    return fetched(cast, done_export(cast)).decode()


def by_consent(cast: Cast) -> str:
    consent = granted(cast)
    file = read(consent, cast.bank_clerk)
    assert isinstance(file, File)
    return str(consent_answers.answer(file, consent.Form.FULL, [cast.item.pk]))


def by_report(cast: Cast) -> str:
    person = cast.citizen.person
    assert person is not None
    return str(own_file_to_hand_on(person, by=Asker(cast.citizen, "公示网站"), purpose="出具报告"))


WAYS: dict[str, tuple[Field.Reader, Callable[[Cast], str]]] = {
    "own page": (R.SUBJECT, lambda cast: str(own_file(cast.citizen.person, by=Asker(cast.citizen, "公示网站")))),
    "report": (R.SUBJECT, by_report),
    "department file": (R.DEPARTMENT, by_duty),
    "list and record page": (R.DEPARTMENT, by_list),
    "export": (R.DEPARTMENT, by_export),
    "emergency": (R.DEPARTMENT, lambda cast: str(file_in_emergency(broken(cast), by=staff(cast.officer_elsewhere)))),
    "consent": (R.THIRD_PARTY, by_consent),
    "public": (
        R.PUBLIC,
        lambda cast: str(public_records(name="陈小满", id_number=CITIZEN_NUMBER, by=Asker(None, "公示网站"))),
    ),
}


def test_each_field_leaves_by_each_way_only_to_whom_the_catalogue_shows_it(told: Cast) -> None:
    fields = {field.code: field for field in told.item.versions.get().fields.all()}
    for way, (reader, text_of) in WAYS.items():
        text = text_of(told)
        assert "闽市监处罚〔2026〕1号" in text, way
        assert CITIZEN_NUMBER not in text, way
        for code, value in SAID.items():
            assert (value in text) is (reader in fields[code].visible_to), (way, code)


def test_pages_show_no_more_than_the_gateway(told: Cast, as_user: Callable[[User | None], Client]) -> None:
    request = register(registration(told), by=staff(told.officer_here))
    assert isinstance(request, Request)
    officer = as_user(told.officer_here).get(f"/admin/access/request/{request.pk}/file/").content.decode()
    assert SAID["CF_SY"] in officer
    assert SAID["BZ"] not in officer
    own = as_user(told.citizen).get("/me/file/").content.decode()
    assert all(value in own for value in SAID.values())


def test_a_field_that_is_hidden_keeps_its_content_from_every_other_way(transactional_db: None, cast: Cast) -> None:
    """Column 31 by field: also where versions are compared, exported or opened in an emergency."""
    fields = list(cast.item.versions.get().fields.all())
    next(f for f in fields if f.code == "CF_NR").mask = "HIDE"
    approved(cast, fields=fields, effective=DateRange(timezone.localdate(), None))
    publish(cast)
    batch = check(cast, as_csv([penalty(cast, 处罚内容=SAID["CF_NR"], 处罚决定日期=timezone.localdate().isoformat())]))
    actions.commit_now(batch.pk, by=cast.data_reviewer)
    for way, (reader, text_of) in WAYS.items():
        text = text_of(cast)
        assert (SAID["CF_NR"] in text) is (reader is R.SUBJECT), way
        assert (KEPT_BACK in text) is (reader is not R.SUBJECT), way


# --- situations ---------------------------------------------------------------------------------------------


@contextmanager
def tried() -> Iterator[None]:
    """What is read here leaves no line behind that would open anything later in the same transaction."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def seen_by(cast: Cast) -> set[str]:
    """The kinds of query under which the database shows the citizen's record now."""
    found = set()
    for kind in (Kind.SELF, Kind.COUNTER, Kind.AGENT, Kind.DUTY, Kind.PUBLIC, Kind.OFFICIAL):
        with tried():
            case_no, by, request = "试〔2026〕1号", cast.officer_here, None
            if kind is Kind.SELF:
                by = cast.citizen
            elif kind is Kind.AGENT:
                case_no, by = grounds.approved(cast).number, cast.clerk
            elif kind is Kind.OFFICIAL:
                case_no, by = grounds.agreed(cast).number, cast.credit_office
            elif kind is Kind.DUTY:
                try:
                    with transaction.atomic():
                        request = registration_of(by, cast.citizen.person, [cast.item], case_no=case_no).pk
                except DatabaseError:  # nobody registers for what is closed to departments
                    continue
            ask = Ask(
                kind=kind, ground="试验", purpose="试验", fields_class="试验", case_no=case_no, items=[cast.item],
                person=cast.citizen.person, request_no=request, duty_code="350000-MRKT-01" if request else "",
            )  # fmt: skip
            write_query(ask, by=staff(by))
            if Record.objects.exists():
                found.add(kind.value)
            assert RecordVersion.objects.exists() == Record.objects.exists(), "what a record says is shown with it"
    return found


def by_table(situation: str) -> set[str]:
    return {kind for kind, sight in SIGHTS.items() if situation in sight.situations} - {"Q4", "act"}


@pytest.mark.parametrize("situation", ["in_use", "held", "cancelled", "withheld"])
def test_the_database_shows_a_record_in_the_situations_of_the_table(cast: Cast, situation: str) -> None:
    batch = check(cast, as_csv([penalty(cast)]))
    actions.commit_now(batch.pk, by=cast.data_reviewer)
    with tried():
        number = numbers_of(cast.citizen)[0]
    if situation == "held":
        marked(cast, number, hides=True)
    elif situation == "cancelled":
        done(cast, RecordAct.Kind.CANCEL, number)
    elif situation == "withheld":
        version = cast.item.version_on(timezone.localdate())
        assert version is not None
        catalogue_actions.suspend(version, by=cast.credit_office, note="依据修订中")
    assert seen_by(cast) == by_table(situation)
    assert by_table(situation) == ({"Q1", "Q2", "Q3", "Q5", "Q6", "Q7"} if situation == "in_use" else {"Q1"})


@pytest.mark.parametrize(
    ("values", "situation"),
    [
        ("1::smallint, NULL, NULL, false", "in_use"), ("1::smallint, NULL, now(), false", "held"),
        ("3::smallint, cf_today() + 1, NULL, false", "noticed"), ("3::smallint, cf_today(), NULL, false", "in_use"),
        ("4::smallint, NULL, NULL, false", "cancelled"), ("5::smallint, NULL, NULL, false", "repaired"),
        ("1::smallint, NULL, NULL, true", "withheld"), ("2::smallint, NULL, NULL, false", "gone"),
        ("6::smallint, NULL, NULL, false", "gone"),
    ],
)  # fmt: skip
def test_what_situation_a_record_is_in(db: None, values: str, situation: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT records_situation({values})")
        assert cursor.fetchone()[0] == situation
    assert situation == "gone" or situation in Visibility.Situation.values


def test_code_and_database_read_the_same_table_and_nobody_rewrites_it(db: None) -> None:
    rows = json.loads((Path(__file__).parent.parent / "data" / "visibility.json").read_text(encoding="utf-8"))
    stored = list(Visibility.objects.order_by("kind").values())
    assert stored == sorted(rows, key=lambda row: str(row["kind"]))
    assert {kind.value for kind in Kind} <= set(SIGHTS)
    for statement in (
        "UPDATE records_visibility SET situations = '{in_use,held}'", "DELETE FROM records_visibility",
        "INSERT INTO records_visibility VALUES ('Q9', 'x', 'DEPT', 'M3', '{in_use}', 'x', 'x')",
    ):  # fmt: skip
        with (
            pytest.raises(DatabaseError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


def test_an_item_that_becomes_the_persons_own_closes_to_everybody_else(cast: Cast) -> None:
    """What was marked public before, and a duty in force, open nothing of it any more."""
    batch = check(cast, as_csv([penalty(cast)]))
    actions.commit_now(batch.pk, by=cast.data_reviewer)
    assert seen_by(cast) >= {"Q5", "Q6"}
    approved(
        cast,
        disclosure="SELF",
        disclosure_basis=None,
        public_name_in_full=False,
        effective=DateRange(timezone.localdate(), None),
    )
    publish(cast)
    assert "Q6" not in seen_by(cast)
    outcome = register(registration(cast), by=staff(cast.officer_here))
    assert getattr(outcome, "refusal", None) == "no_duty"
    with tried():
        assert len(own_file(cast.citizen.person, by=Asker(cast.citizen, "公示网站")).records) == 1


# --- the page -----------------------------------------------------------------------------------------------


def test_the_page_tells_an_official_who_sees_what(cast: Cast, as_user: Callable[[User | None], Client]) -> None:
    officer = as_user(cast.officer_here)
    table = officer.get("/admin/records/visibility/").content.decode()
    for sight in SIGHTS.values():
        assert sight.who in table
    told = officer.get(f"/admin/records/visibility/item/{cast.item.code}/").content.decode()
    assert "359901********001X" in told
    assert "3599************1X" in told
    assert "350000-MRKT-0107" in told
    assert "<dt>有权部门</dt><dd>省市场监督管理局" in told
    assert officer.get("/admin/records/visibility/item/FJ9-99-XXXX-0001/").status_code == 404
    for user in (cast.system_admin, cast.bank_clerk, cast.citizen, None):
        assert as_user(user).get("/admin/records/visibility/").status_code in (302, 403)


def test_the_page_says_of_each_field_what_the_gateway_does(told: Cast) -> None:
    lines = {line.code: line.cells for line in lines_of(told.item.versions.get())}
    assert lines["BZ"] == ["看得到", "看得到", "看不到", "看不到", "看不到"]
    assert lines["CF_NR_FK"] == ["看得到", "看得到", "看得到", "看得到", "看不到"]
    transport = Item.objects.get(code="FJ1-03-TRAN-0001").versions.get()
    shared_only = {line.code: line.cells for line in lines_of(transport)}
    assert shared_only["CF_NR_FK"][2:] == ["看得到", "看不到", "看不到"], "an item for departments lets nobody else in"
    assert sight_of(Kind.DUTY).profile == "M3"
