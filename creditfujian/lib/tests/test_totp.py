"""One-time codes agree with the vectors of RFC 6238 and open once."""

import pytest

from creditfujian.lib import totp

SECRET = b"12345678901234567890"  # RFC 6238 appendix B


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_vectors_of_the_standard(seconds: int, expected: str) -> None:
    assert totp.code(SECRET, totp.step_at(seconds), digits=8) == expected


def test_a_code_is_taken_within_one_step_of_drift_and_once() -> None:
    now = 1_800_000_010.0
    here = totp.step_at(now)
    for off, expected in ((-2, None), (-1, here - 1), (0, here), (1, here + 1), (2, None)):
        assert totp.matching_step(SECRET, totp.code(SECRET, here + off), now=now, after=0) == expected
    assert totp.matching_step(SECRET, totp.code(SECRET, here), now=now, after=here) is None
    assert totp.matching_step(SECRET, totp.code(SECRET, here - 1), now=now, after=here) is None
    assert totp.matching_step(SECRET, totp.code(SECRET, here + 1), now=now, after=here) == here + 1


def test_nonsense_is_no_code() -> None:
    assert totp.matching_step(SECRET, "１２３４５６", now=59, after=0) is None
    assert totp.matching_step(SECRET, "", now=59, after=0) is None


def test_a_secret_survives_being_written_down() -> None:
    secret = totp.new_secret()
    assert totp.from_text(totp.as_text(secret).lower()) == secret
    assert len(totp.as_text(secret)) == 32
    assert totp.new_secret() != secret


def test_the_address_is_what_apps_read() -> None:
    found = totp.address(SECRET, account="clerk", issuer="信用福建")
    assert found.startswith("otpauth://totp/%E4%BF%A1%E7%94%A8%E7%A6%8F%E5%BB%BA:clerk?secret=GEZDGNBVGY3TQOJQ")
