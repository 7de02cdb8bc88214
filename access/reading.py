"""What leaves the query log: the person's own access history."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from access.models import DOWNLOAD_FIELDS, URGENT_FIELDS, WHOLE_NUMBER, Decision, Kind, Purpose, Question, Refusal
from access.questions import questions_by_line
from access.reviews import Reviewed, reviews_of
from access.words import WORDS, Words
from accounts.models import Person

LIST_FIELDS = "列表，部门可见，证件号码脱敏"  # how the log tells a page of many persons from one person's file
_FROM = "FROM access_queryperson p JOIN access_query q ON q.seq = p.query_id AND q.at = p.at"
# Which lines a person is shown, everywhere: page, JSON, counts. What the law holds back for a time is taken out here.
_SHOWN = """
 WHERE p.person_id = ANY (%(persons)s)
   AND (q.kind = 'Q1') = %(own)s AND (p.kind <> 'Q7' OR access_held_until(p.kind, q.case_no) IS NULL)
   AND (%(unit)s::bigint IS NULL OR q.organisation_id = %(unit)s)
   AND (%(line)s::bigint IS NULL OR q.seq = %(line)s)
   AND (%(purpose)s = '' OR split_part(q.purpose, '：', 1) = %(purpose)s)
   AND (%(since)s::timestamptz IS NULL OR p.at >= %(since)s)
   AND (%(until)s::timestamptz IS NULL OR p.at < %(until)s)
"""
_HISTORY = f"""
SELECT q.seq, q.at, q.kind, q.organisation_name, q.purpose, q.case_no, q.ground, q.decision, q.refusal, q.channel,
       coalesce(a.items, ARRAY[]::text[]), coalesce(array_length(a.record_ids, 1), 0), q.items, q.fields_class = %(list)s,
       CASE WHEN q.fields_class = %(list)s
            THEN ARRAY(SELECT i.code FROM catalogue_item i WHERE i.id = ANY (p.items) ORDER BY i.code) END,
       EXISTS (SELECT 1 FROM access_leaf l WHERE l.query_id = q.seq), q.consent_no,
       (SELECT d.name || '，' || d.basis FROM access_dutyitem d
         WHERE d.organisation_id = q.organisation_id AND d.code = q.duty_code AND d.state = 'in_force'
           AND daterange(d.valid_from, d.valid_to, '[]') @> (q.at AT TIME ZONE 'Asia/Shanghai')::date
         ORDER BY d.confirmed_at DESC LIMIT 1), q.uscc, q.fields_class
  {_FROM}
  LEFT JOIN access_queryanswer a ON a.query_id = q.seq AND a.at = q.at
 {_SHOWN}
   AND (%(before)s::bigint IS NULL OR (p.at, q.seq) < (
        SELECT b.at, b.query_id FROM access_queryperson b JOIN access_query l ON l.seq = b.query_id AND l.at = b.at
         WHERE b.person_id = ANY (%(persons)s) AND b.query_id = %(before)s
           AND access_held_until(b.kind, l.case_no) IS NULL LIMIT 1))
 ORDER BY p.at DESC, q.seq DESC LIMIT %(limit)s OFFSET %(offset)s
"""  # noqa: S608 – parts of ours
_COUNT = f"SELECT count(*), min(q.at), max(q.at) {_FROM} {_SHOWN}"
_READERS = f"""
SELECT q.organisation_id, max(q.organisation_name), split_part(q.purpose, '：', 1),
       extract(year FROM q.at AT TIME ZONE 'Asia/Shanghai')::int
  {_FROM} {_SHOWN} GROUP BY 1, 3, 4
"""  # noqa: S608


@dataclass(frozen=True)
class Access:
    """One line of the access history, in words for the person. The officer's own name stays inside."""

    seq: int
    at: datetime
    kind: Kind
    unit: str
    purpose: str
    case_no: str
    ground: str
    decision: Decision
    refusal: str
    channel: str
    items: list[str]
    count: int
    consent_no: str = ""
    listed: bool = False
    sealed: bool = False
    item_names: list[str] = field(default_factory=list)
    reviewed: Reviewed = field(default_factory=Reviewed)
    duty: str = ""  # the duty's name and legal basis in the register, as it stood then
    fields: str = ""  # the class of what was shown
    uscc: str = ""
    question: Question | None = None

    @property
    def refused(self) -> bool:
        return self.decision is Decision.REFUSED

    @property
    def is_urgent(self) -> bool:
        """Tell whether the file was opened in an emergency, without a duty in the register."""
        return self.fields == URGENT_FIELDS

    @property
    def is_download(self) -> bool:
        """Tell whether the file of an export was fetched."""
        return self.fields == DOWNLOAD_FIELDS

    @property
    def shows_number(self) -> bool:
        """Tell whether the whole identity number was shown."""
        return self.fields == WHOLE_NUMBER

    @property
    def who(self) -> str:
        """Say who looked: the unit, or what kind of reader."""
        if self.kind is Kind.SELF:
            return "您本人"
        if self.kind is Kind.AGENT:
            return f"您的代理人（在{self.unit}窗口）"
        return self.unit or ("公众" if self.kind is Kind.PUBLIC else "未列明单位")

    @property
    def refusal_reason(self) -> str:
        return Refusal(self.refusal).label if self.refusal else ""

    @property
    def words(self) -> Words:
        """Return what this kind of query is, and what its ground means, in plain words."""
        return WORDS[self.kind]

    @property
    def action(self) -> str:
        """Return in one sentence what was done."""
        return f"{self.kind.label}：{self.purpose}" + ("（已拒绝，没有看到内容）" if self.refused else "")

    @property
    def may_be_asked_about(self) -> bool:
        """Tell whether the person may question it: no line of their own, nor of the public, which answers to nobody."""
        return self.kind not in Question.NOT_ASKED_ABOUT


@dataclass(frozen=True)
class Which:
    """Which lines of one's history: others' look-ups or one's own, of a unit, for a purpose, of a year; or one alone."""

    own: bool = False
    unit: int | None = None
    purpose: str = ""  # what stands before the colon in the log
    year: int | None = None
    line: int | None = None

    def values(self, person: Person) -> dict[str, Any]:
        """Return what the SQL is asked with."""
        zone = timezone.get_current_timezone()
        since, until = (
            datetime(self.year + more, 1, 1, tzinfo=zone) if self.year is not None else None for more in (0, 1)
        )
        return {"persons": person.family(), "own": self.own, "unit": self.unit, "purpose": self.purpose, "since": since,
                "until": until, "line": self.line}  # fmt: skip


EVERYTHING = Which()


def access_history(
    person: Person, *, which: Which = EVERYTHING, before: int | None = None, offset: int = 0, limit: int = 50
) -> list[Access]:
    """Return who looked at the person's file, under any number of theirs, newest first.

    Pages by keyset: pass the last line's `seq` as `before`; or by `offset`, as findUsage does (domain §7.5).
    """
    values = which.values(person) | {"before": before, "offset": offset, "limit": limit, "list": LIST_FIELDS}
    with connection.cursor() as cursor:
        cursor.execute(_HISTORY, values)
        rows = cursor.fetchall()
    lines = [
        Access(
            seq=row[0], at=row[1], kind=Kind(row[2]), unit=row[3], purpose=row[4], case_no=row[5], ground=row[6],
            decision=Decision(row[7]), refusal=row[8], channel=row[9], consent_no=row[16],
            # of a list, only what concerns this person: the rest of the page is about others
            items=row[14] if row[13] else row[10] or row[12], count=0 if row[13] else row[11], listed=row[13],
            sealed=row[15], duty=row[17] or "", uscc=row[18], fields=row[19],
        )
        for row in rows
    ]  # fmt: skip
    seqs = [line.seq for line in lines]
    reviewed, asked = reviews_of(seqs), questions_by_line(person, seqs)
    return [
        replace(line, reviewed=reviewed.get(line.seq, line.reviewed), question=asked.get(line.seq)) for line in lines
    ]


@dataclass(frozen=True)
class Period:
    """How many lines there are, and from when to when."""

    lines: int
    first: datetime | None
    last: datetime | None


def usage_period(person: Person, *, which: Which = EVERYTHING) -> Period:
    """Return how many lines the person's history has, and the times of the first and the last."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, which.values(person))
        return Period(*cursor.fetchone())


@dataclass(frozen=True)
class Readers:
    """What a history can be narrowed by: units by number and name, purposes as the log says them, years."""

    units: dict[int, str]
    purposes: list[str]
    years: list[int]


def readers_of(person: Person) -> Readers:
    """Return who looked, what for and in which years: the choices of the page's filters."""
    with connection.cursor() as cursor:
        cursor.execute(_READERS, EVERYTHING.values(person))
        rows = cursor.fetchall()
    return Readers(
        units=dict(sorted({row[0]: row[1] for row in rows if row[0]}.items(), key=lambda pair: pair[1])),
        purposes=sorted({row[2] for row in rows}), years=sorted({row[3] for row in rows}, reverse=True),
    )  # fmt: skip


_HELD = """
SELECT count(*), max(access_held_until(p.kind, q.case_no))
  FROM access_queryperson p JOIN access_query q ON q.seq = p.query_id AND q.at = p.at
 WHERE p.person_id = ANY (%s) AND p.kind = 'Q7' AND access_held_until(p.kind, q.case_no) IS NOT NULL
"""


@dataclass(frozen=True)
class HeldBack:
    """How many lines the law does not let the person see yet, and the day by which all of them are shown."""

    lines: int
    until: date | None


def held_back(person: Person) -> HeldBack:
    """Return how many lines wait for their release, and until when at most: never whose, or what for (PIPL art. 18)."""
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [person.family()])
        return HeldBack(*cursor.fetchone())


def purpose_in_words(purpose: Purpose, text: str) -> str:
    """Return the purpose as the person will read it."""
    return f"{purpose.label}：{text}" if text else purpose.label


_LOOKS = """
SELECT q.kind, q.organisation_name, split_part(q.purpose, '：', 1), q.decision, count(*), max(q.at)
  FROM access_queryperson p JOIN access_query q ON q.seq = p.query_id AND q.at = p.at
 WHERE p.person_id = ANY (%s) AND p.at >= %s AND (p.kind <> 'Q7' OR access_held_until(p.kind, q.case_no) IS NULL)
 GROUP BY 1, 2, 3, 4 ORDER BY 6 DESC
"""


@dataclass(frozen=True)
class Looks:
    """How often somebody looked at a person's file for one purpose, and when last."""

    kind: Kind
    unit: str
    purpose: str
    refused: bool
    times: int
    last: datetime


def looks_since(person: Person, since: datetime) -> list[Looks]:
    """Return who looked since then, by unit and purpose, the latest first: what a credit report has to state.

    A report goes through many hands: lines held back are left out and not even counted.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOOKS, [person.family(), since])
        return [
            Looks(Kind(kind), unit, purpose, decision == Decision.REFUSED, times, last)
            for kind, unit, purpose, decision, times, last in cursor.fetchall()
        ]


_BY_CASE = """
SELECT q.case_no, count(*), max(q.at)
  FROM access_queryperson p JOIN access_query q ON q.seq = p.query_id AND q.at = p.at
 WHERE p.person_id = ANY (%s) AND p.kind = 'Q6' AND q.case_no = ANY (%s) GROUP BY 1
"""


def looks_by_case(person: Person, case_nos: list[str]) -> dict[str, tuple[int, datetime]]:
    """Return how often the public looked under each case number, and when last."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_CASE, [person.family(), case_nos])
        return {case_no: (times, last) for case_no, times, last in cursor.fetchall()}
