"""The one file that knows the ciphers: sealing identity numbers and files at rest.

A sealed value is `suite(1) key_id(1) nonce(12) ciphertext tag(16)`. The suites are AES-256-GCM with
HMAC-SHA-256 and, for sites under GB/T 39786, SM4-GCM with HMAC-SM3; both read what either wrote.
"""

import hmac
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE = 12
TAG = 16
PRINT = 16  # bytes of a print: enough to tell any two rows apart


class SealBroken(Exception):
    """A sealed value cannot be opened: wrong key, or somebody changed it."""


class Aes:
    """AES-256-GCM and HMAC-SHA-256 under one 32-byte master key."""

    suite = 1

    def __init__(self, master: bytes) -> None:
        self._index_key = _derive(master, b"index", 32)
        self._print_key = _derive(master, b"print", 32)
        self._gcm = AESGCM(_derive(master, b"seal", 32))

    def seal(self, nonce: bytes, text: bytes, aad: bytes) -> bytes:
        return self._gcm.encrypt(nonce, text, aad)

    def open(self, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
        return self._gcm.decrypt(nonce, sealed, aad)

    def index(self, text: bytes) -> bytes:
        return hmac.digest(self._index_key, text, "sha256")

    def printer(self, about: bytes) -> Callable[[bytes], bytes]:
        begun = blake2b(about, key=self._print_key, digest_size=PRINT)

        def printed(text: bytes) -> bytes:
            whole = begun.copy()
            whole.update(text)
            return whole.digest()

        return printed


class Sm:
    """SM4-GCM (GB/T 32907) and HMAC-SM3 (GB/T 32905) under one 32-byte master key."""

    suite = 2

    def __init__(self, master: bytes) -> None:
        self._key = _derive(master, b"seal-sm4", 16)
        self._index_key = _derive(master, b"index-sm3", 32)
        self._print_key = _derive(master, b"print-sm3", 32)

    def seal(self, nonce: bytes, text: bytes, aad: bytes) -> bytes:
        encryptor = Cipher(algorithms.SM4(self._key), modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(aad)
        return encryptor.update(text) + encryptor.finalize() + encryptor.tag

    def open(self, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
        decryptor = Cipher(algorithms.SM4(self._key), modes.GCM(nonce, sealed[-TAG:])).decryptor()
        decryptor.authenticate_additional_data(aad)
        return decryptor.update(sealed[:-TAG]) + decryptor.finalize()

    def index(self, text: bytes) -> bytes:
        mac = HMAC(self._index_key, hashes.SM3())
        mac.update(text)
        return mac.finalize()

    def printer(self, about: bytes) -> Callable[[bytes], bytes]:
        begun = HMAC(self._print_key, hashes.SM3())
        begun.update(about)

        def printed(text: bytes) -> bytes:
            whole = begun.copy()
            whole.update(text)
            return whole.finalize()[:PRINT]

        return printed


SUITES: dict[str, type[Aes] | type[Sm]] = {"aes": Aes, "sm": Sm}


def _derive(master: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt=b"creditfujian", info=info).derive(master)


@dataclass(frozen=True)
class Keyring:
    """Every key the site can read with, and the one that it writes with.

    `keys` maps a key id (1 to 255) to a suite object; `active` is the id that new values are sealed under. Indexes and
    prints are compared with stored ones by the database, set by set, so they stay under one key for good: the lowest id.
    A new key has a higher one and changes none of them.
    """

    keys: dict[int, Aes | Sm]
    active: int

    @property
    def indexing(self) -> int:
        """Return the id of the key that indexes and prints are made under."""
        return min(self.keys)

    @classmethod
    def parse(cls, text: str) -> "Keyring":
        """Read `2:aes:<64 hex>,1:aes:<64 hex>`: the first seals, the lowest id indexes. Raise ValueError, naming no key."""
        keys: dict[int, Aes | Sm] = {}
        active = 0
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            try:
                number, suite, secret = part.split(":")
                master = bytes.fromhex(secret)
                key_id = int(number)
            except ValueError:
                raise ValueError("FIELD_KEYS wants parts like 1:aes:<64 hex digits>") from None
            if suite not in SUITES or len(master) != 32 or not 1 <= key_id <= 255 or key_id in keys:
                raise ValueError("FIELD_KEYS: unknown suite, key not 32 bytes, or key id not unique in 1..255")
            keys[key_id] = SUITES[suite](master)
            active = active or key_id
        if not keys:
            raise ValueError("FIELD_KEYS is empty")
        return cls(keys, active)

    def seal(self, text: bytes, *, about: bytes) -> bytes:
        """Encrypt under the active key; `about` binds the value to its use (associated data)."""
        return self.seal_all([text], about=about)[0]

    def seal_all(self, texts: Sequence[bytes], *, about: bytes) -> list[bytes]:
        """Seal several values. Their nonces are drawn together: asking the system for each costs half the sealing."""
        key = self.keys[self.active]
        head, seal = bytes((key.suite, self.active)), key.seal
        nonces = os.urandom(NONCE * len(texts))
        sealed = []
        for at, text in enumerate(texts):
            nonce = nonces[at * NONCE : at * NONCE + NONCE]
            sealed.append(head + nonce + seal(nonce, text, about))
        return sealed

    def open(self, sealed: bytes, *, about: bytes) -> bytes:
        """Decrypt a sealed value. Raises SealBroken."""
        key = self.keys.get(sealed[1]) if len(sealed) > 2 + NONCE + TAG - 1 else None
        if key is None or key.suite != sealed[0]:
            raise SealBroken("no key for this value")
        try:
            return key.open(sealed[2 : 2 + NONCE], sealed[2 + NONCE :], about)
        except InvalidTag:
            raise SealBroken("the value was changed or is not about this") from None

    def index(self, text: bytes) -> bytes:
        """Return the 32-byte keyed index of a value."""
        return self.keys[self.indexing].index(text)

    def indexer(self) -> Callable[[bytes], bytes]:
        """Return the function that indexes, for bulk paths."""
        return self.keys[self.indexing].index

    def printer(self, about: bytes) -> Callable[[bytes], bytes]:
        """Return the function that prints texts: 16 keyed bytes that tell the same from another.

        `about` has one length for one use: prints are compared only with prints about the same.
        """
        return self.keys[self.indexing].printer(about)

    def is_current(self, sealed: bytes) -> bool:
        """Tell whether a value is sealed under the active key."""
        return sealed[:2] == bytes((self.keys[self.active].suite, self.active))

    def indexes(self, text: bytes) -> list[bytes]:
        """Return the index under every key, the one in use first: what was indexed under another is found as well."""
        others = [k.index(text) for i, k in self.keys.items() if i != self.indexing]
        return [self.index(text), *others]
