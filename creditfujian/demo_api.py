"""Demo of the API: a department's token in use, and another that waits for the security administrator."""

from datetime import timedelta

from django.utils import timezone

from accounts import tokens
from accounts.models import Organisation, User
from accounts.token_models import Scope, ServiceToken

NAME = "行政处罚办案系统"
LOCAL = ["127.0.0.0/8", "::1/128"]  # the demo listens on this machine only


def load(market: Organisation, transport: Organisation) -> str:
    """Let one department's system in, ask for another's; return the secret of the first."""
    tokens.ask(
        _wish(
            transport,
            "运政执法系统",
            "闽交函〔2026〕31号：每日报送道路运输处罚",
            [Scope.READ_BATCHES, Scope.WRITE_BATCHES],
        ),
        by=User.objects.get(username="system_admin"),
    )
    return issue_again(market)


def issue_again(market: Organisation) -> str:
    """Return the secret of a new token of the first system; the one before is revoked, for a secret is shown once."""
    asker, confirmer = (User.objects.get(username=name) for name in ("system_admin", "security_admin"))
    for old in ServiceToken.objects.filter(organisation=market, name=NAME, revoked_at=None):
        tokens.revoke(old.pk, by=asker, reason="演示账户重设，另发新令牌")
    issued = tokens.ask(_wish(market, NAME, "市监函〔2026〕12号：每日报送行政处罚决定", list(Scope)), by=asker)
    tokens.confirm(issued.token.pk, by=confirmer)
    return issued.secret


def _wish(organisation: Organisation, name: str, reason: str, scopes: list[Scope]) -> tokens.Wish:
    return tokens.Wish(
        organisation=organisation, name=name, reason=reason, scopes=scopes, networks=LOCAL, quota=3600,
        expires_at=timezone.now() + timedelta(days=180),
    )  # fmt: skip
