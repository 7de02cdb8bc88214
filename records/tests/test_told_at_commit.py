"""That a person is told is asked when a transaction ends, and the night tells by itself: with nobody open, as in use.

Other tests look at persons themselves and end in a rollback; here every deed is committed with what its page has open.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from access import questions, reviews
from access.actions import Ask, write_query
from access.authorities import revoke_for
from access.letters import tell_released
from access.models import Kind, Message, OfficialLetter, Question
from accounts import people
from accounts.models import User
from creditfujian.tests.cast import CITIZEN_NUMBER, Cast
from records import rights
from records.rights_models import RightsRequest
from records.tests.grounds import agreed, answered, approved
from records.tests.life import asker, at, one_record
from records.tests.persons import agreed as agreed_by_two
from records.tests.persons import merging
from records.tests.test_letters import today_plus
from records.tests.test_questions import TOLD, at_home, looked_at

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])


@contextmanager
def page_of(user: User) -> Iterator[None]:
    """What a page of a member of staff has open: their office, their duties, and no person."""
    with people.nobody():
        people.open_office(user.organisation_id)
        people.open_account(user.pk)
        yield


def committed(statement: str, *values: Any, line: Ask | None = None, by: User | None = None) -> None:
    """Run a statement and commit it, under a line of the log if one is given."""
    with transaction.atomic(), connection.cursor() as cursor:
        if line is not None and by is not None:
            write_query(line, by=asker(by))
        cursor.execute(statement, values)


def answered_question(cast: Cast) -> Question:
    question = questions.ask(cast.citizen.person, looked_at(cast), by=at_home(cast.citizen))
    with page_of(cast.head):
        reviews.answer(question.anomaly, verdict="justified", text="案卷齐全", told=TOLD, by=cast.head)
    question.anomaly.refresh_from_db()
    return question


def test_the_verdict_of_a_question_is_kept_and_told(cast: Cast) -> None:
    question = answered_question(cast)
    with page_of(cast.auditor):
        reviews.close(question.anomaly, text="与案卷一致", by=cast.auditor)
    assert Message.objects.get(question=question).person_id == cast.citizen.person_id


def test_no_verdict_is_kept_untold_because_the_question_is_closed_to_who_writes_it(cast: Cast) -> None:
    question = answered_question(cast)
    close = "INSERT INTO access_anomalystep (anomaly_id, deed, verdict, text, by_id) VALUES (%s, 'closed', '', 'x', %s)"
    with people.nobody(), pytest.raises(DatabaseError, match="told of every verdict"):
        committed(close, question.anomaly_id, cast.auditor.pk)


def test_a_refused_request_is_kept_and_told(cast: Cast) -> None:
    request = rights.ask(
        cast.citizen.person, RightsRequest.Kind.DELETE, one_record(cast), "已经缴清", by=at_home(cast.citizen)
    )
    for user, deed in ((cast.data_officer, rights.Deed.REFUSAL), (cast.data_reviewer, rights.Deed.CONFIRMED)):
        with page_of(user):
            rights.record_of(request, by=asker(user))
        with page_of(user):
            rights.step(request, deed, text="依据征信业管理条例第十六条，未满五年", by=user)
    request.refresh_from_db()
    assert request.state == "refused"
    assert Message.objects.get(about=request.number).person_id == cast.citizen.person_id


def test_no_authority_ends_untold_because_its_person_is_closed_to_who_ends_it(cast: Cast) -> None:
    authority = approved(cast)
    ask = Ask(
        kind=Kind.COUNTER, ground="窗口", purpose="撤销", fields_class="不含记录", items=[], case_no=authority.number,
        person=cast.citizen.person,
    )  # fmt: skip
    end = "UPDATE access_authority SET state = 'revoked', revoked_by_id = %s WHERE id = %s"
    with page_of(cast.clerk), pytest.raises(DatabaseError, match="told of every entry, decision and end"):
        committed(end, cast.clerk.pk, authority.pk, line=ask, by=cast.clerk)  # without a line nobody ends one at all


def test_no_authority_under_a_merged_number_ends_untold(cast: Cast) -> None:
    authority = approved(cast)
    agreed_by_two(cast, merging(cast))
    ask = Ask(
        kind=Kind.COUNTER, ground="窗口", purpose="撤销", fields_class="不含记录", items=[], case_no=authority.number,
        person=cast.citizen.person,
    )  # fmt: skip
    end = "UPDATE access_authority SET state = 'revoked', revoked_by_id = %s WHERE id = %s"
    with page_of(cast.clerk), pytest.raises(DatabaseError, match="told of every entry, decision and end"):
        committed(end, cast.clerk.pk, authority.pk, line=ask, by=cast.clerk)
    with page_of(cast.clerk):
        revoke_for(authority.number, CITIZEN_NUMBER, by=asker(cast.clerk))
    assert Message.objects.filter(about=authority.number, person=cast.other_citizen.person).exists()


def test_the_night_tells_whose_letter_is_let_go(cast: Cast) -> None:
    letter = agreed(cast, release_on=timezone.localdate() + timedelta(days=20))
    answered(cast, letter)
    with page_of(cast.credit_office):
        assert OfficialLetter.objects.with_lines().get().lines == 2  # type: ignore[attr-defined]
    with at(today_plus(20)), people.nobody():
        assert tell_released() == 1
    assert Message.objects.get(about=letter.number).person_id == cast.citizen.person_id
