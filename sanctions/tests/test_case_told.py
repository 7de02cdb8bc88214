"""The person hears of each step that touches them, and of none that only concerns the office."""

import pytest

from access.models import Message
from accounts import people
from sanctions import cases
from sanctions.models import ListingCase
from sanctions.tests.stage import Stage, asker, day_after, own_days, stage  # noqa: F401 – fixtures

pytestmark = [pytest.mark.django_db(databases=["default", "owner"]), pytest.mark.own_cast]


def told(case: ListingCase) -> list[str]:
    """What the person of a case has been told of it, oldest first."""
    with people.while_open(case.person_id):
        return list(Message.objects.filter(about=case.number).order_by("pk").values_list("subject", flat=True))


def test_nothing_is_said_before_the_notice_is_served(stage: Stage) -> None:  # noqa: F811
    case = stage.noticed()
    assert told(case) == []
    cases.close(case.pk, note="证据不足", by=asker(stage.head))
    assert told(case) == []


def test_a_notice_says_until_when_to_answer_and_an_answer_is_acknowledged(stage: Stage) -> None:  # noqa: F811
    case = stage.served_notice()
    case.refresh_from_db()
    with people.while_open(case.person_id):
        message = Message.objects.get(about=case.number)
    assert case.defence_until is not None
    assert f"{case.defence_until.year}年" in message.text
    assert case.number in message.text
    stage.defended(case)
    cases.close(case.pk, note="证据不足", by=asker(stage.head))
    assert told(case) == ["拟将您列入失信名单的告知已送达", "您的陈述申辩已经收到", "对您的列入案件已经终止"]


def test_from_decision_to_the_end_each_step_is_told(stage: Stage) -> None:  # noqa: F811
    case = stage.served_notice()
    with day_after(case):
        stage.listed(stage.served(stage.decided_after_the_window(case)))
        cases.suspend(case.pk, note="停止执行", paper=stage.paper(case, "suspension"), by=asker(stage.officer))
        cases.annul(
            case.pk, note="处罚决定被撤销", paper=stage.paper(case, "annulment", stage.head), by=asker(stage.head)
        )
        with people.while_open(case.person_id):
            listed = Message.objects.get(about=case.number, subject="您已被列入失信名单")
    assert "36 个月" in listed.text
    assert told(case)[1:] == [
        "列入失信名单的决定已送达", "您已被列入失信名单", "对您的列入已经停止执行", "对您的列入案件已经撤销",
    ]  # fmt: skip
