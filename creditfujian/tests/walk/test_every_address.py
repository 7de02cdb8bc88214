"""Every address, asked by everybody: each is answered as decided, and no data of a person goes unlogged."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path

from access.web import asker
from accounts.models import Role, User
from accounts.token_models import Scope
from creditfujian import urls
from creditfujian.tests.walk.decisions import OUTSIDE, Decisions, Rule
from creditfujian.tests.walk.matrix import Walk
from creditfujian.tests.walk.openings import OPENINGS, Opening
from creditfujian.tests.walk.routes import walk
from creditfujian.tests.walk.stage import NAMES, Stage
from records.reading import own_file

DECISIONS = Decisions()
# Who must have been shown what: a walk that meets no data would prove nothing about it.
MET = {
    "citizen": {"me_file", "me_copy", "me_file_print", "me_report_issue", "me_statement"},
    "officer_here": {
        "admin:access_request_file", "admin:records_record_change", "admin:records_record_changelist",
        "admin:records_export_download",
    },
    "officer_elsewhere": {"admin:access_urgentreading_file"},
    "data_officer": {"admin:records_recordact_correct"},
    "clerk": {"admin:access_authority_print"},
}  # fmt: skip


def test_every_role_and_every_scope_is_on_the_stage(stage: Stage) -> None:
    assert list(stage.actors) == NAMES
    roles = {actor.role for actor in stage.actors.values()}
    assert roles == {*OUTSIDE, *(role.value for role in Role), *(scope.value for scope in Scope)}


@pytest.mark.parametrize("who", NAMES)
def test_everybody_is_answered_as_decided(stage: Stage, who: str) -> None:
    walker = Walk(stage, stage.actors[who], DECISIONS)
    faults = walker.faults()
    assert not faults, "\n".join(faults)
    assert MET.get(who, set()) <= walker.showed


@pytest.mark.parametrize("opening", OPENINGS, ids=lambda opening: f"{opening.who}-{opening.route}")
def test_what_opens_data_when_something_is_said_writes_its_line(stage: Stage, opening: Opening) -> None:
    walker = Walk(stage, stage.actors[opening.who], DECISIONS)
    assert walker.opens(opening) == []
    assert walker.showed == {opening.route}


# --- the walk itself: what it is there to find, it finds ---------------------------------------------------------


def leaks(request: HttpRequest) -> HttpResponse:
    """Shows somebody without a line."""
    return HttpResponse("林大雪")


def goes_on_without_the_log(request: HttpRequest) -> HttpResponse:
    """Writes a line, and shows the record as well when that has failed."""
    assert isinstance(request.user, User)
    assert request.user.person is not None
    try:
        with transaction.atomic():
            own_file(request.user.person, by=asker(request, "公示网站"))
    except DatabaseError:
        pass
    return HttpResponse("菌落总数超过标准限量")


def refuses_too_late(request: HttpRequest) -> HttpResponse:
    """Changes something, and refuses then."""
    User.objects.filter(username="office").update(name="改名")
    raise PermissionDenied


BAD = [
    path("leaks/", leaks, name="leaks"),
    path("goes-on/", goes_on_without_the_log, name="goes_on"),
    path("too-late/", refuses_too_late, name="too_late"),
]
urlpatterns = [*BAD, *urls.urlpatterns]


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("leaks", "shows 林大雪 and writes no line about them"),
        ("goes_on", "without the log it answers 200 and shows ['菌落总数超过标准限量']"),
        ("too_late", "refused, and yet it has written to accounts_user"),
    ],
)
def test_the_walk_finds_what_it_is_there_to_find(stage: Stage, settings: Any, name: str, fault: str) -> None:
    settings.ROOT_URLCONF = __name__
    route = next(route for route in walk(BAD) if route.name == name)
    seen = frozenset() if name == "too_late" else frozenset({"citizen"})
    rule = Rule(part="", title="", routes=(name,), see=seen)
    assert fault in list(Walk(stage, stage.actors["citizen"], DECISIONS).faults_of(route, "GET", rule))
