"""Steps 6 and 8, set-based: rows become records with versions and lineage, or go back the way they came.

Every statement writes the record and its version line together, so no bulk path can skip the trail.
"""

from typing import Any

from django.db import connection
from django.utils import timezone

from catalogue.deadlines import due
from catalogue.models import ItemVersion
from creditfujian.lib.workdays import DAY
from records.models import Batch

_PERSONS = """
INSERT INTO accounts_person (sid, name, id_cipher, id_index)
SELECT DISTINCT ON (id_index) gen_random_uuid(), name, id_cipher, id_index
  FROM records_batchrow
 WHERE batch_id = %(batch)s AND outcome = 1 AND record_id IS NULL
 ORDER BY id_index, row_no
ON CONFLICT (id_index) DO NOTHING
"""
_VERSION_COLUMNS = """record_id, version, deed, item_version_id, batch_id, row_no, name, doc_date, severity,
    publication, query_until, content, content_hash, by_id"""
# Where the item wants a notice first, a record waits for its end before anybody else is given it (domain §4.2 L5).
_STATE = "CASE WHEN item_version_id = ANY (%(noticed)s::bigint[]) THEN 3 ELSE 1 END"
_USABLE_FROM = "CASE WHEN item_version_id = ANY (%(noticed)s::bigint[]) THEN %(usable_from)s::date END"
# The sequence is looked up once, not for each row, and nothing is sorted: both took a quarter of the time.
# Where the office is to be told something of the row, no print is kept: sent again, it is read again.
_NEW = f"""
WITH src AS MATERIALIZED (
    SELECT nextval((SELECT pg_get_serial_sequence('records_record', 'id')::regclass)) AS id, p.id AS person_id, r.*
      FROM records_batchrow r JOIN accounts_person p ON p.id_index = r.id_index
     WHERE r.batch_id = %(batch)s AND r.outcome = 1 AND r.record_id IS NULL
), rec AS (
    INSERT INTO records_record (id, person_id, item_id, provider_id, decider_uscc, doc_no, doc_date, severity,
                                publication, query_until, state, usable_from, version, content_hash, row_print)
    SELECT id, person_id, %(item)s, %(provider)s, decider_uscc, doc_no, doc_date, severity,
           publication, query_until, {_STATE}, {_USABLE_FROM}, 1, content_hash,
           CASE WHEN hints IS NULL THEN row_print END FROM src
)
INSERT INTO records_recordversion ({_VERSION_COLUMNS})
SELECT id, 1, 1, item_version_id, batch_id, row_no, name, doc_date, severity,
       publication, query_until, content, content_hash, %(by)s FROM src
"""
_CHANGED = f"""
WITH src AS MATERIALIZED (
    SELECT k.version + 1 AS next, r.* FROM records_batchrow r JOIN records_record k ON k.id = r.record_id
     WHERE r.batch_id = %(batch)s AND r.outcome IN (1, 2) AND r.record_id IS NOT NULL
), rec AS (
    UPDATE records_record k
       SET provider_id = %(provider)s, doc_date = s.doc_date, severity = s.severity, publication = s.publication,
           query_until = s.query_until, version = s.next, content_hash = s.content_hash,
           row_print = CASE WHEN s.hints IS NULL THEN s.row_print END,
           state = CASE WHEN k.state = 2 THEN {_STATE} ELSE k.state END,
           usable_from = CASE WHEN k.state = 2 THEN {_USABLE_FROM} ELSE k.usable_from END
      FROM src s WHERE k.id = s.record_id
)
INSERT INTO records_recordversion ({_VERSION_COLUMNS})
SELECT record_id, next, CASE outcome WHEN 1 THEN 1 ELSE 2 END, item_version_id, batch_id, row_no, name, doc_date,
       severity, publication, query_until, content, content_hash, %(by)s FROM src
"""
# Only a record that still says what this batch said goes back; a later delivery or act stands.
_BACK = f"""
WITH src AS MATERIALIZED (
    SELECT k.id, k.version + 1 AS next, mine.row_no, mine.item_version_id AS mine_item_version,
           coalesce(prev.deed, 3) <> 3 AS restored, prev.item_version_id, coalesce(prev.name, mine.name) AS name,
           coalesce(prev.doc_date, mine.doc_date) AS doc_date, coalesce(prev.severity, mine.severity) AS severity,
           CASE WHEN coalesce(prev.deed, 3) <> 3 THEN prev.publication END AS publication,
           coalesce(prev.query_until, mine.query_until) AS query_until,
           coalesce(prev.content, mine.content) AS content,
           coalesce(prev.content_hash, mine.content_hash) AS content_hash,
           coalesce(earlier.supplier_id, k.provider_id) AS provider_id
      FROM records_recordversion mine
      JOIN records_record k ON k.id = mine.record_id AND k.version = mine.version AND k.state IN (1, 3)
      LEFT JOIN records_recordversion prev ON prev.record_id = k.id AND prev.version = mine.version - 1
      LEFT JOIN records_batch earlier ON earlier.id = prev.batch_id
     WHERE mine.batch_id = %(batch)s AND mine.deed IN (1, 2)
), rec AS (
    UPDATE records_record k
       SET state = CASE WHEN s.restored THEN k.state ELSE 2 END, version = s.next, doc_date = s.doc_date,
           severity = s.severity, publication = s.publication, query_until = s.query_until,
           content_hash = s.content_hash, provider_id = s.provider_id
      FROM src s WHERE k.id = s.id
)
INSERT INTO records_recordversion ({_VERSION_COLUMNS})
SELECT id, next, CASE WHEN restored THEN 4 ELSE 3 END, coalesce(item_version_id, mine_item_version), %(batch)s,
       row_no, name, doc_date, severity, publication, query_until, content, content_hash, %(by)s FROM src
"""


def write_records(batch: Batch, *, by_id: int) -> None:
    """Write persons, records and versions of the batch's good rows: three statements, one transaction."""
    values = {"batch": batch.pk, "item": batch.item_id, "provider": batch.supplier_id, "by": by_id, **_notice(batch)}
    with connection.cursor() as cursor:
        cursor.execute(_PERSONS, values)
        cursor.execute(_NEW, values)
        cursor.execute(_CHANGED, values)


def _notice(batch: Batch) -> dict[str, Any]:
    """Return which versions of the item want a notice before use, and from when their records are used."""
    versions = ItemVersion.objects.filter(item=batch.item_id, notice_mode=ItemVersion.Notice.BEFORE)
    noticed = list(versions.values_list("pk", flat=True))
    window = due("D03", timezone.localdate()).date + DAY if noticed else None
    return {"noticed": noticed, "usable_from": window}


def write_back(batch: Batch, *, by_id: int) -> int:
    """Bring back what stood before the batch; return how many records went back."""
    with connection.cursor() as cursor:
        cursor.execute(_BACK, {"batch": batch.pk, "by": by_id})
        return cursor.rowcount
