"""An answer on paper: two clerks, the scan opened, the same effect as the person's own account."""

from collections.abc import Callable

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from access.models import QueryPerson
from accounts.models import Role, User
from creditfujian.tests.cast import CITIZEN_NUMBER, Cast
from sanctions import reward_papers
from sanctions.models import RewardCase, RewardPaper
from sanctions.tests.rewarding import Awarders, as_, awarders, entered, granted, nominated, staff

As = Callable[[User | None], Client]
State = RewardCase.State


@pytest.fixture
def to(cast: Cast) -> Awarders:
    return awarders(cast)


@pytest.fixture
def second(cast: Cast) -> User:
    return staff("clerk2", "窗口酉", cast.counter, Role.CLERK)


def test_an_answer_on_paper_takes_two_clerks_and_the_scan(cast: Cast, to: Awarders, second: User, as_user: As) -> None:
    case = nominated(to)
    page = as_user(cast.clerk).post("/admin/sanctions/rewardpaper/add/", {
        "number": case.number, "name": "陈小满", "id_number": CITIZEN_NUMBER, "deed": "answer", "agrees": "on", "publish": "on",
        "signed_on": timezone.localdate().isoformat(), "scan": SimpleUploadedFile("答复.pdf", b"%PDF-1.7 x"),
    })  # fmt: skip
    paper = RewardPaper.objects.get()
    assert page["Location"] == f"/admin/sanctions/rewardpaper/{paper.pk}/change/"
    assert (paper.agrees, paper.notice, paper.publish) == (True, False, True)
    with pytest.raises(PermissionDenied, match="另一名"):
        reward_papers.approve(paper.pk, by=cast.clerk)
    with pytest.raises(ValidationError, match="先打开扫描件"):
        reward_papers.approve(paper.pk, by=second)
    clerk = as_user(second)
    url = f"/admin/sanctions/rewardpaper/{paper.pk}/"
    scan = clerk.post(f"{url}scan/")
    assert scan.content == b"%PDF-1.7 x"
    assert QueryPerson.objects.filter(person=cast.citizen.person_id, kind="Q5").exists()
    assert clerk.post(f"{url}approve/").status_code == 302
    case.refresh_from_db()
    assert case.state == State.CHECK
    assert {one.scope: one.given for one in case.consents.all()} == {"reward": True, "notice": False, "publish": True}
    with pytest.raises(PermissionDenied):
        reward_papers.approve(paper.pk, by=second)


def test_a_paper_that_is_not_theirs_moves_nothing(cast: Cast, to: Awarders, second: User) -> None:
    case = nominated(to)
    assert entered(cast, case, name="陈小曼") is None
    with pytest.raises(ValidationError, match="没有找到"):
        entered(cast, case, number="JL20261201-999999")
    with pytest.raises(PermissionDenied):
        reward_papers.enter(None, by=as_(to.officer))  # type: ignore[arg-type]
    paper = entered(cast, case)
    assert paper is not None
    reward_papers.scan_of(paper, by=as_(second))
    with pytest.raises(ValidationError, match="退回理由"):
        reward_papers.send_back(paper.pk, by=second, reason=" ")
    reward_papers.send_back(paper.pk, by=second, reason="没有签名")
    case.refresh_from_db()
    assert case.state == State.CONSENT
    for statement, words in (
        ("UPDATE sanctions_rewardpaper SET state = 'approved'", "decided once"),
        ("UPDATE sanctions_rewardpaper SET publish = true", "decided once"),
        ("DELETE FROM sanctions_rewardpaper", "papers are kept"),
        (f"INSERT INTO sanctions_rewardconsent (case_id, scope, given, by_id, paper_id) VALUES ({case.pk}, 'reward', true,"
         f" {second.pk}, {paper.pk})", "nobody but the person"),
    ):  # fmt: skip
        with pytest.raises(DatabaseError, match=words), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_leaving_on_paper(cast: Cast, to: Awarders, second: User) -> None:
    case = granted(cast, to)
    paper = entered(cast, case, deed=RewardPaper.Deed.WITHDRAW, agrees=False, publish=False)
    assert paper is not None
    reward_papers.scan_of(paper, by=as_(second))
    reward_papers.approve(paper.pk, by=second)
    case.refresh_from_db()
    assert (case.state, case.end_kind) == (State.ENDED, "withdrawn")


@pytest.mark.parametrize(("deed", "scope"), [("answer", "notice"), ("withdraw", "publish")])
def test_what_the_paper_does_not_say_yes_to_is_no_consent(
    cast: Cast, to: Awarders, second: User, deed: str, scope: str
) -> None:
    answers = deed == "answer"
    case = nominated(to) if answers else granted(cast, to, publish=False)
    paper = entered(cast, case, deed=RewardPaper.Deed(deed), agrees=answers, publish=answers)
    assert paper is not None
    reward_papers.scan_of(paper, by=as_(second))
    RewardPaper.objects.filter(pk=paper.pk).update(state=RewardPaper.State.APPROVED, checked_by=second)
    said = "INSERT INTO sanctions_rewardconsent (case_id, scope, given, by_id, paper_id) VALUES (%s, %s, true, %s, %s)"
    with transaction.atomic(), connection.cursor() as cursor:
        if answers:
            cursor.execute(said, [case.pk, "reward", second.pk, paper.pk])
        with pytest.raises(DatabaseError, match="does not say yes"):
            cursor.execute(said, [case.pk, scope, second.pk, paper.pk])
        transaction.set_rollback(True)
