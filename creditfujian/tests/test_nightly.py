"""The night's round: scheduled for the worker, done by the command, the same twice."""

from datetime import timedelta
from importlib import import_module
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone
from django_q.models import Schedule

from catalogue.models import Instrument, ItemVersion
from creditfujian.tests.cast import Cast


def told(**options: object) -> dict[str, int]:
    out = StringIO()
    call_command("nightly", stdout=out, **options)
    return {name: int(count) for name, count in (line.split(": ") for line in out.getvalue().splitlines())}


@pytest.mark.django_db
def test_the_worker_runs_it_every_night() -> None:
    schedule = Schedule.objects.get(name="nightly")
    module, _, function = schedule.func.rpartition(".")
    assert callable(getattr(import_module(module), function))
    assert schedule.schedule_type == Schedule.DAILY
    assert timezone.localtime(schedule.next_run).strftime("%H:%M") == "00:10"


def test_it_suspends_what_lost_its_basis_and_a_second_run_finds_nothing_to_do(cast: Cast) -> None:
    basis = cast.item.versions.get().disclosure_basis
    assert basis is not None
    Instrument.objects.filter(pk=basis.instrument_id).update(repealed_on=timezone.localdate())
    first = told()
    assert first["catalogue.suspended"] >= 1
    assert ItemVersion.objects.get(item=cast.item).state == ItemVersion.State.SUSPENDED
    assert set(told().values()) == {0}


def test_a_day_that_was_missed_can_be_made_up_for(cast: Cast) -> None:
    assert "catalogue.escalated" in told(date=timezone.localdate() - timedelta(days=1))
