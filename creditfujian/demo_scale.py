"""A register of any size for measuring: invented persons, records of the items in force, batches they came from.

Set-based: persons are sealed here and sent by COPY, records and versions are made by the database in the statements
below. Every rule of the catalogue is asked of every row by the same triggers as ever. Persons have invented numbers
of area 359901 only; the command refuses where anybody else is registered.
"""

import io
import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.db import connections, transaction

from accounts import people
from accounts.models import ID_ABOUT, Organisation, Person, User
from catalogue.models import Field, Item, ItemGrant, ItemVersion
from creditfujian.demo_people import GIVEN, MARKET_CASES, QUALIFICATIONS, SURNAMES
from creditfujian.lib import identity

Say = Callable[[str], object]
BATCH_ROWS = 20_000
CHUNK = 200_000  # records per statement
FIRST_BIRTH, BIRTHS = date(1940, 1, 1), 23_000  # days; all of them adults in the summer of 2021
SHARE_PUBLIC, SHARE_CHANGED = 60, 3  # of a hundred
_MORE_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂英华文斌建国志红玉梅秀珍凤海燕晓春雪飞龙辉婷宇浩博俊峰欣怡佳琪子涵梓轩一诺"

# What may be put aside while rows pour in, and is made again and checked as a whole afterwards.
_INDEXES = """
SELECT c.relname, i.relname, pg_get_indexdef(x.indexrelid) FROM pg_index x
  JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
 WHERE c.relname = ANY (%s) AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = x.indexrelid)
"""
_CONSTRAINTS = """
SELECT c.relname, k.conname, pg_get_constraintdef(k.oid) FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
 WHERE (c.relname = ANY (%s) AND k.contype = 'f') OR k.conname = 'record_once_per_person_and_document'
"""
_PERSONS = """
WITH made AS (
    INSERT INTO accounts_person (sid, name, id_cipher, id_index)
    SELECT gen_random_uuid(), name, id_cipher, id_index FROM scale_sealed ON CONFLICT (id_index) DO NOTHING
    RETURNING id, name
) INSERT INTO scale_person (id, name) SELECT id, name FROM made
"""
_RECORDS = """
WITH rolled AS MATERIALIZED (
    SELECT n, nextval(pg_get_serial_sequence('records_record', 'id')) AS id,
           CASE WHEN random() < 0.8 THEN floor(random() * %(persons)s)
                ELSE floor(random() * %(persons)s * 0.1) END::int + 1 AS who,
           %(first)s::date + floor(%(days)s * (1 - power(random(), 1.4)))::int AS doc_date,
           floor(random() * 90)::int AS earlier, 1 + floor(random() * %(kinds)s)::int AS kind,
           random() * 100 < %(share_public)s AS marked, random() * 100 < %(share_changed)s AS changed
      FROM generate_series(%(low)s, %(high)s) AS n
), made AS MATERIALIZED (
    SELECT r.*, p.id AS person_id, p.name,
           %(word)s || '〔' || extract(year FROM r.doc_date) || '〕' || r.n || '号' AS doc_no,
           (%(severities)s::int[])[r.kind] AS severity, (%(contents)s::jsonb[])[r.kind] AS content,
           %(batch)s + (r.n - %(low)s) / %(batch_rows)s AS batch_id, 2 + (r.n - %(low)s) %% %(batch_rows)s AS row_no,
           ((CASE WHEN %(negative)s THEN r.doc_date - r.earlier ELSE r.doc_date END)
             + make_interval(months => %(months)s))::date AS query_until
      FROM rolled r JOIN scale_person p ON p.n = r.who
), periods AS MATERIALIZED (
    SELECT m.*, m.content || jsonb_build_object(%(doc_field)s, m.doc_no, %(day_field)s, m.doc_date::text) AS said,
           CASE WHEN m.marked AND (%(public_months)s::int[])[m.severity + 1] > 0 THEN daterange(m.doc_date, least(
               (m.doc_date + make_interval(months => (%(public_months)s::int[])[m.severity + 1]))::date, m.query_until))
           END AS publication
      FROM made m
), hashed AS MATERIALIZED (
    SELECT p.*, sha256(convert_to(p.name || p.said::text, 'UTF8')) AS content_hash FROM periods p
), kept AS (
    INSERT INTO records_record (id, person_id, item_id, provider_id, decider_uscc, doc_no, doc_date, severity, publication,
                                query_until, state, usable_from, version, content_hash, created_at)
    SELECT id, person_id, %(item)s, %(provider)s, %(uscc)s, doc_no, doc_date, severity, publication, query_until,
           -- its notice over, unless it is fresh; the night would make it 1
           CASE WHEN %(noticed)s THEN 3 ELSE 1 END, CASE WHEN %(noticed)s THEN doc_date + 20 END,
           CASE WHEN changed THEN 2 ELSE 1 END, content_hash, least(doc_date + interval '5 days', now())
      FROM hashed
)
INSERT INTO records_recordversion (record_id, version, deed, item_version_id, batch_id, row_no, name, doc_date, severity,
                                   publication, query_until, content, content_hash, by_id, at)
SELECT h.id, v.version, v.version, %(item_version)s, h.batch_id, h.row_no, h.name, h.doc_date, h.severity, h.publication,
       h.query_until, CASE WHEN v.version = 1 AND h.changed THEN h.said || '{"备注": "更正前"}' ELSE h.said END,
       h.content_hash, %(by)s, least(h.doc_date + make_interval(days => 5 * v.version), now())
  FROM hashed h JOIN generate_series(1, 2) AS v(version) ON v.version = 1 OR h.changed
"""


@dataclass(frozen=True)
class Source:
    """One item version, supplied by one organisation, over the days that it allows."""

    item: Item
    version: ItemVersion
    provider: Organisation
    first: date
    last: date
    weight: float


def load(*, persons: int, records: int, rebuild_indexes: bool, say: Say) -> None:
    """Make them. Raises PermissionDenied where real persons may be, or where there is no catalogue to go by.

    With `rebuild_indexes` everything is one transaction that holds the tables: for a database of one's own.
    """
    if not settings.DEMO:
        raise PermissionDenied("正式环境（DEMO=0）不生成演示数据。")
    if persons > BIRTHS * 999 or persons < 1:
        raise PermissionDenied(f"人数须在 1 至 {BIRTHS * 999:,} 之间：演示号段（359901）只有这么多号码。")
    _refuse_beside_real_persons()
    sources = _sources()
    if not sources:
        raise PermissionDenied("目录中没有可以报送的现行条目。请先运行 manage.py demo。")
    owner = connections["owner" if "owner" in connections else "default"]
    plans = [_plan(source) for source in sources]  # read beforehand: below, the tables may be locked
    began = time.monotonic()
    with transaction.atomic(using=owner.alias), owner.cursor() as cursor:
        put_aside = _put_aside(cursor) if rebuild_indexes else []
        # Batches are entered before their records, and each counts them while there is no index to count by.
        cursor.execute("ALTER TABLE records_batch DISABLE TRIGGER batch_is_what_went_in")
        made = _make_persons(cursor, persons)
        say(f"自然人 {made:,} 名，{time.monotonic() - began:.0f} 秒")
        for done in _make_records(cursor, plans, records, made):
            say(f"记录 {done:,} 条，{time.monotonic() - began:.0f} 秒")
        if put_aside:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET LOCAL maintenance_work_mem = '1GB'")
        for statement in put_aside:
            cursor.execute(statement)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE records_batch ENABLE TRIGGER batch_is_what_went_in")
    say(f"索引和约束已就位，{time.monotonic() - began:.0f} 秒")
    owner.set_autocommit(True)
    with owner.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) accounts_person, records_record, records_recordversion, records_batch")
    say(f"完成，{time.monotonic() - began:.0f} 秒")


def _refuse_beside_real_persons() -> None:
    """Open the seal of everybody registered: it takes seconds, and one real person is one too many."""
    with people.everybody("one real person is one too many"):
        for person in Person.objects.only("id_cipher").iterator(chunk_size=10_000):
            if not person.id_number().startswith(identity.DEMO_AREA):
                raise PermissionDenied("登记中有演示号段（359901）以外的自然人，不能在这里生成演示数据。")


def _sources() -> list[Source]:
    """Return what may be delivered: item versions, on the days that they and their basis cover, by granted suppliers."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT s.id, lower(w), least(upper(w), cf_today() - 1) FROM catalogue_standing s"
            " JOIN catalogue_itemversion n ON n.item_id = s.item_id AND n.id IN (SELECT catalogue_in_force(cf_today())),"
            " unnest(datemultirange(s.effective * daterange('2021-09-01', cf_today() - 1)) * s.collected_on) w"
            " WHERE s.state IN ('published', 'in_force')"
        )
        windows = cursor.fetchall()
    versions = ItemVersion.objects.select_related("item").in_bulk([pk for pk, _, _ in windows])
    found = []
    for pk, first, last in windows:
        version = versions[pk]
        if not version.comes_by_delivery or (last - first).days < 1:
            continue
        granted = ItemGrant.objects.in_force().filter(item=version.item, permission=ItemGrant.Permission.SUPPLY)
        for provider in Organisation.objects.filter(pk__in=granted.values("organisation")).order_by("pk"):
            own = 4.0 if version.item.polarity == Item.Polarity.NEGATIVE else 1.0
            found.append(Source(version.item, version, provider, first, last, own * (last - first).days))
    return found


def _make_persons(cursor: Any, count: int) -> int:
    """Seal and enter invented persons whose numbers nobody has yet; keep their keys for the records."""
    cursor.execute("CREATE TEMP TABLE scale_sealed (name text, id_cipher bytea, id_index bytea) ON COMMIT DROP")
    cursor.execute("CREATE TEMP TABLE scale_person (n serial PRIMARY KEY, id bigint, name text) ON COMMIT DROP")
    dice = random.Random(count)
    for low in range(0, count, 50_000):
        lines = io.StringIO("".join(_sealed(range(low, min(low + 50_000, count)), dice)))
        cursor.copy_expert("COPY scale_sealed FROM STDIN", lines)
    cursor.execute(_PERSONS)
    made: int = cursor.rowcount
    cursor.execute("ANALYZE scale_person")
    return made


def _sealed(serials: range, dice: random.Random) -> list[str]:
    ring = settings.FIELD_KEYRING
    births = [FIRST_BIRTH + timedelta(days=serial * 7919 % BIRTHS) for serial in serials]
    numbers = [identity.invent(birth, at // BIRTHS + 1).encode() for at, birth in zip(serials, births, strict=True)]
    index = ring.indexer()
    ciphers = ring.seal_all(numbers, about=ID_ABOUT)
    return [
        f"{_name(dice)}\t\\\\x{cipher.hex()}\t\\\\x{index(number).hex()}\n"
        for number, cipher in zip(numbers, ciphers, strict=True)
    ]


def _name(dice: random.Random) -> str:
    """Make up a name: a few surnames are frequent, given names have one or two characters."""
    surname = SURNAMES[min(int(dice.expovariate(0.18)), 25)] if dice.random() < 0.99 else "欧阳"
    kind = dice.random()
    if kind < 0.02:
        return surname + dice.choice(GIVEN)
    return surname + dice.choice(_MORE_GIVEN) + (dice.choice(_MORE_GIVEN) if kind < 0.8 else "")


def _make_records(cursor: Any, plans: list[dict[str, Any]], records: int, persons: int) -> Iterator[int]:
    """Share the records out among the sources; yield how many there are after each statement."""
    total, done = sum(plan["weight"] for plan in plans), 0
    for at, plan in enumerate(plans):
        left = records - done if at == len(plans) - 1 else round(records * plan["weight"] / total)
        while left > 0:
            count = min(left, CHUNK)
            batch = _batches(cursor, plan, count)
            low = done + 1
            values = plan | {"persons": persons, "low": low, "high": low + count - 1, "batch": batch}
            cursor.execute(_RECORDS, values)
            done, left = done + count, left - count
            yield done


def _plan(source: Source) -> dict[str, Any]:
    """Return what the statement needs to know of a source."""
    version, negative = source.version, source.item.polarity == Item.Polarity.NEGATIVE
    months = {p.severity: p.max_months for p in version.periods.all()} if _is_public(version) else {}
    fields = {field.binds: field.code for field in version.fields.all() if field.binds}
    contents, severities = _contents(version, source.provider)
    return {
        "item": source.item.pk, "provider": source.provider.pk, "uscc": source.provider.uscc, "item_version": version.pk,
        "first": source.first, "days": (source.last - source.first).days, "months": version.query_retention_months,
        "negative": negative, "noticed": version.notice_mode == "PRE", "weight": source.weight,
        "share_public": SHARE_PUBLIC if negative else 100,
        "share_changed": SHARE_CHANGED, "batch_rows": BATCH_ROWS, "kinds": len(contents), "severities": severities,
        "contents": contents, "public_months": [months.get(severity, 0) for severity in range(4)],
        "word": f"演{source.provider.code or source.provider.pk}{source.item.code[4:6]}字",
        "doc_field": fields[Field.Binding.DOC_NO], "day_field": fields[Field.Binding.DOC_DATE],
        "up": _officer(source.provider, "a").pk, "by": _officer(source.provider, "b").pk,
    }  # fmt: skip


def _is_public(version: ItemVersion) -> bool:
    return version.disclosure == ItemVersion.Disclosure.PUBLIC and not version.public_by_consent


def _contents(version: ItemVersion, provider: Organisation) -> tuple[list[str], list[int]]:
    """Return six contents of the item's own fields, and how grave each is by the item's rule."""
    contents, severities = [], []
    for number, case in enumerate(MARKET_CASES):
        said = {}
        for field in version.fields.all():
            if (field.required or field.free_text) and not field.must_be_empty and field.binds not in _BY_THE_DATABASE:
                said[field.code] = _said(field, number, provider)
        contents.append(json.dumps(said, ensure_ascii=False))
        rule = version.severity_rule
        by_kind = 3 if "吊销" in case.kinds else 1 if case.kinds == "警告" else 2
        severities.append(by_kind if rule == ItemVersion.SeverityRule.BY_CASE else int(rule))
    return contents, severities


_BY_THE_DATABASE = ("person_name", "id_number", "doc_no", "doc_date")


def _said(field: Field, number: int, provider: Organisation) -> str:
    case = MARKET_CASES[number]
    bound = {"decider": provider.name, "decider_uscc": provider.uscc, "kind": case.kinds, "public_mark": "公示"}
    if field.binds in bound:
        return bound[field.binds]
    if field.code_set is not None and (values := list(field.code_set.values.all()[:6])):
        return str(values[number % len(values)].label)
    texts = {"WFXW": case.behaviour, "CF_SY": case.facts, "CF_YJ": case.basis, "CF_NR": case.content}
    by_ending = next((text for ending, text in texts.items() if field.code.endswith(ending)), None)
    return by_ending or QUALIFICATIONS[number % len(QUALIFICATIONS)]


def _officer(provider: Organisation, letter: str) -> User:
    """Return an account that nobody can sign in to: in whose name invented batches stand."""
    user, _ = User.objects.get_or_create(
        username=f"scale_{provider.pk}_{letter}",
        defaults={
            "name": f"演示{letter}",
            "organisation": provider,
            "is_active": False,
            "password": make_password(None),
        },
    )
    return user


def _batches(cursor: Any, plan: dict[str, Any], count: int) -> int:
    """Enter the batches of so many rows; return the first one's key. Their keys follow one another."""
    rows = [min(BATCH_ROWS, count - low) for low in range(0, count, BATCH_ROWS)]
    cursor.execute(
        "SELECT setval(pg_get_serial_sequence('records_batch', 'id'), nextval(pg_get_serial_sequence('records_batch', 'id'))"
        " + %s) - %s + 1",
        [len(rows), len(rows)],
    )
    first: int = cursor.fetchone()[0]
    cursor.execute(
        "WITH file AS (INSERT INTO records_sealedfile (sha256, size, name, created_at)"
        " SELECT encode(sha256(convert_to('demo_scale ' || b, 'UTF8')), 'hex'), 0, '演示生成' || b || '.csv', now()"
        " FROM generate_series(%(first)s, %(last)s) b RETURNING id, name)"
        " INSERT INTO records_batch (id, item_id, supplier_id, uploaded_by_id, file_id, channel, mode, state,"
        " sheet, notes, reasons, rows, rows_done, new, changed, unchanged, refused, corrected, last_row, cancel_requested,"
        " received_at, checked_at, withdraw_reason)"
        " SELECT b, %(item)s, %(provider)s, %(up)s, f.id, 'command', 'good_rows', 'received', '', '[]', '{}', n, n, n,"
        " 0, 0, 0, 0, n, false, now(), now(), ''"
        " FROM unnest(%(rows)s::int[]) WITH ORDINALITY AS r(n, at), LATERAL (SELECT %(first)s + at - 1 AS b) k"
        " JOIN file f ON f.name = '演示生成' || b || '.csv'",
        plan | {"first": first, "last": first + len(rows) - 1, "rows": rows},
    )
    for state in ("parsing", "checking", "checked", "committing", "committed"):  # along the arrows, as any batch
        cursor.execute(
            "UPDATE records_batch SET state = %(state)s,"
            " committed_by_id = CASE WHEN %(state)s IN ('committing', 'committed') THEN %(by)s END::bigint,"
            " committed_at = CASE %(state)s WHEN 'committed' THEN now() END WHERE id BETWEEN %(first)s AND %(last)s",
            plan | {"state": state, "first": first, "last": first + len(rows) - 1},
        )
        if state == "checked":  # the last batch of a source may be far smaller than is usual
            cursor.execute(
                "UPDATE records_batchhold SET agreed = true, decided_by_id = %(by)s, decided_at = now(), note = '演示生成'"
                " WHERE agreed IS NULL AND batch_id BETWEEN %(first)s AND %(last)s",
                plan | {"first": first, "last": first + len(rows) - 1},
            )
    return first


def _put_aside(cursor: Any) -> list[str]:
    """Drop foreign keys and secondary indexes of the big tables; return the statements that make them again."""
    tables = ["records_record", "records_recordversion"]
    cursor.execute(_CONSTRAINTS, [tables])
    constraints = cursor.fetchall()
    cursor.execute(_INDEXES, [[*tables, "accounts_person"]])
    indexes = cursor.fetchall()
    for table, name, _ in constraints:
        cursor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
    for _, name, _ in indexes:
        cursor.execute(f'DROP INDEX "{name}"')
    again = [definition for _, _, definition in indexes]
    ordered = sorted(constraints, key=lambda one: one[2].startswith("FOREIGN"))  # foreign keys rest on unique ones
    return again + [f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {what}' for table, name, what in ordered]
