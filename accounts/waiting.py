"""What waits for counter clerks and administrators."""

from django.db.models import QuerySet
from django.db.models.functions import Now
from django.urls import reverse

from accounts.models import BindingCode, IdentityProof, ServiceToken, User
from creditfujian.lib.waiting import Waiting


def without_phone() -> "QuerySet[User]":
    """Return open accounts of staff and institutions that nobody can use yet: no second factor, no code to bind one."""
    given = BindingCode.objects.filter(used_at=None, expires_at__gt=Now()).values("user")
    asked = User.objects.filter(is_active=True, second_factors=None, kind__in=[User.Kind.STAFF, User.Kind.INSTITUTION])
    return asked.exclude(pk__in=given)


def _open_proofs(user: User) -> "QuerySet[IdentityProof]":
    """Return the proofs of identity of this official's counter that may still come to an account."""
    mine = IdentityProof.objects.filter(organisation=user.organisation, expires_at__gt=Now())
    return mine.filter(used_at=None, refusal="")


def waiting_for(user: User) -> list[Waiting]:
    """Return the cards of identity proofs and accounts."""
    cards = []
    if user.has_perm("accounts.add_identityproof"):
        count = _open_proofs(user).filter(decided_by__isnull=False).count()
        url = reverse("admin:accounts_identityproof_changelist")
        cards.append(Waiting("已发放、未激活的激活码", count, "7 天内有效，过期须重新核验", url))
    if user.has_perm("accounts.confirm_identityproof"):
        count = _open_proofs(user).filter(decided_by=None).exclude(clerk=user).count()
        url = f"{reverse('admin:accounts_identityproof_changelist')}?waiting=1"
        cards.append(Waiting("待您复核的身份核验", count, "本人在窗口等候，查验证件原件后发放激活码", url))
    if user.has_perm("accounts.assign_roles"):
        count = User.objects.filter(kind=User.Kind.STAFF, is_active=True, groups=None).count()
        url = f"{reverse('admin:accounts_user_changelist')}?without_role=1"
        cards.append(Waiting("尚未分配角色的工作人员", count, "由安全管理员分配", url))
    if user.has_perm("accounts.confirm_servicetoken"):
        waiting = ServiceToken.objects.filter(confirmed_at=None, revoked_at=None, expires_at__gt=Now())
        url = reverse("admin:accounts_servicetoken_changelist")
        cards.append(Waiting("待确认的接口令牌", waiting.count(), "由系统管理员申请，确认后启用", url))
    if user.has_perm("accounts.guard_sign_in"):
        count = without_phone().count()
        url = f"{reverse('admin:accounts_user_changelist')}?without_phone=1"
        cards.append(Waiting("尚未绑定手机、也没有绑定码的账户", count, "核实本人后当面发放绑定码", url))
    return cards
