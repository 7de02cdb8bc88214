"""Tokens the way they come about, for tests: asked for by one administrator, confirmed by another."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.utils import timezone

from accounts import tokens
from accounts.models import User
from accounts.token_models import Scope, ServiceToken
from creditfujian.tests.cast import Cast


def wish(cast: Cast, **changes: Any) -> tokens.Wish:
    """What the market authority's case system needs."""
    asked: dict[str, Any] = {
        "organisation": cast.market, "name": "行政处罚办案系统", "reason": "市监函〔2026〕12号：每日报送处罚决定",
        "scopes": list(Scope), "networks": ["127.0.0.0/8", "10.35.8.0/24"], "quota": 1000,
        "expires_at": timezone.now() + timedelta(days=90),
    }  # fmt: skip
    return tokens.Wish(**{**asked, **changes})


def issue(cast: Cast, **changes: Any) -> tokens.Issued:
    """Return a token in use, with its secret."""
    issued = tokens.ask(wish(cast, **changes), by=cast.system_admin)
    return tokens.Issued(tokens.confirm(issued.token.pk, by=cast.security_admin), issued.secret)


def expired(cast: Cast) -> tokens.Issued:
    """Return a token that was good until yesterday."""
    issued = tokens.ask(wish(cast), by=cast.system_admin)
    old = ServiceToken.objects.get(pk=issued.token.pk)
    now = timezone.now()
    user = User.objects.create(
        username="service-old", name="旧系统（接口）", kind=User.Kind.SERVICE, organisation=cast.market, password="!"
    )
    user.groups.set(Group.objects.filter(name__in=[scope.group_name for scope in Scope]))
    secret = tokens._make()
    token = ServiceToken.objects.create(
        user=user, organisation=cast.market, name="旧系统", reason=old.reason, scopes=old.scopes, networks=old.networks,
        quota=old.quota, hint=secret[:7], key_hash=tokens._hash(secret), asked_by=cast.system_admin,
        asked_at=now - timedelta(days=100), expires_at=now - timedelta(days=1),
    )  # fmt: skip
    ServiceToken.objects.filter(pk=token.pk).update(
        confirmed_by=cast.security_admin, confirmed_at=now - timedelta(days=99)
    )
    return tokens.Issued(ServiceToken.objects.get(pk=token.pk), secret)
