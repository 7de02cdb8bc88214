"""Text in spreadsheet cells: on the way out no program takes it for a formula, on the way in nothing is lost."""

import re

# A formula's first character, by itself or behind apostrophes of the text's own (ASVS 1.2.10).
_RISKY = re.compile("'*[=+\\-@\t\r\0＝＋－＠]")


def safe(text: str) -> str:
    """Return the text with an apostrophe in front where a spreadsheet would take it for a formula."""
    return f"'{text}" if _RISKY.match(text) else text


def unsafe(text: str) -> str:
    """Return what `safe` was given."""
    return text[1:] if text[:1] == "'" and _RISKY.match(text) else text
