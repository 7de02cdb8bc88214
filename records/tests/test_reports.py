"""The credit report: what it says, that it can be checked, that nothing is read without a line."""

import hashlib
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from access.models import Query, QueryPerson
from access.reading import access_history
from accounts.models import Person, User
from creditfujian.lib.identity import invent
from creditfujian.night import run as night
from creditfujian.tests.cast import CITIZEN_NUMBER, Cast, make_cast
from records import acts, report_pdf, reports
from records.actions import withdraw
from records.intake.store import _path
from records.life_models import RecordAct
from records.models import SealedFile, mod_37_36
from records.reading import own_file
from records.report_content import Cover, content, sheet
from records.report_models import Report, ReportEntry, ReportFile
from records.tests.deliveries import decided, deliver, penalty
from records.tests.life import done, one_record
from records.tests.ways_out import code_on, own, sql, text_of

NOBODY = reports.Asker(None, "公示网站")
As = Callable[[User | None], Client]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    made = make_cast()
    deliver(made, [penalty(made)])
    return made


def check(report: Report, pdf: bytes, **more: str) -> reports.Verified | None:
    return reports.verify(number=report.number, code=more.pop("code", code_on(pdf)), by=NOBODY, **more)


def test_the_report_says_what_the_file_says_with_basis_end_marks_and_who_looked(cast: Cast) -> None:
    issued = reports.issue(cast.citizen.person, by=own(cast))
    text = text_of(issued.pdf)
    for words in (
        "个人公共信用信息报告", issued.report.number, "陈小满", "359901********0011", "闽市监处罚〔2026〕1号",
        "菌落总数超过标准限量", "失信程度：严重", "公示中", "查询期至", "归集依据", "公开依据", "信用修复：自", "暂无数据",
        "不评分、不评级", "本人网上查询1次（含本次）", "本报告不含的内容", "申请行政复议", "提出异议", "申请复核",
    ):  # fmt: skip
        assert words in text, words
    assert CITIZEN_NUMBER not in text
    assert issued.report.number[-1] == mod_37_36(issued.report.number[:-1])


def test_the_pdf_is_tagged_and_says_its_language(cast: Cast) -> None:
    root = PdfReader(io.BytesIO(reports.issue(cast.citizen.person, by=own(cast)).pdf)).trailer["/Root"]
    assert root["/Lang"] == "zh-CN"
    assert root["/MarkInfo"]["/Marked"]


def test_the_same_data_gives_the_same_file(cast: Cast) -> None:
    at = timezone.now()
    cover = Cover(
        "BG2026112500000000013", "本人网上下载", "AAAA-BBBB-CCCC-DDDD", "http://x/", report_pdf.qr_code("http://x/")
    )
    file = own_file(cast.citizen.person, by=own(cast))
    body = content(file, [], at=at, since=at.date(), names={"03": "行政管理信息"})
    assert report_pdf.set_report(sheet(body, cover)) == report_pdf.set_report(sheet(body, cover))


def test_rare_characters_are_printed_and_a_missing_one_is_named(cast: Cast) -> None:
    name = "䶮㬎㙓𠅤·𫟹𪚥"  # the last is in none of the fonts' tables
    facts = "当事人*强调*#show: it => [x]#let $x$ `r` <a> @b \\u{41} 未执行任何标记。"
    person = Person.seal(invent(decided(40 * 365), 77), name)
    person.save()
    user = User.objects.create(username="rare", name=name, kind="citizen", person=person)
    row = {
        "行政相对人名称": name,
        "证件号码": person.id_number(),
        "行政处罚决定书文号": "闽市监处罚〔2026〕77号",
        "违法事实": facts,
    }
    assert deliver(cast, [penalty(cast, **row)]).new == 1
    text = text_of(reports.issue(person, by=reports.Asker(user, "公示网站")).pdf)
    for character in "䶮㬎㙓𠅤·𫟹":
        assert character in text
    assert "".join(facts.split()) in text, "what people wrote is text, never markup"
    if ord("𪚥") not in report_pdf.characters():
        assert "字库缺字U+2A6A5" in text
        assert "字库中没有以下字符" in text


def test_without_fonts_nothing_is_issued_and_the_print_view_works(
    cast: Cast, as_user: As, settings: LazySettings, tmp_path: object
) -> None:
    settings.FONTS = str(tmp_path)
    client = as_user(cast.citizen)
    answer = client.post("/me/reports/issue/")
    assert answer.status_code == 503
    assert "字库没有装好" in answer.content.decode()
    assert not Report.objects.exists()
    assert "菌落总数" in client.get("/me/file/print/").content.decode()


def test_every_issue_has_its_own_line_and_the_database_refuses_one_without(cast: Cast) -> None:
    issued = reports.issue(cast.citizen.person, by=own(cast))
    line = Query.objects.get(seq=issued.report.query_seq)
    assert (line.kind, line.purpose, line.actor_id) == ("Q1", "本人下载信用报告", cast.citizen.pk)
    copy = Report.objects.get(pk=issued.report.pk)
    copy.pk, copy.number = None, "BG20261125000000009" + "90"
    with pytest.raises(IntegrityError, match="time of its issue|query line"), transaction.atomic():
        copy.save(force_insert=True)


def test_a_report_is_only_for_its_own_person(cast: Cast) -> None:
    with pytest.raises(IntegrityError, match="own account"), transaction.atomic():
        reports.issue(cast.citizen.person, by=reports.Asker(cast.other_citizen, "公示网站"))


def test_nobody_changes_or_reads_what_a_report_rests_on(cast: Cast) -> None:
    issued = reports.issue(cast.citizen.person, by=own(cast))
    assert ReportEntry.objects.count() == 0, "read with the person's file only"
    for statement in (
        "UPDATE records_report SET records = 0", "DELETE FROM records_report", "UPDATE records_reportentry SET version = 9",
        "DELETE FROM records_reportentry", "TRUNCATE records_report CASCADE", "DELETE FROM records_reportfile",
        "UPDATE records_reportfile SET keep_until = '2020-01-01'",
        f"INSERT INTO records_reportentry (report_id, record_id, version, public) VALUES ({issued.report.pk}, 999, 1, true)",
    ):  # fmt: skip
        with pytest.raises(DatabaseError), transaction.atomic():
            sql(statement)


def test_the_page_hands_out_the_file_and_the_file_is_kept_sealed(cast: Cast, as_user: As) -> None:
    client = as_user(cast.citizen)
    answer = client.post("/me/reports/issue/")
    report = Report.objects.get()
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == f'attachment; filename="{report.number}.pdf"'
    assert hashlib.sha256(answer.content).hexdigest() == report.sha256
    assert client.post(f"/me/reports/{report.number}/").content == answer.content
    page = client.get("/me/reports/").content.decode()
    assert report.number in page
    assert "没有变化" in page
    assert as_user(cast.other_citizen).post(f"/me/reports/{report.number}/").status_code == 404
    assert report.number not in as_user(cast.other_citizen).get("/me/reports/").content.decode()


def test_the_number_of_reports_a_day_is_limited(cast: Cast, as_user: As, settings: LazySettings) -> None:
    settings.REPORTS_PER_DAY = 1
    client = as_user(cast.citizen)
    assert client.post("/me/reports/issue/").status_code == 200
    assert client.post("/me/reports/issue/").status_code == 429


def test_a_genuine_report_is_told_from_a_wrong_code_and_an_unknown_number(cast: Cast, as_user: As) -> None:
    issued = reports.issue(cast.citizen.person, by=own(cast))
    found = check(issued.report, issued.pdf)
    assert found is not None
    assert (found.name, found.sha256, bool(found.changes)) == ("陈*", issued.report.sha256, False)
    assert check(issued.report, issued.pdf, code="AAAA-BBBB-CCCC-DDDD") is None
    nobody = as_user(None)
    wrong = nobody.post("/verify/", {"number": issued.report.number, "code": "AAAABBBBCCCCDDDD"}).content.decode()
    unknown = nobody.post("/verify/", {"number": "BG2026010100000000010", "code": "AAAABBBBCCCCDDDD"}).content.decode()
    assert "没有查到相符的报告" in wrong

    def shape(page: str) -> str:
        return page.split("<main")[1].split("</main")[0]

    assert shape(wrong) == shape(unknown)
    right = nobody.post("/verify/", {"number": issued.report.number, "code": code_on(issued.pdf).lower()})
    assert "报告真实" in right.content.decode()
    assert right["X-Robots-Tag"].startswith("noindex")
    assert right["Cache-Control"] == "no-store, private"


def test_the_qr_code_opens_the_page_with_the_number_and_never_the_code(cast: Cast, as_user: As) -> None:
    issued = reports.issue(cast.citizen.person, by=own(cast))
    page = as_user(None).get(f"/verify/?no={issued.report.number}").content.decode()
    assert f'value="{issued.report.number}"' in page
    stored = sql("SELECT * FROM records_report")[0]
    assert code_on(issued.pdf) not in str(stored)


def test_an_uploaded_file_is_compared(cast: Cast, as_user: As) -> None:
    issued = reports.issue(cast.citizen.person, by=own(cast))
    typed = {"number": issued.report.number, "code": code_on(issued.pdf)}
    same = as_user(None).post("/verify/", typed | {"file": SimpleUploadedFile("a.pdf", issued.pdf)})
    assert "一字不差" in same.content.decode()
    other = as_user(None).post("/verify/", typed | {"file": SimpleUploadedFile("a.pdf", issued.pdf + b" ")})
    assert "不是同一个文件" in other.content.decode()
    big = as_user(None).post("/verify/", typed | {"file": SimpleUploadedFile("a.pdf", b"0" * (5 * 1024 * 1024 + 1))})
    assert big.status_code == 422


def test_what_only_the_person_may_see_is_on_their_page_and_in_no_report_that_they_hand_on(cast: Cast) -> None:
    cancelled = one_record(cast, 行政处罚决定书文号="闽市监处罚〔2026〕7号")
    disputed = one_record(cast, 行政处罚决定书文号="闽市监处罚〔2026〕8号")
    done(cast, RecordAct.Kind.CANCEL, cancelled)
    acts.mark(
        RecordAct.Kind.OBJECTION,
        [disputed],
        organisation=cast.market,
        by=cast.credit_office,
        reason="称非本人",
        hides=True,
    )
    assert cast.citizen.person
    assert len(own_file(cast.citizen.person, by=own(cast)).records) == 3
    issued = reports.issue(cast.citizen.person, by=own(cast))
    text = text_of(issued.pdf)
    assert "闽市监处罚〔2026〕1号" in text
    assert "〔2026〕7号" not in text
    assert "〔2026〕8号" not in text
    assert "异议核查期间暂停提供的记录" in text
    assert issued.report.records == 1
    verified = check(issued.report, issued.pdf)
    assert verified is not None
    assert not verified.changes


def test_verification_tells_how_much_changed_since_and_nothing_else(cast: Cast) -> None:
    deliver(cast, [penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕8号")])
    issued = reports.issue(cast.citizen.person, by=own(cast))
    deliver(cast, [penalty(cast, 处罚内容="吊销登记证，罚款五万元。")])
    batch = deliver(cast, [penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕9号")])
    found = check(issued.report, issued.pdf)
    assert found is not None
    assert (found.changes.added, found.changes.changed, found.changes.ended) == (1, 1, 0)
    withdraw(batch.pk, by=cast.data_officer, reason="误报")
    found = check(issued.report, issued.pdf)
    assert found is not None
    assert (found.changes.added, found.changes.changed, found.changes.ended) == (0, 1, 0)
    assert "闽市监" not in str(found)


def test_the_person_sees_that_somebody_checked_and_guesses_do_not_fill_their_history(cast: Cast) -> None:
    issued = reports.issue(cast.citizen.person, by=own(cast))
    check(issued.report, issued.pdf)
    lines, persons = Query.objects.count(), QueryPerson.objects.count()
    for _ in range(3):
        check(issued.report, issued.pdf, code="AAAA-BBBB-CCCC-DDDD")
    assert (Query.objects.count(), QueryPerson.objects.count()) == (lines + 3, persons), "refused, and about nobody"
    latest = access_history(cast.citizen.person)[0]
    assert (latest.purpose, latest.who, latest.case_no) == ("核验信用报告真伪", "公众", issued.report.number)


def test_nothing_about_changes_comes_out_without_a_line_or_by_a_line_of_verification(cast: Cast) -> None:
    issued = reports.issue(cast.citizen.person, by=own(cast))
    stored = Report.objects.get()
    asked = "SELECT * FROM records_report_changes(%s, %s)"
    assert sql(asked, stored.number, [bytes(stored.code_hash)]) == []
    with transaction.atomic():
        found = check(issued.report, issued.pdf)
        assert found is not None
        assert sql("SELECT count(*) FROM records_record")[0] == (0,), "a verification opens no record"


def test_verifying_is_limited_per_address(cast: Cast, as_user: As, settings: LazySettings) -> None:
    settings.VERIFICATIONS_PER_HOUR = 1
    nobody, typed = as_user(None), {"number": "BG2026010100000000010", "code": "AAAABBBBCCCCDDDD"}
    assert nobody.post("/verify/", typed).status_code == 200
    assert nobody.post("/verify/", typed).status_code == 429


def test_the_night_deletes_the_file_on_its_day_and_the_report_can_still_be_checked(cast: Cast, as_user: As) -> None:
    issued = reports.issue(cast.citizen.person, by=own(cast))
    path = _path(issued.report.sha256)
    kept = ReportFile.objects.get()
    assert path.exists()
    assert b"%PDF" not in path.read_bytes()[:1000], "sealed"
    assert reports.forget_files(kept.keep_until - timedelta(days=1)) == 0
    assert night(timezone.localdate())["records.report_files"] == 0
    with (
        pytest.raises(IntegrityError, match="kept until its day"),
        time_machine.travel(timezone.now() + timedelta(days=200)),
    ):
        reports.forget_files(timezone.localdate())
    assert SealedFile.objects.filter(sha256=issued.report.sha256).exists()
    assert check(issued.report, issued.pdf) is not None


def test_what_is_past_its_day_is_gone(cast: Cast, settings: LazySettings) -> None:
    settings.REPORT_KEEP_DAYS = 0
    issued = reports.issue(cast.citizen.person, by=own(cast))
    assert reports.forget_files(timezone.localdate()) == 1
    assert not _path(issued.report.sha256).exists()
    assert not SealedFile.objects.filter(sha256=issued.report.sha256).exists()
    assert check(issued.report, issued.pdf) is not None
    assert reports.fetch_again(issued.report, by=own(cast)) is None
