"""Every code that anything can be sent back with is explained on one page, for staff and in docs."""

import os
from collections.abc import Callable
from pathlib import Path

from django.test import Client

from accounts.models import User
from creditfujian.tests.cast import Cast
from records.intake.advice import WHAT_TO_DO
from records.intake.reasons import TITLES, as_markdown, explained
from records.tests.deliveries import as_csv, check, penalty

COPY = Path(__file__).parents[2] / "docs" / "reasons.md"


def test_every_code_says_what_to_do_and_none_is_left_over() -> None:
    assert set(WHAT_TO_DO) == set(TITLES)
    assert sorted(one.code for _, found in explained() for one in found) == sorted(TITLES)


def test_the_copy_in_docs_is_the_page() -> None:
    if os.environ.get("CF_WRITE_RECEIPTS"):
        COPY.write_text(as_markdown(), encoding="utf-8")
    assert COPY.read_text(encoding="utf-8") == as_markdown()


def test_an_officer_finds_the_code_of_a_refused_row_explained(cast: Cast, as_user: Callable[[User], Client]) -> None:
    batch = check(cast, as_csv([penalty(cast, 处罚类别="记过"), penalty(cast, 行政处罚决定书文号="2号")]))
    browser = as_user(cast.data_officer)
    assert (
        'href="/admin/records/batch/reasons/#C11"'
        in browser.get(f"/admin/records/batch/{batch.pk}/change/").content.decode()
    )
    page = browser.get("/admin/records/batch/reasons/").content.decode()
    assert '<tr id="C11">' in page
    assert "与代码表一致" in page


def test_those_without_batches_have_no_page_of_codes(cast: Cast, as_user: Callable[[User], Client]) -> None:
    assert as_user(cast.clerk).get("/admin/records/batch/reasons/").status_code == 403
    assert as_user(cast.citizen).get("/admin/records/batch/reasons/").status_code == 302
