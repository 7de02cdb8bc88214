"""No record or version points at nothing: the triggers that stand for foreign keys, tried by every way in."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from accounts.models import Person
from creditfujian.dev import owner_sql
from creditfujian.tests.cast import Cast
from records.intake import check as staging
from records.models import Batch, Record, RecordVersion
from records.tests.deliveries import as_csv, check, decided, deliver, penalty

RECORD_COLUMNS = """person_id, item_id, provider_id, decider_uscc, doc_no, doc_date, severity, publication, query_until,
    state, version, content_hash"""
VERSION_COLUMNS = """record_id, version, deed, item_version_id, batch_id, act_id, row_no, name, doc_date, severity, publication,
    query_until, content, content_hash, by_id"""
NOBODY = 987_654_321

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])


@contextmanager
def owner() -> Iterator[Any]:
    """A cursor of the owner, whom row-level security does not stop; nothing it does is kept."""
    link = owner_sql.connect(settings.DATABASES["owner"], connection.settings_dict["NAME"])
    try:
        yield link.cursor()
    finally:
        link.rollback()
        link.close()


def refused(cursor: Any, sql: str, named: str) -> None:
    """Expect the refusal that a foreign key of this name would give, and leave the transaction usable."""
    from psycopg2.errors import ForeignKeyViolation

    cursor.execute("SAVEPOINT before")
    with pytest.raises(ForeignKeyViolation) as caught:
        cursor.execute(sql)
    assert caught.value.diag.constraint_name == named
    assert caught.value.diag.sqlstate == "23503"
    cursor.execute("ROLLBACK TO before")


def copies(table: str, columns: str, **other: int | str) -> str:
    """An INSERT of the one row there is with some of its columns pointing elsewhere."""
    chosen = [str(other.get(name.strip(), name.strip())) for name in columns.split(",")]
    return f"INSERT INTO {table} ({columns}) SELECT {', '.join(chosen)} FROM {table}"


@pytest.mark.parametrize("column", ["person_id", "item_id", "provider_id"])
def test_a_record_cannot_point_at_nothing(cast: Cast, column: str) -> None:
    deliver(cast, [penalty(cast)])
    with owner() as cursor:
        named = f"records_record_{column}_exists"
        elsewhere = {"doc_no": "doc_no || '号'", column: NOBODY}
        refused(cursor, copies("records_record", RECORD_COLUMNS, **elsewhere), named)
        cursor.execute("ALTER TABLE records_record DISABLE TRIGGER record_guard")  # which lets two of them never change
        refused(cursor, f"UPDATE records_record SET {column} = {NOBODY}", named)


@pytest.mark.parametrize("column", ["record_id", "item_version_id", "batch_id", "act_id", "by_id"])
def test_a_version_cannot_point_at_nothing(cast: Cast, column: str) -> None:
    deliver(cast, [penalty(cast)])
    with owner() as cursor:
        elsewhere: dict[str, int | str] = {"version": 2, "deed": 3, column: NOBODY}
        if column == "act_id":  # a version comes by a batch or by an act
            elsewhere |= {"deed": 2, "batch_id": "NULL", "row_no": "NULL"}
        refused(
            cursor,
            copies("records_recordversion", VERSION_COLUMNS, **elsewhere),
            f"records_recordversion_{column}_exists",
        )


def test_a_bulk_copy_is_refused_whole_when_one_of_its_rows_points_at_nothing(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    person = Person.objects.first()
    assert person
    line = f"%s\t{cast.item.pk}\t{cast.market.pk}\tX\t文%s\t{decided()}\t0\t\\N\t{decided(-900)}\t1\t1\t\\\\x00\n"
    rows = "".join(line % (NOBODY if number == 700 else person.pk, number) for number in range(1000))
    from psycopg2.errors import ForeignKeyViolation

    with owner() as cursor:
        with pytest.raises(ForeignKeyViolation, match="records_record_person_id_exists"):
            cursor.copy_expert(f"COPY records_record ({RECORD_COLUMNS}) FROM STDIN", io.StringIO(rows))
        cursor.connection.rollback()
        cursor.copy_expert(
            f"COPY records_record ({RECORD_COLUMNS}) FROM STDIN", io.StringIO(rows.replace(str(NOBODY), str(person.pk)))
        )
        assert cursor.rowcount == 1000


def test_the_application_is_refused_too_though_it_does_not_see_what_is_missing(cast: Cast) -> None:
    batch = check(cast, as_csv([penalty(cast)]))
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.COMMITTING)
    record = Record(
        person_id=NOBODY, item=cast.item, provider=cast.market, decider_uscc="X", doc_no="1", severity=0,
        doc_date=decided(), query_until=decided(-900), content_hash=b"x",
    )  # fmt: skip
    with transaction.atomic():
        staging.work_on(batch)
        with pytest.raises(IntegrityError, match="records_record_person_id_exists"), transaction.atomic():
            record.save(force_insert=True)


@pytest.mark.parametrize(
    ("target", "named"),
    [
        ("accounts_person", "records_record_person_id_exists"),
        ("records_record", "records_recordversion_record_id_exists"),
    ],
)
def test_what_a_record_points_at_is_neither_deleted_nor_renumbered_nor_emptied(
    cast: Cast, target: str, named: str
) -> None:
    deliver(cast, [penalty(cast)])
    with owner() as cursor:
        refused(cursor, f"DELETE FROM {target}", named)
        refused(cursor, f"UPDATE {target} SET id = -id", named)
        cursor.execute(f"UPDATE {target} SET created_at = created_at")
        assert cursor.rowcount
        if target == "records_record":
            refused(cursor, f"TRUNCATE {target} CASCADE", named)


@pytest.mark.parametrize(
    ("pointing", "column", "target"),
    [
        ("records_record", "item_id", "catalogue_item"),
        ("records_record", "provider_id", "accounts_organisation"),
        ("records_recordversion", "item_version_id", "catalogue_itemversion"),
        ("records_recordversion", "batch_id", "records_batch"),
        ("records_recordversion", "by_id", "accounts_user"),
    ],
)
def test_nothing_else_goes_that_records_rest_on(cast: Cast, pointing: str, column: str, target: str) -> None:
    """Other rules guard these tables as well; here only the key speaks, so the others are switched off."""
    deliver(cast, [penalty(cast)])
    with owner() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal AND tgname NOT LIKE %s",
            [target, f"{pointing}_{column}_not_%"],
        )
        for (other,) in cursor.fetchall():
            cursor.execute(f'ALTER TABLE {target} DISABLE TRIGGER "{other}"')
        named = f"{pointing}_{column}_exists"
        refused(cursor, f"DELETE FROM {target} WHERE id IN (SELECT {column} FROM {pointing})", named)
        refused(cursor, f"UPDATE {target} SET id = -id WHERE id IN (SELECT {column} FROM {pointing})", named)


def test_what_nothing_points_at_may_go(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    with owner() as cursor:
        cursor.execute(
            "INSERT INTO accounts_person (sid, name, id_cipher, id_index) VALUES (gen_random_uuid(), '甲', 'x', 'x') RETURNING id"
        )
        (stranger,) = cursor.fetchone()
        cursor.execute("DELETE FROM accounts_person WHERE id = %s", [stranger])
        assert cursor.rowcount == 1


def test_a_person_cannot_vanish_beside_the_record_that_is_being_written(cast: Cast) -> None:
    """Whoever comes second waits: a deletion meets the committed record."""
    deliver(cast, [penalty(cast)])
    stranger = Person.seal("359901199001010003", "甲")
    stranger.save()
    from psycopg2.errors import ForeignKeyViolation

    seen: list[BaseException] = []

    def delete() -> None:
        with owner() as cursor:
            started.set()
            try:
                cursor.execute("DELETE FROM accounts_person WHERE id = %s", [stranger.pk])
                cursor.connection.commit()
            except ForeignKeyViolation as error:
                seen.append(error)

    started = threading.Event()
    with owner() as cursor:
        cursor.execute(copies("records_record", RECORD_COLUMNS, person_id=stranger.pk))
        other = threading.Thread(target=delete)
        other.start()
        started.wait(10)
        _wait_until_blocked()
        cursor.connection.commit()
        other.join(20)
    assert len(seen) == 1
    assert Person.objects.filter(pk=stranger.pk).exists()


def test_a_record_cannot_be_written_for_a_person_who_is_being_deleted(cast: Cast) -> None:
    """The other way round: the record waits for the deletion and is refused."""
    deliver(cast, [penalty(cast)])
    stranger = Person.seal("359901199001010003", "甲")
    stranger.save()
    from psycopg2.errors import ForeignKeyViolation

    seen: list[BaseException] = []

    def write() -> None:
        with owner() as cursor:
            try:
                cursor.execute(copies("records_record", RECORD_COLUMNS, person_id=stranger.pk))
                cursor.connection.commit()
            except ForeignKeyViolation as error:
                seen.append(error)

    with owner() as cursor:
        cursor.execute("DELETE FROM accounts_person WHERE id = %s", [stranger.pk])
        other = threading.Thread(target=write)
        other.start()
        _wait_until_blocked()
        cursor.connection.commit()
        other.join(20)
    assert len(seen) == 1
    with owner() as cursor:
        cursor.execute("SELECT count(*) FROM records_record WHERE person_id = %s", [stranger.pk])
        assert cursor.fetchone() == (0,)


def test_an_older_snapshot_may_not_delete_what_it_cannot_see_is_pointed_at(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    stranger = Person.seal("359901199001010003", "甲")
    stranger.save()
    from psycopg2.errors import InvalidTransactionState

    with owner() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        with pytest.raises(InvalidTransactionState, match="READ COMMITTED"):
            cursor.execute("DELETE FROM accounts_person WHERE id = %s", [stranger.pk])


def test_every_key_of_records_and_versions_is_held_by_a_trigger() -> None:
    """A new foreign key of these two models is either an ordinary one or named in the triggers."""
    with owner() as cursor:
        cursor.execute(
            "SELECT tgname, encode(tgargs, 'escape') FROM pg_trigger WHERE tgname LIKE %s", ["%keys_on_insert"]
        )
        held = {name.removesuffix("_keys_on_insert"): arguments for name, arguments in cursor.fetchall()}
    for model in (Record, RecordVersion):
        for field in model._meta.concrete_fields:
            if field.is_relation and not field.db_constraint:  # type: ignore[attr-defined]
                assert f"{field.column}\\000{field.related_model._meta.db_table}" in held[model._meta.db_table]


def _wait_until_blocked() -> None:
    """Return as soon as somebody waits for a lock in this database."""
    with owner() as cursor:
        for _ in range(2000):
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
            cursor.connection.rollback()
            cursor.execute("SELECT pg_sleep(0.01)")
    raise AssertionError("nobody waits")
