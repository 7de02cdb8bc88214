"""Uploaded files, sealed at rest: they hold identity numbers.

A sealed file is `CFS1`, then frames of `length(4) sealed(…)`. Each frame is bound to its position and to being
the last or not, so that nobody can reorder, drop or cut frames unnoticed.
"""

import hashlib
import os
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from django.conf import settings
from django.db import connection, transaction
from django.db.models import ProtectedError

from creditfujian.lib.crypto import SealBroken
from creditfujian.lib.text import hide_numbers
from records.models import SealedFile

MAGIC = b"CFS1"
FRAME = 1 << 20
_LOCKS = 4_212  # the first half of this module's advisory locks (4_211 are the helper's); the second is the content


def keep(stream: BinaryIO, name: str) -> SealedFile:
    """Seal a file under its SHA-256 and return its row; the same content is kept once."""
    folder = Path(settings.MEDIA_ROOT) / "sealed"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as out:
        sha256, size = _seal_into(cast("BinaryIO", out), stream)
    target = _path(sha256)
    target.parent.mkdir(exist_ok=True)
    with transaction.atomic():
        alone_with(sha256)
        Path(out.name).replace(target)
        row, _ = SealedFile.objects.get_or_create(
            sha256=sha256, defaults={"size": size, "name": hide_numbers(Path(name).name)[:200]}
        )
    return row


def key_of(file: SealedFile) -> int | None:
    """Return the id of the key that a file is sealed under, or None when it is not there."""
    try:
        with _path(file.sha256).open("rb") as sealed:
            head = sealed.read(10)  # mark, length, suite, key
    except FileNotFoundError:
        return None
    return head[9] if len(head) == 10 else None


def seal_anew(file: SealedFile) -> bool:
    """Seal a file under the active key where it is under another; tell whether it was. Raises SealBroken, FileNotFoundError.

    Readers hold either file whole: the new one takes the old one's place at once.
    """
    with transaction.atomic():
        alone_with(file.sha256)
        if SealedFile.objects.filter(pk=file.pk, destroyed_at=None).first() is None:
            return False
        with _path(file.sha256).open("rb") as sealed:
            if settings.FIELD_KEYRING.is_current(sealed.read(10)[8:]):
                return False
        folder = _path(file.sha256).parent.parent
        with open_sealed(file) as plain, tempfile.NamedTemporaryFile(dir=folder, delete=False) as out:
            _seal_into(cast("BinaryIO", out), plain)
        Path(out.name).replace(_path(file.sha256))
    return True


def _seal_into(out: BinaryIO, stream: BinaryIO) -> tuple[str, int]:
    """Write a stream's sealed frames to a file and to the disk; return the content's SHA-256 and size."""
    digest, size = hashlib.sha256(), 0
    out.write(MAGIC)
    for number, (frame, last) in enumerate(_frames(stream)):
        digest.update(frame)
        size += len(frame)
        sealed = settings.FIELD_KEYRING.seal(frame, about=_about(number, last))
        out.write(struct.pack(">I", len(sealed)))
        out.write(sealed)
    out.flush()
    os.fsync(out.fileno())
    return digest.hexdigest(), size


def alone_with(sha256: str) -> None:
    """Wait until nobody else keeps or destroys this content; good until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_LOCKS, sha256])


def open_sealed(file: SealedFile) -> BinaryIO:
    """Return the content as a seekable stream that no other process can find. Raises SealBroken."""
    plain: BinaryIO = tempfile.SpooledTemporaryFile(max_size=8 * FRAME)  # type: ignore[assignment]  # noqa: SIM115 – the caller closes it
    with _path(file.sha256).open("rb") as sealed:
        if sealed.read(4) != MAGIC:
            raise SealBroken("not a sealed file")
        number, ended = 0, False
        while head := sealed.read(4):
            blob = sealed.read(struct.unpack(">I", head)[0])
            ended = sealed.peek(1) == b""  # type: ignore[attr-defined]
            plain.write(settings.FIELD_KEYRING.open(blob, about=_about(number, ended)))
            number += 1
        if not ended:
            raise SealBroken("the file was cut short")
    plain.seek(0)
    return plain


def _frames(stream: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    frame = stream.read(FRAME)
    while True:
        following = stream.read(FRAME) if len(frame) == FRAME else b""
        yield frame, not following
        if not following:
            return
        frame = following


def _about(number: int, last: bool) -> bytes:
    return b"file:%d:%d" % (number, last)


def _path(sha256: str) -> Path:
    return Path(settings.MEDIA_ROOT) / "sealed" / sha256[:2] / sha256


def destroy(sha256: str) -> None:
    """Delete a sealed file of which nothing is held any more; it stays when the same content was kept again meanwhile."""
    with transaction.atomic():
        alone_with(sha256)
        if not SealedFile.objects.filter(sha256=sha256, destroyed_at=None).exists():
            _path(sha256).unlink(missing_ok=True)


def forget(file: SealedFile) -> None:
    """Delete a file, its content once that is committed; it stays while another row rests on the same content."""
    sha256 = file.sha256
    try:
        with transaction.atomic():
            alone_with(sha256)  # whoever keeps the same content now is about to use it
            file.delete()
    except ProtectedError:
        return
    transaction.on_commit(lambda: destroy(sha256))
