"""Numbers that were merged into another person: their rows stand for the survivor, from the check to the commit."""

from datetime import timedelta

from django.db import connection

from records.models import Batch, BatchRow
from records.person_models import PersonCase

NOTE = "这个证件号码已经并入同一人的另一个号码，按保留的号码入库。"

# A merge undone, or one of the survivor, between check and commit.
_AGAIN = """
UPDATE records_batchrow r SET id_index = n.id_index, id_cipher = n.id_cipher,
       merged_person_id = CASE WHEN n.now <> n.id THEN n.id END
  FROM records_merged_numbers(%(batch)s) n
 WHERE r.batch_id = %(batch)s AND r.merged_person_id = n.id AND r.id_index <> n.id_index
"""
_FOLLOW = """
UPDATE records_batchrow r SET id_index = n.id_index, id_cipher = n.id_cipher, merged_person_id = n.id,
       hints = coalesce(r.hints, '[]') || jsonb_build_array(jsonb_build_array(
           (SELECT f.code FROM catalogue_field f WHERE f.item_version_id = r.item_version_id AND f.binds = 'id_number'),
           %(note)s::text))
  FROM records_merged_numbers(%(batch)s) n
 WHERE r.batch_id = %(batch)s AND r.outcome <> 9 AND r.id_index = n.own AND n.now <> n.id
"""
_LET_GO = """
UPDATE records_batchrow r SET record_id = NULL, outcome = 1
  FROM records_record k JOIN accounts_person p ON p.id = k.person_id
 WHERE r.batch_id = %(batch)s AND r.outcome <> 9 AND k.id = r.record_id AND p.id_index <> r.id_index
"""
LONGEST_DECISION = timedelta(hours=1)  # a case is done as of when its transaction began, and seen when that ends


def follow_merges(batch: Batch) -> None:
    """Let rows under a merged number stand for the survivor, before anything is compared by number."""
    with connection.cursor() as cursor:
        cursor.execute(_AGAIN, {"batch": batch.pk})
        cursor.execute(_FOLLOW, {"batch": batch.pk, "note": NOTE})


def follow_moves(batch: Batch) -> bool:
    """Let rows go from records that a case has moved to somebody else since the check; tell whether there was such a case.

    Rows of two numbers merged meanwhile may be one document's: the caller compares them with each other again.
    """
    assert batch.checked_at is not None
    done = PersonCase.objects.filter(kind__in=PersonCase.BOTH, state=PersonCase.State.DONE)
    if not done.filter(done_at__gt=batch.checked_at - LONGEST_DECISION).exists():
        return False
    with connection.cursor() as cursor:
        cursor.execute(_LET_GO, {"batch": batch.pk})
    return True


def note_merged(batch: Batch) -> None:
    """Note with the merge which new records came in under the merged number: undone, they go back with the rest."""
    if BatchRow.objects.filter(batch=batch, merged_person_id__isnull=False).exists():
        with connection.cursor() as cursor:
            cursor.execute("SELECT records_note_merged(%s)", [batch.pk])
