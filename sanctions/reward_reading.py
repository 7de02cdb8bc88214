"""What is read of rewards: what stands in the way, under a line; the queue's facts; what is public of them."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils import timezone

from access.actions import Ask, Asker, write_answer, write_query
from access.models import Kind as QueryKind
from accounts import people
from accounts.models import Person
from catalogue.deadline_actions import meet, start
from catalogue.models import Deadline, Item, ItemVersion
from creditfujian.lib import masking
from creditfujian.lib.workdays import DAY
from records.models import Severity
from records.refusals import InWords
from sanctions import rewards
from sanctions.models import RewardCase, RewardHit, RewardProgramme
from sanctions.reward_refusals import REWARDS

Shown = RewardProgramme.Shown
_HITS = """
SELECT h.kind, h.set_aside, h.record_id, i.code, o.name, r.doc_no, r.doc_date, r.severity, c.ends,
       r.objected_at IS NOT NULL, r.reviewed_at IS NOT NULL
  FROM sanctions_rewardhit h JOIN records_record r ON r.id = h.record_id
  JOIN sanctions_reward_conflicts(ARRAY[h.person_id]) c ON c.record_id = h.record_id
  JOIN catalogue_item i ON i.id = h.item_id JOIN accounts_organisation o ON o.id = r.provider_id
 WHERE h.case_id = %s AND h.gone_at IS NULL ORDER BY r.doc_date, h.id
"""


@dataclass(frozen=True)
class Hit:
    """A record that stands in the way: the fact and its end, no content."""

    kind: str
    set_aside: bool
    item_code: str
    item_name: str
    provider: str
    doc_no: str
    doc_date: date
    severity: str
    ends: date
    is_objected: bool
    is_reviewed: bool


@transaction.atomic
def check_of(case: RewardCase, *, by: Asker) -> tuple[Person, list[Hit]]:
    """Check a case anew and open the result for an official of its unit, with a line under its number.

    The first look ends the time of the check and begins that of the decision. Raises PermissionDenied.
    """
    if by.user is None or not RewardCase.objects.visible_to(by.user).filter(pk=case.pk).exists():
        raise PermissionDenied("只有推荐、认定单位可以查阅。")
    if case.state not in (rewards.State.CHECK, rewards.State.NOTICE, *RewardCase.IN_BENEFIT, rewards.State.SUSPENDED):
        raise PermissionDenied("本人同意以前、办结以后不核对。")
    _refresh(case)
    person = Person.objects.opened(people.survivor_of(case.person_id))
    items = _items_in(case)
    seq = write_query(
        Ask(kind=QueryKind.DUTY, ground=rewards.GROUND, purpose=f"核对守信激励有无冲突：{case.programme.name}", items=items,
            fields_class="记录的条目、文书号、日期和期限，不含内容", case_no=case.number, person=person),
        by=by,
    )  # fmt: skip
    hits = _hits(case, seq)
    for clock in Deadline.objects.of(case).filter(met_on__isnull=True, rule__code=rewards.CHECK):
        meet(clock.pk, on=timezone.localdate())
        start(rewards.AFTER_CHECK, on=timezone.localdate(), subject=case, label=case.number)
    return person, hits


@transaction.atomic
def own_hits(case: RewardCase, person: Person, *, by: Asker) -> list[Hit]:
    """Return what stands in the way of the person's own case, under their own line."""
    seq = write_query(
        Ask(kind=QueryKind.SELF, ground="本人查看守信激励", purpose="查看冲突核对结果", items=_items_in(case),
            fields_class="本人可见", person=person),
        by=by,
    )  # fmt: skip
    return _hits(case, seq)


def _refresh(case: RewardCase) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM sanctions_reward_check(ARRAY[%s::bigint])", [case.pk])


def _items_in(case: RewardCase) -> list[Item]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sanctions_reward_items(%s)", [case.pk])
        return list(Item.objects.filter(pk__in=cursor.fetchone()[0]).order_by("code"))


def _hits(case: RewardCase, seq: int) -> list[Hit]:
    """Read what a line that has just been written opens, and write down what was given."""
    with connection.cursor() as cursor:
        cursor.execute(_HITS, [case.pk])
        rows = cursor.fetchall()
    names = {
        version.item.code: version.name
        for version in ItemVersion.objects.in_force(timezone.localdate()).select_related("item")
    }
    write_answer(seq, record_ids=[row[2] for row in rows], items=sorted({row[3] for row in rows}))
    return [
        Hit(RewardHit.Kind(kind).label, aside, code, names.get(code, code), provider, doc_no, doc_date,
            Severity(severity).label, ends, objected, reviewed)
        for kind, aside, _, code, provider, doc_no, doc_date, severity, ends, objected, reviewed in rows
    ]  # fmt: skip


# --- what is public -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """What the public sees of a reward: no more than its programme shows and the person agreed to."""

    number: str
    programme: RewardProgramme
    name: str
    honour: str
    year: str
    is_notice: bool
    until: date
    key: int


def entries(cases: list[RewardCase]) -> list[Entry]:
    """Return public cases as the public sees them; their persons, who agreed to be shown, are opened to be masked."""
    people.opened_all(cases)
    return [_entry(case) for case in cases]


def _entry(case: RewardCase) -> Entry:
    assert case.public_to is not None
    shown = case.programme.shown
    return Entry(
        number=case.number, programme=case.programme, is_notice=case.state == rewards.State.NOTICE, key=case.pk,
        name=masking.name(case.person.name, masking.Profile.PUBLIC) if Shown.NAME in shown else "",
        honour=case.honour if Shown.HONOUR in shown else "", year=case.year if Shown.YEAR in shown else "",
        until=case.public_to - DAY,
    )  # fmt: skip


def was_public(number: str) -> bool:
    """Tell whether a reward of this number was public once."""
    return bool(_one("SELECT sanctions_reward_was_public(%s)", number))


def answers_to(case_key: int) -> list[tuple[object, str]]:
    """Return when something was said against a public notice, and what the unit answered to it, if it has."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT said_at, answer FROM sanctions_reward_answers(%s)", [case_key])
        return cursor.fetchall()


def object_to(case: RewardCase, text: str) -> None:
    """Take down what somebody says against a public notice; nobody is asked who they are. Raises ValidationError."""
    words = rewards.words_of(text)
    with InWords(REWARDS), transaction.atomic(), connection.cursor() as cursor:
        # Whoever says it may not read it again, so nothing is asked back.
        cursor.execute(
            "INSERT INTO sanctions_rewardobjection (case_id, text, answer) VALUES (%s, %s, '')", [case.pk, words]
        )


def _one(sql: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()[0]
