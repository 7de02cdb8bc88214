"""Each step of a case waits on the desk of those whose step it is."""

from accounts.models import User
from sanctions.case_waiting import waiting_cases
from sanctions.tests.stage import Stage, stage  # noqa: F401 – a fixture


def waits(user: User) -> dict[str, int]:
    return {card.title: card.count for card in waiting_cases(user)}


def test_a_case_waits_for_whose_step_is_next(stage: Stage) -> None:  # noqa: F811
    case = stage.drafted()
    assert waits(stage.officer)["待拟稿、送达或者列入的案件"] == 1
    assert waits(stage.reviewer)["待复核的列入案件"] == 0
    stage.served_notice(stage.noticed(case))
    assert waits(stage.officer)["待拟稿、送达或者列入的案件"] == 0
    assert waits(stage.reviewer)["待复核的列入案件"] == 1
    assert waits(stage.legal)["待法制审核的列入案件"] == 0
    assert waits(stage.head)["待决定的列入案件"] == 0
    assert waits(stage.head)["待同意的下级列入案件"] == 0
    assert waits(stage.cast.officer_elsewhere)["待拟稿、送达或者列入的案件"] == 0
