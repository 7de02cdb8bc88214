"""Signed checkpoints of a log, in the form of C2SP tlog-checkpoint and signed-note: text that anybody can check.

creditfujian/query-log            the log's name
1024                              how many leaves the tree has
<base64>                          the tree's root
number 17                         the checkpoint's own number, from 1
time 2026-11-30T07:00:00.123456Z  when it was made
previous <hex>                    SHA-256 of the whole checkpoint before; 64 zeros for the first
                                  an empty line
— creditfujian/query-log <base64> four bytes of key id and the Ed25519 signature of everything above
"""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

NAME = "creditfujian/query-log"
NOTHING_BEFORE = bytes(32)
_ED25519 = b"\1"


def key_id(public: bytes) -> str:
    """Return the id of a public key: the first four bytes of a hash, in hex (signed-note)."""
    return sha256(NAME.encode() + b"\n" + _ED25519 + public).digest()[:4].hex()


def published(public: bytes) -> str:
    """Return a public key as it is published: name+id+base64 (signed-note's verifier key)."""
    return f"{NAME}+{key_id(public)}+{base64.b64encode(_ED25519 + public).decode()}"


@dataclass(frozen=True)
class Head:
    """What a checkpoint says."""

    number: int
    size: int
    root: bytes
    at: datetime
    previous: bytes

    def text(self) -> bytes:
        """Return the words that are signed."""
        at = self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        root = base64.b64encode(self.root).decode()
        return (
            f"{NAME}\n{self.size}\n{root}\nnumber {self.number}\ntime {at}\nprevious {self.previous.hex()}\n".encode()
        )

    def note(self, key: str, signature: bytes) -> bytes:
        """Return the whole checkpoint with its signature."""
        signed = base64.b64encode(bytes.fromhex(key) + signature).decode()
        return self.text() + f"\n— {NAME} {signed}\n".encode()


@dataclass(frozen=True)
class LogKeys:
    """The key that signs now, if this host holds it, and every public key that ever signed, by id, oldest first."""

    private: Ed25519PrivateKey | None
    public: dict[str, Ed25519PublicKey]

    @classmethod
    def parse(cls, signing: str, former: list[str]) -> "LogKeys":
        """Read the seed (64 hex digits, or nothing) and former public keys (64 hex digits each). Raises ValueError."""
        try:
            private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(signing)) if signing else None
            keys = [Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)) for key in former]
        except ValueError:
            raise ValueError("LOG_SIGNING_KEY and each of LOG_PUBLIC_KEYS want 64 hex digits") from None
        keys += [private.public_key()] if private else []
        if not keys:
            raise ValueError("LOG_SIGNING_KEY or LOG_PUBLIC_KEYS must be set")
        return cls(private, {key_id(key.public_bytes_raw()): key for key in keys})

    @property
    def active(self) -> str:
        """Return the id of the key that signs now: the last one."""
        return list(self.public)[-1]

    def sign(self, head: Head) -> tuple[str, bytes]:
        """Return key id and signature. Raises ValueError on a host without the key."""
        if self.private is None:
            raise ValueError("this host does not hold LOG_SIGNING_KEY")
        return key_id(self.private.public_key().public_bytes_raw()), self.private.sign(head.text())

    def verifies(self, head: Head, key: str, signature: bytes) -> bool:
        """Tell whether one of our keys signed exactly this."""
        if key not in self.public:
            return False
        try:
            self.public[key].verify(signature, head.text())
        except InvalidSignature:
            return False
        return True

    def published(self) -> list[str]:
        """Return all public keys as they are published, oldest first."""
        return [published(key.public_bytes_raw()) for key in self.public.values()]
