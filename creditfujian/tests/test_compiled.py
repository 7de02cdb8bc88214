"""A query that is compiled once answers like the queryset it was made of, for each value anew."""

import pytest
from django.db.models import Q

from accounts.models import Organisation, User
from creditfujian.compiled import Compiled
from creditfujian.tests.cast import Cast

ACCOUNT = Compiled(lambda key: User.objects.filter(pk=key).select_related("organisation"), 1 << 60)
NEAR = Compiled(
    lambda key, name: Organisation.objects.filter(pk=key) | Organisation.objects.filter(parent=key, name=name),
    1 << 60,
    "name",
)


def test_each_value_has_its_own_answer(cast: Cast) -> None:
    for user in (cast.officer_here, cast.head, cast.officer_here):
        found = ACCOUNT.first(user.pk)
        assert found == user
        assert found is not None
        assert found.organisation == user.organisation
    assert ACCOUNT.first(0) is None
    assert ACCOUNT(cast.head.pk)[0] is not ACCOUNT(cast.head.pk)[0]


def test_what_changed_since_is_seen(cast: Cast) -> None:
    ACCOUNT.first(cast.head.pk)
    User.objects.filter(pk=cast.head.pk).update(name="改名")
    found = ACCOUNT.first(cast.head.pk)
    assert found is not None
    assert found.name == "改名"


def test_a_value_stands_in_every_place_of_its_mark(cast: Cast) -> None:
    near = Organisation.objects.filter(Q(pk=cast.market.pk) | Q(parent=cast.market, name="分局"))
    assert NEAR(cast.market.pk, "分局") == list(near)
    assert NEAR(cast.market.pk, "'; DROP TABLE accounts_user; --") == [cast.market]


def test_a_mark_without_a_place_is_a_mistake(cast: Cast) -> None:
    with pytest.raises(AssertionError, match="no place"):
        Compiled(lambda key: User.objects.all(), 1 << 60)(1)
