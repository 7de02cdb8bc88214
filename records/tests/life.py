"""Records in every state, for tests, and the day that the database believes it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime

import time_machine
from django.conf import settings
from django.db import connection, connections
from django.utils import timezone

from access.actions import Asker
from accounts.models import Person, User
from creditfujian.tests.cast import Cast
from records import acts
from records.act_reading import records_of
from records.life_models import ActRecord, RecordAct, RecordEvent
from records.reading import own_file
from records.tests.deliveries import deliver, penalty

WRONG = "录入时文书号对应的当事人有误"


def asker(user: User) -> Asker:
    return Asker(user, "工作平台", "192.0.2.0/24")


def owner_sql(sql: str, *values: object) -> list[tuple]:
    """Run a statement as the owner, in a connection of its own: only what is committed is seen."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Let Python and the database believe it is that moment; the clock stands still."""
    owner_sql(
        "CREATE OR REPLACE FUNCTION cf_today() RETURNS date LANGUAGE sql STABLE AS "
        f"$$ SELECT '{timezone.localtime(moment):%Y-%m-%d}'::date $$"
    )
    with time_machine.travel(moment, tick=False):
        yield
    owner_sql(
        "CREATE OR REPLACE FUNCTION cf_today() RETURNS date LANGUAGE sql STABLE AS "
        "$$ SELECT (transaction_timestamp() AT TIME ZONE 'Asia/Shanghai')::date $$"
    )


def themselves(person: Person) -> Asker:
    """The person at the portal, with an account if they had none."""
    user = User.objects.filter(person=person).first()
    if user is None:
        user = User.objects.create(username=f"self{person.pk}", name="本人", kind=User.Kind.CITIZEN, person=person)
    return Asker(user, "公示网站")


def numbers_of(user: User) -> list[str]:
    """The record numbers in a citizen's own file, oldest first."""
    assert user.person
    return sorted(view.number for view in own_file(user.person, by=Asker(user, "公示网站")).records)


def one_record(cast: Cast, **changes: object) -> str:
    """Deliver one record about the citizen and return its number."""
    deliver(cast, [penalty(cast, **changes)])
    return numbers_of(cast.citizen)[-1]


def done(cast: Cast, kind: RecordAct.Kind, number: str, **more: object) -> RecordAct:
    """Ask and decide by the two officials."""
    if kind in RecordAct.NEED_DOCUMENT:
        more = {"document_no": "闽市监撤〔2026〕1号", "document_date": date(2026, 11, 1), **more}
    return opened_and_decided(cast, acts.ask(kind, [number], by=cast.data_officer, reason=WRONG, **more))  # type: ignore[arg-type]


def opened_and_decided(cast: Cast, act: RecordAct, *, agree: bool = True, note: str = "") -> RecordAct:
    """Open the records of an act and decide it, as the second official."""
    records_of(act, by=asker(cast.data_reviewer))
    return acts.decide(act.pk, by=cast.data_reviewer, agree=agree, note=note)


def states(number: str) -> list[tuple[int, int]]:
    """The arrows that a record has gone along."""
    record = ActRecord.objects.filter(record_no=number).first()
    pk = record.record_id if record else int(number[9:19])
    return list(RecordEvent.objects.filter(record=pk, kind=1).order_by("id").values_list("from_state", "to_state"))


def as_application() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone()[0] == settings.DATABASES["default"]["USER"]
        return settings.DATABASES["default"]["USER"]
