"""Text as people type it, made comparable."""

import re
import unicodedata

_FORMAT = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
_SPACE = re.compile(r"\s+")
_LOOKALIKE_X = str.maketrans({"Х": "X", "х": "X", "Χ": "X", "χ": "X", "×": "X"})
_LONG_DIGITS = re.compile(r"\d{9,}[\dXx]?")


def strip_format(text: str) -> str:
    """Remove zero-width and direction characters and outer white space; keep the rest as typed."""
    if text.isascii():
        return text.strip()
    return _FORMAT.sub("", text).strip()


def normalise_code(text: str) -> str:
    """Return a number or code as meant: NFKC, look-alike X made X, no spaces, hyphens or format characters."""
    if text.isascii() and text.isalnum():
        return text
    folded = unicodedata.normalize("NFKC", _FORMAT.sub("", text)).translate(_LOOKALIKE_X)
    return _SPACE.sub("", folded).replace("-", "")


def normalise_name(text: str) -> str:
    """Return a person's name for comparison: NFKC, one kind of middle dot, no spaces between Chinese characters."""
    folded = unicodedata.normalize("NFKC", strip_format(text))
    folded = re.sub("[•∙⋅・‧．･]", "·", folded)
    if folded.isascii():
        return _SPACE.sub(" ", folded)
    return _SPACE.sub("", folded)


def hide_numbers(text: str) -> str:
    """Mask long digit runs in free text that we keep, such as a file's name."""
    return _LONG_DIGITS.sub("＊", text)


def key_in(number: str) -> int:
    """Return the key at the end of a paper's number (letter, day, key), as people quote it; 0, nobody's, when there is none."""
    key = number.strip().rpartition("-")[2]
    return int(key) if key.isascii() and key.isdecimal() and len(key) < 15 else 0
