"""What lies within a division today: cities, counties, what was merged; and that nobody widens it by a change of place."""

import csv
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, ProgrammingError, connection, transaction

from accounts.models import Organisation, Region, RegionSuccession, Role, User
from creditfujian.tests.cast import Cast, browser_of

CITIES = ["350100", "350200", "350300", "350400", "350500", "350600", "350700", "350800", "350900"]


def within(*codes: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT accounts_regions_within(%s)", [list(codes)])
        return set(cursor.fetchone()[0])


def refused(words: str, statement: str, *values: object) -> None:
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match=words), transaction.atomic():
        cursor.execute(statement, values)


def test_the_province_holds_everything_and_no_two_cities_share_a_county(db: None) -> None:
    assert within("350000") == set(Region.objects.values_list("code", flat=True))
    held = [code for city in CITIES for code in within(city)]
    assert len(held) == len(set(held))
    assert within("350200") == {"350200", "350203", "350205", "350206", "350211", "350212", "350213"}


def test_pingtan_answers_to_the_province_though_its_code_is_of_fuzhou(db: None) -> None:
    assert "350128" not in within("350100")
    assert within("350128") == {"350128"}


def test_a_county_that_was_merged_counts_where_it_went(db: None) -> None:
    assert within("350404") == {"350404", "350402", "350403"}, "三元区 took in 梅列区 and the old 三元区"
    assert {"350402", "350403", "350427"} <= within("350400")
    assert within("350402") == {"350402"}, "what is left of an old office reaches its own old area only"
    assert within("350605") == {"350605", "350625"}


def test_every_division_that_ended_says_what_became_of_it(db: None) -> None:
    ended = set(Region.objects.exclude(valid_to=None).values_list("code", "valid_to"))
    assert set(RegionSuccession.objects.values_list("predecessor", "since")) == ended
    path = Path(__file__).parent.parent / "data" / "region_successions.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        assert all(row["source"] for row in csv.DictReader(handle))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_region SET parent_id = '350200' WHERE code = '350404'",
        "INSERT INTO accounts_region (code, name, kind) VALUES ('350299', '某区', 'county')",
        "DELETE FROM accounts_regionsuccession",
        "INSERT INTO accounts_regionsuccession (predecessor_id, successor_id, since, source)"
        " VALUES ('350404', '350200', '2020-01-01', '无')",
    ],
)
def test_the_application_changes_no_division(db: None, statement: str) -> None:
    with connection.cursor() as cursor, pytest.raises(ProgrammingError, match="permission denied"):
        cursor.execute(statement)


def test_an_organisation_at_work_keeps_its_region_but_for_a_change_of_divisions(cast: Cast) -> None:
    move = "UPDATE accounts_organisation SET region_id = %s WHERE id = %s"
    refused("with the divisions only", move, "350200", cast.market.pk)
    refused(
        "with the divisions only", move, "350200", cast.personnel.pk
    )  # nobody works there, but it was granted something
    cast.market.region_id = "350200"
    with pytest.raises(ValidationError, match="所在区域"):
        cast.market.full_clean()
    fresh = Organisation.objects.get(pk=cast.counter.pk)
    User.objects.filter(organisation=fresh).update(organisation=cast.platform)
    fresh.region_id = "350402"
    fresh.full_clean()
    fresh.save()
    User.objects.filter(pk=cast.clerk.pk).update(organisation=fresh)
    fresh.region_id = "350404"
    fresh.full_clean()
    fresh.save()  # 梅列区 went into 三元区
    refused("with the divisions only", move, "350400", fresh.pk)


def test_by_page_the_system_administrator_widens_nothing(cast: Cast) -> None:
    browser = browser_of(cast.system_admin)
    page = f"/admin/accounts/organisation/{cast.market.pk}/change/"
    answer = browser.post(page, {
        "uscc": cast.market.uscc, "name": cast.market.name, "code": "MRKT", "kind": "department", "region": "350200",
    })  # fmt: skip
    assert "所在区域" in answer.content.decode()
    assert Organisation.objects.get(pk=cast.market.pk).region_id == "350000"


def test_who_is_moved_to_another_organisation_leaves_the_roles_behind(cast: Cast) -> None:
    officer = User.objects.get(pk=cast.officer_elsewhere.pk)
    assert officer.has_role(Role.DECIDER_OFFICER)
    User.objects.filter(pk=officer.pk).update(organisation=cast.market)
    assert User.objects.get(pk=officer.pk).roles() == []
    User.objects.filter(pk=cast.officer_here.pk).update(name="经办人改名")
    assert User.objects.get(pk=cast.officer_here.pk).has_role(Role.DECIDER_OFFICER), "a change of name takes nothing"
