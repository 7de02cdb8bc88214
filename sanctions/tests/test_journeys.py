"""Each roster from the document to the removal, with Mid-Autumn and National Day in the middle (domain §5.5, §10)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.actions import register_organisation
from accounts.models import Organisation, Region, Role
from creditfujian.tests import cast as everybody
from creditfujian.tests.cast import Cast, credit_code, make_cast
from sanctions import cases, starter
from sanctions.models import Listing, Roster
from sanctions.tests.stage import (  # noqa: F401 – the days
    Stage,
    asker,
    make_stage,
    on,
    own_days,
    record_of,
    run_by,
    somebody,
    staff,
)

pytestmark = [pytest.mark.django_db, pytest.mark.own_cast]

BEGINS = date(2026, 9, 24)  # the Thursday before Mid-Autumn
WINDOW_ENDS = date(2026, 10, 9)  # five working days: 28, 29, 30 September, 8, 9 October
NEXT = date(2026, 10, 10)  # a Saturday worked
PUBLIC_FROM = date(2026, 10, 12)
LISTS = ("FJ1-06-HRSS-0002", "FJ1-06-TAXS-0001", "FJ1-02-COUR-0001")


@pytest.fixture
def cast_of_autumn(db: None, own_days: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cast]:  # noqa: F811
    """The cast on that day, with the items of all lists."""
    original = everybody.load_starter

    def with_lists(providers: dict[str, Organisation], hands: Any, *, only: Any) -> Any:
        province = Region.objects.get(pk="350000")
        more = {
            code: register_organisation(
                uscc=credit_code(serial), name=name, kind="department", region=province, code=code
            )
            for serial, code, name in ((21, "TAXS", "省税务局"), (22, "COUR", "省高级人民法院"))
        }
        return original({**providers, **more}, hands, only=(*only, *LISTS))

    monkeypatch.setattr(everybody, "load_starter", with_lists)
    with on(BEGINS):
        yield make_cast()


def of_unit(stage: Stage, unit: Organisation) -> Stage:
    """The same hands in another unit: each has an account of their own there."""
    code = str(unit.pk)
    return replace(
        stage, unit=unit, officer=staff(f"o{code}", "经办甲", unit, Role.DECIDER_OFFICER),
        second=staff(f"s{code}", "协办乙", unit, Role.DECIDER_OFFICER), reviewer=staff(f"r{code}", "复核丙", unit, Role.DECIDER_REVIEWER),
        legal=staff(f"l{code}", "法制丁", unit, Role.LEGAL_REVIEWER), head=staff(f"h{code}", "负责戊", unit, Role.DECIDER_HEAD),
    )  # fmt: skip


def stage_of(cast: Cast, code: str) -> Stage:
    stage = make_stage(cast)
    if code == "market":
        return stage
    [roster] = starter.load_starter(proposes=cast.credit_office, confirms=cast.credit_office_2, only=[code])
    assert roster.item is not None
    stage = replace(stage, roster=roster)
    run_by(cast, roster, roster.item.provider)
    return of_unit(stage, roster.item.provider)


@pytest.mark.parametrize(
    ("code", "who"), [("market", {}), ("tax", {}), ("wages", {"category": "legal", "employer": "榕城虚拟建筑有限公司"})]
)
def test_a_roster_from_document_to_its_end(cast_of_autumn: Cast, code: str, who: dict[str, Any]) -> None:
    stage = stage_of(cast_of_autumn, code)
    case = stage.served_notice(stage.noticed(stage.drafted(stage.opened(**who))))
    assert case.defence_until == WINDOW_ENDS
    stage.defended(case)
    with on(WINDOW_ENDS), pytest.raises(ValidationError):
        stage.reviewed(case)
    with on(NEXT):
        listing = stage.listed(stage.served(stage.decided_after_the_window(case)))
        assert listing.period.lower == NEXT
        assert listing.period.upper == date(2029, 10, 10)
        assert listing.publication.lower == PUBLIC_FROM
        record = record_of(listing)
        assert record.item_id == stage.roster.item_id
        assert record.publication == listing.publication
        assert not Listing.objects.public_on().exists()
    with on(PUBLIC_FROM):
        assert Listing.objects.public_on().get() == listing
    with on(listing.period.upper - timedelta(days=1)):
        assert Listing.objects.in_force().get() == listing
    with on(listing.period.upper):
        assert not Listing.objects.in_force().exists()
        assert cases.expire_due() == 1


def test_a_city_asks_the_authority_above(cast_of_autumn: Cast) -> None:
    """市场监督管理: below the province the authority above consents first, and nobody decides without it."""
    stage = stage_of(cast_of_autumn, "market")
    city = register_organisation(
        uscc=credit_code(31), name="厦门市市场监督管理局", kind="department", region=Region.objects.get(pk="350200")
    )
    run_by(cast_of_autumn, stage.roster, city)
    run_by(cast_of_autumn, stage.roster, cast_of_autumn.market, "consent")
    here = of_unit(stage, city)
    with pytest.raises(ValidationError) as said:
        here.opened()
    assert said.value.error_list[0].code == "listingcase_asks_the_authority_above"
    case = here.served_notice(here.noticed(here.drafted(here.opened(upper=cast_of_autumn.market))))
    with on(NEXT):
        here.checked(here.reviewed(case))
        with pytest.raises(ValidationError):
            here.decided(case)
        paper = here.paper(case, "consent")
        with pytest.raises(ValidationError):
            cases.upper_consent(case.pk, paper=paper, by=asker(here.head))
        cases.upper_consent(case.pk, paper=paper, by=asker(stage.head))
        assert here.decided(case).state == "decided"


def test_who_puts_it_right_before_the_decision_is_not_listed(cast_of_autumn: Cast) -> None:
    """拖欠农民工工资: corrected and promised before the decision (令第45号 art 7)."""
    stage = stage_of(cast_of_autumn, "wages")
    case = stage.served_notice(
        stage.noticed(stage.drafted(stage.opened(category="principal", employer="榕城虚拟建筑有限公司")))
    )
    case = cases.remedy(
        case.pk, note="工资已付清并承诺不再拖欠", paper=stage.paper(case, "remedy"), by=asker(stage.officer)
    )
    assert case.state == "remedied"
    assert not Listing.objects.exists()


def test_each_responsible_person_has_a_case_of_their_own(cast_of_autumn: Cast) -> None:
    stage = stage_of(cast_of_autumn, "wages")
    first = stage.opened(category="legal", employer="榕城虚拟建筑有限公司")
    stage.person = somebody(91, name="许立夏")
    second = stage.opened(category="manager", employer="榕城虚拟建筑有限公司", document=cases.Document(
        "P", first.document_no, first.document_issuer, first.document_on, first.document_effective_on, "0" * 64))  # fmt: skip
    assert first.person_id != second.person_id
    with pytest.raises(ValidationError):
        stage.drafted(stage.opened(category="direct"))  # of which enterprise, nobody says


def test_the_court_list_is_mirrored_and_has_no_cases(cast_of_autumn: Cast) -> None:
    make_stage(cast_of_autumn)
    [court] = starter.load_starter(
        proposes=cast_of_autumn.credit_office, confirms=cast_of_autumn.credit_office_2, only=["court"]
    )
    assert court.mirrored
    assert court.version_on(BEGINS) is not None
    with pytest.raises(ValidationError) as said:
        run_by(cast_of_autumn, court, cast_of_autumn.market)
    assert said.value.error_list[0].code == "rostergrant_of_a_mirror_is_to_check_only"


def test_the_pattern_of_a_roster_is_never_in_force(cast_of_autumn: Cast) -> None:
    starter.load_starter(
        proposes=cast_of_autumn.credit_office, confirms=cast_of_autumn.credit_office_2, only=["generic"]
    )
    assert Roster.objects.get(code="generic").version_on(BEGINS) is None
