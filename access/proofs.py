"""Proofs about the sealed log that a person, or anybody, can take away and check without us (tools/verify_log.py)."""

from dataclasses import dataclass
from datetime import UTC
from hashlib import sha256
from struct import pack
from typing import Any

from django.conf import settings
from django.db import connection

from access.models import Checkpoint, Leaf
from access.tree import read_kept
from accounts import people
from accounts.models import Person
from creditfujian.lib.merkle import Tree, split
from creditfujian.lib.signed_note import NAME

# What a line shows to its person; the reader's name and the other persons are hashed apart.
_SHOWN = (
    "seq", "at", "organisation_id", "organisation_name", "uscc", "channel", "kind", "ground", "purpose", "case_no",
    "duty_code", "consent_no", "items", "fields_class", "decision", "refusal",
)  # fmt: skip
_LINE = f"SELECT {', '.join(_SHOWN)} FROM access_query WHERE seq = %s AND at = %s"  # noqa: S608 – names of ours
_HASHES = "SELECT sealed, persons FROM access_lines(%s, %s, %s, %s, %s, %s)"
_OWN = """
SELECT seq, person_id, kind, allowed, items FROM access_queryperson
 WHERE query_id = %s AND at = %s AND person_id = ANY (%s) ORDER BY seq
"""


@dataclass(frozen=True)
class NotSealedYet:
    """The line is the person's, and has no place in the tree yet: it gets one within a minute."""


def proof_of(person: Person, seq: int) -> dict[str, Any] | NotSealedYet | None:
    """Return the proof that a line of the person's access history is under the newest checkpoint.

    None when the line does not exist or is not about this person, under any number of theirs: both look alike.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT at FROM access_queryperson WHERE query_id = %s AND person_id = ANY (%s)", [seq, person.family()]
        )
        row = cursor.fetchone()
    if row is None:
        return None
    leaf = Leaf.objects.filter(query_id=seq, at=row[0]).first()
    checkpoint = Checkpoint.objects.first()
    if leaf is None or checkpoint is None:
        return NotSealedYet()
    return _proof(person, leaf, checkpoint)


def _proof(person: Person, leaf: Leaf, checkpoint: Checkpoint) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(_LINE, [leaf.query_id, leaf.at])
        line = dict(zip(_SHOWN, cursor.fetchone(), strict=True))
        with people.log("the others of the line go into its proof as hashes"):
            cursor.execute(_HASHES, [leaf.number, leaf.number + 1, leaf.at, leaf.at, leaf.query_id, leaf.query_id])
        sealed, persons = (bytes(value) for value in cursor.fetchone())
        cursor.execute(_OWN, [leaf.query_id, leaf.at, person.family()])
        own = [
            {"seq": row[0], "person_id": row[1], "kind": row[2], "allowed": row[3], "items": row[4],
             "key": sha256(leaf.salt.bytes + pack("!q", row[0])).hexdigest()}
            for row in cursor.fetchall()
        ]  # fmt: skip
    line["at"] = line["at"].astimezone(UTC).isoformat(timespec="microseconds")
    return {
        "log": NAME, "line": line, "sealed": sealed.hex(), "persons": [one.hex() for one in split(persons)],
        "person": own, "leaf": leaf.number,
        "path": [one.hex() for one in Tree(checkpoint.size, read_kept).path(leaf.number)],
        "checkpoint": checkpoint.note.decode(), "keys": settings.LOG_KEYS.published(),
    }  # fmt: skip


def consistency(before: int) -> dict[str, Any] | None:
    """Return the proof that the tree of that many lines is the beginning of the newest checkpoint's.

    None when no checkpoint had that many lines.
    """
    newest = Checkpoint.objects.first()
    if newest is None or before <= 0 or not Checkpoint.objects.filter(size=before).exists():
        return None
    path = Tree(newest.size, read_kept).consistency(before)
    return {"log": NAME, "before": before, "path": [one.hex() for one in path], "checkpoint": newest.note.decode(),
            "keys": settings.LOG_KEYS.published()}  # fmt: skip
