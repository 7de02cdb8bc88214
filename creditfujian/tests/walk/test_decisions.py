"""Every address has a decision, and no decision is about none; the page of the docs says the same."""

import os

from django.http import HttpRequest, HttpResponse
from django.urls import path

from creditfujian.tests.walk import page
from creditfujian.tests.walk.decisions import Decisions
from creditfujian.tests.walk.routes import all_routes, walk

DECISIONS = Decisions()


def shred(request: HttpRequest) -> HttpResponse:
    """A page that somebody adds one day."""
    return HttpResponse()


def test_every_address_is_decided_once_and_no_decision_is_about_none() -> None:
    assert DECISIONS.faults(all_routes()) == []


def test_a_new_address_without_a_decision_fails() -> None:
    new = walk([path("admin/records/batch/<int:pk>/shred/", shred, name="records_batch_shred")], space="admin:")
    faults = DECISIONS.faults([*all_routes(), *new])
    assert faults == ["admin:records_batch_shred has no decision: add it to matrix.toml"]


def test_a_decision_about_an_address_that_is_gone_fails() -> None:
    left = [route for route in all_routes() if route.name != "lookup"]
    assert DECISIONS.faults(left) == ["lookup is decided, but there is no such address"]


def test_the_page_of_the_docs_is_that_of_the_decisions() -> None:
    written = page.written(DECISIONS)
    if os.environ.get("CF_WRITE_RECEIPTS"):
        page.FILE.write_text(written, encoding="utf-8")
    assert page.FILE.read_text(encoding="utf-8") == written
