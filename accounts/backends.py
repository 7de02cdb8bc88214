"""Signing in: staff by user name; citizens by user name or identity number."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group, Permission
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, F, Func, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.http import HttpRequest

from accounts import people
from accounts.models import Person, User
from creditfujian.compiled import Compiled
from creditfujian.lib import identity


def as_named(typed: str) -> str:
    """Return what a typed name is looked up by: spellings that mean the same account, or the same nobody, are one."""
    number = identity.normalise(typed)
    return number if len(number) == 18 and number[:17].isdigit() else typed


def account_named(typed: str) -> User | None:
    """Return the account that a typed user name or identity number stands for, or None."""
    name = as_named(typed)
    if len(name) == 18 and name[:17].isdigit():
        person = Person.objects.holder_of(name)
        return User.objects.filter(person=person).first() if person else None
    return User.objects.filter(username=typed).first()


def _account(key: int) -> "QuerySet[User, Any]":
    """Return an account with organisation, whether their person may act, groups, and permissions as Django spells them."""
    groups = Group.objects.filter(user=key).values("name")
    own = User.user_permissions.through.objects.filter(user=key).values("permission")
    by_group = Group.permissions.through.objects.filter(group__user=key).values("permission")
    spelt = Concat(F("content_type__app_label"), Value("."), F("codename"))
    held = Permission.objects.filter(Q(pk__in=own) | Q(pk__in=by_group)).order_by().values_list(spelt)
    alive = Func(F("person"), function="accounts_may_act", output_field=BooleanField())
    account = User.objects.filter(pk=key).select_related("organisation").annotate(person_may_act=alive)
    return account.annotate(in_groups=ArraySubquery(groups), held=ArraySubquery(held))


_ACCOUNT = Compiled(_account, 1 << 60)


class StaffAndCitizens(ModelBackend):
    """Django's backend, plus the identity number as a citizen's other name (never stored or logged)."""

    def get_user(self, user_id: int) -> User | None:
        """Fetch the account of a session with what nearly every page asks of it; open what is theirs."""
        user = _ACCOUNT.first(user_id)
        if user is None or not self.user_can_authenticate(user):
            return None
        user.group_names = user.in_groups
        user._perm_cache = set(user.held)  # type: ignore[attr-defined]  # where Django keeps them: the account's and its groups'
        people.open_persons(user.person_id)
        people.open_office(user.organisation_id)
        return user

    def user_can_authenticate(self, user: Any) -> bool:
        """Close the account of the dead and of a merged number, an open session with it; undone with its case.

        A system's account is opened by its token alone, never by signing in.
        """
        if user.kind == User.Kind.SERVICE:
            return False
        return super().user_can_authenticate(user) and not user.is_closed()

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        if username is not None:
            username = getattr(account_named(username), "username", "")
        return super().authenticate(request, username=username, password=password, **kwargs)  # type: ignore[return-value]
