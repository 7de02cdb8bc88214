"""Two people of the credit office, a proposed year, and raw SQL as the application runs it."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from catalogue.deadline_actions import propose_edition
from catalogue.models import CalendarEdition
from creditfujian.lib import day_list
from creditfujian.tests.cast import Cast

# What the notice for 2027 might say: invented, only its shape is real.
LINES_2027 = """2027-01-01 休 元旦
2027-02-05 休 春节
2027-02-08 休 春节
2027-02-09 休 春节
2027-02-10 休 春节
2027-02-11 休 春节
2027-02-20 班 春节调休
2027-04-05 休 清明节
2027-05-03 休 劳动节
2027-05-04 休 劳动节
2027-06-09 休 端午节
2027-09-15 休 中秋节
2027-10-01 休 国庆节
2027-10-04 休 国庆节
2027-10-05 休 国庆节
2027-10-09 班 国庆节调休"""
NOTICE = "国办发明电〔2026〕99号"


def proposed(cast: Cast, lines: str = LINES_2027, year: int = 2027) -> CalendarEdition:
    """A year's calendar, proposed by the credit office."""
    return propose_edition(year=year, days=day_list.read(lines, year).days, notice_no=NOTICE, by=cast.credit_office)


def refused_by_database(constraint: str, sql: str, values: list[Any] | None = None) -> None:
    """Assert that the database itself refuses a statement of the application, by that rule's name."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"{sql}; SET CONSTRAINTS ALL IMMEDIATE", values or [])
    assert caught.value.__cause__ is not None
    assert caught.value.__cause__.diag.constraint_name == constraint  # type: ignore[attr-defined]
