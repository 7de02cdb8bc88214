"""The demo's typed records: two penalties entered in the form, waiting for the second officer."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import User
from catalogue.models import Item
from creditfujian.demo_people import Case, Somebody
from records import entry
from records.entry import Typed
from records.entry_forms import blank
from records.intake.schema import Schema


def load(people: list[Somebody], cases: list[Case], item: Item) -> None:
    """Type one record about each of the people, as the data officer."""
    officer = User.objects.get(username="data_officer")
    assert officer.organisation is not None
    begun = blank(Schema(item, officer.organisation), officer.organisation)
    day = timezone.localdate() - timedelta(days=6)
    rows = [
        Typed(begun.values | {
            "CF_XDR_MC": somebody.name, "CF_XDR_LB": "自然人", "CF_XDR_ZJLX": "身份证", "CF_XDR_ZJHM": somebody.id_number,
            "CF_WSH": f"闽市监处罚〔{day.year}〕{2000 + number}号", "CF_WFXW": case.behaviour, "CF_SY": case.facts,
            "CF_YJ": case.basis, "CF_CFLB": case.kinds, "CF_NR": case.content, "CF_NR_FK": case.fine,
            "CF_JDRQ": day.isoformat(), "CF_SYFW": "公示",
        })
        for number, (somebody, case) in enumerate(zip(people, cases, strict=False), start=1)
    ]  # fmt: skip
    outcome = entry.hand_in(rows, item=item, by=officer)
    assert outcome.batch is not None, outcome.problems
