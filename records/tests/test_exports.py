"""Exports: what is written equals what was logged, many persons need another officer, the file ends."""

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from django.conf import LazySettings, settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook

from access import reviews
from access.actions import write_query
from access.models import DOWNLOAD_FIELDS, Anomaly, Kind, Purpose, Query, QueryAnswer, QueryPerson, Request
from access.reading import access_history
from accounts.models import User
from catalogue.models import Item
from creditfujian.dev import owner_sql
from creditfujian.lib.identity import invent
from creditfujian.lib.spreadsheet import safe
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, Cast, make_cast
from records import export_reading, exports
from records.export_models import Export, ExportDownload, ExportPart, ExportPerson, ExportTarget
from records.intake.store import _path
from records.jobs import run_export
from records.models import Record, SealedFile
from records.reading import File, Refused, file_by_request, register
from records.tests.deliveries import decided, deliver, penalty
from records.tests.test_gateway import registration
from records.tests.ways_out import sql, staff

As = Callable[[User | None], Client]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    made = make_cast()
    rows = [
        penalty(made),
        penalty(made, 行政处罚决定书文号="闽市监处罚〔2026〕2号", 违法事实='=HYPERLINK("http://x")当事人未按规定公示'),
        penalty(
            made,
            行政相对人名称="林大雪",
            证件号码=OTHER_NUMBER,
            行政处罚决定书文号="闽市监处罚〔2026〕3号",
            信息使用范围="授权查询",
        ),
    ]
    assert deliver(made, rows).new == 3
    return made


def crowd(cast: Cast, size: int) -> None:
    """Deliver a record about each of so many people."""
    rows = [
        penalty(
            cast, 行政相对人名称="甲乙", 证件号码=invent(decided(40 * 365), number),
            行政处罚决定书文号=f"闽市监处罚〔2026〕{100 + number}号",
        )
        for number in range(1, size + 1)
    ]  # fmt: skip
    assert deliver(cast, rows).new == size


def filters(cast: Cast, **changes: object) -> exports.Filters:
    return exports.Filters(
        **{
            "items": [cast.item], "purpose": Purpose.SUPERVISION, "purpose_text": "核对年度处罚", "duty_code": "350000-MRKT-0107",
            "case_no": "闽市监检〔2026〕70号", "format": Export.Format.CSV, **changes,
        }
    )  # type: ignore[arg-type]  # fmt: skip


def ask(cast: Cast, by: User | None = None, **changes: object) -> Export:
    outcome = exports.request(filters(cast, **changes), by=staff(by or cast.officer_here))
    assert isinstance(outcome, Export)
    return outcome


def done(cast: Cast, **changes: object) -> Export:
    export = exports.run(ask(cast, **changes).pk)
    assert export.state == Export.State.READY, export.failure
    return export


def fetched(cast: Cast, export: Export) -> bytes:
    exports.open_link(export.pk, by=staff(export.requested_by))
    with exports.download(export.pk, by=staff(export.requested_by)) as stream:
        return stream.read()


@contextmanager
def down(name: str) -> Iterator[None]:
    """Let the application no longer write that table of the log."""
    as_owner(
        "CREATE FUNCTION log_is_down() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the log is down'; END $$;"
        f"CREATE TRIGGER log_is_down BEFORE INSERT ON {name} EXECUTE FUNCTION log_is_down()"
    )
    try:
        yield
    finally:
        as_owner(f"DROP TRIGGER log_is_down ON {name}; DROP FUNCTION log_is_down()")


def as_owner(statement: str, *values: object) -> list[tuple[object, ...]]:
    """Run SQL as whom row-level security does not stop."""
    link = owner_sql.connect(settings.DATABASES["owner"], connection.settings_dict["NAME"])
    try:
        with link, link.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []
    finally:
        link.close()


def kept(export: Export) -> object:
    """How many persons of an export the database still knows."""
    return as_owner("SELECT count(*) FROM records_exportperson WHERE export_id = %s", export.pk)[0][0]


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_what_is_written_is_what_was_logged_line_for_line(cast: Cast) -> None:
    export = done(cast)
    rows = table(fetched(cast, export))
    answers = [pk for answer in QueryAnswer.objects.filter(query__case_no=export.case_no) for pk in answer.record_ids]
    assert sorted(row["记录编号"][9:19] for row in rows) == sorted(f"{pk:010d}" for pk in answers)
    persons = QueryPerson.objects.filter(query__case_no=export.case_no)
    assert {p.person_id for p in persons} == {cast.citizen.person_id, cast.other_citizen.person_id}
    assert persons.count() == 4, "a line of the reading and one of the download for each"
    line = access_history(cast.citizen.person)[1]
    assert (line.kind, line.unit, line.purpose, line.count) == (
        Kind.DUTY,
        "省市场监督管理局",
        "日常监督检查：核对年度处罚",
        3,
    )


def test_numbers_are_masked_text_and_nothing_is_a_formula(cast: Cast) -> None:
    content = fetched(cast, done(cast))
    assert content.startswith(b"\xef\xbb\xbf")
    rows = table(content)
    assert rows[0]["证件号码"] == "359901********0011"
    assert CITIZEN_NUMBER.encode() not in content
    assert "'=HYPERLINK" in content.decode()
    book = load_workbook(io.BytesIO(fetched(cast, done(cast, format=Export.Format.XLSX, case_no="另案1号"))))
    cells = [cell for row in book["记录"].iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert [row["文书号"] for row in rows] == [str(r[5].value) for r in list(book["记录"].iter_rows())[1:]]


def test_filters_narrow_what_is_read_and_logged(cast: Cast) -> None:
    rows = table(fetched(cast, done(cast, which=Export.Which.NOT_PUBLIC)))
    assert [row["姓名"] for row in rows] == ["林大雪"]
    assert not [line for line in access_history(cast.citizen.person) if line.kind is Kind.DUTY]
    early = done(cast, decided_until=decided(400), case_no="另案2号")
    assert (early.persons, early.rows, table(fetched(cast, early))) == (0, 0, [])


def test_the_file_holds_what_the_officer_would_see_on_the_page_and_no_more(cast: Cast) -> None:
    request = register(registration(cast), by=staff(cast.officer_here))
    assert isinstance(request, Request)
    file = file_by_request(request, by=staff(cast.officer_here))
    assert isinstance(file, File)
    seen = {view.number: {fact.label: safe(fact.value) for fact in view.facts} for view in file.records}
    rows = [row for row in table(fetched(cast, done(cast))) if row["姓名"] == "陈小满"]
    labels = {label for facts in seen.values() for label in facts}
    assert {row["记录编号"]: {k: v for k, v in row.items() if k in labels} for row in rows} == seen
    assert set(rows[0]) - labels == set(export_reading.HEAD)


def test_more_than_fifty_persons_wait_for_another_officer(cast: Cast) -> None:
    crowd(cast, 49)
    export = exports.run(ask(cast).pk)
    assert (export.state, export.persons) == (Export.State.AWAITING, 51)
    assert not QueryPerson.objects.filter(query__case_no=export.case_no).exists(), "nothing is read before"
    with pytest.raises(PermissionDenied, match="另一名"):
        exports.approve(export.pk, by=cast.officer_here)
    for user in (cast.officer_elsewhere, cast.data_officer, cast.credit_office):
        with pytest.raises(PermissionDenied):
            exports.approve(export.pk, by=user)
    exports.approve(export.pk, by=cast.head)
    export = exports.run(export.pk)
    assert (export.state, export.rows) == (Export.State.READY, 52)
    assert QueryPerson.objects.filter(query__case_no=export.case_no).count() == 51


def test_fifty_persons_do_not_wait(cast: Cast) -> None:
    crowd(cast, 48)
    assert exports.run(ask(cast).pk).state == Export.State.READY


def test_the_reviewer_may_say_no_with_a_reason(cast: Cast) -> None:
    crowd(cast, 49)
    export = exports.run(ask(cast).pk)
    with pytest.raises(ValidationError):
        exports.refuse(export.pk, by=cast.head, reason=" ")
    assert exports.refuse(export.pk, by=cast.head, reason="范围太大").state == Export.State.REFUSED


def test_the_database_holds_review_arrows_and_counts(cast: Cast) -> None:
    crowd(cast, 49)
    export = exports.run(ask(cast).pk)
    small = ask(cast, case_no="另案3号")
    elsewhere = cast.officer_elsewhere.pk
    for change, which, words in (
        ("state = 'running'", export, "more persons than"),
        ("state = 'running', reviewed_by_id = requested_by_id", export, "by_another"),
        (f"state = 'running', reviewed_by_id = {elsewhere}", export, "another officer"),
        ("state = 'running', persons = 1", export, "counts the persons"),
        ("state = 'running'", small, "more persons than"),
        ("state = 'ready'", export, "may not go"),
        ("own_only = false", export, "never rewritten"),
    ):
        with pytest.raises(IntegrityError, match=words), transaction.atomic():
            sql(f"UPDATE records_export SET {change} WHERE id = {which.pk}")
    with pytest.raises(IntegrityError, match="are kept"), transaction.atomic():
        sql("DELETE FROM records_export")


def test_nothing_comes_out_by_sql_without_lines(cast: Cast) -> None:
    export = ask(cast)
    assert sql("SELECT count(*) FROM records_record") == [(0,)]
    assert sql("SELECT * FROM records_export_matches(%s)", export.pk) == []
    sql("SELECT * FROM records_export_gather(%s)", export.pk)
    assert ExportTarget.objects.count() == 0, "who is in it stays inside the database"
    with pytest.raises(DatabaseError), transaction.atomic():
        sql("INSERT INTO records_exporttarget (export_id, person_id) VALUES (%s, 1)", export.pk)
    with pytest.raises(IntegrityError, match="may not read"), transaction.atomic():
        sql("SELECT * FROM records_export_open(%s, 1, 100)", export.pk)
    exports._count(export.pk)
    with pytest.raises(IntegrityError, match="query line"), transaction.atomic():
        sql("SELECT * FROM records_export_open(%s, 1, 100)", export.pk)
    assert Record.objects.count() == 0


def test_who_may_export_what(cast: Cast) -> None:
    transport = Item.objects.get(code="FJ1-03-TRAN-0001")
    assert isinstance(ask(cast, by=cast.data_officer), Export)
    for user, changes in (
        (cast.officer_elsewhere, {}),  # no grant on the item
        (cast.officer_here, {"items": [cast.item, transport], "own_only": False}),
        (cast.data_officer, {"own_only": False}),  # supplies it, but reads nobody else's
        (cast.auditor, {}), (cast.operator, {}), (cast.clerk, {}), (cast.system_admin, {}), (cast.credit_office, {}),
    ):  # fmt: skip
        lines = Query.objects.count()
        assert isinstance(exports.request(filters(cast, **changes), by=staff(user)), Refused), user
        line = Query.objects.latest("seq")
        assert (Query.objects.count(), line.decision) == (lines + 1, "refused")


def test_it_goes_on_where_it_broke_off_and_reads_nobody_twice(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_reading, "CHUNK", 1)
    export = ask(cast)
    exports._count(export.pk)
    exports._step(export.pk)
    with monkeypatch.context() as broken:
        broken.setattr(exports, "read_next", lambda export: 1 / 0)
        assert run_export(export.pk) == "failed"
    exports.resume(export.pk, by=cast.officer_here)
    assert run_export(export.pk) == "ready"
    assert QueryPerson.objects.filter(query__case_no=export.case_no).count() == 2
    assert len(table(fetched(cast, Export.objects.get(pk=export.pk)))) == 3
    assert not ExportPart.objects.exists()


def test_it_can_be_cancelled_while_it_runs(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_reading, "CHUNK", 1)
    export = ask(cast)
    exports._count(export.pk)
    exports._step(export.pk)
    exports.cancel(export.pk, by=cast.officer_here)
    assert exports.run(export.pk).state == Export.State.CANCELLED
    assert not ExportPart.objects.exists()
    assert QueryPerson.objects.filter(query__case_no=export.case_no).count() == 1, "what was read stays in the log"


def test_a_right_that_is_gone_stops_it(cast: Cast) -> None:
    export = ask(cast)
    exports._count(export.pk)
    cast.officer_here.groups.clear()
    assert exports.run(export.pk).state == Export.State.FAILED
    assert not QueryPerson.objects.filter(query__case_no=export.case_no).exists()


def test_too_many_rows_are_refused_with_advice(cast: Cast, settings: LazySettings) -> None:
    settings.EXPORT_ROWS = 2
    export = exports.run(ask(cast).pk)
    assert export.state == Export.State.FAILED
    assert "请缩小" in export.failure


def test_only_the_requester_fetches_within_the_links_time_and_each_time_is_noted(cast: Cast, as_user: As) -> None:
    export = done(cast)
    page, own, head = f"/admin/records/export/{export.pk}", as_user(cast.officer_here), as_user(cast.head)
    assert own.get(f"{page}/download/").status_code == 302, "no link yet"
    own.post(f"{page}/link/")
    answer = own.get(f"{page}/download/")
    assert answer["Content-Disposition"].startswith("attachment")
    assert len(table(b"".join(answer))) == 3  # type: ignore[arg-type]
    assert head.get(f"{page}/download/").status_code == 302
    assert as_user(cast.officer_elsewhere).get(f"{page}/download/").status_code == 404
    assert ExportDownload.objects.count() == 1
    with (
        time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False),
        pytest.raises(ValidationError, match="有效时间"),
    ):
        exports.download(export.pk, by=staff(cast.officer_here))
    with pytest.raises(DatabaseError), transaction.atomic():
        sql("DELETE FROM records_exportdownload")
    with pytest.raises(IntegrityError, match="fetches it"), transaction.atomic():
        sql(
            "INSERT INTO records_exportdownload (export_id, by_id, address) VALUES (%s, %s, '')",
            export.pk,
            cast.head.pk,
        )


def noted(export: Export, seq: int | None) -> None:
    """Note a download by SQL."""
    row = "INSERT INTO records_exportdownload (export_id, by_id, address, query_seq) VALUES (%s, %s, '', %s)"
    sql(row, export.pk, export.requested_by_id, seq)


@transaction.atomic
def by_sql(export: Export, *, under: Export, times: int, fields_class: str = DOWNLOAD_FIELDS) -> None:
    """Note downloads of an export under a line written for one."""
    ask = export_reading.ask_of(under, "下载了导出文件", fields_class)
    seq = write_query(ask, by=staff(export.requested_by))
    for _ in range(times):
        noted(export, seq)


def test_each_download_is_a_line_for_everybody_in_the_file_and_they_read_it(cast: Cast, as_user: As) -> None:
    export = done(cast)
    own, page = as_user(cast.officer_here), f"/admin/records/export/{export.pk}"
    own.post(f"{page}/link/")
    for times in (1, 2):
        own.get(f"{page}/download/")
        lines = QueryPerson.objects.filter(query__fields_class=DOWNLOAD_FIELDS)
        assert lines.count() == 2 * times
    assert {line.person_id for line in lines} == {cast.citizen.person_id, cast.other_citizen.person_id}
    assert [line.items for line in lines] == [[]] * 4, "a download opens no record"
    assert {row.query_seq for row in ExportDownload.objects.all()} == {line.query_id for line in lines}
    told = as_user(cast.citizen).get("/me/access/").content.decode()
    assert f"下载了导出文件 {export.number}" in told
    assert told.count('<span class="tag">下载了导出文件</span>') == 2
    assert "下载了含有您信息的导出文件" in as_user(cast.citizen).get("/me/messages/").content.decode()


def test_no_line_no_download(cast: Cast, as_user: As) -> None:
    export = done(cast)
    own, page = as_user(cast.officer_here), f"/admin/records/export/{export.pk}"
    own.post(f"{page}/link/")
    with down("access_query"), pytest.raises(DatabaseError):
        own.get(f"{page}/download/")
    with down("access_queryperson"), pytest.raises(DatabaseError):
        own.get(f"{page}/download/")
    assert not ExportDownload.objects.exists()
    for seq in (None, Query.objects.latest("seq").seq):
        with pytest.raises(IntegrityError, match="query line"), transaction.atomic():
            noted(export, seq)
    other = done(cast, case_no=export.case_no)
    with pytest.raises(IntegrityError, match="query line"):
        by_sql(export, under=other, times=1)
    with pytest.raises(IntegrityError, match="query line"):
        by_sql(export, under=export, times=2)
    with pytest.raises(IntegrityError, match="query line"):
        by_sql(export, under=export, times=1, fields_class="部门可见，证件号码脱敏")
    assert not ExportDownload.objects.exists()


def test_who_is_in_a_file_is_known_to_the_database_alone_and_forgotten_with_it(cast: Cast) -> None:
    export = done(cast)
    assert ExportPerson.objects.count() == 0, "the application does not see them"
    with pytest.raises(DatabaseError), transaction.atomic():
        sql("INSERT INTO records_exportperson (export_id, person_id) VALUES (%s, 1)", export.pk)
    sql("DELETE FROM records_exportperson")
    assert kept(export) == 2
    with time_machine.travel(timezone.now() + timedelta(hours=25), tick=False):
        exports.forget_files()
    assert kept(export) == 0


def test_a_download_is_counted_once_among_what_is_listed(cast: Cast) -> None:
    drafted = reviews.propose(
        by=cast.credit_office, sign="listed", threshold=2, hours=1, basis="试验", valid_from=timezone.localdate()
    )
    reviews.confirm(drafted.pk, by=cast.credit_office_2)
    fetched(cast, done(cast))
    reviews.look_at(timezone.localdate())
    assert not Anomaly.objects.filter(sign="listed").exists(), "two persons were exported, not four"


def test_the_file_is_sealed_and_gone_after_its_time(cast: Cast) -> None:
    export = done(cast)
    assert export.file is not None
    path = _path(export.file.sha256)
    assert "闽市监处罚".encode() not in path.read_bytes()
    assert exports.forget_files() == 0
    with time_machine.travel(timezone.now() + timedelta(hours=25), tick=False):
        assert exports.forget_files() == 1
    assert not path.exists()
    assert not SealedFile.objects.filter(name__startswith="D").exists()
    assert Export.objects.get(pk=export.pk).state == Export.State.EXPIRED


def test_the_pages_lead_from_request_to_review_to_file(cast: Cast, as_user: As) -> None:
    crowd(cast, 49)
    version = cast.item.version_on(timezone.localdate())
    assert version is not None
    typed = {
        "items": version.pk, "own_only": "1", "which": "all", "format": "csv", "purpose": "supervision", "purpose_text": "核对",
        "duty_code": "350000-MRKT-0107", "case_no": "案1",
    }  # fmt: skip
    own, head = as_user(cast.officer_here), as_user(cast.head)
    assert own.post("/admin/records/export/add/", typed | {"case_no": ""}).status_code == 422
    assert own.post("/admin/records/export/add/", typed).status_code == 302
    export = exports.run(Export.objects.get().pk)
    page = f"/admin/records/export/{export.pk}/"
    assert "须由本单位另一名工作人员复核" in own.get(f"{page}change/").content.decode()
    assert "同意导出" in head.get(f"{page}change/").content.decode()
    head.post(f"{page}approve/")
    exports.run(export.pk)
    assert "取得下载链接" in own.get(f"{page}change/").content.decode()
    assert as_user(cast.officer_elsewhere).get(f"{page}change/").status_code == 404
