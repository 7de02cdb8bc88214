"""The door: what is refused in text and in column names, whatever a department sends (domain §9)."""

import re
from dataclasses import dataclass
from functools import cached_property

from catalogue.models import ProhibitedCategory

_DIGIT_RUN = re.compile(r"\d[\d -]{9,}[\dXx]")
_PHONE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
_ID_NUMBER = re.compile(r"(?<!\d)[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\d{3}[\dXx](?!\d)")
_CARD = re.compile(r"(?<!\d)\d{16,19}(?!\d)")


@dataclass(frozen=True)
class Hit:
    """Why a text is refused: the category, the words found and what to do."""

    category: str
    title: str
    found: str
    advice: str


class Door:
    """All categories compiled once per batch; built from the table so that officials can extend it."""

    def __init__(self, categories: list[ProhibitedCategory]) -> None:
        self._categories = {c.code: c for c in categories}
        self._words = {word: c for c in categories for word in c.keywords}
        self._headers = {word: c for c in categories for word in c.header_keywords}

    @classmethod
    def load(cls) -> "Door":
        """Read the table."""
        return cls(list(ProhibitedCategory.objects.all()))

    @property
    def categories(self) -> list[ProhibitedCategory]:
        """The categories, in the order of their codes."""
        return [self._categories[code] for code in sorted(self._categories)]

    @cached_property
    def _any_word(self) -> re.Pattern[str]:
        # Bare literals only: the engine then skips to the next possible first character.
        return re.compile("|".join(map(re.escape, sorted(self._words, key=len, reverse=True))) or r"(?!)")

    def find(self, text: str) -> Hit | None:
        """Return the first thing in a text that may not be collected, or None."""
        for match in self._any_word.finditer(text):
            category = self._words[match.group()]
            if not _inside_exception(text, match, category.exceptions):
                return _hit(category, match.group())
        if _DIGIT_RUN.search(text):
            return self.find_number(text)
        return None

    def find_header(self, label: str) -> Hit | None:
        """Return why a column may not be sent at all, or None."""
        for word, category in self._headers.items():
            if word in label:
                return _hit(category, word)
        return None

    def find_class(self, pii_class: str) -> Hit | None:
        """Return why a field of that kind of personal information may not be collected, or None."""
        category = self._categories.get(pii_class)
        return _hit(category, category.title) if category else None

    def find_number(self, text: str) -> Hit | None:
        """Return the number of a person, telephone or bank card in a text, or None."""
        third_party = self._categories.get("X19")
        bank = self._categories.get("X06")
        if third_party and _ID_NUMBER.search(text):
            return _hit(third_party, "身份证号码")
        if third_party and _PHONE.search(text):
            return _hit(third_party, "手机号码")
        if bank and any(_luhn(m.group()) for m in _CARD.finditer(text)):
            return _hit(bank, "银行卡号")
        return None


def _inside_exception(text: str, match: re.Match[str], exceptions: list[str]) -> bool:
    for phrase in exceptions:
        start = text.find(phrase, max(0, match.start() - len(phrase)))
        while start != -1 and start <= match.start():
            if start + len(phrase) >= match.end():
                return True
            start = text.find(phrase, start + 1)
    return False


def _hit(category: ProhibitedCategory, found: str) -> Hit:
    return Hit(category.code, category.title, found, category.advice)


def _luhn(digits: str) -> bool:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
