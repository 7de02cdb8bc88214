"""Setting the report in type. The one file that knows typst, the fonts and the QR code."""

import io
import json
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import segno
import typst
from django.conf import settings
from fontTools.ttLib import TTCollection, TTFont

SHEET = Path(__file__).parent / "typst" / "report.typ"
FONT_FILES = ("NotoSansSC-Regular.otf", "NotoSerifSC-Regular.otf", "NotoSansCJK-Regular.ttc")
SEA = "#0f4c56"


class NoFonts(Exception):
    """The report cannot be set: its fonts are not installed."""


def set_report(data: dict[str, Any], form: Path = SHEET) -> bytes:
    """Return a report, or what another sheet makes of its data, as a tagged PDF; the same data gives the same bytes.

    Raises NoFonts. A character that no font holds is written out by its code point, and the report says so.
    """
    known = characters()
    missing: set[str] = set()
    shown = _readable(data, known, missing)
    if missing:
        codes = "、".join(_code(character) for character in sorted(missing))
        shown["missing"] = f"字库中没有以下字符，文中以编码写出，以原始文书为准：{codes}。"
    return typst.compile(
        str(form), sys_inputs={"data": json.dumps(shown, ensure_ascii=False)}, font_paths=[settings.FONTS],
        ignore_system_fonts=True, pdf_standards=["ua-1"],
    )  # fmt: skip


def qr_code(address: str) -> str:
    """Return the QR code of an address as SVG."""
    out = io.BytesIO()
    segno.make(address, error="m", micro=False).save(out, kind="svg", border=1, dark=SEA, scale=4)
    return out.getvalue().decode()


def is_possible() -> bool:
    """Tell whether the fonts are there."""
    return all(_font_file(name) for name in FONT_FILES)


def characters() -> frozenset[int]:
    """Return the code points that the report's fonts hold between them. Raises NoFonts."""
    if not is_possible():
        raise NoFonts(settings.FONTS)
    return _characters(settings.FONTS)


@cache
def _characters(folder: str) -> frozenset[int]:
    known: set[int] = set()
    for name in FONT_FILES:
        path = _font_file(name)
        fonts = TTCollection(path, lazy=True).fonts if name.endswith(".ttc") else [TTFont(path, lazy=True)]
        known.update(fonts[0].getBestCmap())
        for font in fonts:
            font.close()
    return frozenset(known)


def _font_file(name: str) -> Path | None:
    return next(iter(sorted(Path(settings.FONTS).glob(f"*/{name}"))), None)


def _readable(value: Any, known: frozenset[int], missing: set[str]) -> Any:
    """Return the data with every character that no font holds written out."""
    if isinstance(value, str):
        if all(ord(character) in known for character in value):
            return value
        return "".join(_shown(character, known, missing) for character in value)
    if isinstance(value, dict):
        return {key: _readable(inner, known, missing) for key, inner in value.items()}
    if isinstance(value, list):
        return [_readable(inner, known, missing) for inner in value]
    return value


def _shown(character: str, known: frozenset[int], missing: set[str]) -> str:
    if ord(character) in known or character in "\n\t":
        return character
    if unicodedata.category(character) in ("Cf", "Cc") or 0xFE00 <= ord(character) <= 0xFE0F:
        return ""  # no letter: joiners, marks of direction, variation selectors
    missing.add(character)
    return f"〔{_code(character)}〕"


def _code(character: str) -> str:
    return f"字库缺字 U+{ord(character):04X}"
