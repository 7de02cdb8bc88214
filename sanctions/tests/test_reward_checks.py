"""What stands in the way: one fact at a time, each with its own end."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from catalogue.models import Item
from creditfujian.lib.workdays import add_months
from creditfujian.tests.cast import Cast, make_cast
from records.acts import Kind, carry_out_decided, mark
from records.tests.deliveries import decided, deliver, penalty
from records.tests.life import numbers_of, owner_sql
from sanctions import reward_night, rewards
from sanctions.tests.rewarding import Awarders, agreed, as_, awarders, granted, looked, person

LISTS = "FJ1-06-MRKT-0003"
GENERAL = {"失信程度": "一般", "处罚类别": "罚款", "处罚内容": "罚款三万元。", "罚款金额（万元）": "3"}


@pytest.fixture
def to(cast: Cast) -> Awarders:
    return awarders(cast)


def one(cast: Cast, **changes: Any) -> str:
    deliver(cast, [penalty(cast, **changes)])
    return numbers_of(cast.citizen)[-1]


def test_a_record_stands_until_its_longest_publication_ends(cast: Cast, to: Awarders) -> None:
    one(cast)
    one(
        cast,
        行政处罚决定书文号="闽市监处罚〔2026〕2号",
        公示截止期=(decided() + timedelta(days=200)).isoformat(),
        **GENERAL,
    )
    hits = {hit.severity: hit.ends for hit in looked(agreed(cast, to), to.head)}
    assert hits == {"严重": add_months(decided(), 36), "一般": add_months(decided(), 12)}


def test_beyond_its_longest_publication_it_does_not_count_though_it_is_kept(cast: Cast, to: Awarders) -> None:
    day = decided(400)
    one(cast, 处罚决定日期=day.isoformat(), 公示截止期=(day + timedelta(days=200)).isoformat(), **GENERAL)
    assert len(numbers_of(cast.citizen)) == 1
    assert looked(agreed(cast, to), to.head) == []


def test_repaired_does_not_count_and_a_dispute_is_told(cast: Cast, to: Awarders) -> None:
    number = one(cast)
    case = agreed(cast, to)
    objection = mark(Kind.OBJECTION, [number], organisation=cast.market, by=cast.data_officer, reason="金额有误")
    assert [hit.is_objected for hit in looked(case, to.head)] == [True]
    mark(Kind.OBJECTION, [number], organisation=cast.market, by=cast.data_officer, reason="认错了人", hides=True)
    assert looked(case, to.head) == [], "what nobody is shown while it is looked into counts against nobody"
    assert objection.state == "done"
    other = one(cast, 行政处罚决定书文号="闽市监处罚〔2026〕3号")
    assert [hit.doc_no for hit in looked(case, to.head)] == ["闽市监处罚〔2026〕3号"]
    carry_out_decided(
        Kind.REPAIR, [other], organisation=cast.market, asked_by=cast.data_officer, decided_by=cast.data_reviewer,
        reason="履行完毕", document_no="闽信修〔2026〕1号", document_date=timezone.localdate(),
    )  # fmt: skip
    assert looked(case, to.head) == []


def test_the_honour_itself_and_good_records_do_not_count(cast: Cast, to: Awarders) -> None:
    case = granted(cast, to)
    assert reward_night.nightly()["rewards_suspended"] == 0
    assert looked(case, to.head) == []


def test_a_case_that_is_over_is_not_checked(cast: Cast, to: Awarders) -> None:
    case = granted(cast, to)
    rewards.withdraw(person(cast), case.number, by=as_(cast.citizen))
    one(cast)
    assert reward_night.nightly()["rewards_suspended"] == 0
    assert case.hits.count() == 0


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
@pytest.mark.own_cast
def test_a_listing_is_never_set_aside() -> None:
    cast = make_cast()
    to = awarders(cast)
    case = granted(cast, to)
    number = one(cast)
    lists = Item.objects.get(code=LISTS)
    owner_sql("ALTER TABLE records_record DISABLE TRIGGER USER")  # a listing's record comes by its own procedure
    owner_sql("UPDATE records_record SET item_id = %s WHERE id = %s", lists.pk, int(number[9:19]))
    owner_sql("ALTER TABLE records_record ENABLE TRIGGER USER")
    assert reward_night.nightly()["rewards_suspended"] == 1
    case.refresh_from_db()
    assert [hit.kind for hit in looked(case, to.head)] == ["严重失信主体名单"]
    with pytest.raises(ValidationError, match="仍有记录与激励冲突"):
        rewards.resume(case, text="无关", by=to.head)


def test_what_is_found_is_asked_of_all_in_one_statement(cast: Cast, to: Awarders) -> None:
    granted(cast, to)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sanctions_reward_check((SELECT array_agg(id) FROM sanctions_rewardcase))")
        assert cursor.fetchone() == (0,)
