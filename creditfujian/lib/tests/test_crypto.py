"""Sealed values: what was put in comes out, and nothing else does."""

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from creditfujian.lib.crypto import Keyring, SealBroken

OLD, NEW, SM = f"1:aes:{'11' * 32}", f"2:aes:{'22' * 32}", f"3:sm:{'33' * 32}"
NUMBER = b"359901199001010011"


@pytest.mark.parametrize("keys", [OLD, SM])
def test_a_sealed_number_opens_again(keys: str) -> None:
    ring = Keyring.parse(keys)
    sealed = ring.seal(NUMBER, about=b"person.id_number")
    assert NUMBER not in sealed
    assert ring.open(sealed, about=b"person.id_number") == NUMBER


@pytest.mark.parametrize("keys", [OLD, SM])
def test_the_same_number_never_looks_the_same_twice_but_has_one_index(keys: str) -> None:
    ring = Keyring.parse(keys)
    assert ring.seal(NUMBER, about=b"x") != ring.seal(NUMBER, about=b"x")
    assert ring.index(NUMBER) == ring.index(NUMBER)
    assert len(ring.index(NUMBER)) == 32


@pytest.mark.parametrize("keys", [OLD, SM])
def test_a_changed_or_misplaced_value_does_not_open(keys: str) -> None:
    ring = Keyring.parse(keys)
    sealed = ring.seal(NUMBER, about=b"person.id_number")
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(SealBroken):
            ring.open(bytes(changed), about=b"person.id_number")
    with pytest.raises(SealBroken):
        ring.open(sealed, about=b"file:0:1")
    with pytest.raises(SealBroken):
        ring.open(b"", about=b"x")


def test_after_a_change_of_keys_old_values_open_and_look_ups_try_both() -> None:
    before, after = Keyring.parse(OLD), Keyring.parse(f"{SM},{NEW},{OLD}")
    assert after.open(before.seal(NUMBER, about=b"x"), about=b"x") == NUMBER
    assert before.index(NUMBER) in after.indexes(NUMBER)
    assert after.indexes(NUMBER)[0] == after.index(NUMBER)
    assert len(set(after.indexes(NUMBER))) == 3


def test_a_new_key_in_front_seals_and_leaves_indexes_and_prints_as_they_were() -> None:
    before, after = Keyring.parse(OLD), Keyring.parse(f"{NEW},{OLD}")
    sealed = after.seal(NUMBER, about=b"x")
    assert sealed[1] == 2
    assert after.is_current(sealed)
    assert not after.is_current(before.seal(NUMBER, about=b"x"))
    assert after.index(NUMBER) == after.indexer()(NUMBER) == before.index(NUMBER)
    assert after.printer(b"x")(NUMBER) == before.printer(b"x")(NUMBER)


def test_nonsense_keys_are_refused_without_repeating_them() -> None:
    for text in ["", "1:aes:abc", "0:aes:" + "11" * 32, f"{OLD},{OLD}", "1:rot13:" + "11" * 32]:
        with pytest.raises(ValueError, match="FIELD_KEYS") as caught:
            Keyring.parse(text)
        assert "11" * 32 not in str(caught.value)


def test_sm4_is_the_published_cipher() -> None:
    # GB/T 32907-2016, appendix A.1
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    encryptor = Cipher(algorithms.SM4(key), modes.ECB()).encryptor()
    assert encryptor.update(key).hex() == "681edf34d206965e86b3e94f536e4246"
