"""A system is let in by two administrators, from its own networks, for a time; one of them ends it at once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts import tokens
from accounts.models import Role, User
from accounts.second_factors import issue_binding_code
from accounts.sign_in_log import Door
from accounts.tests.tokens import expired, issue, wish
from accounts.token_models import IdempotentCall, Scope, ServiceToken, TokenRule, TokenUse
from accounts.waiting import without_phone
from creditfujian.tests.cast import Cast

Browser = Callable[[User | None], Client]
PAGES = "/admin/accounts/servicetoken/"


def asked_for(cast: Cast, **changes: Any) -> dict[str, Any]:
    """What a system administrator fills in."""
    day = timezone.localdate() + timedelta(days=30)
    return {
        "organisation": cast.market.pk, "name": "行政处罚办案系统", "reason": "市监函〔2026〕12号", "scopes": ["batches:write"],
        "networks": "10.35.8.0/24\n10.35.9.7", "quota": 600, "expires_on": day.isoformat(), **changes,
    }  # fmt: skip


def test_a_token_opens_nothing_until_another_administrator_confirms_it(cast: Cast) -> None:
    issued = tokens.ask(wish(cast), by=cast.system_admin)
    assert tokens.why_closed(issued.token) == "A05"
    with pytest.raises(PermissionDenied, match="申请人不能确认"):
        tokens.confirm(issued.token.pk, by=cast.system_admin)
    tokens.confirm(issued.token.pk, by=cast.security_admin)
    found = tokens.find(issued.secret)
    assert found == issued.token
    assert found is not None
    assert tokens.why_closed(found) == ""
    assert found.user.has_perm("records.add_batch")
    assert found.state == "有效"


def test_asking_and_confirming_want_the_second_factor_again(cast: Cast, as_user: Browser) -> None:
    """A token opens more than an account does: like opening accounts, it is no deed for a browser left open."""
    waiting = tokens.ask(wish(cast), by=cast.system_admin).token
    system, security = as_user(cast.system_admin), as_user(cast.security_admin)
    with time_machine.travel(timezone.now() + timedelta(minutes=12), tick=True):
        for answer in (
            system.post(f"{PAGES}add/", asked_for(cast)), security.post(f"{PAGES}{waiting.pk}/confirm/"),
        ):  # fmt: skip
            assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/sign-in/confirm/")
        assert ServiceToken.objects.get().is_waiting
        ended = security.post(f"{PAGES}{waiting.pk}/revoke/", {"reason": "疑似外泄"})
        assert ended["Location"] == f"{PAGES}{waiting.pk}/change/", "ending one waits for nothing"
        assert ServiceToken.objects.get().is_over


def test_a_systems_account_is_among_no_peoples_accounts(cast: Cast, as_user: Browser) -> None:
    """It has no phone to bind and no password to set: nobody is asked to, and nobody can."""
    system = issue(cast).token.user
    assert system not in without_phone()
    for user in (cast.system_admin, cast.security_admin):
        browser = as_user(user)
        assert system.name not in browser.get("/admin/accounts/user/").content.decode()
        for page in ("change", "password", "sign-in"):
            assert browser.get(f"/admin/accounts/user/{system.pk}/{page}/").status_code != 200
    with pytest.raises(ValidationError, match="绑定码"):
        issue_binding_code(system, by=cast.security_admin, door=Door())


@pytest.mark.parametrize("who", ["security_admin", "auditor", "data_officer", "operator", "credit_office", "clerk"])
def test_only_the_system_administrator_asks(cast: Cast, who: str) -> None:
    with pytest.raises(PermissionDenied):
        tokens.ask(wish(cast), by=cast.everyone()[who])


@pytest.mark.parametrize("who", ["auditor", "data_officer", "data_reviewer", "operator", "credit_office", "citizen"])
def test_nobody_but_the_two_administrators_confirms_or_revokes(cast: Cast, who: str) -> None:
    issued = tokens.ask(wish(cast), by=cast.system_admin)
    with pytest.raises(PermissionDenied):
        tokens.confirm(issued.token.pk, by=cast.everyone()[who])
    with pytest.raises(PermissionDenied):
        tokens.revoke(issued.token.pk, by=cast.everyone()[who], reason="不应允许")


@pytest.mark.parametrize("who", ["system_admin", "security_admin"])
def test_either_administrator_ends_a_token_at_once_and_for_good(cast: Cast, who: str) -> None:
    issued = issue(cast)
    with pytest.raises(ValidationError, match="理由"):
        tokens.revoke(issued.token.pk, by=cast.everyone()[who], reason=" ")
    tokens.revoke(issued.token.pk, by=cast.everyone()[who], reason="系统下线")
    found = tokens.find(issued.secret)
    assert found is not None
    assert tokens.why_closed(found) == "A04"
    assert not found.user.has_perm("records.add_batch")
    with pytest.raises(PermissionDenied):
        tokens.confirm(issued.token.pk, by=cast.security_admin)


def test_the_rule_of_the_day_bounds_time_and_calls(cast: Cast) -> None:
    rule = TokenRule.on(timezone.localdate())
    too_long = timezone.now() + timedelta(days=rule.longest_days + 1)
    for changes in ({"expires_at": too_long}, {"quota": rule.most_per_hour + 1}, {"quota": 0}):
        with pytest.raises(ValidationError):
            tokens.ask(wish(cast, **changes), by=cast.system_admin)
    with pytest.raises(ValidationError):
        tokens.ask(wish(cast, expires_at=timezone.now() - timedelta(minutes=1)), by=cast.system_admin)


def test_the_secret_is_kept_nowhere(cast: Cast) -> None:
    issued = issue(cast)
    with connection.cursor() as cursor:
        cursor.execute("SELECT accounts_servicetoken::text || accounts_user::text FROM accounts_servicetoken "
                       "JOIN accounts_user ON accounts_user.id = user_id")  # fmt: skip
        assert issued.secret[7:] not in cursor.fetchone()[0]


def test_a_mistyped_token_is_known_without_asking(cast: Cast, django_assert_num_queries: Any) -> None:
    secret = issue(cast).secret
    other = "a" if secret[10] != "a" else "b"
    with django_assert_num_queries(0):
        for wrong in (
            secret[:-1],
            secret + "0",
            secret[:10] + other + secret[11:],
            "",
            "cf_",
            "sk_" + secret[3:],
            "令牌",
        ):
            assert tokens.find(wrong) is None


@pytest.mark.parametrize(("address", "within"), [
    ("10.35.8.9", True), ("::ffff:10.35.8.9", True), ("127.0.0.1", True), ("10.35.9.9", False), ("::1", False), ("", False),
    ("不是地址", False),
])  # fmt: skip
def test_a_token_works_from_its_networks_only(cast: Cast, address: str, within: bool) -> None:
    assert tokens.comes_from(issue(cast).token, address) is within


def test_a_token_ends_on_its_day_and_with_its_organisation(cast: Cast) -> None:
    assert tokens.why_closed(expired(cast).token) == "A03"
    token = issue(cast).token
    cast.market.valid_to = timezone.localdate()
    cast.market.save()
    token.refresh_from_db()
    assert tokens.why_closed(ServiceToken.objects.get(pk=token.pk)) == "A04"


def test_nobody_signs_in_as_a_system(cast: Cast, as_user: Browser) -> None:
    user = issue(cast).token.user
    assert not user.has_usable_password()
    client = as_user(user)  # a session opened for it by force is nobody's
    assert client.get("/admin/").status_code == 302
    assert not Client().login(username=user.username, password="!")
    with pytest.raises(DatabaseError, match="user_service_has_no_password|fixed"), transaction.atomic():
        User.objects.filter(pk=user.pk).update(password="pbkdf2_sha256$1$a$b")
    with pytest.raises(DatabaseError), transaction.atomic():
        User.objects.filter(pk=user.pk).update(is_staff=True)


FORBIDDEN = {
    "un-revoked": "UPDATE accounts_servicetoken SET revoked_at = NULL, revoked_by_id = NULL, revoke_reason = '' WHERE id = %(gone)s",
    "prolonged": "UPDATE accounts_servicetoken SET expires_at = expires_at + interval '1 day' WHERE id = %(token)s",
    "another hash": "UPDATE accounts_servicetoken SET key_hash = '\\x00' WHERE id = %(token)s",
    "more scopes": "UPDATE accounts_servicetoken SET scopes = scopes || '{all}' WHERE id = %(token)s",
    "more networks": "UPDATE accounts_servicetoken SET networks = '{0.0.0.0/0}' WHERE id = %(token)s",
    "a larger quota": "UPDATE accounts_servicetoken SET quota = quota + 1 WHERE id = %(token)s",
    "another organisation": "UPDATE accounts_servicetoken SET organisation_id = %(elsewhere)s WHERE id = %(token)s",
    "confirmed by its asker": "UPDATE accounts_servicetoken SET confirmed_at = now(), confirmed_by_id = asked_by_id WHERE id = %(waiting)s",
    "unconfirmed": "UPDATE accounts_servicetoken SET confirmed_at = NULL, confirmed_by_id = NULL WHERE id = %(token)s",
    "confirmed when revoked": "UPDATE accounts_servicetoken SET confirmed_at = now(), confirmed_by_id = %(admin)s WHERE id = %(gone)s",
    "deleted": "DELETE FROM accounts_servicetoken WHERE id = %(waiting)s",
    "emptied": "TRUNCATE accounts_servicetoken CASCADE",
    "confirmed from the start": """INSERT INTO accounts_servicetoken (user_id, organisation_id, name, reason, scopes, networks,
        quota, hint, key_hash, asked_by_id, asked_at, expires_at, confirmed_by_id, confirmed_at, revoke_reason)
        SELECT %(spare)s, organisation_id, name, reason, scopes, networks, quota, hint, '\\x01', asked_by_id, now(),
               now() + interval '1 day', %(admin)s, now(), '' FROM accounts_servicetoken WHERE id = %(token)s""",
    "for longer than the rule": """INSERT INTO accounts_servicetoken (user_id, organisation_id, name, reason, scopes, networks,
        quota, hint, key_hash, asked_by_id, asked_at, expires_at, revoke_reason)
        SELECT %(spare)s, organisation_id, name, reason, scopes, networks, quota, hint, '\\x01', asked_by_id, now(),
               now() + interval '367 days', '' FROM accounts_servicetoken WHERE id = %(token)s""",
    "in an official's name": """INSERT INTO accounts_servicetoken (user_id, organisation_id, name, reason, scopes, networks,
        quota, hint, key_hash, asked_by_id, asked_at, expires_at, revoke_reason)
        SELECT %(officer)s, organisation_id, name, reason, scopes, networks, quota, hint, '\\x01', asked_by_id, now(),
               now() + interval '1 day', '' FROM accounts_servicetoken WHERE id = %(token)s""",
    "an account elsewhere": "UPDATE accounts_user SET organisation_id = %(elsewhere)s WHERE id = %(account)s",
    "an account that becomes staff": "UPDATE accounts_user SET kind = 'staff', is_staff = true WHERE id = %(account)s",
    "an official that becomes a system": """UPDATE accounts_user SET kind = 'service', is_staff = false, password = '!'
        WHERE id = %(officer)s""",
    "fewer calls": "UPDATE accounts_tokenuse SET used = used - 1",
    "no calls": "DELETE FROM accounts_tokenuse",
    "another rule": "UPDATE accounts_tokenrule SET longest_days = 9999",
    "another answer": "UPDATE accounts_idempotentcall SET body = '{}'",
}  # fmt: skip


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_database_refuses_what_nobody_may_do(cast: Cast, what: str) -> None:
    live, gone, waiting = issue(cast), issue(cast), tokens.ask(wish(cast), by=cast.system_admin)
    tokens.count_call(live.token)
    tokens.count_call(live.token)
    IdempotentCall.objects.create(
        organisation=cast.market, key="k", token=live.token, digest="0" * 64, status=202, body={"a": 1}
    )
    tokens.revoke(gone.token.pk, by=cast.security_admin, reason="系统下线")
    spare = User.objects.create(
        username="service-x", name="无", kind=User.Kind.SERVICE, organisation=cast.market, password="!"
    )
    keys = {
        "token": live.token.pk, "gone": gone.token.pk, "waiting": waiting.token.pk, "elsewhere": cast.transport.pk,
        "admin": cast.security_admin.pk, "spare": spare.pk, "officer": cast.data_officer.pk, "account": live.token.user_id,
    }  # fmt: skip
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(FORBIDDEN[what], keys)


def test_systems_have_scopes_and_people_have_roles(cast: Cast) -> None:
    user = issue(cast).token.user
    with pytest.raises(DatabaseError, match="scopes"), transaction.atomic():
        user.groups.add(Group.objects.get(name=Role.DATA_REVIEWER))
    with pytest.raises(DatabaseError, match="scopes"), transaction.atomic():
        cast.data_officer.groups.add(Group.objects.get(name=Scope.COMMIT_BATCHES.group_name))


def test_the_calls_of_an_hour_are_counted_to_the_last(cast: Cast) -> None:
    token = issue(cast, quota=3).token
    assert [tokens.count_call(token).left for _ in range(3)] == [2, 1, 0]
    over = tokens.count_call(token)
    assert over.refused
    assert 0 < over.seconds <= 3600
    assert TokenUse.objects.get(token=token).used == 3


# --- the pages ---------------------------------------------------------------------------------------------


def test_an_administrator_is_shown_the_token_once_and_another_confirms_it(cast: Cast, as_user: Browser) -> None:
    asker, confirmer = as_user(cast.system_admin), as_user(cast.security_admin)
    page = asker.post(f"{PAGES}add/", asked_for(cast))
    assert page.status_code == 200
    shown = page.content.decode()
    secret = shown.split('aria-label="接口令牌">')[1].split("<")[0]
    token = tokens.find(secret)
    assert token is not None
    assert token.networks == ["10.35.8.0/24", "10.35.9.7/32"]
    detail = f"{PAGES}{token.pk}/change/"
    for client in (asker, confirmer):
        for address in (detail, PAGES):
            text = client.get(address).content.decode()
            assert secret not in text
            assert f"{token.hint}…" in text
    assert "申请人不能确认自己的申请" in asker.get(detail).content.decode()
    assert "待确认的接口令牌" in confirmer.get("/admin/").content.decode()
    asker.post(f"{PAGES}{token.pk}/confirm/")
    assert ServiceToken.objects.get(pk=token.pk).confirmed_at is None
    confirmer.post(f"{PAGES}{token.pk}/confirm/")
    assert ServiceToken.objects.get(pk=token.pk).confirmed_by == cast.security_admin
    assert confirmer.post(f"{PAGES}{token.pk}/revoke/", {"reason": ""}).status_code == 422
    confirmer.post(f"{PAGES}{token.pk}/revoke/", {"reason": "密钥外泄"})
    assert "密钥外泄" in asker.get(detail).content.decode()
    assert ServiceToken.objects.get(pk=token.pk).state == "已撤销"


@pytest.mark.parametrize(("changes", "said"), [
    ({"networks": "0.0.0.0/0"}, "不能允许所有地址"), ({"networks": "10.35.8.1/24"}, "网段写得不对"), ({"networks": " "}, "必填"),
    ({"scopes": []}, "必填"), ({"expires_on": "2199-01-01"}, "有效期最长 365 日"), ({"quota": 999_999}, "每小时 1 至"),
    ({"reason": ""}, "必填"),
])  # fmt: skip
def test_the_form_says_what_is_wrong(cast: Cast, as_user: Browser, changes: dict[str, Any], said: str) -> None:
    answer = as_user(cast.system_admin).post(f"{PAGES}add/", asked_for(cast, **changes))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not ServiceToken.objects.exists()


@pytest.mark.parametrize("who", ["data_officer", "auditor", "operator", "credit_office", "clerk"])
def test_others_see_no_tokens(cast: Cast, as_user: Browser, who: str) -> None:
    token = issue(cast).token
    client = as_user(cast.everyone()[who])
    for address in (PAGES, f"{PAGES}add/", f"{PAGES}{token.pk}/change/"):
        assert client.get(address).status_code == 403
    assert client.post(f"{PAGES}{token.pk}/revoke/", {"reason": "试试"}).status_code == 403
    assert ServiceToken.objects.get(pk=token.pk).revoked_at is None
