"""The query log: written before anything is read, and never changed by anybody."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.utils import timezone

from access.actions import Ask, Asker, write_query
from access.models import Kind, Query, QueryAnswer, QueryPerson, Request
from creditfujian.tests.cast import Cast

TABLES = ["access_query", "access_queryperson", "access_queryanswer"]


@pytest.fixture
def line(cast: Cast) -> int:
    ask = Ask(kind=Kind.SELF, ground="本人查询", purpose="查看", fields_class="本人可见", person=cast.citizen.person)
    return write_query(ask, by=Asker(cast.citizen, "公示网站", "192.0.2.0/24"))


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("deed", ["UPDATE {} SET at = at", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_the_application_cannot_change_or_empty_the_log(line: int, table: str, deed: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(deed.format(table))
    assert Query.objects.filter(seq=line).exists()


@pytest.mark.parametrize("table", TABLES)
def test_nor_by_way_of_a_partition(line: int, table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [table])
        partitions = [name for (name,) in cursor.fetchall()]
    assert len(partitions) > 12
    for partition in partitions:
        for deed in ("UPDATE {} SET at = at", "DELETE FROM {}", "INSERT INTO {} DEFAULT VALUES", "SELECT * FROM {}"):
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(deed.format(partition))


@pytest.mark.parametrize("column", ["seq", "at"])
def test_the_application_cannot_choose_number_or_time_of_a_line(cast: Cast, column: str) -> None:
    value = "1" if column == "seq" else "now() - interval '1 day'"
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO access_query ({column}) VALUES ({value})")


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_even_the_owner_is_stopped_by_the_trigger() -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "INSERT INTO access_query (actor_name, organisation_name, uscc, roles, channel, kind, ground, purpose, case_no,"
            " duty_code, items, fields_class, decision, address, correlation)"
            " VALUES ('', '', '', '', '', 'Q6', '依法公示', '', '', '', '{}', '', 'allowed', '', '')"
        )
        cursor.execute(
            "INSERT INTO accounts_person (sid, name, id_cipher, id_index, created_at)"
            " VALUES (gen_random_uuid(), '某', '', '', now()) RETURNING id"
        )
        person = cursor.fetchone()[0]
        cursor.execute("SELECT tableoid::regclass::text FROM access_query LIMIT 1")
        month = cursor.fetchone()[0].replace("access_query", "access_queryperson")
        with pytest.raises(DatabaseError, match="no query line"):  # nor by way of a partition
            cursor.execute(f"INSERT INTO {month} (query_id, person_id, kind, allowed) VALUES (0, {person}, 'Q6', true)")
    for deed in ("UPDATE access_query SET purpose = 'x'", "DELETE FROM access_query", "TRUNCATE access_query CASCADE"):
        with pytest.raises(DatabaseError, match="append-only"), connections["owner"].cursor() as cursor:
            cursor.execute(deed)


def test_a_line_without_a_ground_or_an_actor_is_refused(cast: Cast) -> None:
    for ask in (
        Ask(kind=Kind.DUTY, ground="", purpose="x", fields_class="", case_no="1"),
        Ask(kind=Kind.DUTY, ground="职责", purpose="x", fields_class="", case_no=""),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            write_query(ask, by=Asker(cast.officer_here, "工作平台"))
    with pytest.raises(DatabaseError), transaction.atomic():
        write_query(Ask(kind=Kind.SELF, ground="本人", purpose="x", fields_class=""), by=Asker(None, "公示网站"))


def test_nobody_writes_a_line_in_the_persons_own_name(cast: Cast) -> None:
    """Neither of another person under one's own account, nor by an officer: the history would say 您本人."""
    ask = Ask(kind=Kind.SELF, ground="本人查询", purpose="查看", fields_class="", person=cast.citizen.person)
    for somebody in (cast.other_citizen, cast.officer_here):
        with pytest.raises(DatabaseError, match="own account"), transaction.atomic():
            write_query(ask, by=Asker(somebody, "公示网站"))
    public = write_query(Ask(kind=Kind.PUBLIC, ground="公示", purpose="x", fields_class=""), by=Asker(cast.citizen, ""))
    with pytest.raises(DatabaseError, match="own account"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO access_queryperson (query_id, person_id, kind, allowed) VALUES (%s, %s, 'Q1', true)",
            [public, cast.citizen.person_id],
        )


def test_a_registration_dated_ahead_begins_now(cast: Cast) -> None:
    ahead = timezone.now() + timedelta(days=900)
    stated = {
        "person": cast.citizen.person, "actor": cast.officer_here, "organisation": cast.market, "kind": Kind.DUTY,
        "purpose": "penalty", "purpose_text": "办案", "duty_code": "350000-MRKT-01", "case_no": "闽〔2026〕1号",
    }  # fmt: skip
    request = Request.objects.create(**stated, created_at=ahead, expires_at=ahead + timedelta(minutes=30))
    request.refresh_from_db()
    assert request.expires_at - request.created_at == timedelta(minutes=30)
    assert request.expires_at < timezone.now() + timedelta(minutes=31)
    with pytest.raises(DatabaseError, match="never rewritten"), transaction.atomic():
        Request.objects.filter(pk=request.pk).update(created_at=ahead)


def test_a_person_is_never_logged_without_a_query_line_of_the_same_moment(cast: Cast, line: int) -> None:
    person = cast.citizen.person
    assert person is not None
    insert = (
        "INSERT INTO access_queryperson (query_id, person_id, kind, allowed) SELECT n, %s, 'Q6', true FROM unnest(%s) n"
    )
    with pytest.raises(DatabaseError, match="no query line"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(insert, [person.pk, [line, 0]])
    with connection.cursor() as cursor:
        cursor.execute(insert, [person.pk, [line]])
        cursor.execute(
            "SELECT count(*), count(t.oid) FROM pg_inherits i LEFT JOIN pg_trigger t"
            " ON t.tgrelid = i.inhrelid AND t.tgname = 'belongs_to_a_query' WHERE i.inhparent = 'access_queryperson'::regclass"
        )
        partitions, guarded = cursor.fetchone()
    assert partitions == guarded > 12


def test_orm_deletes_and_updates_are_refused_too(line: int) -> None:
    for model in (Query, QueryPerson, QueryAnswer):
        with pytest.raises(DatabaseError), transaction.atomic():
            model.objects.all().update(at=None)
    with pytest.raises(DatabaseError), transaction.atomic():
        Query.objects.filter(seq=line)._raw_delete("default")


def test_every_append_only_table_has_its_trigger_and_no_privilege() -> None:
    from creditfujian.database import append_only_tables

    tables = append_only_tables()
    assert {*TABLES, "records_recordversion", "auditlog_logentry"} <= set(tables)


@pytest.mark.django_db
def test_the_changes_log_is_append_only(cast: Cast) -> None:
    from creditfujian.database import append_only_tables

    for table in append_only_tables():
        for deed in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(deed)
