"""A consent under the hands of many at once: its last use is one use, and no reading begins after the withdrawal."""

from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction

from access import consents
from access.models import Consent, ConsentUse, Message, Query, Refusal
from creditfujian.tests.cast import OTHER_NUMBER, make_cast
from records.reading import File, Refused
from records.tests.consenting import agreed, as_, asked, granted, read
from records.tests.deliveries import deliver, penalty

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 20


def at_once(deeds: list[Any]) -> list[Any]:
    """Do all at the same moment, each in a connection of its own; return what each came to."""
    start, outcomes = Barrier(len(deeds)), []

    def run(deed: Any) -> None:
        try:
            start.wait(timeout=60)
            outcomes.append(deed())
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert len(outcomes) == len(deeds)
    return outcomes


@pytest.mark.parametrize("uses", [1, 3])
def test_twenty_at_once_are_answered_as_often_as_the_person_allowed(uses: int) -> None:
    cast = make_cast()
    deliver(cast, [penalty(cast)])
    consent = granted(cast, uses=uses)
    outcomes = at_once([lambda: read(consent, cast.bank_clerk)] * MANY)
    files = [one for one in outcomes if isinstance(one, File)]
    assert len(files) == uses
    assert all(len(file.records) == 1 for file in files)
    assert {one.refusal for one in outcomes if isinstance(one, Refused)} == {Refusal.SPENT}
    assert sorted(ConsentUse.objects.values_list("n", flat=True)) == list(range(1, uses + 1))
    assert Query.objects.filter(kind="Q4", decision="allowed").count() == uses
    assert Query.objects.filter(kind="Q4", refusal="spent").count() == MANY - uses
    assert Message.objects.filter(use__isnull=False).count() == uses
    consent.refresh_from_db()
    assert (consent.uses, consent.state) == (uses, Consent.State.USED)


def test_a_reading_that_begins_while_the_person_withdraws_waits_and_gets_nothing() -> None:
    cast = make_cast()
    consent, outcomes = granted(cast, uses=5), []

    def bank() -> None:
        try:
            outcomes.append(read(consent, cast.bank_clerk))
        finally:
            connections.close_all()

    with transaction.atomic():
        consents.withdraw(consent.number, by=as_(cast.citizen, "公示网站"))
        thread = Thread(target=bank)
        thread.start()
        thread.join(timeout=1)
        assert thread.is_alive()  # it waits for the withdrawal
    thread.join(timeout=60)
    assert isinstance(outcomes[0], Refused)
    assert outcomes[0].refusal is Refusal.WITHDRAWN
    assert not ConsentUse.objects.exists()


def test_a_withdrawal_among_readings_ends_them() -> None:
    cast = make_cast()
    consent = granted(cast, uses=12)
    withdrawal = lambda: consents.withdraw(consent.number, by=as_(cast.citizen, "公示网站"))  # noqa: E731
    outcomes = at_once([*[lambda: read(consent, cast.bank_clerk)] * 11, withdrawal])
    answered = [one for one in outcomes if isinstance(one, File)]
    consent.refresh_from_db()
    assert (consent.state, consent.uses) == (Consent.State.WITHDRAWN, len(answered))
    assert {one.refusal for one in outcomes if isinstance(one, Refused)} <= {Refusal.WITHDRAWN}
    after = read(consent, cast.bank_clerk)
    assert isinstance(after, Refused)


def test_a_yes_or_a_withdrawal_that_the_person_is_not_told_of_is_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    cast = make_cast()
    waiting, consent = asked(cast), asked(cast, id_number=OTHER_NUMBER, name="林大雪")
    agreed(consent, cast.other_citizen)
    monkeypatch.setattr(consents, "tell", lambda *said: None)
    for deed in (
        lambda: agreed(waiting, cast.citizen),
        lambda: consents.withdraw(consent.number, by=as_(cast.other_citizen)),
    ):
        with pytest.raises(IntegrityError, match="told of every request"):
            deed()
    waiting.refresh_from_db()
    assert waiting.state == Consent.State.ASKED
