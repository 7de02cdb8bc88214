"""A whole identity number is shown once, for a reason, after a step-up, to the officer of a running registration."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.shortcuts import resolve_url
from django.test import Client
from django.utils import timezone

from access import reviews
from access.actions import Ask, write_query
from access.models import WHOLE_NUMBER, Anomaly, Kind, Query, Request, UnmaskReason
from access.reading import access_history
from accounts.models import SignInRule, User
from accounts.sessions import MARK
from accounts.sign_in_log import Door, write
from accounts.sign_in_models import Event, Method
from accounts.sign_in_rules import set_limit
from catalogue import grants
from catalogue.models import ItemGrant
from creditfujian.tests.cast import CITIZEN_NUMBER, Cast, make_cast
from records.glass import WholeNumber, whole_number
from records.reading import Refused, register
from records.tests.deliveries import deliver, penalty
from records.tests.life import owner_sql
from records.tests.stepping_up import stepped_up
from records.tests.test_gateway import registration, staff

REASON = UnmaskReason.DOCUMENT


def registered(cast: Cast) -> Request:
    request = register(registration(cast), by=staff(cast.officer_here))
    assert isinstance(request, Request)
    return request


def shown(cast: Cast, request: Request, words: str = "制作处罚决定书") -> WholeNumber | Refused:
    return whole_number(request, reason=REASON, words=words, by=staff(cast.officer_here))


def line(cast: Cast, request: Request | None, **changes: object) -> int:
    """Write the line as the application role, past every rule of the code."""
    values = {
        "kind": Kind.DUTY, "ground": "履行法定职责", "purpose": "日常监督检查，制作文书：处罚决定书", "items": [],
        "fields_class": WHOLE_NUMBER, "case_no": "闽市监检〔2026〕7号", "duty_code": "350000-MRKT-01",
        "request_no": request.pk if request else None, "person": cast.citizen.person,
    }  # fmt: skip
    by = changes.pop("by", cast.officer_here)
    assert isinstance(by, User)
    return write_query(Ask(**values | changes), by=staff(by))  # type: ignore[arg-type]


def limited(cast: Cast, to: int) -> None:
    rule = SignInRule.objects.filter(code="S10").latest("pk")
    set_limit(rule, to, source="试验", reason="试验", by=cast.security_admin)


def test_the_number_is_shown_and_the_person_sees_that_it_was(cast: Cast) -> None:
    request = registered(cast)
    stepped_up(cast.officer_here)
    outcome = shown(cast, request)
    assert isinstance(outcome, WholeNumber)
    assert outcome.id_number == CITIZEN_NUMBER
    seen = access_history(cast.citizen.person)[0]
    assert (seen.shows_number, seen.is_urgent, seen.purpose) == (
        True, False, "日常监督检查，制作法律文书须写明证件号码：制作处罚决定书",
    )  # fmt: skip
    assert seen.count == 0


def test_it_opens_no_record(cast: Cast) -> None:
    from records.models import Record

    deliver(cast, [penalty(cast)])
    request = registered(cast)
    stepped_up(cast.officer_here)
    with transaction.atomic():
        assert isinstance(shown(cast, request), WholeNumber)
        assert Record.objects.count() == 0


@pytest.mark.parametrize("how", ["password", "nothing", "somebody_else"])
def test_without_a_fresh_second_factor_it_is_refused_and_logged(cast: Cast, how: str) -> None:
    request = registered(cast)
    if how == "password":
        write(Event.CONFIRMED, cast.officer_here, Door(), method=Method.PASSWORD)
    if how == "somebody_else":
        stepped_up(cast.head)
    outcome = shown(cast, request)
    assert isinstance(outcome, Refused)
    assert outcome.refusal == "no_step_up"
    assert (Query.objects.latest("seq").decision, Query.objects.latest("seq").fields_class) == ("refused", "无")
    with pytest.raises(DatabaseError, match="step-up"), transaction.atomic():
        line(cast, request)


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_a_second_factor_shown_longer_ago_than_the_rule_says_does_not_count() -> None:
    cast = make_cast()
    request = registered(cast)
    stepped_up(cast.officer_here)
    age = "ALTER TABLE accounts_signinline DISABLE TRIGGER signinline_append_only;" \
        "UPDATE accounts_signinline SET at = at - make_interval(mins => {});" \
        "ALTER TABLE accounts_signinline ENABLE TRIGGER signinline_append_only"  # fmt: skip
    owner_sql(age.format(9))
    assert isinstance(shown(cast, request), WholeNumber)
    owner_sql(age.format(2))
    outcome = shown(cast, request)
    assert isinstance(outcome, Refused)
    assert outcome.refusal == "no_step_up"


def test_no_more_often_within_an_hour_than_the_rule_says(cast: Cast) -> None:
    limited(cast, 2)
    request = registered(cast)
    stepped_up(cast.officer_here)
    assert all(isinstance(shown(cast, request), WholeNumber) for _ in range(2))
    outcome = shown(cast, request)
    assert isinstance(outcome, Refused)
    assert outcome.refusal == "too_many"
    with pytest.raises(DatabaseError, match="within the hour"), transaction.atomic():
        line(cast, request)
    with pytest.raises(ValidationError, match="超出"):
        limited(cast, 1000)


def test_no_path_around_the_registration(cast: Cast) -> None:
    """By SQL as the application: nobody else's registration, none at all, another case, another person."""
    request = registered(cast)
    for user in (cast.officer_here, cast.head, cast.officer_elsewhere):
        stepped_up(user)
    tries: list[tuple[Request | None, dict[str, object]]] = [
        (None, {}), (request, {"by": cast.head}), (request, {"case_no": "闽市监检〔2026〕8号"}),
        (request, {"kind": Kind.OFFICIAL}), (request, {"fields_class": "部门可见，完整证件号码", "duty_code": "x"}),
    ]  # fmt: skip
    for registered_, changes in tries:
        with pytest.raises(DatabaseError, match="registration|letter"), transaction.atomic():
            line(cast, registered_, **changes)
    with pytest.raises(DatabaseError, match="reason in words"), transaction.atomic():
        line(cast, request, purpose="日常监督检查")
    with pytest.raises(DatabaseError, match="person of its registration"), transaction.atomic():
        line(cast, request, person=cast.other_citizen.person)
    with pytest.raises(DatabaseError, match="person of its registration"), transaction.atomic():
        line(cast, request, items=[cast.item])
    assert line(cast, request)
    line(cast, request, person=None)
    with pytest.raises(DatabaseError, match="the person sees"), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_no_number_by_a_registration_whose_item_is_no_longer_granted(cast: Cast) -> None:
    request = registered(cast)
    stepped_up(cast.officer_here)
    held = ItemGrant.objects.in_force().get(organisation=cast.market, item=cast.item, permission="query_item")
    grants.take_back(held.pk, by=cast.credit_office, reason="职责划出")
    with pytest.raises(DatabaseError, match="registration"), transaction.atomic():
        line(cast, request)


def test_a_registration_that_is_over_shows_nothing(cast: Cast) -> None:
    request = registered(cast)
    stepped_up(cast.officer_here)
    now = timezone.now()
    earlier, over = now - timedelta(minutes=5), now - timedelta(seconds=1)
    Request.objects.filter(pk=request.pk).update(created_at=earlier, expires_at=over)
    request.refresh_from_db()
    outcome = shown(cast, request)
    assert isinstance(outcome, Refused)
    assert outcome.refusal == "expired"
    with pytest.raises(DatabaseError, match="registration"), transaction.atomic():
        line(cast, request)


def test_many_of_them_get_a_second_look(cast: Cast) -> None:
    request = registered(cast)
    stepped_up(cast.officer_here)
    for _ in range(4):
        shown(cast, request)
    reviews.look_at(timezone.localdate())
    assert not Anomaly.objects.filter(sign="unmasked").exists()
    shown(cast, request)
    reviews.look_at(timezone.localdate())
    found = Anomaly.objects.get(sign="unmasked")
    assert (found.actor, found.value, found.lines.count()) == (cast.officer_here, 5, 5)


# --- by page ------------------------------------------------------------------------------------------------


def once(page: str) -> str:
    found = re.search(r'name="once" value="([^"]+)"', page)
    assert found
    return found[1]


def test_by_page_it_is_shown_once_and_kept_nowhere(cast: Cast, as_user: Callable[[User | None], Client]) -> None:
    request = registered(cast)
    officer = as_user(cast.officer_here)
    stepped_up(cast.officer_here)
    url = f"/admin/access/request/{request.pk}/number/"
    assert url in officer.get(f"/admin/access/request/{request.pk}/file/").content.decode()
    form = officer.get(url)
    assert CITIZEN_NUMBER not in form.content.decode()
    data = {"reason": "document", "words": "制作处罚决定书", "once": once(form.content.decode())}
    assert officer.post(url, {**data, "words": "a"}).status_code == 422
    answer = officer.post(url, data)
    assert CITIZEN_NUMBER in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    again = officer.post(url, data)
    assert again.status_code == 302, "whoever turns back to the page is shown nothing"
    assert Query.objects.filter(fields_class=WHOLE_NUMBER).count() == 1
    told = as_user(cast.citizen).get("/me/access/").content.decode()
    assert "显示了完整证件号码" in told
    assert "制作处罚决定书" in told


def test_by_page_nobody_else_and_not_without_confirming(cast: Cast, as_user: Callable[[User | None], Client]) -> None:
    request = registered(cast)
    url = f"/admin/access/request/{request.pk}/number/"
    for user in (cast.officer_elsewhere, cast.head, cast.auditor, cast.operator, cast.citizen):
        stepped_up(user)
        assert as_user(user).get(url).status_code in (302, 403, 404)
    officer = as_user(cast.officer_here)
    session = officer.session
    session[MARK] = {**session[MARK], "factor": 1}  # shown long ago
    session.save()
    assert officer.get(url)["Location"].startswith(resolve_url("sign_in_confirm"))
    assert not Query.objects.filter(fields_class=WHOLE_NUMBER).exists()
