"""A roster in force with those who run it, and cases walked to where a test wants them. All persons are invented."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connection
from django.utils import timezone

from access.actions import Ask, Asker, write_query
from access.models import Kind
from accounts.models import Organisation, Person, Role, User
from creditfujian.dev import owner_sql
from creditfujian.lib import identity
from creditfujian.lib.workdays import add_months
from creditfujian.tests.cast import Cast
from records.models import Record
from records.tests.life import themselves
from sanctions import cases, rosters, starter
from sanctions.cases import Document
from sanctions.models import CasePaper, Listing, ListingCase, Measure, Roster

FACTS = "销售不符合食品安全标准的食品，货值金额较大，拒不改正"
BORN = date(1985, 3, 2)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def staff(username: str, name: str, where: Organisation, *roles: Role) -> User:
    user = User(username=username, name=name, organisation=where, is_staff=True)
    user.set_unusable_password()
    user.save()
    user.groups.set(Group.objects.filter(name__in=roles))
    return user


def asker(user: User) -> Asker:
    return Asker(user, "工作平台", "192.0.2.0/24")


@dataclass
class Stage:
    """A unit that runs a roster: two officers, a reviewer, a legal reviewer, a head."""

    cast: Cast
    roster: Roster
    unit: Organisation
    officer: User
    second: User
    reviewer: User
    legal: User
    head: User
    person: Person

    @property
    def measures(self) -> list[Measure]:
        return list(Measure.objects.filter(rosters=self.roster).order_by("code"))

    def paper(self, case: ListingCase, kind: str, by: User | None = None, **values: Any) -> CasePaper:
        number = {"number": f"闽市监告〔2026〕{case.pk}号-{kind}"} | values
        return cases.add_paper(case, kind, digest=digest(f"{kind}{case.pk}"), by=asker(by or self.officer), **number)

    def opened(self, **values: Any) -> ListingCase:
        """A case from a penalty that has effect."""
        today = timezone.localdate()
        document = Document(
            kind="P", number=f"闽市监处罚〔2026〕{Listing.objects.count() + 7}号", issuer=str(self.unit), on=today - timedelta(days=40),
            effective_on=today - timedelta(days=30), digest=digest("处罚决定书"),
        )  # fmt: skip
        said: dict[str, Any] = {
            "roster": self.roster, "person": self.person, "category": "self", "acts": [1], "act_end": today - timedelta(days=60),
            "document": document, "by": asker(self.officer),
        }  # fmt: skip
        return cases.open_case(**said | values)

    def drafted(self, case: ListingCase | None = None, **values: Any) -> ListingCase:
        """Drafted by one officer and co-signed by the other."""
        case = case or self.opened()
        said: dict[str, Any] = {
            "facts": FACTS, "reasons": "《市场监督管理严重违法失信名单管理办法》第五条至第十条、第十二条", "summary": "销售不合格食品",
            "evidence": [{"name": "行政处罚决定书", "source": "本机关"}, {"name": "检验报告", "source": "省检验院"}],
            "measures": self.measures, "term_months": 36, "public": True, "by": asker(self.officer),
        }  # fmt: skip
        cases.draft(case.pk, **said | values)
        return cases.cosign(case.pk, by=asker(self.second))

    def noticed(self, case: ListingCase | None = None) -> ListingCase:
        case = case or self.drafted()
        return cases.issue_notice(case.pk, paper=self.paper(case, "notice"), by=asker(self.officer))

    def served_notice(
        self, case: ListingCase | None = None, way: str = "in_person", on: date | None = None
    ) -> ListingCase:
        case = case or self.noticed()
        proof = self.paper(case, "notice_receipt")
        return cases.notice_served(case.pk, way=way, on=on or timezone.localdate(), proof=proof, by=asker(self.officer))

    def defended(self, case: ListingCase, text: str = "货值没有那么大") -> ListingCase:
        return cases.file_defence(case.pk, text=text, by=asker(self.officer))

    def reviewed(self, case: ListingCase) -> ListingCase:
        paper = self.paper(case, "review", self.reviewer)
        return cases.review(case.pk, text="货值以检验报告为准，维持", paper=paper, by=asker(self.reviewer))

    def checked(self, case: ListingCase) -> ListingCase:
        return cases.legal_check(
            case.pk, text="程序合法", paper=self.paper(case, "legal", self.legal), by=asker(self.legal)
        )

    def decided(self, case: ListingCase, **values: Any) -> ListingCase:
        said: dict[str, Any] = {"text": "事实清楚，依据充分", "measures": self.measures, "term_months": 36, "public": True,
                                "paper": self.paper(case, "decision", self.head), "by": asker(self.head)}  # fmt: skip
        return cases.decide(case.pk, **said | values)

    def served(self, case: ListingCase, way: str = "in_person", on: date | None = None) -> ListingCase:
        self.paper(case, "repair_notice")
        proof = self.paper(case, "receipt")
        return cases.decision_served(
            case.pk, way=way, on=on or timezone.localdate(), proof=proof, by=asker(self.officer)
        )

    def listed(self, case: ListingCase) -> Listing:
        return cases.list_person(case.pk, by=asker(self.officer))

    def decided_after_the_window(self, case: ListingCase | None = None, **values: Any) -> ListingCase:
        """From the notice to the decision, on the day after the window. Call it inside `day_after`."""
        assert case is not None
        return self.decided(self.checked(self.reviewed(case)), **values)


def own_line(person: Person, user: User) -> None:
    """The person's own line, under which they read and answer."""
    write_query(
        Ask(kind=Kind.SELF, ground="本人", purpose="本人查询", fields_class="本人", person=person),
        by=Asker(user, "公示网站"),
    )


def record_of(listing: Listing) -> Record:
    """The record of a listing, read by its person under a line of their own: whatever became of it."""
    asking = themselves(listing.person)
    assert asking.user is not None
    own_line(listing.person, asking.user)
    return Record.objects.get(pk=Listing.objects.get(pk=listing.pk).record_id)


def somebody(serial: int = 71, born: date = BORN, name: str = "郑清和") -> Person:
    person = Person.seal(identity.invent(born, serial), name)
    person.save()
    return person


def run_by(cast: Cast, roster: Roster, unit: Organisation, permission: str = "decide") -> None:
    """Grant a unit a roster by two hands."""
    grant = rosters.ask_grant(organisation=unit, roster=roster, permission=permission, basis="名单制度规定的职责", reason="履职需要",
                              by=cast.credit_office)  # fmt: skip
    rosters.confirm_grant(grant.pk, by=cast.credit_office_2)


def make_stage(cast: Cast, code: str = "market") -> Stage:
    """The market authority of the province with its roster in force."""
    [roster] = starter.load_starter(proposes=cast.credit_office, confirms=cast.credit_office_2, only=[code])
    run_by(cast, roster, cast.market)
    return Stage(
        cast=cast, roster=roster, unit=cast.market, officer=cast.officer_here,
        second=staff("second", "协办人子", cast.market, Role.DECIDER_OFFICER),
        reviewer=staff("reviewer", "复核人丑", cast.market, Role.DECIDER_REVIEWER), legal=cast.legal_reviewer, head=cast.head,
        person=somebody(),
    )  # fmt: skip


@pytest.fixture
def stage(cast: Cast) -> Stage:
    return make_stage(cast)


TODAY = "(transaction_timestamp() AT TIME ZONE 'Asia/Shanghai')::date"
CF_TODAY = "CREATE OR REPLACE FUNCTION cf_today() RETURNS date LANGUAGE sql STABLE AS $$ SELECT {} $$"


@pytest.fixture(autouse=True)
def own_days(db: None) -> Iterator[None]:
    """Let the database's day be a setting of the test's connection: plans that rules keep would not see another function."""
    _as_owner(CF_TODAY.format(f"coalesce(nullif(current_setting('cf.test_today', true), '')::date, {TODAY})"))
    yield
    _as_owner(CF_TODAY.format(TODAY))


def _as_owner(statement: str) -> None:
    """Run a statement as the owner on a connection of its own, so that it is there at once."""
    owner_sql.run(settings.DATABASES["owner"], settings.DATABASES["owner"]["NAME"], statement)


@contextmanager
def on(day: date) -> Iterator[None]:
    """Let it be that day in Fujian, at ten in the morning. A module that uses it imports `own_days` as well."""
    before = _day_is(day.isoformat())
    with time_machine.travel(timezone.make_aware(datetime.combine(day, time(10))), tick=False):
        yield
    _day_is(before)


def _day_is(day: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(current_setting('cf.test_today', true), ''), set_config('cf.test_today', %s, false)", [day]
        )
        return cursor.fetchone()[0]


@contextmanager
def a_year_later(stage: Stage, listing: Listing, days: int = 0) -> Iterator[None]:
    """Let it be twelve months after the day of listing, or some days from that; the unit's grant was renewed meanwhile."""
    with on(add_months(listing.period.lower, 12) + timedelta(days=days)):
        run_by(stage.cast, stage.roster, stage.unit)
        yield


@contextmanager
def day_after(case: ListingCase) -> Iterator[None]:
    """Let it be the first working day after the person's window."""
    case.refresh_from_db()
    assert case.defence_until is not None
    with on(case.defence_until + timedelta(days=1)):
        yield
