"""`make code` shows what the phone of a demo account would show."""

import json
import time
from pathlib import Path

import pytest

from creditfujian.dev import demo_code as code
from creditfujian.lib import totp


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """One clerk with a phone, one citizen without."""
    secret = totp.new_secret()
    accounts = [
        {"username": "clerk", "password": "p1", "totp_secret": totp.as_text(secret)},
        {"username": "citizen", "password": "p2", "totp_secret": None},
    ]
    file = tmp_path / "credentials.json"
    file.write_text(json.dumps(accounts))
    monkeypatch.setattr(code, "CREDENTIALS", file)
    return secret


def test_it_prints_password_and_the_code_of_now(credentials: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    step = totp.step_at(time.time())
    assert code.main("clerk", qr=False) == 0
    said = capsys.readouterr().out
    assert "p1" in said
    assert any(totp.code(credentials, at) in said for at in (step, step + 1))


def test_it_says_who_needs_no_code_and_who_is_unknown(credentials: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    assert code.main("citizen", qr=False) == 0
    assert "只用密码：p2" in capsys.readouterr().out
    assert code.main("root", qr=False) == 1
    assert "clerk、citizen" in capsys.readouterr().err


def test_it_draws_a_qr_code_for_a_real_phone(credentials: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    assert code.main("clerk", qr=True) == 0
    assert capfd.readouterr().out.count("\n") > 15


def test_before_the_first_run_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code, "CREDENTIALS", tmp_path / "none.json")
    assert code.main("clerk", qr=False) == 1
