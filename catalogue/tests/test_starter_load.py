"""All starter items can be in force together: the database finds no fault with any of them."""

import pytest

from accounts.actions import register_organisation, register_staff
from accounts.models import Organisation, Region, Role
from accounts.reference import departments
from catalogue import starter_data
from catalogue.models import EditionEntry, Instrument, ItemVersion
from catalogue.rules import faults
from catalogue.starter import Hands, load_starter
from creditfujian.tests.cast import PASSWORD, credit_code


@pytest.fixture
def province(db: None) -> dict[str, Organisation]:
    """Every department, with a credit code made up for it."""
    return {
        department.code: register_organisation(
            uscc=credit_code(serial), name=department.name, kind="department", code=department.code,
            region=Region.objects.get(pk=department.region), valid_from=department.valid_from,
        )
        for serial, department in enumerate(departments(), start=1)
    }  # fmt: skip


def test_every_item_of_the_files_is_in_force(province: dict[str, Organisation]) -> None:
    office = province["FGWH"]
    drafter, reviewer, assessor, approver = (
        register_staff(username=name, name=name, organisation=office, roles=[role], password=PASSWORD)
        for name, role in (
            ("drafter", Role.DATA_OFFICER), ("reviewer", Role.LEGAL_REVIEWER), ("assessor", Role.CREDIT_OFFICE),
            ("approver", Role.CREDIT_OFFICE),
        )
    )  # fmt: skip
    loaded = load_starter(province, Hands(drafter, reviewer, assessor, approver))
    assert {item.code for item in loaded} == {item["code"] for item in starter_data.items()}
    versions = ItemVersion.objects.all()
    assert {version.state for version in versions} == {ItemVersion.State.IN_FORCE}
    assert [fault.text for version in versions for fault in faults(version.pk)] == []
    assert EditionEntry.objects.count() == len(loaded)


def test_the_instruments_of_the_files_are_in_the_database(db: None) -> None:
    entered = {one.code: one for one in Instrument.objects.select_related("superseded_by")}
    assert entered.keys() == {row["code"] for row in starter_data.instruments()}
    for row in starter_data.instruments():
        one = entered[row["code"]]
        assert {article.number: article.summary for article in one.articles.all()} == row["articles"]
        assert (one.superseded_by.code if one.superseded_by else None) == row.get("superseded_by")
        assert one.territory_id == row.get("territory")
