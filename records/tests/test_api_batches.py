"""A department's system pushes records, learns what became of each row, and does nothing that an official must do."""

import hashlib
import io
import json
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.actions import Asker
from accounts.models import User
from accounts.tests.tokens import issue
from accounts.token_models import IdempotentCall, Scope
from catalogue.models import Item
from catalogue.tests.editions import retire
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, Cast
from records import actions, jobs, receipts
from records.clearing import clear
from records.models import Batch, SealedFile
from records.reading import own_file
from records.tests.api import BATCHES, LINES, System, as_lines, checked, one_line, system
from records.tests.deliveries import as_csv, check, penalty

State = Batch.State


def two(cast: Cast, **second: Any) -> bytes:
    return as_lines(cast, penalty(cast), penalty(
        cast, 行政相对人名称="林大雪", 证件号码=OTHER_NUMBER, 行政处罚决定书文号="闽市监处罚〔2026〕2号", **second))  # fmt: skip


def doc_nos(cast: Cast) -> list[str]:
    return [view.doc_no for view in own_file(cast.citizen.person, by=Asker(cast.citizen, "公示网站")).records]


def test_json_lines_go_in_by_two_hands_and_the_receipt_comes_back(cast: Cast) -> None:
    us = system(cast)
    sent = us.send_lines(two(cast))
    assert (sent.status_code, sent.json()["state"], sent.json()["next"]["action"]) == (202, "received", "wait")
    address = sent["Location"]
    assert address == sent.json()["links"]["self"]
    batch = checked(cast, sent)
    told = us.get(address).json()
    assert told["counts"] == {
        "rows": 2, "rows_done": 2, "new": 2, "changed": 0, "unchanged": 0, "refused": 0, "corrected": 0, "explained": 0, "open": 0,
    }  # fmt: skip
    assert told["next"]["action"] == "commit_by_official"
    assert told["uploaded_by"] == "行政处罚办案系统（接口）"
    refused = us.post(f"{address}commit/")
    assert (refused.status_code, refused.json()["code"]) == (409, "A17")
    assert "审核员" in refused.json()["detail"]
    assert us.get(f"{address}receipt/").status_code == 404
    actions.commit_now(batch.pk, by=cast.data_reviewer)
    assert doc_nos(cast) == ["闽市监处罚〔2026〕1号"]
    told = us.get(address).json()
    assert (told["state"], told["committed_by"], told["next"]["action"]) == ("committed", "审核员乙", "nothing")
    receipt = us.get(told["links"]["receipt"])
    assert receipts.verify_file(receipt.content) is not None
    assert receipt.json()["content"]["channel"] == "接口报送"
    assert receipt.json()["content"]["counts"]["rows"] == 2


def test_where_the_item_allows_one_hand_a_token_with_that_scope_commits(cast: Cast) -> None:
    Item.objects.filter(pk=cast.item.pk).update(one_hand_by_command=True)
    us, without = system(cast), system(cast, scopes=[Scope.READ_BATCHES, Scope.WRITE_BATCHES])
    sent = us.send_lines(one_line(cast))
    batch = checked(cast, sent)
    assert us.get(sent["Location"]).json()["next"]["action"] == "commit"
    assert without.get(sent["Location"]).json()["next"]["action"] == "commit_by_official"
    assert without.post(f"{sent['Location']}commit/").json()["code"] == "A07"
    done = us.post(f"{sent['Location']}commit/")
    assert (done.status_code, done.json()["state"]) == (202, "committing")
    jobs.commit_batch(batch.pk)
    assert doc_nos(cast) == ["闽市监处罚〔2026〕1号"]


def test_no_system_is_the_second_hand_of_anybody(cast: Cast) -> None:
    Item.objects.filter(pk=cast.item.pk).update(one_hand_by_command=True)
    us, other = system(cast), system(cast)
    sent = us.send_lines(one_line(cast))
    checked(cast, sent)
    assert other.post(f"{sent['Location']}commit/").status_code == 409
    by_hand = check(cast, as_csv([penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕9号")]))
    assert us.post(f"{BATCHES}{by_hand.number}/commit/").status_code == 409
    assert not Batch.objects.exclude(state=State.CHECKED).exists()
    for batch in Batch.objects.all():
        others = User.objects.filter(kind=User.Kind.SERVICE).exclude(pk=batch.uploaded_by_id)
        with pytest.raises(DatabaseError, match="a system commits nothing but its own"), transaction.atomic():
            Batch.objects.filter(pk=batch.pk).update(state=State.COMMITTING, committed_by=others[0])


def test_a_file_is_taken_as_from_the_page(cast: Cast) -> None:
    us = system(cast)
    book = openpyxl.Workbook()
    row = penalty(cast)
    book.active.append(list(row))
    book.active.append(list(row.values()))
    out = io.BytesIO()
    book.save(out)
    out.seek(0)
    out.name = f"处罚{CITIZEN_NUMBER}.xlsx"
    sent = us.send_file(out)
    batch = checked(cast, sent)
    assert (batch.state, batch.new, batch.channel) == (State.CHECKED, 1, Batch.Channel.API)
    assert CITIZEN_NUMBER not in SealedFile.objects.get().name


def test_every_refused_row_says_why_page_by_page(cast: Cast) -> None:
    us = system(cast)
    rows = [penalty(cast, 行政处罚决定书文号=f"闽市监处罚〔2026〕{n}号", 处罚类别="记过", 证件号码="1" if n == 2 else CITIZEN_NUMBER)
            for n in range(5)]  # fmt: skip
    sent = us.send_lines(as_lines(cast, penalty(cast), *rows))
    checked(cast, sent)
    told = us.get(sent["Location"]).json()
    assert (told["counts"]["new"], told["counts"]["refused"]) == (1, 5)
    assert {"code": "C11", "title": "取值不在代码表内", "rows": 5} in told["reasons"]
    page = us.get(f"{told['links']['rows']}?limit=3").json()
    assert [row["row"] for row in page["rows"]] == [2, 3, 4]
    assert page["rows"][0]["place"] == "第 2 行"
    assert {reason["code"] for reason in page["rows"][2]["reasons"]} == {"C11", "I11"}
    assert page["rows"][0]["reasons"][0]["field"] == "CF_CFLB"
    rest = us.get(page["next"]).json()
    assert [row["row"] for row in rest["rows"]] == [5, 6]
    assert rest["next"] is None
    assert CITIZEN_NUMBER not in json.dumps([told, page, rest], ensure_ascii=False)


def test_the_correction_workbook_and_lines_that_name_their_row_close_the_loop(cast: Cast) -> None:
    us = system(cast)
    sent = us.send_lines(two(cast, 处罚类别="记过"))
    first = checked(cast, sent)
    book = openpyxl.load_workbook(io.BytesIO(us.get(f"{sent['Location']}correction/").content))
    heading, row = list(book["待更正"].iter_rows(values_only=True))
    told = dict(zip(heading, row, strict=True))
    assert told["来源行"] == f"{first.number}#2"
    assert "代码表" in told["更正说明"]
    actions.commit_now(first.pk, by=cast.data_reviewer)
    assert us.get(sent["Location"]).json()["next"]["action"] == "correct"
    good = json.loads(two(cast).splitlines()[1]) | {"来源行": f"{first.number}#2"}
    again = us.send_lines(json.dumps(good).encode())
    batch = checked(cast, again)
    assert us.get(again["Location"]).json()["correction_of"] == first.number
    actions.commit_now(batch.pk, by=cast.data_reviewer)
    told = us.get(sent["Location"]).json()
    assert (told["counts"]["corrected"], told["counts"]["open"], told["next"]["action"]) == (1, 0, "nothing")


def test_lines_that_answer_several_batches_say_of_which_one_each_is(cast: Cast) -> None:
    us, sent = system(cast), []
    for number in (1, 2):
        row = penalty(cast, 行政处罚决定书文号=f"闽市监处罚〔2026〕5{number}号", 处罚类别="记过")
        sent.append(checked(cast, us.send_lines(as_lines(cast, row))))
    rows = [penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕51号") | {"来源行": f"{sent[0].number}#1"},
            penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕52号", 处罚类别="记过") | {"来源行": f"{sent[1].number}#1"}]  # fmt: skip
    batch = checked(cast, answer := us.send_lines(as_lines(cast, *rows)))
    told = us.get(answer["Location"]).json()
    assert any(sent[0].number in note and sent[1].number in note for note in told["notes"])
    [row] = us.get(told["links"]["rows"]).json()["rows"]
    assert (row["row"], row["source_batch"], row["source_row"]) == (2, sent[1].number, 1)
    actions.commit_now(batch.pk, by=cast.data_reviewer)
    counts = [us.get(f"{BATCHES}{one.number}/").json()["counts"] for one in sent]
    assert [(one["corrected"], one["open"]) for one in counts] == [(1, 0), (0, 1)]


def test_all_or_none_holds_good_rows_back_with_the_bad(cast: Cast) -> None:
    us = system(cast)
    address = f"{BATCHES}?item={cast.item.code}&all_or_none=true"
    sent = us.post(address, two(cast, 处罚类别="记过"), content_type=LINES)
    checked(cast, sent)
    told = us.get(sent["Location"]).json()
    assert (told["mode"], told["next"]["action"]) == ("all_or_none", "correct")
    book = openpyxl.load_workbook(io.BytesIO(us.get(told["links"]["correction"]).content))
    assert book["待更正"].max_row == 3


def test_an_unusual_withdrawal_waits_for_an_official_and_a_usual_one_is_done(cast: Cast) -> None:
    us = system(cast)
    sent = us.send_lines(two(cast))
    actions.commit_now(checked(cast, sent).pk, by=cast.data_reviewer)
    assert us.post(f"{sent['Location']}withdraw/", {"reason": ""}).status_code == 422
    done = us.post(f"{sent['Location']}withdraw/", {"reason": "报错了批次"})
    assert done.status_code == 202
    assert (done.json()["state"], done.json()["next"]["action"]) in {
        ("withdrawn", "nothing"), ("committed", "second_look"),
    }  # fmt: skip
    assert doc_nos(cast) == ([] if done.json()["state"] == "withdrawn" else ["闽市监处罚〔2026〕1号"])


def test_a_batch_that_waits_is_cancelled(cast: Cast) -> None:
    us = system(cast)
    sent = us.send_lines(one_line(cast))
    checked(cast, sent)
    assert us.post(f"{sent['Location']}cancel/").json()["state"] == "cancelled"
    again = us.post(f"{sent['Location']}cancel/")
    assert (again.status_code, again.json()["code"]) == (409, "A17")


# --- once ----------------------------------------------------------------------------------------------------


def test_the_same_key_gives_the_first_answer_and_another_content_is_refused(cast: Cast) -> None:
    us = system(cast)
    first = us.send_lines(one_line(cast), key="nightly-1")
    checked(cast, first)
    again = us.send_lines(one_line(cast), key="nightly-1")
    assert (again.status_code, again.json(), again["Location"]) == (202, first.json(), first["Location"])
    assert again["Idempotent-Replayed"] == "true"
    other = us.send_lines(two(cast), key="nightly-1")
    assert (other.status_code, other.json()["code"]) == (422, "A10")
    assert us.post(f"{first['Location']}cancel/", key="nightly-1").json()["code"] == "A10"
    assert Batch.objects.count() == 1


def test_the_same_content_under_another_key_is_the_first_batch(cast: Cast) -> None:
    us = system(cast)
    first, again = us.send_lines(one_line(cast)), us.send_lines(one_line(cast))
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["number"] == again.json()["number"]


def test_a_new_token_of_the_organisation_goes_on_with_its_keys(cast: Cast) -> None:
    first = system(cast).send_lines(one_line(cast), key="k-7")
    assert system(cast).send_lines(one_line(cast), key="k-7").json() == first.json()


def test_a_refused_call_uses_no_key_up(cast: Cast) -> None:
    us = system(cast)
    retired = us.send_lines(one_line(cast), item="FJ1-03-TRAN-0001", key="k-8")
    assert (retired.status_code, retired.json()["code"]) == (403, "A18")
    assert us.send_lines(one_line(cast), key="k-8").status_code == 202


@pytest.mark.parametrize("key", ["", "长" * 3, "x" * 201])
def test_a_write_without_a_key_does_nothing(cast: Cast, key: str) -> None:
    us = system(cast)
    headers = {"Authorization": f"Bearer {us.secret}", "Idempotency-Key": key.encode().decode("latin-1")}
    answer = us.browser.post(
        f"{BATCHES}?item={cast.item.code}", one_line(cast), content_type=LINES, headers=headers
    )  # fmt: skip
    assert (answer.status_code, answer.json()["code"]) == (400, "A09")
    assert not Batch.objects.exists()


# --- whose ---------------------------------------------------------------------------------------------------


def test_another_departments_batch_is_not_there(cast: Cast) -> None:
    us, them = system(cast), system(cast, organisation=cast.transport)
    sent = us.send_lines(one_line(cast))
    checked(cast, sent)
    assert them.get(BATCHES).json() == {"batches": [], "next": None}
    for tail in ("", "rows/", "correction/", "receipt/"):
        there, nowhere = them.get(f"{sent['Location']}{tail}"), them.get(f"{BATCHES}B20260101-000001/{tail}")
        assert there.status_code == nowhere.status_code == 404
        assert there.json()["detail"] == nowhere.json()["detail"]
    for tail in ("commit/", "cancel/", "withdraw/"):
        assert them.post(f"{sent['Location']}{tail}", {"reason": "试试"}).status_code == 404
    assert them.send_lines(one_line(cast)).status_code == 403
    assert Batch.objects.get().state == State.CHECKED


def test_a_number_that_is_not_the_batches_own_finds_nothing(cast: Cast) -> None:
    us = system(cast)
    number = us.send_lines(one_line(cast)).json()["number"]
    key = number.rpartition("-")[2]
    for wrong in (key, f"B19990101-{key}", f"{number}0", "B20261130-", "x", "B-１", f"B20261130-{'9' * 30}"):
        assert us.get(f"{BATCHES}{wrong}/").status_code == 404


def test_the_list_goes_on_by_key(cast: Cast) -> None:
    us = system(cast)
    numbers = [us.send_lines(one_line(cast, 行政处罚决定书文号=f"{n}号")).json()["number"] for n in range(5)]
    page = us.get(f"{BATCHES}?limit=2").json()
    found = [batch["number"] for batch in page["batches"]]
    while page["next"]:
        page = us.get(page["next"]).json()
        found += [batch["number"] for batch in page["batches"]]
    assert found == numbers[::-1]
    with CaptureQueriesContext(connection) as few:
        us.get(f"{BATCHES}?limit=1")
    with CaptureQueriesContext(connection) as many:
        us.get(BATCHES)
    assert len(few) == len(many)
    assert us.get(f"{BATCHES}?state=checked").json()["batches"] == []
    assert us.get(f"{BATCHES}?state=nonsense").status_code == 422
    assert us.get(f"{BATCHES}?limit=0").status_code == 422


def test_an_item_that_is_not_in_force_or_not_there_is_refused(cast: Cast) -> None:
    us = system(cast)
    nowhere = us.send_lines(one_line(cast), item="FJ9-99-NONE-0001")
    assert (nowhere.status_code, nowhere.json()["errors"][0]["field"]) == (422, "item")
    missing = us.post(BATCHES, one_line(cast), content_type=LINES)
    assert (missing.status_code, missing.json()["errors"][0]["field"]) == (422, "item")
    retire(cast, cast.item)
    assert us.send_lines(one_line(cast)).status_code == 422
    assert not IdempotentCall.objects.exists()


# --- what is wrong with what was sent --------------------------------------------------------------------------


@pytest.mark.parametrize(("damage", "code", "said"), [
    (b'{"CF_WSH": "1"', "F25", "第 3 行"), (b"[1]", "F25", "第 3 行"), (b'"CF_WSH"', "F25", "第 3 行"),
    (b'{"CF_WSH": ["1"]}', "F25", "第 3 行"), (b'{"CF_WSH": "1", "CF_WSH": "2"}', "F25", "第 3 行"),
    (b'{"CF_NR_FK": NaN}', "F25", "第 3 行"), ("{\"CF_WSH\": \"号\"}".encode("gb18030"), "F13", "第 3 行"),
    (b'{"CF_WSH": "\\ud800"}', "F13", "第 3 行"), (b'{"CF_WSH": "\\u0000"}', "F21", "第 3 行"),
    (b'{"CF_WSH": "' + b"x" * (1 << 20) + b'"}', "F14", "第 3 行"), (b'{"CF_WSH": "' + b"x" * 40_000 + b'"}', "F14", "第 3 行"),
    (b"{" + b"[" * 20_000, "F25", "第 3 行"), (b'{"CF_WSX": "1"}', "F26", "CF_WSX"),
    (b'{"\xe6\x89\x8b\xe6\x9c\xba\xe5\x8f\xb7": "1"}', "F30", "手机号"),
    ('{"行政处罚决定书文号": "1号"}'.encode(), "F19", "CF_WSH"),
    (b"{" + b",".join(b'"k%d": 1' % n for n in range(300)) + b"}", "F12", "第 3 行"),
])  # fmt: skip
def test_damaged_lines_are_refused_whole_and_say_where(cast: Cast, damage: bytes, code: str, said: str) -> None:
    us = system(cast)
    sent = us.send_lines(one_line(cast) + b"\n" + damage + b"\n" + one_line(cast, 行政处罚决定书文号="2号"))
    assert checked(cast, sent).state == State.REFUSED
    told = us.get(sent["Location"]).json()
    assert (told["failure"]["code"], told["next"]["action"]) == (code, "send_again")
    assert said in told["failure"]["message"]


def test_a_line_is_a_row_whatever_it_says(cast: Cast) -> None:
    """No line is a note, a footer or empty: each is counted and answered."""
    us = system(cast)
    lines = [b"{}", '{"行政相对人名称": "合计"}'.encode(), b'{"CF_XDR_ZJHM": 359901199001010011}', b'{"CF_WSH": true}']
    row = json.loads(one_line(cast))
    lines.append(json.dumps(row | {"CF_NR_FK": 6.5}).encode())
    sent = us.send_lines(b"\xef\xbb\xbf" + b"\r\n".join(lines))
    assert checked(cast, sent).state == State.REFUSED  # the name under its label and under its code
    lines[1] = '{"CF_XDR_MC": "合计"}'.encode()
    sent = us.send_lines(b"\xef\xbb\xbf" + b"\r\n\r\n".join(lines))
    batch = checked(cast, sent)
    assert (batch.rows, batch.new, batch.refused) == (5, 1, 4)
    rows = us.get(f"{sent['Location']}rows/").json()["rows"]
    assert [row["row"] for row in rows] == [1, 3, 5, 7]
    reasons = [{(one["field"], one["code"]) for one in row["reasons"]} for row in rows]
    assert ("CF_WSH", "C01") in reasons[0]
    assert ("CF_XDR_ZJHM", "C02") in reasons[2]
    assert ("CF_WSH", "C14") in reasons[3]


def test_what_every_line_lacks_is_told_of_every_row(cast: Cast) -> None:
    us = system(cast)
    row = json.loads(one_line(cast))
    del row["CF_YJ"]
    sent = us.send_lines(json.dumps(row).encode())
    checked(cast, sent)
    [told] = us.get(f"{sent['Location']}rows/").json()["rows"]
    assert [(one["field"], one["code"]) for one in told["reasons"]] == [("CF_YJ", "C01")]
    book = openpyxl.load_workbook(io.BytesIO(us.get(f"{sent['Location']}correction/").content))
    assert "CF_YJ" in next(book["待更正"].iter_rows(values_only=True))


def test_too_much_is_refused_before_it_is_kept(cast: Cast, settings: Any) -> None:
    us = system(cast)
    settings.INTAKE_PAGE_MIB, settings.INTAKE_PAGE_ROWS = 1, 3
    padding = b" " * (1 << 20)
    for answer in (
        us.send_lines(one_line(cast) + padding),
        us.send_file(io.BytesIO(as_csv([penalty(cast)]) + padding + b"x" * 70_000)),
    ):
        assert (answer.status_code, answer.json()["code"]) == (413, "F02")
    assert not SealedFile.objects.exists()
    sent = us.send_lines(b"".join(one_line(cast, 行政处罚决定书文号=f"{n}号") for n in range(4)))
    assert checked(cast, sent).failure["code"] == "F11"


def test_the_rows_of_a_cleared_batch_are_gone_for_good(cast: Cast) -> None:
    us = system(cast)
    sent = us.send_lines(two(cast))
    actions.commit_now(checked(cast, sent).pk, by=cast.data_reviewer)
    clear(timezone.localdate() + timedelta(days=1))
    for tail in ("rows/", "correction/"):
        answer = us.get(f"{sent['Location']}{tail}")
        assert (answer.status_code, answer.json()["code"]) == (410, "A20")


def test_the_digest_is_that_of_what_was_sent(cast: Cast) -> None:
    content = one_line(cast)
    assert system(cast).send_lines(content).json()["file_sha256"] == hashlib.sha256(content).hexdigest()


def test_a_read_only_token_sends_nothing(cast: Cast) -> None:
    us = System(issue(cast, scopes=[Scope.READ_BATCHES]).secret)
    answer = us.send_lines(one_line(cast))
    assert (answer.status_code, answer.json()["code"]) == (403, "A07")
    assert "batches:write" in answer.json()["detail"]
