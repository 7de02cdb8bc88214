"""Policies stand beside the filters and lose no index: the application's plans are the owner's, and read no table whole."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections, transaction
from django.utils import timezone

from access.actions import Ask, Asker, write_persons, write_query
from access.models import Kind
from access.reading import _HISTORY, LIST_FIELDS, Which
from accounts import people
from accounts.models import Person
from catalogue.models import Item, ItemGrant
from creditfujian import demo_scale
from creditfujian.tests.cast import CITIZEN_NUMBER, Cast, granted, make_cast
from creditfujian.tests.registrations import registration_of
from records.models import Record
from sanctions.models import AttestationRule

LINES = """
WITH asked AS (
    INSERT INTO access_query (actor_id, actor_name, organisation_name, uscc, roles, channel, kind, ground, purpose, case_no,
                              duty_code, items, fields_class, decision, address, correlation)
    SELECT %s, '', '', '', '', '', 'Q5', 'x', '', 'x', '', '{}', '', 'allowed', '', '' FROM generate_series(1, 3000) RETURNING seq, at
), numbered AS (SELECT seq, at, row_number() OVER () AS n FROM asked), persons AS (
    SELECT id, row_number() OVER (ORDER BY id) AS n FROM accounts_person LIMIT 1000)
INSERT INTO access_queryperson (query_id, at, person_id, kind, allowed)
SELECT a.seq, a.at, p.id, 'Q5', true FROM numbered a JOIN persons p ON p.n = a.n %% 1000 + 1
"""
BIG = ("accounts_person", "records_record")

_FIRST_PAGE = {"before": None, "limit": 50, "offset": 0, "list": LIST_FIELDS}


def scans(at: Any, sql: str, values: Any) -> dict[str, str]:
    """Return how each of the big tables is read, by table; this month's partition stands for the log."""
    with at.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", values)
        said = cursor.fetchone()[0]
    plan = (json.loads(said) if isinstance(said, str) else said)[0]["Plan"]
    month = f"access_queryperson_{timezone.localdate():%Y%m}"  # the other months are empty, and read whole at no cost
    return {table.replace(month, "access_queryperson"): kind for table, kind in _nodes(plan) if table in (*BIG, month)}


def _nodes(plan: dict[str, Any]) -> Iterator[tuple[str, str]]:
    # What a policy asks of its own is no scan of the statement's.
    if plan.get("Parent Relationship") in ("InitPlan", "SubPlan"):
        return
    if "Relation Name" in plan:
        yield plan["Relation Name"], plan["Node Type"].replace("Bitmap Heap", "Index").replace("Index Only", "Index")
    for below in plan.get("Plans", []):
        yield from _nodes(below)


def sql_of(found: Any) -> tuple[str, Any]:
    return found.query.sql_with_params()


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_no_policy_costs_an_index() -> None:
    cast: Cast = make_cast()
    demo_scale.load(persons=20_000, records=20_000, rebuild_indexes=True, say=str)
    with connections["owner"].cursor() as cursor:
        cursor.execute(LINES, [cast.officer_here.pk])
        cursor.execute("ANALYZE access_queryperson")
        cursor.execute("ANALYZE access_query")
        cursor.execute("SELECT id, person_id, item_id FROM records_record ORDER BY id LIMIT 50")
        shown = cursor.fetchall()
    keys, whose = [one for one, _, _ in shown], [person for _, person, _ in shown]
    indexes = settings.FIELD_KEYRING.indexes(CITIZEN_NUMBER.encode())
    asked = {
        "a page of records with their persons": (sql_of(Record.objects.filter(pk__in=keys).select_related("person")),
                                                 {"records_record", "accounts_person"}),
        "a person's records": (sql_of(Record.objects.filter(person=whose[0])), {"records_record"}),
        "a person by key": (sql_of(Person.objects.filter(pk=whose[0])), {"accounts_person"}),
        "a person by number": (sql_of(Person.objects.filter(id_index__in=indexes)), {"accounts_person"}),
        "what stands in the way": (("SELECT * FROM sanctions_in_the_way(%s, %s, %s, NULL)",
                                    [whose[0], AttestationRule.objects.get().pk, timezone.localdate() - timedelta(days=1096)]),
                                   {"records_record"}),
        "the access history": ((_HISTORY, {**Which().values(cast.citizen.person), "persons": whose[:1], **_FIRST_PAGE}),
                               {"access_queryperson"}),
    }  # fmt: skip
    with people.nobody(), transaction.atomic():
        items = list(Item.objects.filter(pk__in={item for _, _, item in shown}))
        held = ItemGrant.objects.in_force().filter(organisation=cast.market, permission="query_item")
        for item in Item.objects.filter(pk__in=[one.pk for one in items]).exclude(pk__in=held.values("item")):
            granted(cast, cast.market, item, "query_item")
        listed = registration_of(cast.officer_here, None, items)
        ask = Ask(
            kind=Kind.DUTY, ground="x", purpose="x", fields_class="x", items=items, request_no=listed.pk,
            case_no=listed.case_no, duty_code=listed.duty_code,
        )  # fmt: skip
        write_persons(
            write_query(ask, by=Asker(cast.officer_here, "工作平台")), [(person, item) for _, person, item in shown]
        )
        people.open_persons(*whose)
        for what, ((sql, values), tables) in asked.items():
            mine = scans(connection, sql, values)
            assert set(mine) == tables, what
            assert "Seq Scan" not in mine.values(), (what, mine)
            assert mine == scans(connections["owner"], sql, values), what
