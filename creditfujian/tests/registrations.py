"""Registrations by duty, entered past the pages: what a line of the log that a test writes by hand rests on."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from access.models import Kind, Purpose, Reach, Request
from accounts.models import Person, User
from catalogue.models import Item


def registration_of(
    user: User, person: Person | None, items: Iterable[Item] = (), *, case_no: str = "闽市监检〔2026〕7号",
    duty_code: str = "350000-MRKT-01", **more: Any,
) -> Request:  # fmt: skip
    """A registration of that officer for a quarter of an hour; of a list where nobody is named."""
    more.setdefault("reach", Reach.PERSON if person else Reach.BY_DUTY)
    request = Request.objects.create(
        actor=user, organisation=user.organisation, person=person,
        kind=Kind.DUTY, purpose=Purpose.SUPERVISION, purpose_text="试验", case_no=case_no, duty_code=duty_code,
        expires_at=timezone.now() + timedelta(minutes=15), **more,
    )  # fmt: skip
    request.items.set(items)
    return request
