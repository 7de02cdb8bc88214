"""By the identity service nobody comes in as the dead or under a number that was merged into another."""

from typing import Any

import pytest
from django.test import Client

from accounts.tests.provider import CLIENT, SECRET, running
from accounts.tests.signing import is_in
from accounts.tests.test_oidc import CHEN, go, refused
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, Cast
from records.tests.persons import agreed, dying, merging, undone


@pytest.fixture
def service(settings: Any) -> Any:
    with running() as one:
        settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = one.issuer, CLIENT, SECRET
        one.claims = dict(CHEN)
        yield one


def test_the_dead_are_refused_and_their_open_session_ends(cast: Cast, service: Any) -> None:
    before, client = Client(), Client()
    go(before)
    death = agreed(cast, dying(cast))
    assert not is_in(before)
    refused(go(client), client, "person_deceased")
    undone(cast, death)
    assert go(client)["Location"] == "/me/"


def test_a_merged_number_leads_to_the_survivor_and_never_into_the_closed_account(cast: Cast, service: Any) -> None:
    go(Client())
    merge = agreed(cast, merging(cast))
    client = Client()
    refused(go(client), client, "person_name_conflict")
    service.claims |= {"name": "林大雪"}
    refused(go(client), client, "subject_changed")
    service.claims = {"sub": "lin", "name": "林大雪", "id_number": OTHER_NUMBER, "id_number_verified": True}
    assert go(client)["Location"] == "/me/"
    assert "林大雪" in client.get("/me/").content.decode()
    undone(cast, merge)
    service.claims = {**CHEN, "id_number": CITIZEN_NUMBER}
    assert go(Client())["Location"] == "/me/"
