"""Citizens by OpenID Connect, against a service that really answers over HTTP; and every way to cheat it."""

import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import HTTPRedirectHandler, build_opener

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import rsa
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.models import IdentityLink, Person, SignInLine, User
from accounts.tests.provider import CLIENT, SECRET, IdentityService, running
from accounts.tests.signing import is_in
from creditfujian.lib import identity
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, PASSWORD, Cast, browser_of

CHEN = {"sub": "chen-1", "name": "陈小满", "id_number": CITIZEN_NUMBER, "id_number_verified": True}
NEW_NUMBER = identity.invent(date(1985, 12, 31), 2)


@pytest.fixture
def service(settings: Any) -> Iterator[IdentityService]:
    with running() as one:
        settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = one.issuer, CLIENT, SECRET
        one.claims = dict(CHEN)
        yield one


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def at_the_service(address: str) -> str:
    """Open an address of the service as a browser does; return where it sends us."""
    try:
        build_opener(_Stay).open(address)
    except HTTPError as answer:
        assert answer.code == 302, answer.read()
        return str(answer.headers["Location"])
    raise AssertionError("the service sends nobody back")


def go(client: Client, change: Callable[[str], str] = lambda back: back, next_page: str = "") -> HttpResponse:
    """From our link to the service and back; `change` meddles with the way back."""
    there = client.get("/sign-in/identity/", {"next": next_page} if next_page else {})
    assert there.status_code == 302, there.content.decode()
    parts = urlsplit(change(at_the_service(there["Location"])))
    return client.get(f"{parts.path}?{parts.query}")


def refused(answer: HttpResponse, client: Client, reason: str) -> None:
    """Nobody is signed in, the page says nothing about why, the log does."""
    assert answer.status_code == 403
    assert reason not in answer.content.decode().split("<main")[1].split("</main>")[0]
    assert not is_in(client)
    line = SignInLine.objects.order_by("-id")[0]
    assert (line.event, line.note.split(": ")[1]) == ("refused", reason)


def test_a_verified_number_opens_the_persons_account_and_links_it_once(cast: Cast, service: IdentityService) -> None:
    for _ in range(2):
        client = Client()
        assert go(client)["Location"] == "/me/"
        assert "陈小满" in client.get("/me/").content.decode()
    assert IdentityLink.objects.get().user == cast.citizen
    assert list(cast.citizen.sign_in_lines.order_by("id").values_list("event", "method")) == [
        ("linked", "oidc"), ("signed_in", "oidc"), ("signed_in", "oidc"),
    ]  # fmt: skip


def test_the_link_stands_on_the_page_and_asks_for_two_factors(cast: Cast, service: IdentityService) -> None:
    assert "/sign-in/identity/" in Client().get("/sign-in/").content.decode()
    asked = parse_qs(urlsplit(Client().get("/sign-in/identity/")["Location"]).query)
    assert asked["acr_values"] == ["urn:cn:aal2"]
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["nonce"][0]) > 40


def test_without_a_provider_there_is_no_way(cast: Cast) -> None:
    assert "/sign-in/identity/" not in Client().get("/sign-in/").content.decode()
    assert Client().get("/sign-in/identity/")["Location"] == "/sign-in/"
    assert Client().get("/sign-in/identity/back/?code=x&state=y")["Location"] == "/sign-in/"


def test_one_who_signed_in_there_confirms_here_by_the_password_they_have(cast: Cast, service: IdentityService) -> None:
    client = Client()
    go(client)
    with time_machine.travel(timezone.now() + timedelta(minutes=12), tick=True):
        wanted = client.get("/account/totp/")["Location"]
        assert wanted.startswith("/sign-in/confirm/")
        assert client.post(wanted, {"password": PASSWORD, "next": "/account/totp/"})["Location"] == "/account/totp/"
        assert client.get("/account/totp/").status_code == 200


def test_a_service_that_does_not_say_when_one_signed_in_confirms_nothing(cast: Cast, service: IdentityService) -> None:
    """Whoever sits before an open browser can take `prompt` out of the address on the way there."""
    client = Client()
    service.spoil = {"token": {"auth_time": None}}
    refused(go(client), client, "no_auth_time")


@pytest.mark.parametrize(
    "told", [{"auth_time": "yesterday"}, {"auth_time": True}, {"amr": "face"}, {"amr": [["face"]]}, {"amr": 5}]
)
def test_a_token_of_another_shape_is_refused_like_any_other(
    cast: Cast, service: IdentityService, told: dict[str, Any]
) -> None:
    client = Client()
    service.spoil = {"token": told}
    refused(go(client), client, "face_only" if told.get("amr") == "face" else "token")


def test_somebody_new_gets_an_account_of_their_own(cast: Cast, service: IdentityService) -> None:
    service.claims = {"sub": "zhou", "name": "周清明", "id_number": NEW_NUMBER, "id_number_verified": True}
    client = Client()
    assert go(client)["Location"] == "/me/"
    user = User.objects.get(person=Person.objects.holder_of(NEW_NUMBER))
    assert (user.kind, user.is_staff, user.has_usable_password()) == ("citizen", False, False)
    assert client.get("/account/password/").status_code == 302


def test_one_goes_on_to_where_one_wanted(cast: Cast, service: IdentityService) -> None:
    assert go(Client(), next_page="/me/access/")["Location"] == "/me/access/"
    assert go(Client(), next_page="https://elsewhere.example/")["Location"] == "/me/"


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "no_nonce"),
        ({"aud": "another-client"}, "audience"),
        ({"aud": [CLIENT, "another"], "azp": "another"}, "azp"),
        ({"iss": "http://127.0.0.1:1"}, "issuer"),
        ({"exp": int(time.time()) - 3600}, "expired"),
        ({"exp": None}, "no_exp"),
        ({"iat": int(time.time()) + 7200}, "token"),
        ({"acr": "urn:cn:aal1"}, "acr"),
        ({"acr": None}, "acr"),
        ({"auth_time": int(time.time()) - 86400}, "auth_time"),
        ({"amr": ["face"]}, "face_only"),
        ({"id_number_verified": False}, "not_verified"),
        ({"id_number_verified": None}, "not_verified"),
        ({"id_number_verified": "true"}, "not_verified"),
        ({"id_number": None}, "no_number"),
        ({"id_number": CITIZEN_NUMBER[:-1] + "0"}, "person_I16"),
        ({"name": "陈大满"}, "person_name_conflict"),
        ({"sub": None}, "no_sub"),
    ],
)
def test_a_token_that_says_the_wrong_thing_opens_nothing(
    cast: Cast, service: IdentityService, token: dict[str, Any], reason: str
) -> None:
    service.spoil = {"token": token}
    client = Client()
    refused(go(client), client, reason)
    assert not IdentityLink.objects.exists()


def test_a_token_signed_by_another_key_opens_nothing(cast: Cast, service: IdentityService) -> None:
    client = Client()
    service.sign_with = rsa.generate_private_key(65537, 2048)
    refused(go(client), client, "token")
    service.sign_with, service.spoil = service.key, {"kid": "two"}
    refused(go(client), client, "key")
    service.spoil, service.sign_with, service.algorithm = {}, "x" * 64, "HS256"
    refused(go(client), client, "token")
    service.sign_with, service.algorithm = None, "none"
    refused(go(client), client, "token")


def test_another_services_description_is_not_believed(cast: Cast, service: IdentityService) -> None:
    service.spoil = {"metadata_issuer": "https://elsewhere.example"}
    client = Client()
    refused(client.get("/sign-in/identity/"), client, "issuer")


def test_a_changed_state_or_another_services_answer_opens_nothing(cast: Cast, service: IdentityService) -> None:
    client = Client()
    service.spoil = {"state": "another"}
    refused(go(client), client, "state")
    service.spoil = {}
    mixed = go(client, lambda back: back.replace("iss=http", "iss=https"))
    refused(mixed, client, "issuer")
    refused(go(client, lambda back: back.replace("code=", "kode=")), client, "no_code")
    refused(go(client, lambda back: back + "&error=access_denied"), client, "declined")


def test_a_code_is_answered_once_and_only_in_the_browser_that_began(cast: Cast, service: IdentityService) -> None:
    mine, kept = Client(), []
    go(mine, lambda back: kept.append(back) or back)
    parts = urlsplit(kept[0])
    again = Client()
    refused(again.get(f"{parts.path}?{parts.query}"), again, "no_errand")
    victim = Client()  # somebody sends a victim the way back of their own errand
    refused(go(victim, lambda back: kept[0]), victim, "state")


def test_a_stolen_code_does_not_exchange_without_its_verifier(cast: Cast, service: IdentityService) -> None:
    def stolen(back: str) -> str:
        code = parse_qs(urlsplit(at_the_service(Client().get("/sign-in/identity/")["Location"])).query)["code"][0]
        own = parse_qs(urlsplit(back).query)["code"][0]
        return back.replace(own, code)

    client = Client()
    refused(go(client, stolen), client, "code")


def test_closed_accounts_and_minors_are_refused(cast: Cast, service: IdentityService) -> None:
    client = Client()
    young = identity.invent(date(date.today().year - 10, 1, 1), 3)
    service.claims = {"sub": "kid", "name": "小小", "id_number": young, "id_number_verified": True}
    refused(go(client), client, "person_minor")
    service.claims = dict(CHEN)
    User.objects.filter(pk=cast.citizen.pk).update(is_active=False)
    refused(go(client), client, "closed")


def test_a_subject_stays_one_person_and_a_person_one_subject(cast: Cast, service: IdentityService) -> None:
    go(Client())
    client = Client()
    service.claims = {**CHEN, "sub": "chen-2"}
    refused(go(client), client, "other_subject")
    service.claims = {**CHEN, "name": "林大雪", "id_number": OTHER_NUMBER}
    refused(go(client), client, "subject_changed")
    assert IdentityLink.objects.count() == 1


def test_the_same_name_or_user_name_links_nothing(cast: Cast, service: IdentityService) -> None:
    service.claims = {
        "sub": "x", "name": "陈小满", "id_number": NEW_NUMBER, "id_number_verified": True,
        "preferred_username": "citizen", "email": "citizen@example.org", "email_verified": True,
    }  # fmt: skip
    client = Client()
    go(client)
    assert IdentityLink.objects.get().user != cast.citizen


def test_staff_do_not_come_in_by_this_way(cast: Cast, service: IdentityService) -> None:
    client = Client()
    go(client, next_page="/admin/")
    assert client.get("/admin/").status_code == 302
    officer = browser_of(cast.data_officer)
    go(officer)
    assert officer.get("/admin/").status_code == 302, "the browser is the citizen's now"


def test_who_has_no_password_confirms_at_the_service(cast: Cast, service: IdentityService) -> None:
    service.claims = {"sub": "zhou", "name": "周清明", "id_number": NEW_NUMBER, "id_number_verified": True}
    client = Client()
    go(client)
    asked = client.get("/sign-in/confirm/?next=/account/totp/")
    assert asked["Location"] == "/sign-in/identity/?next=%2Faccount%2Ftotp%2F"
    assert go(client, next_page="/account/totp/")["Location"] == "/account/totp/"
    assert SignInLine.objects.order_by("-id")[0].event == "confirmed"


def test_the_door_stays_shut_when_the_service_does_not_answer(cast: Cast, settings: Any) -> None:
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID = "http://127.0.0.1:9", CLIENT
    client = Client()
    refused(client.get("/sign-in/identity/"), client, "provider")
    settings.OIDC_ISSUER = "http://identity.example.org"  # in the clear
    refused(client.get("/sign-in/identity/"), client, "metadata")
