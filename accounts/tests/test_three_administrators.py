"""System, security and audit stay apart: none reads a record, each does its own part and nothing of the others'."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import RequestFactory

from accounts.models import Role, SignInRule, User
from accounts.sign_in_rules import limits
from creditfujian.tests.cast import CITIZEN_NUMBER, PASSWORD, Cast, browser_of

ABOUT_PERSONS = ("records", "sanctions", "repair")


def may(user: User, what: str) -> set[str]:
    """The models that the staff site lets an account add, change, delete or view."""
    request = RequestFactory().get("/admin/")
    request.user = user
    found: set[str] = set()
    for model, page in admin.site._registry.items():
        checks: dict[str, Any] = {
            "add": page.has_add_permission, "change": page.has_change_permission, "delete": page.has_delete_permission,
            "view": page.has_view_permission,
        }  # fmt: skip
        if checks[what](request):
            found.add(model._meta.label)
    return found


def test_what_each_of_the_three_may_write(cast: Cast) -> None:
    for user, added, changed in (
        (cast.auditor, set(), set()),
        (cast.security_admin, set(), {"accounts.User"}),
        (
            cast.system_admin,
            {"accounts.User", "accounts.Organisation", "accounts.ServiceToken"},
            {"accounts.User", "accounts.Organisation"},
        ),
    ):
        assert may(user, "add") == added, user
        assert may(user, "change") == changed, user
        assert may(user, "delete") == set(), user


def test_none_of_the_three_sees_a_page_about_persons(cast: Cast) -> None:
    seen = {user.username: {label for label in may(user, "view") if label.split(".")[0] in ABOUT_PERSONS}
            for user in (cast.auditor, cast.security_admin, cast.system_admin)}  # fmt: skip
    rules = {f"sanctions.{name}" for name in ("Measure", "Roster", "RosterGrant", "RosterVersion")}
    # Proofs of deletion, and what rosters say and who may run them: none of it is about anybody.
    assert seen == {"auditor": {"records.Disposal"}, "security": rules, "system": set()}


@pytest.mark.parametrize("who", ["system_admin", "security_admin", "auditor"])
def test_none_of_the_three_opens_a_file_or_registers_to(cast: Cast, who: str) -> None:
    browser = browser_of(getattr(cast, who))
    for address in ("/admin/access/request/add/", "/admin/records/record/", "/admin/records/batch/",
                    "/admin/accounts/identityproof/add/"):  # fmt: skip
        answer = browser.get(address)
        assert answer.status_code in (302, 403), (who, address)
        assert "/admin/access" not in answer.headers.get("Location", "")
    posted = browser.post("/admin/access/request/add/", {"id_number": CITIZEN_NUMBER, "name": "陈小满"})
    assert posted.status_code in (302, 403)


def test_the_system_administrator_gives_no_roles_and_the_security_administrator_opens_no_accounts(cast: Cast) -> None:
    page, group = f"/admin/accounts/user/{cast.clerk.pk}/change/", Group.objects.get(name=Role.CREDIT_OFFICE)
    form = {"name": "窗口壬", "organisation": cast.counter.pk, "is_active": "on", "groups": [group.pk]}
    assert browser_of(cast.system_admin).post(page, form).status_code == 302
    assert User.objects.get(pk=cast.clerk.pk).roles() == [Role.CLERK]
    assert browser_of(cast.security_admin).post(page, form).status_code == 302
    assert User.objects.get(pk=cast.clerk.pk).roles() == [Role.CREDIT_OFFICE]
    new = {"username": "x1", "name": "某", "organisation": cast.counter.pk, "password": PASSWORD}
    assert browser_of(cast.security_admin).post("/admin/accounts/user/add/", new).status_code == 403
    assert not User.objects.filter(username="x1").exists()


def test_an_account_without_an_office_is_sent_back(cast: Cast) -> None:
    browser = browser_of(cast.system_admin)
    new = {"username": "x1", "name": "某", "organisation": "", "password": PASSWORD}
    for page in (f"/admin/accounts/user/{cast.clerk.pk}/change/", "/admin/accounts/user/add/"):
        answer = browser.post(page, new)
        assert answer.status_code == 200
        assert "这个字段是必填项" in answer.content.decode()
    assert User.objects.get(pk=cast.clerk.pk).organisation == cast.counter


def test_the_security_administrator_sets_limits_within_bounds_and_nobody_else(cast: Cast) -> None:
    rule = SignInRule.objects.get(code="S01")
    page, form = f"/admin/accounts/signinrule/{rule.pk}/set/", {"value": 3, "source": "等级测评意见", "reason": "收紧"}
    for other in (cast.system_admin, cast.auditor, cast.operator):
        assert browser_of(other).post(page, form).status_code in (302, 403)
    security = browser_of(cast.security_admin)
    assert security.post(page, form | {"value": 50}).status_code == 422
    assert limits().failures == 5
    assert security.post(page, form).status_code == 302
    assert limits().failures == 3
    kept = SignInRule.objects.filter(code="S01").order_by("id")
    assert [(row.value, row.set_by_id) for row in kept] == [(5, None), (3, cast.security_admin.pk)]
