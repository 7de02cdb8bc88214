"""Urgent readings: opening one person's file in an emergency, with an alarm at once and a review afterwards.

Who may, which items, for how long, the review and the message to the person are held in the database (migration 0012);
here are the questions that pages ask beforehand, the clock of the review (D45) and the alarm in the system's log.
"""

import logging

from django.db import connection, transaction

from access.models import Refusal, UrgentGround, UrgentReading
from access.reviews import start_clocks
from accounts.models import Person, User
from catalogue.models import Item
from creditfujian.lib.text import hide_numbers

alarm = logging.getLogger("creditfujian.alarm")  # apart from the pages and the health checks: operators forward it

STATEMENT = (
    "本人具结：情况紧急，没有其他办法及时取得所需信息；只为上述情形使用，不外传、不另存；接受事后核查，查询没有依据的，"
    "依法承担责任。"
)


def why_not(user: User) -> Refusal | None:
    """Return why this member of staff may not open a file in an emergency now, or None."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_no_break(%s)", [user.pk])
        code = cursor.fetchone()[0]
    return Refusal(code) if code else None


def why_not_these(user: User, items: list[Item]) -> Refusal | None:
    """Return why they may not open those items in an emergency, or None: closed to all, or open to a duty anyway."""
    keys = [item.pk for item in items]
    if not keys or not set(keys) <= set(items_open()):
        return Refusal.CLOSED_ITEM
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_reads_by_duty(%s, %s)", [user.organisation_id, keys])
        return Refusal.ORDINARY if cursor.fetchone()[0] else None


def items_open() -> list[int]:
    """Return the items that an emergency may open; what is shown to the person alone is not among them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_urgent_items()")
        return list(cursor.fetchone()[0])


@transaction.atomic
def break_glass(
    *, person: Person, items: list[Item], ground: UrgentGround, incident_no: str, facts: str, by: User
) -> UrgentReading:
    """Open one person's file for the minutes of rule S11; the caller has asked `why_not`.

    The review, its clock and the message to the person are written with it; the alarm goes out when they stand.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT access_break_glass(%s, %s, %s, %s, %s, %s, %s)",
            [by.pk, person.pk, [item.pk for item in items], ground.pk, incident_no, hide_numbers(facts), STATEMENT],
        )
        urgent = UrgentReading.objects.select_related("anomaly").get(pk=cursor.fetchone()[0])
    start_clocks()
    transaction.on_commit(lambda: alarm.warning("urgent reading %s by account %s", urgent.number, by.pk))
    return urgent
