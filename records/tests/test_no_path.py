"""No path gives a record whose item, document, adulthood, basis, check digit or period is wrong (issue 4).

The rows of the table are what can be wrong (WRONG), its columns the ways into the register (PATHS): typed, sent as a file,
pushed by a system, by an act, by SQL with the application's password. A new way is one more function. What anybody is
given is judged afterwards by rules written out anew (`faults`), not by the code under test.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.models import Person
from catalogue import actions as catalogue_actions
from catalogue.models import Instrument, Item
from catalogue.rules import add_months
from catalogue.tests.editions import retire
from creditfujian.lib import identity
from creditfujian.tests.cast import CITIZEN_NUMBER, Cast
from records import acts
from records.actions import commit_batch, commit_now
from records.intake import check as staging
from records.life_models import RecordAct
from records.models import Batch, BatchRow, RecordVersion, record_key
from records.reading import View, own_file
from records.soundness import check_sealed
from records.soundness_models import Unsound
from records.tests.api import BATCHES, System, as_lines, checked, system
from records.tests.deliveries import as_csv, check, decided, deliver, penalty
from records.tests.life import asker, numbers_of, opened_and_decided, themselves
from records.tests.typing import fields, type_in

REFUSED = (PermissionDenied, ValidationError, DatabaseError)
YOUNG = identity.invent(decided(365 * 17), 3)
UNBORN = identity.invent(timezone.localdate() + timedelta(days=400), 5)
NO_SERIAL = "35990119900101000" + identity.check_char("35990119900101000")
TODAY = timezone.localdate()
Path = Callable[..., None]
Stored = dict[str, Any]  # the columns of a version and its record, and the number behind it


# --- what can be wrong ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wrong:
    """One thing that is wrong, as a cell says it and as SQL would write it."""

    name: str
    row: dict[str, str] = field(default_factory=dict)  # cells, by heading
    sql: Callable[[Stored], Any] | None = None  # changes what would be stored
    before: Callable[[Cast], Any] | None = None  # the circumstances
    fault: str = ""  # what the night finds, where the database cannot see under the seal
    taken: bool = False  # a row saying so is taken in, within the rule

    def __str__(self) -> str:
        return self.name


def sets(**columns: Any) -> Callable[[Stored], None]:
    return lambda stored: stored.update(columns)


def says(**content: str | None) -> Callable[[Stored], None]:
    """Change the content; None leaves a field out."""

    def change(stored: Stored) -> None:
        kept = {**stored["content"], **content}
        stored["content"] = {code: value for code, value in kept.items() if value is not None}

    return change


def both(*changes: Callable[[Stored], None]) -> Callable[[Stored], None]:
    def change(stored: Stored) -> None:
        for one in changes:
            one(stored)

    return change


def public(start: date | None, end: date | None) -> str | None:
    return f"[{start},{end or ''})" if start else None


def suspended(cast: Cast) -> None:
    version = cast.item.version_on(TODAY)
    assert version is not None
    catalogue_actions.suspend(version, by=cast.credit_office, note="依据修订中")


def without_basis(cast: Cast) -> None:
    version = cast.item.version_on(TODAY)
    assert version is not None
    ids = version.legal_bases.values("instrument_id")
    Instrument.objects.filter(pk__in=ids).update(repealed_on=decided(60))


def number(value: str) -> Callable[[Stored], None]:
    return sets(id_number=value)


LONG_AGO = decided(365 * 30)
WRONG = [
    Wrong("item retired", before=lambda cast: retire(cast, cast.item)),
    Wrong("item suspended", before=suspended),
    Wrong("item without a basis on the day", before=without_basis),
    Wrong("item not in force on the document's day", row={"处罚决定日期": str(LONG_AGO)}, sql=both(
        sets(doc_date=LONG_AGO, publication=None, query_until=add_months(LONG_AGO, 60)), says(CF_JDRQ=str(LONG_AGO)))),
    Wrong("item version of another item", row={"证件号码": "1"}, sql=lambda stored: stored.update(
        item_version_id=Item.objects.get(code="FJ1-03-TRAN-0001").version_on(TODAY).pk)),
    Wrong("no document", row={"行政处罚决定书文号": ""}, sql=sets(doc_no="")),
    Wrong("document of spaces", row={"行政处罚决定书文号": "　 "}, sql=sets(doc_no="　 ")),
    Wrong("placeholder for a document", row={"行政处罚决定书文号": "无"}, sql=sets(doc_no="无")),
    Wrong("dash for a document", row={"行政处罚决定书文号": "——"}, sql=sets(doc_no="——")),
    Wrong("zeros for a document", row={"行政处罚决定书文号": "0000"}, sql=sets(doc_no="0000")),
    Wrong("document of tomorrow", row={"处罚决定日期": str(TODAY + timedelta(1))}, sql=both(
        sets(doc_date=TODAY + timedelta(1), publication=None), says(CF_JDRQ=str(TODAY + timedelta(1))))),
    Wrong("no legal basis", row={"处罚依据": ""}, sql=says(CF_YJ=None)),
    Wrong("legal basis left empty", row={"处罚依据": " "}, sql=says(CF_YJ="")),
    Wrong("legal basis of spaces", row={"处罚依据": "　"}, sql=says(CF_YJ="　 ")),
    Wrong("placeholder for a legal basis", row={"处罚依据": "无"}),  # the database does not judge words
    Wrong("minor on the day of the act", row={"证件号码": YOUNG}, sql=number(YOUNG), fault="minor"),
    Wrong("minor when the act ended", row={"违法行为终了日期": "2005-06-01"}, sql=both(
        says(CF_XWZZRQ="2005-06-01"), sets(query_until=add_months(decided(), 60)))),
    Wrong("wrong check digit", row={"证件号码": CITIZEN_NUMBER[:-1] + "0"}, sql=number(CITIZEN_NUMBER[:-1] + "0"), fault="number"),
    Wrong("born in the future", row={"证件号码": UNBORN}, sql=number(UNBORN), fault="number"),
    Wrong("serial 000", row={"证件号码": NO_SERIAL}, sql=number(NO_SERIAL), fault="number"),
    Wrong("fifteen digits", row={"证件号码": "359901900101001"}, sql=number("359901900101001"), fault="number"),
    Wrong("area of nobody in production", before=lambda _: setattr(site_settings, "DEMO", False), sql=sets(), fault="number"),
    Wrong("public beyond the rule", row={"公示截止期": str(decided() + timedelta(3000))}, taken=True,
          sql=sets(publication=public(decided(), decided() + timedelta(1100)))),
    Wrong("public without an end", row={"公示截止期": ""}, taken=True, sql=sets(publication=public(decided(), None))),
    Wrong("public before the decision", row={"公示截止期": str(decided() - timedelta(5))}, taken=True,
          sql=sets(publication=public(decided(90), decided(10)))),
    Wrong("minor severity made public", row={"失信程度": "轻微"}, taken=True, sql=both(sets(severity=1), says(CF_SXCD="轻微"))),
    Wrong("minor severity written up and made public", row={"失信程度": "轻微"}, taken=True, sql=says(CF_SXCD="轻微")),
    Wrong("general severity written up", row={"处罚类别": "罚款"}, taken=True, sql=says(CF_CFLB="罚款")),
    Wrong("not marked public and made public", row={"信息使用范围": ""}, taken=True, sql=says(CF_SYFW=None)),
    Wrong("given beyond the rule", row={"违法行为终了日期": "长期"}, taken=True,
          sql=sets(query_until=add_months(decided(), 60) + timedelta(1))),
    Wrong("given for ever", row={"违法行为终了日期": "2999-01-01"}, sql=sets(query_until=date(2999, 1, 1))),
    Wrong("given beyond the rule, which counts from the end of the act", row={"违法行为终了日期": str(decided(400))}, taken=True,
          sql=says(CF_XWZZRQ=str(decided(400)))),
    Wrong("end before the beginning", row={"违法行为终了日期": str(decided(-9))}, sql=sets(query_until=decided(41))),
    Wrong("over already", row={"处罚决定日期": "2021-01-04", "违法行为终了日期": "2021-01-04", "公示截止期": ""},
          sql=both(sets(doc_date=date(2021, 1, 4), publication=None, query_until=add_months(date(2021, 1, 4), 61)),
                   says(CF_JDRQ="2021-01-04", CF_XWZZRQ="2021-01-04"))),
]  # fmt: skip


# --- the ways in ---------------------------------------------------------------------------------------


def by_form(cast: Cast, wrong: Wrong) -> None:
    answer = type_in(cast, penalty(cast, **wrong.row))
    assert answer.status_code in (302, 404, 422)
    if batch := Batch.objects.filter(state=Batch.State.CHECKED).first():
        commit_now(batch.pk, by=cast.data_reviewer)


def by_file(cast: Cast, wrong: Wrong) -> None:
    row = penalty(cast, **wrong.row)
    batch = check(cast, as_csv([row], header=list(row)))
    commit_now(batch.pk, by=cast.data_reviewer)


def by_api(cast: Cast, wrong: Wrong) -> None:
    """Pushed by a department's system, put in by an official."""
    if batch := _pushed(cast, wrong, system(cast)):
        commit_now(batch.pk, by=cast.data_reviewer)


def by_api_alone(cast: Cast, wrong: Wrong) -> None:
    """Pushed and put in by a system, where the item lets it."""
    Item.objects.filter(pk=cast.item.pk).update(one_hand_by_command=True)
    us = system(cast)
    if batch := _pushed(cast, wrong, us):
        answer = us.post(f"{BATCHES}{batch.number}/commit/")
        assert answer.status_code in (202, 409)
        commit_batch(batch.pk)


def _pushed(cast: Cast, wrong: Wrong, us: System) -> Batch | None:
    """Push the row as a JSON line; return the batch when it is taken."""
    answer = us.send_lines(as_lines(cast, penalty(cast, **wrong.row)))
    assert answer.status_code in (202, 422), answer.content
    return checked(cast, answer) if answer.status_code == 202 else None


def by_act(cast: Cast, wrong: Wrong) -> None:
    """A correction as officials make it, by the fields that it shows."""
    number = a_record(cast, wrong)
    act = acts.ask(RecordAct.Kind.CORRECT, [number], by=cast.data_officer, reason="金额录入有误")
    values = {f.code: wrong.row.get(f.label, "") or penalty(cast).get(f.label, "") for f in fields(cast)}
    values |= {f.code: wrong.row[f.label] for f in fields(cast) if f.label in wrong.row}
    values["CF_NR"] = "罚款五万元。"
    if not acts.propose_correction(act.pk, values, by=asker(cast.data_officer)):
        opened_and_decided(cast, act)


def by_staged_rows(cast: Cast, wrong: Wrong) -> None:
    """A checked row changed by SQL, then put in by the second officer."""
    batch, stored = _checked(cast, wrong)
    columns = {name: value for name, value in stored.items() if name not in ("id_number", "person_id")}
    BatchRow.objects.filter(batch=batch).update(**{**columns, "publication": None}, **_seals(stored))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE records_batchrow SET publication = %s WHERE batch_id = %s", [stored["publication"], batch.pk]
        )
    commit_now(batch.pk, by=cast.data_reviewer)


def by_inserting(cast: Cast, wrong: Wrong) -> None:
    """Record and version inserted, with a batch made to look at work."""
    batch, stored = _checked(cast, wrong)
    _at_work(cast, batch, "committing")
    _insert(
        cast,
        batch,
        stored,
        f"nextval(pg_get_serial_sequence('records_record', 'id')) AS id, {_person(stored)} AS person",
    )


def by_inserting_the_record_alone(cast: Cast, wrong: Wrong) -> None:
    batch, stored = _checked(cast, wrong)
    _at_work(cast, batch, "committing")
    with connection.cursor() as cursor:
        cursor.execute(f"{_RECORD} SELECT nextval(pg_get_serial_sequence('records_record', 'id')), {_person(stored)}, {_OF_RECORD}",
                       _values(cast, batch, stored))  # fmt: skip


def by_changing_the_record_alone(cast: Cast, wrong: Wrong) -> None:
    """A record that is in, changed past its versions."""
    a_record(cast, wrong)
    batch, stored = _checked(cast, wrong, changed=True)
    _at_work(cast, batch, "committing")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE records_record SET doc_no = %(doc_no)s, doc_date = %(doc_date)s, severity = %(severity)s, "
            "publication = %(publication)s, query_until = %(query_until)s", _values(cast, batch, stored))  # fmt: skip
        if not cursor.rowcount:
            raise PermissionDenied("no row")


def by_another_version(cast: Cast, wrong: Wrong, deed: int = 2, state: str = "committing") -> None:
    """A version written over a record that is in."""
    a_record(cast, wrong)
    batch, stored = _checked(cast, wrong, changed=True)
    if state == "withdrawing":
        commit_now(batch.pk, by=cast.data_reviewer)
    _at_work(cast, batch, state)
    with connection.cursor() as cursor:
        cursor.execute(f"""
            WITH rec AS (UPDATE records_record SET version = version + 1, doc_date = %(doc_date)s, severity = %(severity)s,
                publication = %(publication)s, query_until = %(query_until)s, content_hash = %(content_hash)s RETURNING id, version)
            {_VERSION} SELECT id, version, {deed}, {_OF_VERSION} FROM rec""", _values(cast, batch, stored))  # fmt: skip


def by_a_version_called_restored(cast: Cast, wrong: Wrong) -> None:
    by_another_version(cast, wrong, 4, "withdrawing")


def by_a_version_called_corrected(cast: Cast, wrong: Wrong) -> None:
    by_another_version(cast, wrong, 5)


def by_the_content_of_an_act(cast: Cast, wrong: Wrong) -> None:
    """What a correction says, written by SQL; decided by the second official."""
    number = a_record(cast, wrong)
    batch, stored = _checked(cast, wrong, changed=True)
    act = acts.ask(RecordAct.Kind.CORRECT, [number], by=cast.data_officer, reason="金额录入有误")
    acts.correction_of(act, by=asker(cast.data_officer))
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO records_actcontent (act_id, record_id, item_version_id, name, doc_date, severity, publication,
                                               query_until, content, content_hash)
               SELECT %(act)s, max(id), %(item_version_id)s, %(name)s, %(doc_date)s, %(severity)s, %(publication)s,
                      %(query_until)s, %(content)s, %(content_hash)s FROM records_record""",
            {**_values(cast, batch, stored), "act": act.pk},
        )
    RecordAct.objects.filter(pk=act.pk).update(state="asked")
    opened_and_decided(cast, act)


BY_PEOPLE = [by_form, by_file, by_api, by_api_alone, by_act]
BY_SQL = [
    by_staged_rows, by_inserting, by_inserting_the_record_alone, by_changing_the_record_alone, by_another_version,
    by_a_version_called_restored, by_a_version_called_corrected, by_the_content_of_an_act,
]  # fmt: skip
ABOUT_A_RECORD = [by_act, *BY_SQL[3:]]  # these change a record that is in, never whom or which document it is about
UNDER_THE_SEAL = [by_staged_rows, by_inserting]  # these write a number of their own
CLOSED = [by_inserting_the_record_alone, by_a_version_called_corrected]
PATHS = [*BY_PEOPLE, *BY_SQL]

_RECORD = """INSERT INTO records_record (id, person_id, item_id, provider_id, decider_uscc, doc_no, doc_date, severity,
    publication, query_until, state, version, content_hash)"""
_OF_RECORD = """%(item)s, %(provider)s, %(decider_uscc)s, %(doc_no)s, %(doc_date)s, %(severity)s, %(publication)s::daterange,
    %(query_until)s, 1, 1, %(content_hash)s"""
_VERSION = """INSERT INTO records_recordversion (record_id, version, deed, item_version_id, batch_id, row_no, name, doc_date,
    severity, publication, query_until, content, content_hash, by_id)"""
_OF_VERSION = """%(item_version_id)s, %(batch)s, 2, %(name)s, %(doc_date)s, %(severity)s, %(publication)s::daterange,
    %(query_until)s, %(content)s, %(content_hash)s, %(by)s"""


def a_record(cast: Cast, wrong: Wrong) -> str:
    """The record that is in and right, from before things went wrong."""
    [number] = numbers_of(cast.citizen)
    return number


def _checked(cast: Cast, wrong: Wrong, *, changed: bool = False) -> tuple[Batch, Stored]:
    """A batch with one good row, checked before things went wrong, and what SQL would store instead."""
    batch = Batch.objects.get(state=Batch.State.CHECKED)
    row = BatchRow.objects.get(batch=batch)
    names = (
        "item_version_id",
        "doc_no",
        "doc_date",
        "severity",
        "query_until",
        "content",
        "content_hash",
        "name",
        "decider_uscc",
    )
    stored: Stored = {name: getattr(row, name) for name in names}
    stored["publication"] = public(row.publication.lower, row.publication.upper) if row.publication else None
    stored["id_number"] = CITIZEN_NUMBER
    assert wrong.sql is not None or wrong.before is not None
    if wrong.sql:
        wrong.sql(stored)
    return batch, stored


def _seals(stored: Stored) -> dict[str, bytes]:
    sealed = Person.seal(stored["id_number"], stored["name"])
    return {"id_cipher": sealed.id_cipher, "id_index": sealed.id_index}


def _person(stored: Stored) -> str:
    person = Person.objects.filter(id_index=_seals(stored)["id_index"]).first()
    if person is None:
        person = Person.seal(stored["id_number"], stored["name"])
        person.save()
    return str(person.pk)


def _values(cast: Cast, batch: Batch, stored: Stored) -> dict[str, Any]:
    return {**stored, "content": json.dumps(stored["content"]), "item": cast.item.pk, "provider": cast.market.pk,
            "batch": batch.pk, "by": cast.data_reviewer.pk}  # fmt: skip


def _at_work(cast: Cast, batch: Batch, state: str) -> None:
    Batch.objects.filter(pk=batch.pk).update(state=state, committed_by=cast.data_reviewer)
    staging.work_on(batch)


def _insert(cast: Cast, batch: Batch, stored: Stored, source: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"""
            WITH src AS MATERIALIZED (SELECT {source}), rec AS ({_RECORD} SELECT id, person, {_OF_RECORD} FROM src)
            {_VERSION} SELECT id, 1, 1, {_OF_VERSION} FROM src""", _values(cast, batch, stored))  # fmt: skip


# --- what anybody is given -----------------------------------------------------------------------------


def given(cast: Cast) -> list[tuple[Person, View]]:
    """All that is given about anybody. A person's own file is the widest: whatever others are given stands in it."""
    with connection.cursor() as cursor:  # nothing is at work any more
        cursor.execute("SELECT set_config('cf.batch', '', true), set_config('cf.act', '', true)")
    persons = Person.objects.order_by("pk")
    return [(person, view) for person in persons for view in own_file(person, by=themselves(person)).records]


def says_of(view: View) -> tuple[Any, ...]:
    facts = tuple((fact.code, fact.value) for fact in view.facts)
    return (
        view.number,
        view.version,
        view.doc_no,
        view.doc_date,
        view.severity,
        view.public_from,
        view.public_until,
        view.query_until,
        facts,
    )


def faults(person: Person, view: View) -> list[str]:
    """What is wrong with what is given, by the rules themselves (domain §3, §4, §8.1)."""
    facts = RecordVersion.objects.get(record=record_key(view.number), version=view.version).content
    said = facts.get("CF_XWZZRQ", "")
    act_end = date.fromisoformat(said) if said[:2].isdigit() else view.doc_date
    item = Item.objects.get(code=view.item_code)
    version = item.version_on(TODAY)
    periods = item.versions.order_by("-version")[0].periods.all()
    months = {period.get_severity_display(): period.max_months for period in periods}
    number = person.id_number()
    longest = add_months(view.doc_date, months.get(view.severity, 0))
    kinds = facts.get("CF_CFLB", "")
    by_kind = "严重" if "吊销" in kinds else "一般"
    checks = {
        "item not in force": version is None or view.doc_date not in version.effective,
        "item of others": item.code != "FJ1-03-MRKT-0001",
        "no document": not any(c.isdigit() for c in view.doc_no) or len(set(view.doc_no)) < 2 or view.doc_date > TODAY,
        "no basis": facts.get("CF_YJ", "").strip() in ("", "无"),
        "number": identity.problem(number, today=TODAY, allow_demo=site_settings.DEMO) is not None,
        "minor": len(number) == 18 and not identity.is_adult(number, min(act_end, view.doc_date)),
        "severity": view.severity != (facts.get("CF_SXCD") or by_kind),
        "public too long": view.public_until is not None and view.public_until > min(longest, view.query_until),
        "public without end": view.public_from is not None and view.public_until is None,
        "public too early": view.public_from is not None and view.public_from < view.doc_date,
        "minor public": view.severity in ("", "轻微") and view.public_from is not None,
        "given too long": view.query_until > add_months(min(act_end, view.doc_date), 60),
        "given too short": view.query_until <= view.doc_date,
        "act after decision": act_end > view.doc_date,
    }
    return [name for name, is_wrong in checks.items() if is_wrong]


@contextmanager
def undone() -> Iterator[None]:
    """Take back whatever is done inside: each cell of the table begins with the same register."""
    demo = site_settings.DEMO
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    site_settings.DEMO = demo


def prepare(cast: Cast, path: Path) -> None:
    """Let a good record be in where the path changes one, and a good row be checked where SQL goes by it."""
    if path in ABOUT_A_RECORD:
        deliver(cast, [penalty(cast)])
    if path in BY_SQL:
        changed = {"处罚内容": "罚款五万元。"} if path in ABOUT_A_RECORD else {}
        assert check(cast, as_csv([penalty(cast, **changed)])).state == Batch.State.CHECKED


def tries(path: Path, cast: Cast, wrong: Wrong) -> str:
    """Go the way; return what stopped it, if anything did."""
    try:
        with transaction.atomic():
            path(cast, wrong)
    except REFUSED as error:
        return str(error) or "refused"
    return ""


def harm_of(path: Path, cast: Cast, wrong: Wrong) -> str:
    """Try one cell of the table; return what is wrong with what is given afterwards, if anything is."""
    before = {says_of(view) for _, view in given(cast)}
    if wrong.before:
        wrong.before(cast)
    stopped = tries(path, cast, wrong)
    new = [(person, view) for person, view in given(cast) if says_of(view) not in before]
    if wrong.fault and not stopped and (path in UNDER_THE_SEAL or path in BY_SQL and wrong.before):
        return found_in_the_night(cast, wrong)
    found = [fault for person, view in new for fault in faults(person, view)]
    if new and not found and (wrong.before or path in BY_PEOPLE and path not in ABOUT_A_RECORD and not wrong.taken):
        found = ["something new is given"]
    return "、".join(found) + (f" (stopped by {stopped})" if found and stopped else "")


def found_in_the_night(cast: Cast, wrong: Wrong) -> str:
    """Say what the night does not find. The database cannot look under the seal, so until then the record is given;
    from then on nobody is given it."""
    unsound, before = check_sealed(TODAY), len(given(cast))
    kinds = set(Unsound.objects.values_list("fault", flat=True))
    return "" if unsound and kinds == {wrong.fault} and before == 0 else f"the night finds {kinds}, {before} are given"


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.__name__)
def test_no_path_gives_a_record_that_is_wrong(cast: Cast, path: Path) -> None:
    prepare(cast, path)
    harm = {}
    for wrong in WRONG:
        if path in BY_SQL and not (wrong.sql or wrong.before):
            continue
        with undone():
            if found := harm_of(path, cast, wrong):
                harm[wrong.name] = found
    assert not harm, harm


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.__name__)
def test_the_paths_themselves_lead_in(cast: Cast, path: Path) -> None:
    """The table is worth something only where a right record goes in, or the way is closed to right ones too."""
    prepare(cast, path)
    before = {says_of(view) for _, view in given(cast)}
    stopped = tries(path, cast, Wrong("nothing", sql=sets()))
    new = [view for _, view in given(cast) if says_of(view) not in before]
    assert bool(stopped) == (path in CLOSED), stopped
    assert len(new) == (0 if path in CLOSED or path is by_changing_the_record_alone else 1)
    assert [found for person, view in given(cast) if (found := faults(person, view))] == []
