"""No text leaves as a formula, and every text comes back as it was."""

import pytest

from creditfujian.lib.spreadsheet import safe, unsafe

RISKY = ["=1+1", "+86", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＋1", "－1", "＠x", " =1", "\n=1"]
PLAIN = ["", "行政处罚", "'引号", "''", "a=b", "1-2", "'", "2026-01-01"]


@pytest.mark.parametrize("text", RISKY)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert safe(text) == f"'{text}"


@pytest.mark.parametrize("text", PLAIN)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert safe(text) == text == unsafe(text)


@pytest.mark.parametrize("text", [*RISKY, *PLAIN, "'=1", "''=1", "'''", "'+"])
def test_every_text_comes_back_as_it_was(text: str) -> None:
    assert unsafe(safe(text)) == text
