"""Attestations for tests: by the people who have them, and what the database refuses."""

from collections.abc import Callable
from datetime import date

import pytest
from django.db import DatabaseError, transaction

from access.actions import Ask, Asker, write_query
from access.consent_rules import adverse_items_for
from access.models import Consent, ConsentPurpose, Kind
from accounts.models import Person, User
from creditfujian.tests.cast import CITIZEN_NUMBER, Cast
from records.reading import ByConsent, Refused
from records.tests.consenting import as_, asked, granted, registered
from records.tests.deliveries import penalty
from sanctions import attestation as deeds
from sanctions.attestation import Issued, Preview, Told

Form = Consent.Form


def home(user: User) -> Asker:
    """Somebody at the portal."""
    return Asker(user, "公示网站")


def person_of(user: User) -> Person:
    assert user.person is not None
    return user.person


def look(cast: Cast, years: int = 3) -> Preview:
    """The citizen looks first."""
    return deeds.preview(person_of(cast.citizen), years, by=home(cast.citizen))


def issued(cast: Cast, years: int = 3, user: User | None = None) -> Issued:
    """One that the citizen had issued."""
    user = user or cast.citizen
    made = deeds.issue(person_of(user), years, by=home(user))
    assert isinstance(made, Issued)
    return made


def own_line(user: User) -> int:
    """Write the line of somebody's own look, inside the test's transaction."""
    ask = Ask(kind=Kind.SELF, ground="x", purpose="x", fields_class="x", items=[], person=person_of(user))
    return write_query(ask, by=home(user))


def decided_on(cast: Cast, day: date, until: date | None = None, **changes: object) -> dict[str, str]:
    """A penalty about the citizen decided on a day: public until another, or not at all."""
    shown = {"公示截止期": until.isoformat()} if until else {"信息使用范围": "授权查询", "公示截止期": ""}
    return penalty(cast, **{"处罚决定日期": day.isoformat(), "失信程度": "严重", **shown, **changes})


def over_years(years: int = 3, purpose: str = "loan", **changes: object) -> dict[str, object]:
    """What makes a request of an institution one over years."""
    found = ConsentPurpose.objects.get(pk=purpose)
    return {"form": Form.YEARS, "years": years, "items": list(adverse_items_for(found)), "purpose": found, **changes}


def asked_over_years(cast: Cast, **changes: object) -> Consent:
    """A request of the bank over years that waits for the citizen."""
    registered(cast)
    return asked(cast, **over_years(**changes))  # type: ignore[arg-type]


def granted_over_years(cast: Cast, **changes: object) -> Consent:
    """A consent of the citizen to the bank over years."""
    registered(cast)
    return granted(cast, **over_years(**changes))  # type: ignore[arg-type]


def used(cast: Cast, consent: Consent, by: User | None = None, **changes: object) -> Told | Refused | None:
    """The bank uses it once."""
    stated = {"number": consent.number, "id_number": CITIZEN_NUMBER, "purpose": consent.purpose, "form": Form.YEARS}
    return deeds.by_consent(ByConsent(**{**stated, **changes}), by=as_(by or cast.bank_clerk))  # type: ignore[arg-type]


def refused_by_database(name: str, deed: Callable[[], object]) -> None:
    """Let the application try; the database's rule of that name stops it."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        deed()
    found = getattr(getattr(caught.value.__cause__, "diag", None), "constraint_name", None)
    assert found == name, str(caught.value)
