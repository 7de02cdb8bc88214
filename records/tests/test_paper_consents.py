"""Consent on paper: two hands at the counter, the scan sealed and looked at, and only then good."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from access import consents
from access.models import Consent, Message, Query, Refusal
from access.reading import access_history
from accounts.models import Person, Role, User
from catalogue.models import Deadline
from creditfujian.lib import identity
from creditfujian.tests.cast import CITIZEN_NUMBER, PASSWORD, Cast
from records import paper_consents
from records.consent_models import ConsentPaper
from records.reading import File, Refused
from records.sweeping import sweep_files
from records.tests.consenting import SCAN, as_, entered, paper_of, read, registered
from records.tests.deliveries import decided, deliver, penalty

As = Callable[[User | None], Client]


@pytest.fixture
def colleague(cast: Cast) -> User:
    """A second clerk at the same counter."""
    user = User(username="clerk2", name="窗口午", organisation=cast.counter, is_staff=True)
    user.set_password(PASSWORD)
    user.save()
    user.groups.set(Group.objects.filter(name=Role.CLERK))
    return user


def test_a_paper_opens_nothing_before_a_colleague_has_compared_it(cast: Cast, colleague: User) -> None:
    deliver(cast, [penalty(cast)])
    paper = entered(cast)
    assert isinstance(read(paper.consent, cast.bank_clerk), Refused)
    assert Deadline.objects.of(paper.consent).get().rule.code == "D53"
    with pytest.raises(PermissionDenied, match="录入人不能自己复核"):
        paper_consents.approve(paper.pk, by=cast.clerk)
    assert paper_consents.scan_of(paper, by=as_(colleague, "工作平台")) == SCAN
    consent = paper_consents.approve(paper.pk, by=colleague)
    assert consent.state == Consent.State.GRANTED
    assert consents.is_genuine(consent)
    assert paper.file.sha256 in consent.text
    assert consent.valid_to == paper.signed_on + timedelta(days=30)
    assert isinstance(read(consent, cast.bank_clerk), File)
    assert Deadline.objects.of(consent).get().met_on is not None
    assert Message.objects.to(cast.citizen.person).count() == 4  # entered, refused, in force, used


def test_whoever_has_not_opened_the_scan_does_not_decide(cast: Cast, colleague: User) -> None:
    paper = entered(cast)
    for deed in (
        lambda: paper_consents.approve(paper.pk, by=colleague),
        lambda: paper_consents.send_back(paper.pk, by=colleague, reason="没有签名"),
    ):
        with pytest.raises(ValidationError, match="先打开扫描件"):
            deed()


def test_looking_at_the_scan_leaves_a_line_that_the_person_sees(cast: Cast, colleague: User) -> None:
    paper = entered(cast)
    paper_consents.scan_of(paper, by=as_(colleague, "工作平台"))
    line = access_history(cast.citizen.person)[0]
    assert (line.purpose, line.consent_no, line.count) == ("查看纸质授权书扫描件", paper.consent.number, 0)
    for user in (cast.officer_here, cast.credit_office, cast.auditor, cast.bank_clerk):
        with pytest.raises(PermissionDenied):
            paper_consents.scan_of(paper, by=as_(user))


def test_a_paper_is_sent_back_with_a_reason_and_stays_without_force(cast: Cast, colleague: User) -> None:
    paper = entered(cast)
    paper_consents.scan_of(paper, by=as_(colleague, "工作平台"))
    with pytest.raises(ValidationError, match="理由"):
        paper_consents.send_back(paper.pk, by=colleague, reason=" ")
    consent = paper_consents.send_back(paper.pk, by=colleague, reason="签名与证件不符")
    assert consent.state == Consent.State.RETURNED
    assert isinstance(read(consent, cast.bank_clerk), Refused)
    with pytest.raises(PermissionDenied, match="不需要复核"):
        paper_consents.approve(paper.pk, by=colleague)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"scan": io.BytesIO(b"MZ not a scan")}, "scan"), ({"scan": io.BytesIO(b"%PDF-" + b"0" * (10 * 1024 * 1024))}, "scan"),
        ({"scan": io.BytesIO(b"")}, "scan"), ({"days": 400}, "days"), ({"id_number": "123"}, "id_number"),
    ],
)  # fmt: skip
def test_what_is_not_entered(cast: Cast, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        entered(cast, **changes)
    assert field in caught.value.error_dict
    assert not ConsentPaper.objects.exists()


@pytest.mark.parametrize("days", [1, -31])
def test_a_paper_of_tomorrow_or_of_too_long_ago_is_not_entered(cast: Cast, days: int) -> None:
    with pytest.raises(ValidationError) as caught:
        entered(cast, signed_on=timezone.localdate() + timedelta(days=days))
    assert "signed_on" in caught.value.error_dict


def test_a_wrong_name_is_not_entered_and_the_person_sees_it(cast: Cast) -> None:
    right = paper_of(cast)
    wrong = replace(right, wanted=replace(right.wanted, name="陈大满"))
    assert paper_consents.enter(wrong, by=as_(cast.clerk)) is None
    assert access_history(cast.citizen.person)[0].refusal == Refusal.NAME_DIFFERS


def test_somebody_unknown_to_the_register_may_consent_on_paper(cast: Cast, colleague: User) -> None:
    number = identity.invent(decided(44 * 365), 6)
    paper = entered(cast, id_number=number)
    assert paper.consent.person == Person.objects.holder_of(number)
    paper_consents.scan_of(paper, by=as_(colleague))
    consent = paper_consents.approve(paper.pk, by=colleague)
    file = read(consent, cast.bank_clerk, id_number=number)
    assert isinstance(file, File)
    assert file.records == []


def test_the_scan_lies_sealed_and_the_night_leaves_it(cast: Cast) -> None:
    paper = entered(cast)
    stored = next(Path(settings.MEDIA_ROOT).rglob(paper.file.sha256))
    assert SCAN not in stored.read_bytes()
    paper.file.created_at = timezone.now() - timedelta(days=9)
    paper.file.save()
    sweep_files()
    assert stored.exists()


def test_by_sql_no_paper_is_good_without_its_scan(cast: Cast, colleague: User) -> None:
    registered(cast)
    wanted = paper_of(cast).wanted
    with transaction.atomic():
        consent = consents.enter(
            wanted, number=CITIZEN_NUMBER, person=cast.citizen.person, institution=paper_of(cast).institution, by=cast.clerk,
            channel=Consent.Channel.PAPER,
        )  # fmt: skip
    consent.decided_by = colleague
    consents.seal(consent, consents.Scope(Consent.Form.FULL, consent.asked_items, 5, 1))
    with pytest.raises(DatabaseError, match="opened its scan"), transaction.atomic():
        consent.save()


def form_of(cast: Cast, **changes: Any) -> dict[str, Any]:
    return {
        "institution": registered(cast).pk, "purpose": "loan", "name": "陈小满", "id_number": CITIZEN_NUMBER, "purpose_text": "贷款",
        "reference": "贷17", "items": [cast.item.pk], "form": "attest", "days": "30", "uses": "1",
        "signed_on": timezone.localdate().isoformat(), "scan": SimpleUploadedFile("授权书.pdf", SCAN), **changes,
    }  # fmt: skip


def test_by_the_pages(cast: Cast, as_user: As, colleague: User) -> None:
    clerk, second = as_user(cast.clerk), as_user(colleague)
    answer = clerk.post("/admin/records/consentpaper/add/", form_of(cast))
    paper = ConsentPaper.objects.get()
    page = f"/admin/records/consentpaper/{paper.pk}/"
    assert answer["Location"] == f"{page}change/"
    assert "录入人不能自己复核" in clerk.get(f"{page}change/").content.decode()
    clerk.post(f"{page}approve/")
    assert "先打开扫描件" in second.post(f"{page}approve/", follow=True).content.decode()
    scan = second.post(f"{page}scan/")
    assert (scan.content, scan["Content-Type"]) == (SCAN, "application/pdf")
    assert scan["Content-Disposition"].startswith("attachment")
    assert Query.objects.latest("seq").consent_no == paper.consent.number
    second.post(f"{page}approve/")
    paper.consent.refresh_from_db()
    assert paper.consent.state == "granted"
    gone = {"number": paper.consent.number, "id_number": CITIZEN_NUMBER, "document_seen": "on"}
    assert clerk.post("/admin/records/consentpaper/withdraw/", {**gone, "number": "SQ1"}).status_code == 422
    clerk.post("/admin/records/consentpaper/withdraw/", gone)
    paper.consent.refresh_from_db()
    assert paper.consent.state == "withdrawn"


def test_others_do_not_deal_with_papers(cast: Cast, as_user: As) -> None:
    paper = entered(cast)
    for user in (cast.credit_office, cast.officer_here, cast.auditor, cast.bank_clerk, cast.citizen, None):
        client = as_user(user)
        for deed in ("approve", "return", "scan"):
            answer = client.post(f"/admin/records/consentpaper/{paper.pk}/{deed}/", {"reason": "x"})
            assert answer.status_code in (302, 403, 404)
            assert SCAN not in answer.content
        assert client.post("/admin/records/consentpaper/add/", form_of(cast)).status_code in (302, 403)
    assert ConsentPaper.objects.count() == 1
    paper.consent.refresh_from_db()
    assert paper.consent.state == "entered"
