"""The report at the counter: two officers, every print counted, nothing to be seen beyond the match."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from access.models import Query
from access.reading import access_history
from accounts.models import Person, User
from creditfujian.lib.identity import invent
from creditfujian.tests.cast import CITIZEN_NUMBER, Cast, browser_of, make_cast
from records import reports
from records.report_models import CounterRequest, Report, ReportPrint
from records.tests.deliveries import decided, deliver, penalty
from records.tests.ways_out import code_on, second_clerk, sql, staff, text_of

As = Callable[[User | None], Client]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    made = make_cast()
    deliver(made, [penalty(made)])
    return made


def asked(cast: Cast) -> CounterRequest:
    request = reports.ask_at_counter(id_number=CITIZEN_NUMBER, name="陈小满", by=staff(cast.clerk))
    assert request is not None
    return request


def test_a_second_officer_confirms_and_the_report_comes_out(cast: Cast) -> None:
    request, colleague = asked(cast), second_clerk(cast)
    issued = reports.confirm_at_counter(request.pk, by=staff(colleague))
    assert "窗口出具（省政务服务中心）" in text_of(issued.pdf)
    assert (issued.report.kind, issued.report.by) == ("counter", colleague)
    line = Query.objects.get(seq=issued.report.query_seq)
    assert (line.kind, line.organisation_name) == ("Q2", "省政务服务中心")
    assert reports.verify(number=issued.report.number, code=code_on(issued.pdf), by=reports.Asker(None, "公示网站"))


def test_the_one_who_asked_cannot_confirm_by_deed_or_by_sql(cast: Cast) -> None:
    request = asked(cast)
    with pytest.raises(PermissionDenied, match="另一名窗口人员"):
        reports.confirm_at_counter(request.pk, by=staff(cast.clerk))
    with pytest.raises(IntegrityError, match="two_officers"), transaction.atomic():
        sql("UPDATE records_counterrequest SET state = 'issued', decided_by_id = asked_by_id, decided_at = now()")
    with pytest.raises(IntegrityError, match="officer of the same counter"), transaction.atomic():
        sql(
            "UPDATE records_counterrequest SET state = 'issued', decided_by_id = %s, decided_at = now()",
            cast.officer_here.pk,
        )


def test_no_other_role_issues_or_prints(cast: Cast) -> None:
    for user in (cast.officer_here, cast.operator, cast.auditor, cast.credit_office, cast.citizen):
        with pytest.raises(PermissionDenied):
            reports.ask_at_counter(id_number=CITIZEN_NUMBER, name="陈小满", by=staff(user))


def test_a_request_ends_by_itself(cast: Cast) -> None:
    request, colleague = asked(cast), second_clerk(cast)
    with (
        time_machine.travel(timezone.now() + timedelta(minutes=31), tick=False),
        pytest.raises(PermissionDenied, match="有效时间"),
    ):
        reports.confirm_at_counter(request.pk, by=staff(colleague))


def test_a_name_that_differs_is_refused_and_the_person_sees_it(cast: Cast) -> None:
    assert reports.ask_at_counter(id_number=CITIZEN_NUMBER, name="陈大满", by=staff(cast.clerk)) is None
    assert access_history(cast.citizen.person)[0].refused


def test_somebody_unknown_gets_a_report_that_says_there_is_nothing(cast: Cast) -> None:
    number = invent(decided(30 * 365), 321)
    request = reports.ask_at_counter(id_number=number, name="无 记录".replace(" ", ""), by=staff(cast.clerk))
    assert request is not None
    issued = reports.confirm_at_counter(request.pk, by=staff(second_clerk(cast)))
    assert "没有关于报告主体的公共信用记录" in text_of(issued.pdf)
    assert Person.objects.numbered(number)


def test_every_print_is_counted_with_a_line_and_a_reprint_needs_a_reason(cast: Cast) -> None:
    request, colleague = asked(cast), second_clerk(cast)
    report = reports.confirm_at_counter(request.pk, by=staff(colleague)).report
    assert (reports.print_copy(report.pk, by=staff(cast.clerk)) or b"").startswith(b"%PDF")
    with pytest.raises(ValidationError, match="重印"):
        reports.print_copy(report.pk, by=staff(cast.clerk))
    reports.print_copy(report.pk, by=staff(cast.clerk), reason="卡纸")
    assert [(p.copy, p.reason) for p in ReportPrint.objects.all()] == [(1, ""), (2, "卡纸")]
    seen = [line.purpose for line in access_history(cast.citizen.person)]
    page = browser_of(cast.citizen).get("/me/access/").content.decode()
    assert "没有返回任何记录" not in page
    assert "信用报告里的记录，共 1 条" in page
    assert seen[:3] == ["窗口重印信用报告（第 2 份）：卡纸", "窗口打印信用报告", "窗口为本人出具信用报告"]


def test_the_database_counts_the_prints(cast: Cast) -> None:
    request, colleague = asked(cast), second_clerk(cast)
    report = reports.confirm_at_counter(request.pk, by=staff(colleague)).report
    row = "INSERT INTO records_reportprint (report_id, copy, reason, by_id, query_seq) VALUES (%s, 1, '', %s, 1)"
    with pytest.raises(IntegrityError, match="query line"), transaction.atomic():
        sql(row, report.pk, colleague.pk)
    with pytest.raises(IntegrityError, match="counter that issued"), transaction.atomic():
        sql(row, report.pk, cast.officer_here.pk)


def test_the_pages_show_nothing_unmasked_and_lead_from_card_to_paper(cast: Cast, as_user: As) -> None:
    first, second = as_user(cast.clerk), as_user(second_clerk(cast))
    typed = {"name": "陈小满", "id_number": CITIZEN_NUMBER, "document_seen": "on"}
    page = first.post("/admin/records/counterrequest/add/", typed, follow=True).content.decode()
    assert CITIZEN_NUMBER not in page
    assert "菌落总数" not in page
    assert "须由另一名窗口人员" in page
    request = CounterRequest.objects.get()
    assert (
        first.post(f"/admin/records/counterrequest/{request.pk}/confirm/", {"document_seen": "on"}).status_code == 302
    )
    assert not Report.objects.exists()
    assert second.post(f"/admin/records/counterrequest/{request.pk}/confirm/", {}).status_code == 422
    page = second.post(
        f"/admin/records/counterrequest/{request.pk}/confirm/", {"document_seen": "on"}, follow=True
    ).content.decode()
    assert Report.objects.get().number in page
    assert "菌落总数" not in page
    answer = second.post(f"/admin/records/counterrequest/{request.pk}/print/", {})
    assert answer["Content-Type"] == "application/pdf"
    assert second.post(f"/admin/records/counterrequest/{request.pk}/print/", {}).status_code == 422
    assert as_user(cast.officer_here).get(f"/admin/records/counterrequest/{request.pk}/change/").status_code in (
        302,
        403,
        404,
    )


def test_whose_request_it_is_is_shown_to_the_second_officer_alone_under_a_line(cast: Cast, as_user: As) -> None:
    request, colleague = asked(cast), second_clerk(cast)
    first, second = as_user(cast.clerk), as_user(colleague)
    page = f"/admin/records/counterrequest/{request.pk}/change/"
    masked, lines = ("陈*", "0011", "**11"), len(access_history(cast.citizen.person))
    for shown in (
        first.get("/admin/records/counterrequest/"),
        second.get("/admin/records/counterrequest/"),
        first.get(page),
    ):
        assert f"窗口申请 {request.pk}" in shown.content.decode()
        assert not [word for word in masked if word in shown.content.decode()]
    assert len(access_history(cast.citizen.person)) == lines
    assert "申请人：<strong>陈*（3599************11）" in second.get(page).content.decode()
    line = access_history(cast.citizen.person)[0]
    assert (line.kind, line.purpose, line.case_no, line.items, line.count) == (
        "Q2", "第二名窗口人员核对证件", f"窗口申请 {request.pk}", [], 0,
    )  # fmt: skip
    reports.confirm_at_counter(request.pk, by=staff(colleague))
    lines = len(access_history(cast.citizen.person))
    assert "陈*" not in second.get(page).content.decode()
    assert len(access_history(cast.citizen.person)) == lines
    for user in (cast.clerk, colleague, cast.officer_here):
        with pytest.raises(PermissionDenied):
            reports.whose_at_counter(request, by=staff(user))


def test_a_request_can_be_sent_back_with_a_reason(cast: Cast) -> None:
    request, colleague = asked(cast), second_clerk(cast)
    with pytest.raises(ValidationError):
        reports.refuse_at_counter(request.pk, by=colleague, reason=" ")
    reports.refuse_at_counter(request.pk, by=colleague, reason="持证人已离开")
    with pytest.raises(PermissionDenied):
        reports.confirm_at_counter(request.pk, by=staff(colleague))
