"""A list of persons asked about at once: nothing about anybody before it is agreed to, a line for each of them after."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone
from openpyxl import Workbook

from access import reviews
from access.models import Purpose, Query, QueryPerson
from access.reading import access_history
from accounts.models import User
from catalogue.models import Deadline, Item
from creditfujian.lib.identity import invent
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, Cast, make_cast
from records import exports
from records.export_models import Export
from records.reading import Refused
from records.tests.deliveries import decided, deliver, penalty
from records.tests.ways_out import staff

As = Callable[[User | None], Client]
pytestmark = pytest.mark.django_db(transaction=True)
UNKNOWN = [invent(decided(45 * 365), number) for number in range(1, 4)]


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """The citizen with two records; the other citizen is known and has none."""
    made = make_cast()
    assert deliver(made, [penalty(made), penalty(made, 行政处罚决定书文号="闽市监处罚〔2026〕2号")]).new == 2
    return made


def ask(cast: Cast, numbers: list[str], **changes: Any) -> Export | Refused:
    values = {
        "items": [cast.item], "purpose": Purpose.LICENSING, "purpose_text": "核查申请人", "duty_code": "350000-MRKT-0107",
        "case_no": "闽市监许〔2026〕70号", "format": Export.Format.CSV, "own_only": False, "numbers": numbers,
    }  # fmt: skip
    return exports.request(exports.Filters(**values | changes), by=staff(cast.officer_here))


def asked(cast: Cast, numbers: list[str]) -> Export:
    outcome = ask(cast, numbers)
    assert isinstance(outcome, Export)
    return exports.run(outcome.pk)


def rows(export: Export) -> list[dict[str, str]]:
    exports.open_link(export.pk, by=staff(export.requested_by))
    with exports.download(export.pk, by=staff(export.requested_by)) as stream:
        return list(csv.DictReader(io.StringIO(stream.read().decode("utf-8-sig"))))


def limit(cast: Cast, most: int) -> None:
    drafted = reviews.propose(
        by=cast.credit_office, sign="batch", threshold=most, basis="试验", valid_from=timezone.localdate()
    )
    reviews.confirm(drafted.pk, by=cast.credit_office_2)


def test_a_few_are_answered_at_once_with_a_line_for_each(cast: Cast) -> None:
    export = asked(cast, [UNKNOWN[0], OTHER_NUMBER, CITIZEN_NUMBER])
    assert (export.state, export.persons, export.records) == (Export.State.READY, 3, 2)
    shown = rows(export)
    assert [row["名单序号"] for row in shown] == ["3", "3"], "in the order of the list; who is not there has nothing"
    assert {row["证件号码"] for row in shown} == {"359901********0011"}
    for deed in ("批量导出", "下载了导出文件"):
        lines = QueryPerson.objects.filter(query__case_no=export.case_no, query__ground__contains=deed)
        assert {line.person_id for line in lines} == {cast.citizen.person_id, cast.other_citizen.person_id}
    assert access_history(cast.other_citizen.person)[0].purpose == "办理行政许可：核查申请人"


def test_many_wait_and_nothing_is_known_of_anybody_before(cast: Cast, as_user: As) -> None:
    limit(cast, 2)
    export = asked(cast, [CITIZEN_NUMBER, OTHER_NUMBER, UNKNOWN[0]])
    assert (export.state, export.persons, export.records, export.rows) == (Export.State.AWAITING, 3, 0, 0)
    assert not QueryPerson.objects.exists()
    for user in (cast.officer_here, cast.head):
        page = as_user(user).get(f"/admin/records/export/{export.pk}/change/").content.decode()
        assert "条符合条件" not in page
        assert "陈小满" not in page
    none = asked(cast, UNKNOWN)
    told = ("state", "persons", "records", "rows", "persons_done", "last_person")
    assert [getattr(none, name) for name in told] == [getattr(export, name) for name in told]
    clock = Deadline.objects.of(export).get()
    assert (clock.rule.code, clock.met_on) == ("D46", None)
    with pytest.raises(PermissionDenied):
        exports.approve(export.pk, by=cast.officer_here)
    exports.approve(export.pk, by=cast.head)
    assert Deadline.objects.of(export).get().met_on == timezone.localdate()
    export = exports.run(export.pk)
    assert (export.state, export.records) == (Export.State.READY, 2)


def test_a_refused_list_leaves_no_line_and_no_list(cast: Cast) -> None:
    limit(cast, 1)
    export = asked(cast, [CITIZEN_NUMBER, OTHER_NUMBER])
    exports.refuse(export.pk, by=cast.head, reason="与案件无关")
    assert not QueryPerson.objects.exists()
    assert Deadline.objects.of(export).get().met_on == timezone.localdate()
    assert exports.run(export.pk).state == Export.State.REFUSED


def test_items_that_the_unit_may_not_query_are_refused_and_logged(cast: Cast) -> None:
    other = Item.objects.get(code="FJ1-03-TRAN-0001")
    outcome = ask(cast, [CITIZEN_NUMBER], items=[other])
    assert isinstance(outcome, Refused)
    assert Query.objects.get().decision == "refused"
    assert not Export.objects.exists()


def test_the_limit_is_held_in_the_database(cast: Cast) -> None:
    limit(cast, 1)
    export = asked(cast, [CITIZEN_NUMBER, OTHER_NUMBER])
    with pytest.raises(IntegrityError, match="another officer"), transaction.atomic():
        Export.objects.filter(pk=export.pk).update(state="running")
    with pytest.raises(IntegrityError, match="counts"), transaction.atomic():
        Export.objects.filter(pk=export.pk).update(state="running", persons=1)
    with pytest.raises(IntegrityError, match="rewritten"), transaction.atomic():
        Export.objects.filter(pk=export.pk).update(named=1)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT records_export_name({0}, ARRAY[1], ARRAY[decode('00', 'hex')])",
        "INSERT INTO records_exportnumber (export_id, ordinal, indexes) VALUES ({0}, 9, ARRAY[decode('00', 'hex')])",
    ],
)
def test_nobody_adds_to_a_list(cast: Cast, statement: str) -> None:
    limit(cast, 1)
    export = asked(cast, [CITIZEN_NUMBER, OTHER_NUMBER])
    with pytest.raises(DatabaseError, match="said once|row-level security"), connection.cursor() as cursor:
        cursor.execute(statement.format(export.pk))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM records_exportnumber")
        assert cursor.fetchone() == (0,), "the application does not see the list either"


# --- by page ------------------------------------------------------------------------------------------------


def form(cast: Cast, **changes: Any) -> dict[str, Any]:
    version = cast.item.version_on(timezone.localdate())
    return {
        "items": [version.pk], "format": "csv", "purpose": "licensing", "purpose_text": "核查申请人",
        "duty_code": "350000-MRKT-0107", "case_no": "闽市监许〔2026〕70号", "numbers": "", **changes,
    }  # fmt: skip


def sheet(*lines: list[Any]) -> SimpleUploadedFile:
    book, out = Workbook(), io.BytesIO()
    assert book.active is not None
    for line in lines:
        book.active.append(line)
    book.save(out)
    return SimpleUploadedFile("名单.xlsx", out.getvalue())


def test_pasted_and_in_a_file(cast: Cast, as_user: As) -> None:
    officer, url = as_user(cast.officer_here), "/admin/records/export/named/"
    pasted = f"{CITIZEN_NUMBER}\r\n\r\n {OTHER_NUMBER[:6]} {OTHER_NUMBER[6:]}\r\n{CITIZEN_NUMBER}"
    assert officer.post(url, form(cast, numbers=pasted)).status_code == 302
    assert Export.objects.get().named == 2, "a number twice is one person"
    file = sheet(["姓名", "证件号码"], ["陈小满", CITIZEN_NUMBER], ["林大雪", OTHER_NUMBER], ["无名", UNKNOWN[0]])
    assert officer.post(url, form(cast, file=file)).status_code == 302
    assert Export.objects.first().named == 3
    assert (
        "3 人（号码不保存）"
        in officer.get(f"/admin/records/export/{Export.objects.first().pk}/change/").content.decode()
    )


def test_what_is_wrong_with_a_list_is_said_by_line(cast: Cast, as_user: As) -> None:
    officer, url = as_user(cast.officer_here), "/admin/records/export/named/"
    wrong = f"{CITIZEN_NUMBER}\n{CITIZEN_NUMBER[:-1]}9\n陈小满"
    answer = officer.post(url, form(cast, numbers=wrong))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "第 2 行：" in page
    assert "第 3 行：" in page
    for values in ({}, {"numbers": CITIZEN_NUMBER, "file": sheet([CITIZEN_NUMBER])}):
        assert "二选一" in officer.post(url, form(cast, **values)).content.decode()
    spoilt = officer.post(url, form(cast, file=sheet(["号码"], [int(CITIZEN_NUMBER[:17]) * 10])))
    assert "数字格式" in spoilt.content.decode()
    assert not Export.objects.exists()


def test_who_may_not_query_may_not_ask_by_a_list(cast: Cast, as_user: As) -> None:
    for user in (cast.data_officer, cast.data_reviewer, cast.auditor, cast.operator, cast.citizen):
        answer = as_user(user).post("/admin/records/export/named/", form(cast, numbers=CITIZEN_NUMBER))
        assert answer.status_code in (302, 403)
    elsewhere = as_user(cast.officer_elsewhere).post("/admin/records/export/named/", form(cast, numbers=CITIZEN_NUMBER))
    assert elsewhere.status_code == 422, "the item is not among those that the unit may choose"
    assert not Export.objects.exists()
