"""The deeds of access: registering a request and writing the query log. Nothing else writes here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils import timezone

from access.models import (
    Consent,
    ConsentPurpose,
    ConsentUse,
    Decision,
    Kind,
    Message,
    Purpose,
    Reach,
    Refusal,
    Request,
)
from accounts.models import Person, User
from accounts.tokens import scopes_of
from catalogue.models import Item
from creditfujian.lib.correlation import request_id

_QUERY = """
INSERT INTO access_query (actor_id, actor_name, organisation_id, organisation_name, uscc, roles, channel, kind,
    ground, purpose, case_no, duty_code, request_no, items, fields_class, decision, refusal, address, correlation,
    consent_no)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
RETURNING seq
"""
_PERSON = """
INSERT INTO access_queryperson (query_id, person_id, kind, allowed, items) VALUES (%s, %s, %s, %s, %s)
"""
_QUERY_AND_PERSON = f"""
WITH line AS ({_QUERY}),
     person AS (INSERT INTO access_queryperson (query_id, person_id, kind, allowed, items)
                SELECT seq, %s, %s, %s, %s::bigint[] FROM line)
SELECT seq FROM line
"""  # noqa: S608 – ours
_PERSONS = """
INSERT INTO access_queryperson (query_id, person_id, kind, allowed, items)
SELECT %s, person, 'Q5', true, array_agg(DISTINCT item ORDER BY item)
  FROM unnest(%s::bigint[], %s::bigint[]) AS shown(person, item) GROUP BY person ORDER BY person
"""
_PERSONS_FOUND = """
WITH found AS MATERIALIZED ({find}),
     told AS (INSERT INTO access_queryperson (query_id, person_id, kind, allowed, items)
              SELECT %s, person_id, 'Q5', true, array_agg(DISTINCT item_id ORDER BY item_id) FROM found
               WHERE person_id IS NOT NULL GROUP BY person_id ORDER BY person_id)
SELECT * FROM found
"""
_ANSWER = "INSERT INTO access_queryanswer (query_id, record_ids, items) VALUES (%s, %s, %s)"


@dataclass(frozen=True)
class Asker:
    """Who asks, from where: what every line of the log says about the reader."""

    user: User | None
    channel: str
    address: str = ""

    @property
    def roles(self) -> str:
        """Say what the account may do: its roles, or the scopes of a system's token."""
        if self.user is None:
            return ""
        scopes = scopes_of(self.user) if self.user.kind == User.Kind.SERVICE else []
        return "、".join(one.label for one in (*self.user.roles(), *scopes))


@dataclass(frozen=True)
class Use:
    """How a consent is used this time: for what, and in which form the answer goes out."""

    purpose: ConsentPurpose
    form: Consent.Form


@dataclass(frozen=True)
class Ask:
    """What is asked: kind, ground, purpose, and the items that the answer may hold (None: all of the person's).

    `opens` is off where the answer is about those items and opens no record of them.
    """

    kind: Kind
    ground: str
    purpose: str
    fields_class: str
    items: Sequence[Item] | None = None
    case_no: str = ""
    duty_code: str = ""
    request_no: int | None = None
    refusal: str = ""
    person: Person | None = field(default=None)
    consent: Consent | None = None
    use: Use | None = None
    opens: bool = True


def write_query(ask: Ask, *, by: Asker) -> int:
    """Write the line of a query, and of the person it reaches; return its number.

    Written before anything is read. While this transaction lasts, the database returns records of that person
    and of those items, and of nobody else. A refused ask opens nothing.
    """
    counted = ask.use is not None and not ask.refusal
    line, person = _line(ask, by), _person(ask)
    with connection.cursor() as cursor:
        if person is not None and not counted:
            cursor.execute(_QUERY_AND_PERSON, [*line, *person])
            return cast("int", cursor.fetchone()[0])
        cursor.execute(_QUERY, line)
        seq: int = cursor.fetchone()[0]
        if counted:
            _count_use(ask, seq, by)
        if person is not None:
            cursor.execute(_PERSON, [seq, *person])  # after the use of the consent that opens the file
    return seq


def _line(ask: Ask, by: Asker) -> list[Any]:
    user, organisation = by.user, by.user.organisation if by.user else None
    decision = Decision.REFUSED if ask.refusal else Decision.ALLOWED
    return [
        user.pk if user else None, user.name if user else "", organisation.pk if organisation else None,
        organisation.name if organisation else "", organisation.uscc if organisation else "", by.roles,
        by.channel, ask.kind.value, ask.ground, ask.purpose, ask.case_no, ask.duty_code, ask.request_no,
        [item.code for item in ask.items or ()], ask.fields_class, decision.value, ask.refusal,
        by.address, request_id(), ask.consent.number if ask.consent else "",
    ]  # fmt: skip


def _person(ask: Ask) -> list[Any] | None:
    if ask.person is None:
        return None
    items = None if ask.items is None else [item.pk for item in ask.items]
    if not ask.opens:
        items = []
    return [ask.person.pk, ask.kind.value, not ask.refusal, items]


def _count_use(ask: Ask, seq: int, by: Asker) -> None:
    """Count a use of the consent under the line, and tell the person: without both the line opens nothing."""
    assert ask.consent is not None
    assert ask.consent.person_id is not None
    assert ask.use is not None
    assert by.user is not None
    use = ConsentUse.objects.create(
        consent=ask.consent, n=1, purpose=ask.use.purpose, form=ask.use.form, query_seq=seq, by=by.user,
        items=[item.pk for item in ask.items or ()],
    )  # fmt: skip  # the database numbers it
    when = timezone.localtime()
    Message.objects.tell(
        ask.consent.person_id, consent=ask.consent, use=use, about=ask.consent.number,
        subject=f"{ask.consent.organisation}凭您的授权查询了信息",
        text=f"{when:%Y年%-m月%-d日 %H:%M}，{ask.consent.organisation}为“{ask.consent.purpose}”查询，方式：{ask.use.form.label}。"
        "看了什么，见“谁查了我”。不是您本意的，请立即撤回授权。",
    )  # fmt: skip


def write_persons(seq: int, pairs: Sequence[tuple[int, int]]) -> None:
    """Write one line per person that a list shows, under its query: (person, item) pairs, in one statement.

    Each person's line opens the items in which they stand on this page, and no other.
    """
    with connection.cursor() as cursor:
        cursor.execute(_PERSONS, [seq, [person for person, _ in pairs], [item for _, item in pairs]])


def find_and_write_persons(seq: int, find: str, values: Sequence[Any]) -> list[Any]:
    """Return what a query of `record_id, person_id, item_id` finds, with a line for every person of it in the same statement."""
    with connection.cursor() as cursor:
        cursor.execute(_PERSONS_FOUND.format(find=find), [*values, seq])
        return cursor.fetchall()


def write_answer(seq: int, *, record_ids: list[int], items: list[str]) -> None:
    """Write what the query returned, in the same transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_ANSWER, [seq, record_ids, items])


def register_request(
    *, person: Person, purpose: Purpose, purpose_text: str, duty_code: str, case_no: str, items: list[Item], by: User
) -> Request:
    """Register, before a file is opened, who asks about whom, for which duty and case; good for a short time.

    Raises PermissionDenied when the account's role has no reading duty.
    """
    if not by.has_perm("access.add_request") or by.organisation is None:
        raise PermissionDenied(Refusal.NO_ROLE.label)
    return _register(
        person=person,
        purpose=purpose,
        purpose_text=purpose_text,
        duty_code=duty_code,
        case_no=case_no,
        items=items,
        by=by,
    )


def register_list(
    *, reach: Reach, purpose: Purpose, purpose_text: str, duty_code: str, case_no: str, items: list[Item], by: User
) -> Request:
    """Register, before a list of records is opened, for which duty and case; the caller has asked access.rules."""
    return _register(
        reach=reach,
        purpose=purpose,
        purpose_text=purpose_text,
        duty_code=duty_code,
        case_no=case_no,
        items=items,
        by=by,
    )


def _register(*, items: list[Item], by: User, **stated: Any) -> Request:
    assert by.organisation is not None
    now = timezone.now()
    with transaction.atomic():
        request = Request.objects.create(
            actor=by, organisation=by.organisation, kind=Kind.DUTY, created_at=now,
            expires_at=now + timedelta(minutes=settings.READING_MINUTES), **stated,
        )  # fmt: skip
        request.items.set(items)
        return request
