"""Authorities and letters in every state, for tests: made by the people who make them."""

import io
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from access.authorities import Entry
from access.letters import Stated
from access.models import Authority, OfficialLetter
from accounts.models import User
from creditfujian.lib import identity
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, Cast
from records import agents, letter_answers
from records.tests.consenting import SCAN
from records.tests.life import asker

AGENT_NUMBER = identity.invent(date(1971, 3, 8), 7)
AGENT = "黄代劳"
COURT = "榕江市人民法院（虚拟）"


def papers(cast: Cast, **changes: Any) -> agents.Papers:
    """A power of attorney of the citizen, for penalties, for thirty days."""
    values: dict[str, Any] = {
        "basis": Authority.Basis.ATTORNEY, "id_number": CITIZEN_NUMBER, "name": "陈小满", "agent_number": AGENT_NUMBER,
        "agent_name": AGENT, "relation": "", "purpose": "代办企业登记", "items": [cast.item.pk],
        "valid_until": timezone.localdate() + timedelta(days=30),
    }  # fmt: skip
    return agents.Papers(Entry(**{**values, **changes}), io.BytesIO(SCAN), "委托书.pdf")


def of_kin(cast: Cast, **changes: Any) -> agents.Papers:
    """Papers of a child of the citizen, who has died."""
    return papers(cast, **{"basis": Authority.Basis.KIN, "relation": "child", "purpose": "办理遗产事务", **changes})


def entered(cast: Cast, given: agents.Papers | None = None) -> Authority:
    """An authority that the clerk entered: it waits for the credit office."""
    authority = agents.enter(given or papers(cast), by=asker(cast.clerk))
    assert authority is not None
    return authority


def approved(cast: Cast, given: agents.Papers | None = None) -> Authority:
    """One that an official of the credit office approved, having opened the papers."""
    authority = entered(cast, given)
    agents.scan_of(authority.paper, by=asker(cast.credit_office))
    return agents.approve(authority.pk, by=cast.credit_office)


def letter_of(cast: Cast, *, persons: list[tuple[str, str]] | None = None, **changes: Any) -> letter_answers.Received:
    """A letter of a court about the citizen, to be held back."""
    values: dict[str, Any] = {
        "sender": OfficialLetter.Sender.COURT, "sender_name": COURT, "letter_no": "（2026）榕法函字第17号",
        "letter_on": timezone.localdate() - timedelta(days=1), "officers": ["周执行", "吴书记"],
        "certificates": ["闽执3501-0007", "闽执3501-0012"], "legal_basis": "《民事诉讼法》第七十条",
        "case_no": "（2026）闽9901执88号", "items": [cast.item.pk], "withhold": True, "withhold_basis": "财产保全前不宜告知",
    }  # fmt: skip
    stated = Stated(**{**values, **changes})
    return letter_answers.Received(stated, persons or [("陈小满", CITIZEN_NUMBER)], io.BytesIO(SCAN), "公函.pdf")


BOTH = [("陈小满", CITIZEN_NUMBER), ("林大雪", OTHER_NUMBER)]


def registered(cast: Cast, **changes: Any) -> OfficialLetter:
    """A letter that one official registered: it waits for another."""
    return letter_answers.register(letter_of(cast, **changes), by=asker(cast.credit_office))


def agreed(cast: Cast, **changes: Any) -> OfficialLetter:
    """One that another official agreed to, having opened it."""
    letter = registered(cast, **changes)
    look(letter, cast.credit_office_2)
    return letter_answers.approve(letter.pk, by=cast.credit_office_2)


def look(letter: OfficialLetter, by: User) -> None:
    """Open the scan of a letter."""
    letter_answers.scan_of(letter.paper, by=asker(by))


def answered(cast: Cast, letter: OfficialLetter, user: User | None = None) -> object:
    """Read for the letter about somebody: the citizen unless told otherwise."""
    person = (user or cast.citizen).person_id
    assert person is not None
    return letter_answers.answer(letter.pk, person, by=asker(cast.credit_office))
