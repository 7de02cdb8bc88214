"""The staff site's first page: what waits stands out, what does not is one line."""

from collections.abc import Callable

from django.test import Client

from accounts.models import User
from creditfujian.admin_site import waiting_for
from creditfujian.tests.cast import Cast
from records.tests.deliveries import as_csv, check, penalty


def test_what_waits_is_a_card_and_what_does_not_is_folded_away(
    cast: Cast, as_user: Callable[[User | None], Client]
) -> None:
    check(cast, as_csv([penalty(cast)]))
    cards = waiting_for(cast.data_reviewer)
    empty = [card for card in cards if not card.count]
    assert empty
    assert len(empty) < len(cards)

    shown, folded = as_user(cast.data_reviewer).get("/admin/").content.decode().split('<details class="quiet">')
    assert f"目前没有待办的 {len(empty)} 类" in folded
    assert all(f">{card.title}</a>" in (shown if card.count else folded) for card in cards)


def test_an_empty_list_says_so(cast: Cast, as_user: Callable[[User | None], Client]) -> None:
    said = as_user(cast.head).get("/admin/access/urgentreading/").content.decode()
    assert "目前没有紧急查询。" in said
    assert "<title>紧急查询 · 信用福建工作平台</title>" in said
