#!/usr/bin/env python3
"""Check Credit Fujian's query log without Credit Fujian: one file, Python 3.11 and the package `cryptography`.

    verify_log.py proof PROOF.json --keys KEYS.txt [--checkpoints OLD.jsonl]
    verify_log.py checkpoints FOLDER [--keys KEYS.txt] [--lines LINES.jsonl]
    verify_log.py consistent PROOF.json --keys KEYS.txt --old OLD.jsonl

`proof` checks a proof downloaded from the page 谁查了我: that exactly this line is under a checkpoint signed by the log's
key. `checkpoints` checks a shipped folder: signatures, chain, and that the leaf hashes give every root. `--lines` adds the
auditor's evidence: that each line hashes to its leaf. `consistent` checks that an old checkpoint kept elsewhere is the
beginning of a newer one. Exit 0 when it holds, 1 when it does not, 2 when a file cannot be read. What the bytes mean:
docs/query-log.md. Keys come from somewhere you trust, not from beside the proof: --keys takes lines `name+id+base64`.
"""

import argparse
import base64
import json
import struct
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

NAME = "creditfujian/query-log"
EMPTY_ROOT = sha256(b"").digest()
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # PostgreSQL counts microseconds from here


class Wrong(Exception):
    """What was to be shown does not hold; the message says which part."""


# --- trees (RFC 6962) ---------------------------------------------------------------------------------


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node."""
    return sha256(b"\1" + left + right).digest()


def root_of_path(leaf: int, size: int, own: bytes, path: list[bytes]) -> bytes:
    """Return the root that an audit path gives for a leaf's hash (RFC 9162 section 2.1.3.2). Raises ValueError."""
    if not 0 <= leaf < size:
        raise ValueError("the leaf is not in the tree")
    at, last, root = leaf, size - 1, own
    for sibling in path:
        if last == 0:
            raise ValueError("the path is too long")
        if at & 1 or at == last:
            root = node(sibling, root)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            root = node(root, sibling)
        at, last = at >> 1, last >> 1
    if last:
        raise ValueError("the path is too short")
    return root


def is_continued(before: int, size: int, old: bytes, new: bytes, proof: list[bytes]) -> bool:
    """Tell whether the tree of size `before` is the beginning of that of `size` (RFC 9162 section 2.1.4.2)."""
    if before == size:
        return not proof and old == new
    if not 0 < before < size:
        return False
    rest = list(proof) if before & (before - 1) else [old, *proof]
    if not rest:
        return False
    at, last = before - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first, second = rest[0], rest[0]
    for sibling in rest[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node(sibling, first), node(sibling, second)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            second = node(second, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and first == old and second == new


class Growing:
    """A tree built from left to right, keeping its right edge."""

    def __init__(self) -> None:
        self.size, self.peaks = 0, list[bytes]()

    def add(self, own: bytes) -> None:
        """Take in one more leaf."""
        size = self.size
        while size & 1:
            own, size = node(self.peaks.pop(), own), size >> 1
        self.peaks.append(own)
        self.size += 1

    def root(self) -> bytes:
        """Return the root now."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node(peak, root)
        return root


# --- checkpoints (C2SP tlog-checkpoint, signed-note) ----------------------------------------------------


@dataclass(frozen=True)
class Checkpoint:
    """What a signed checkpoint says."""

    note: str
    number: int
    size: int
    root: bytes
    time: str
    previous: str
    key: str


def read_keys(path: Path) -> dict[str, Ed25519PublicKey]:
    """Read published keys by their id, oldest first. Raises Wrong."""
    keys = {}
    for line in path.read_text(encoding="utf-8").split():
        name, said, words = line.split("+", 2)
        public = base64.b64decode(words)
        if name != NAME or public[:1] != b"\1" or sha256(NAME.encode() + b"\n" + public).digest()[:4].hex() != said:
            raise Wrong(f"not a key of this log: {line}")
        keys[said] = Ed25519PublicKey.from_public_bytes(public[1:])
    return keys


def read_checkpoint(note: str, keys: dict[str, Ed25519PublicKey]) -> Checkpoint:
    """Check a checkpoint's signature and return what it says. Raises Wrong."""
    text, _, signed = note.partition("\n\n")
    text += "\n"
    try:
        name, size, root, number, time, previous = text.splitlines()
        dash, signer, words = signed.strip().split(" ")
        signature = base64.b64decode(words)
        told = Checkpoint(
            note, int(number.removeprefix("number ")), int(size), base64.b64decode(root), time.removeprefix("time "),
            previous.removeprefix("previous "), signature[:4].hex(),
        )  # fmt: skip
    except ValueError as error:
        raise Wrong(f"not a checkpoint: {error}") from None
    if name != NAME or signer != NAME or dash != "—":
        raise Wrong("a checkpoint of another log")
    if told.key not in keys:
        raise Wrong(f"checkpoint {told.number} is signed by an unknown key {told.key}")
    try:
        keys[told.key].verify(signature[4:], text.encode())
    except InvalidSignature:
        raise Wrong(f"checkpoint {told.number}: the signature does not hold") from None
    return told


def read_chain(path: Path, keys: dict[str, Ed25519PublicKey]) -> Iterator[Checkpoint]:
    """Check every checkpoint of a file, and that each follows the one before. Raises Wrong."""
    last: Checkpoint | None = None
    retired = set[str]()
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            note = json.loads(line)["note"]
        except ValueError:
            continue  # cut off by a crash; written again whole on the next line
        told = read_checkpoint(note, keys)
        expected = sha256(last.note.encode()).hexdigest() if last else "0" * 64
        if last is not None or told.number == 1:
            if told.previous != expected:
                raise Wrong(f"checkpoint {told.number} does not follow the one before")
            if last and (told.number != last.number + 1 or told.size < last.size or told.time <= last.time):
                raise Wrong(f"checkpoint {told.number} goes back")
        if told.key in retired:
            raise Wrong(f"checkpoint {told.number} is signed by a key that had been replaced")
        if last and last.key != told.key:
            retired.add(last.key)
        last = told
        yield told


# --- lines ---------------------------------------------------------------------------------------------

_TYPES = {
    "int8": 20,
    "text": 25,
    "varchar": 1043,
    "time": 1184,
    "bool": 16,
    "uuid": 2950,
    "bytea": 17,
    "texts": 1009,
    "int8s": 1016,
}
SHOWN = [
    ("seq", "int8"), ("at", "time"), ("organisation_id", "int8"), ("organisation_name", "text"), ("uscc", "text"),
    ("channel", "text"), ("kind", "varchar"), ("ground", "text"), ("purpose", "text"), ("case_no", "text"),
    ("duty_code", "text"), ("consent_no", "text"), ("items", "texts"), ("fields_class", "text"),
    ("decision", "varchar"), ("refusal", "varchar"),
]  # fmt: skip
SEALED = [
    ("salt", "uuid"), ("actor_id", "int8"), ("actor_name", "text"), ("roles", "text"), ("request_no", "int8"),
    ("address", "text"), ("correlation", "text"), ("record_ids", "int8s"), ("answer_items", "texts"),
]  # fmt: skip
PERSON = [("seq", "int8"), ("person_id", "int8"), ("kind", "varchar"), ("allowed", "bool"), ("items", "int8s")]


def _value(kind: str, value: Any) -> bytes:
    """Return a value as PostgreSQL's binary format writes it."""
    if kind == "int8":
        return struct.pack("!q", value)
    if kind in ("text", "varchar"):
        return value.encode()
    if kind == "bool":
        return b"\1" if value else b"\0"
    if kind == "uuid":
        return uuid.UUID(value).bytes
    if kind == "bytea":
        return bytes.fromhex(value)
    if kind == "time":
        return struct.pack("!q", (datetime.fromisoformat(value) - EPOCH) // timedelta(microseconds=1))
    element = "text" if kind == "texts" else "int8"
    if not value:
        return struct.pack("!iii", 0, 0, _TYPES[element])
    parts = [_value(element, one) for one in value]
    head = struct.pack("!iiiii", 1, 0, _TYPES[element], len(value), 1)
    return head + b"".join(struct.pack("!i", len(part)) + part for part in parts)


def record(columns: list[tuple[str, str]], values: dict[str, Any]) -> bytes:
    """Return columns as PostgreSQL's record_send() writes them: their number, then type, length and bytes of each."""
    out = [struct.pack("!i", len(columns))]
    for name, kind in columns:
        value = values[name]
        if value is None:
            out.append(struct.pack("!Ii", _TYPES[kind], -1))
        else:
            written = _value(kind, value)
            out.append(struct.pack("!Ii", _TYPES[kind], len(written)) + written)
    return b"".join(out)


def person_hash(person: dict[str, Any]) -> bytes:
    """Return the hash of a person of a line: its key, 32 bytes, and the record."""
    return sha256(bytes.fromhex(person["key"]) + record(PERSON, person)).digest()


def leaf_of(shown: dict[str, Any], sealed: str, persons: list[str]) -> bytes:
    """Return a line's leaf hash from what is shown, the hash of what is sealed, and the hashes of its persons."""
    values = {**shown, "sealed": sealed, "persons": "".join(persons) or None}
    return sha256(b"\0" + record([*SHOWN, ("sealed", "bytea"), ("persons", "bytea")], values)).digest()


def leaf_of_evidence(line: dict[str, Any]) -> bytes:
    """Return the leaf hash of a whole line as the auditor's evidence holds it."""
    salt = uuid.UUID(line["sealed"]["salt"]).bytes
    persons = [
        person_hash({**person, "key": sha256(salt + struct.pack("!q", person["seq"])).hexdigest()}).hex()
        for person in line["persons"]
    ]
    return leaf_of(line["line"], sha256(record(SEALED, line["sealed"])).hexdigest(), persons)


# --- what can be asked -----------------------------------------------------------------------------------


def check_proof(proof: dict[str, Any], keys: dict[str, Ed25519PublicKey]) -> Checkpoint:
    """Check a citizen's proof and return the checkpoint that it is under. Raises Wrong."""
    checkpoint = read_checkpoint(proof["checkpoint"], keys)
    persons = proof["persons"]
    own = [person_hash(person).hex() for person in proof["person"]]
    if not own or any(one not in persons for one in own):
        raise Wrong("the person is not among those of the line")
    leaf = leaf_of(proof["line"], proof["sealed"], persons)
    try:
        root = root_of_path(proof["leaf"], checkpoint.size, leaf, [bytes.fromhex(one) for one in proof["path"]])
    except ValueError as error:
        raise Wrong(str(error)) from None
    if root != checkpoint.root:
        raise Wrong("the line is not under this checkpoint: it was changed, or the proof was")
    return checkpoint


def check_folder(folder: Path, keys: dict[str, Ed25519PublicKey], lines: Path | None) -> tuple[int, int]:
    """Check a shipped folder, with the lines if given; return how many leaves and checkpoints. Raises Wrong."""
    tree, count, evidence = Growing(), 0, _evidence(lines) if lines else None
    with (folder / "leaves.sha256").open("rb") as leaves:
        for checkpoint in read_chain(folder / "checkpoints.jsonl", keys):
            while tree.size < checkpoint.size:
                own = leaves.read(32)
                if len(own) != 32:
                    raise Wrong(f"leaf {tree.size} is missing")
                if evidence is not None and next(evidence, None) != own:
                    raise Wrong(f"line {tree.size} is not what was sealed")
                tree.add(own)
            if tree.root() != checkpoint.root:
                raise Wrong(f"the leaves do not give the root of checkpoint {checkpoint.number}")
            count += 1
    return tree.size, count


def _evidence(lines: Path) -> Iterator[bytes]:
    with lines.open(encoding="utf-8") as rows:
        for row in rows:
            yield leaf_of_evidence(json.loads(row))


def check_consistent(proof: dict[str, Any], old: Checkpoint, keys: dict[str, Ed25519PublicKey]) -> Checkpoint:
    """Check that an old checkpoint is the beginning of the proof's newer one; return that. Raises Wrong."""
    new = read_checkpoint(proof["checkpoint"], keys)
    path = [bytes.fromhex(one) for one in proof["path"]]
    if proof["before"] != old.size or not is_continued(old.size, new.size, old.root, new.root, path):
        raise Wrong(f"checkpoint {old.number}, kept elsewhere, is not the beginning of checkpoint {new.number}")
    return new


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, check, say what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["proof", "checkpoints", "consistent"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--keys", type=Path, help="the log's public keys, from somewhere you trust")
    parser.add_argument("--lines", type=Path, help="the auditor's evidence, with `checkpoints`")
    parser.add_argument("--old", type=Path, help="checkpoints kept elsewhere, with `consistent` and `proof`")
    options = parser.parse_args(arguments)
    try:
        print(_check(options))
    except Wrong as error:
        print(f"DOES NOT HOLD: {error}")
        return 1
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"cannot be read: {error!r}", file=sys.stderr)
        return 2
    return 0


def _check(options: argparse.Namespace) -> str:
    keys = read_keys(options.keys or options.file / "keys.txt")
    if options.what == "checkpoints":
        leaves, count = check_folder(options.file, keys, options.lines)
        return f"holds: {count} checkpoints over {leaves} lines"
    proof = json.loads(options.file.read_text(encoding="utf-8"))
    if options.what == "proof":
        checkpoint = check_proof(proof, keys)
        _among(checkpoint, options.old, keys)
        line = proof["line"]
        return (f"holds: line {line['seq']} of {line['at']} ({line['organisation_name'] or line['channel']}, "
                f"{line['purpose']}) is under checkpoint {checkpoint.number} of {checkpoint.time}")  # fmt: skip
    old = {checkpoint.size: checkpoint for checkpoint in read_chain(options.old, keys)}
    if proof["before"] not in old:
        raise Wrong(f"no checkpoint of {proof['before']} lines among those kept")
    new = check_consistent(proof, old[proof["before"]], keys)
    return f"holds: checkpoint {old[proof['before']].number} is the beginning of checkpoint {new.number}"


def _among(checkpoint: Checkpoint, kept: Path | None, keys: dict[str, Ed25519PublicKey]) -> None:
    """Check that checkpoints kept elsewhere, where they hold one of that number, hold this one. Raises Wrong."""
    for one in read_chain(kept, keys) if kept else ():
        if one.number == checkpoint.number and one.note != checkpoint.note:
            raise Wrong(f"checkpoint {one.number} kept elsewhere is another one")


if __name__ == "__main__":
    sys.exit(main())
