"""The receipt of a batch: counts that add up, the same file every time, and anybody can tell a forged one."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import Organisation, User
from creditfujian.tests.cast import CITIZEN_NUMBER, Cast
from records import actions, clearing, receipts, returned
from records.models import Batch, BatchReceipt
from records.tests.deliveries import as_csv, check, deliver, penalty


def delivered(cast: Cast) -> Batch:
    return deliver(cast, [penalty(cast), penalty(cast, 证件号码="1")], name="=陈小满.csv")


def test_it_says_what_became_of_the_file(cast: Cast) -> None:
    batch = delivered(cast)
    said = batch.receipt.content
    counts = said["counts"]
    assert counts == {"rows": 2, "new": 1, "changed": 0, "unchanged": 0, "refused": 1}
    assert counts["rows"] == counts["new"] + counts["changed"] + counts["unchanged"] + counts["refused"]
    assert (said["file"]["sha256"], said["signed_by"]) == (batch.file.sha256, "审核员乙")
    assert [one["rows"] for one in said["reasons"]] == [1]


def test_it_is_the_same_file_every_time_and_names_nobody(cast: Cast) -> None:
    batch = delivered(cast)
    first = [make(batch.receipt) for make in (receipts.as_json, receipts.as_xlsx)]
    Organisation.objects.filter(pk=cast.market.pk).update(name="改了名的局")
    User.objects.filter(pk=cast.data_reviewer.pk).update(name="改了名的人")
    actions.withdraw(batch.pk, by=cast.data_officer, reason="错报")
    again = BatchReceipt.objects.get(batch=batch)
    assert [make(again) for make in (receipts.as_json, receipts.as_xlsx)] == first
    cells = [
        str(cell)
        for row in openpyxl.load_workbook(io.BytesIO(first[1])).active.iter_rows(values_only=True)
        for cell in row
    ]
    for text in (*cells, first[0].decode()):
        assert "陈小满" not in text
        assert CITIZEN_NUMBER not in text
        assert not text.startswith("=")


@pytest.mark.parametrize("end", ["cancelled by an officer", "refused as a file", "all rows refused", "left lying"])
def test_a_batch_that_never_went_in_has_a_receipt_that_says_so(
    cast: Cast, as_user: Callable[[User | None], Client], end: str
) -> None:
    rows = [penalty(cast, 证件号码="1")] if end == "all rows refused" else [penalty(cast), penalty(cast, 证件号码="1")]
    batch = check(cast, b"not,a,table\n1,2,3\n" if end == "refused as a file" else as_csv(rows), name="=陈小满.csv")
    if end == "cancelled by an officer":
        actions.cancel(batch.pk, by=cast.data_officer)
    elif end == "all rows refused":
        returned.explain(batch.pk, rows=None, why="other", note="不应报送", by=cast.data_officer)
        returned.confirm(batch.pk, by=cast.data_reviewer, rows=None, agree=True)
        clearing.clear(timezone.localdate())
    elif end == "left lying":
        clearing.clear(timezone.localdate() + timedelta(days=120))
    receipt = BatchReceipt.objects.get(batch=batch)
    said, lines = receipt.content, dict(receipts.lines(receipt))
    assert said["ended"]["went_in"] == 0
    assert "没有任何一行入库" in lines["结果"]
    assert lines["签发人（取消人）"] == (cast.data_officer.name if end == "cancelled by an officer" else "系统")
    assert (said["committed_at"], "入库时间" in lines) == (None, False)
    assert said["counts"]["rows"] == {"refused as a file": 0, "all rows refused": 1}.get(end, 2)
    officer = as_user(cast.data_officer)
    assert officer.get(f"/admin/records/batch/{batch.pk}/receipt.xlsx").status_code == 200
    data = officer.get(f"/admin/records/batch/{batch.pk}/receipt.json").getvalue()
    assert "陈小满" not in data.decode()
    assert receipts.verify_file(data) is not None
    assert receipts.verify_file(data.replace(b'"went_in": 0', b'"went_in": 1')) is None
    page = officer.post("/admin/records/batch/receipts/", {"number": receipt.number, "code": receipts.code_of(receipt)})
    assert "没有任何一行入库" in page.content.decode()


def test_no_receipt_says_that_a_batch_ended_which_waits_or_went_in(cast: Cast) -> None:
    waiting = check(cast, as_csv([penalty(cast)]))
    with pytest.raises(DatabaseError, match="says what the batch says"), transaction.atomic():
        receipts.issue_of_end(waiting, by=cast.data_officer)
    actions.cancel(waiting.pk, by=cast.data_officer)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE records_batchreceipt SET content = '{}'")


def test_a_batch_that_has_not_gone_in_has_none(cast: Cast, as_user: Callable[[User | None], Client]) -> None:
    batch = check(cast, as_csv([penalty(cast)]))
    assert as_user(cast.data_officer).get(f"/admin/records/batch/{batch.pk}/receipt.json").status_code == 404


def test_whoever_holds_the_file_can_tell_whether_it_is_ours(cast: Cast) -> None:
    batch = delivered(cast)
    data = receipts.as_json(batch.receipt)
    verdict = receipts.verify_file(data)
    assert verdict is not None
    assert verdict.withdrawn_at is None
    actions.withdraw(batch.pk, by=cast.data_officer, reason="错报")
    verdict = receipts.verify_file(data)
    assert verdict is not None
    assert verdict.withdrawn_at is not None
    whole = json.loads(data)
    for name, value in (("rows", 3), ("new", 2), ("refused", 0)):
        forged = {**whole, "content": {**whole["content"], "counts": {**whole["content"]["counts"], name: value}}}
        assert receipts.verify_file(json.dumps(forged).encode()) is None
    assert receipts.verify_file(json.dumps({**whole, "seal": "00" * 32}).encode()) is None
    twice = data.replace(b'"counts": {', b'"counts": {"rows": 99, "rows": 98}, "counts": {')
    other = data.replace(b'"rows": 2', b'"rows": 2.0')
    for said in (twice, other):  # read by another program these are other figures
        assert said != data
        assert receipts.verify_file(said) is None


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe", b"[]", b"{}", b'{"content": {"batch": 7}}', b"[" * 100_000, b'{"content": null}']
)
def test_what_is_no_receipt_is_refused_in_words(cast: Cast, data: bytes) -> None:
    with pytest.raises(ValidationError, match="JSON 回执"):
        receipts.verify_file(data)


def test_number_and_code_do_as_well(cast: Cast) -> None:
    receipt = delivered(cast).receipt
    code = receipts.code_of(receipt)
    assert receipts.verify_code(receipt.number, f" {code[:10].lower()} {code[10:]}") is not None
    for number, typed in ((receipt.number, "0" * 20), (receipt.number, code[:-1]), (f"{receipt.number}9", code), ("乱写", code),
                          ("HZ-B20260101-999999999999999", code)):  # fmt: skip
        assert receipts.verify_code(number, typed) is None


def refused_by_database(match: str, sql: str, *values: Any) -> None:
    with pytest.raises(DatabaseError, match=match), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)


def test_a_receipt_never_changes_and_is_not_made_up(cast: Cast) -> None:
    batch, waiting = delivered(cast), check(cast, as_csv([penalty(cast, 处罚内容="罚款。")]))
    refused_by_database("permission|append", "UPDATE records_batchreceipt SET sha256 = %s", "0" * 64)
    refused_by_database("permission|append", "DELETE FROM records_batchreceipt")
    refused_by_database("permission|append", "TRUNCATE records_batchreceipt")
    copy = (
        "INSERT INTO records_batchreceipt (batch_id, content, sha256, seal, signed_by_id, issued_at)"
        " SELECT %s, content, sha256, seal, signed_by_id, issued_at FROM records_batchreceipt WHERE batch_id = %s"
    )
    refused_by_database("says what the batch says", copy, waiting.pk, batch.pk)
    other = deliver(cast, [penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕8号")])
    refused_by_database("unique|says what the batch says", copy, other.pk, batch.pk)


def test_what_is_changed_by_the_owner_of_the_database_no_longer_verifies(cast: Cast) -> None:
    receipt = delivered(cast).receipt
    receipt.content["counts"]["rows"] = 7
    assert not receipts._sealed(receipt)


def test_by_page(cast: Cast, as_user: Callable[[User | None], Client]) -> None:
    batch = delivered(cast)
    url = f"/admin/records/batch/{batch.pk}/"
    officer = as_user(cast.data_officer)
    assert "下载回执" in officer.get(f"{url}change/").content.decode()
    file = officer.get(f"{url}receipt.json")
    assert f"HZ-{batch.number}.json" in file["Content-Disposition"]
    assert officer.get(f"{url}receipt.xlsx").content == officer.get(f"{url}receipt.xlsx").content
    assert officer.get(f"{url}receipt.exe").status_code == 404
    assert as_user(cast.officer_elsewhere).get(f"{url}receipt.json").status_code in (403, 404)
    watcher = as_user(cast.credit_office)
    page = watcher.post(
        "/admin/records/batch/receipts/", {"file": SimpleUploadedFile("回执.json", file.content)}
    ).content.decode()
    assert "是本站出具的回执" in page
    assert "没有撤回" in page
    forged = file.content.replace("审核员乙".encode(), "审核员丙".encode())
    page = watcher.post(
        "/admin/records/batch/receipts/", {"file": SimpleUploadedFile("回执.json", forged)}
    ).content.decode()
    assert "核对不上" in page
    assert watcher.post("/admin/records/batch/receipts/", {}).status_code == 422
    assert as_user(cast.officer_elsewhere).get("/admin/records/batch/receipts/").status_code == 403
