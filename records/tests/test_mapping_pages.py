"""The page on which an officer says what the columns are, who may open it, and the office's saved mappings."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from creditfujian.tests.cast import CITIZEN_NUMBER, Cast
from records import actions
from records.models import Batch, ColumnMapping
from records.tests.deliveries import check
from records.tests.test_mapping import THEIRS, codes, theirs, waiting

As = Callable[[User | None], Client]
PAGE = "/admin/records/batch/{}/mapping/"
STRANGERS = ["officer_elsewhere", "credit_office", "operator", "auditor", "citizen", "nobody"]


def said(cast: Cast, **changes: str) -> dict[str, str]:
    """What the form sends."""
    return {
        "sheet": "0",
        "row": "1",
        "name": "办案系统导出",
        **{f"c{at}": code for at, code in enumerate(codes(cast))},
    } | changes


def test_the_officer_maps_the_columns_and_another_sees_them_before_committing(cast: Cast, as_user: As) -> None:
    batch, officer = waiting(cast), as_user(cast.data_officer)
    assert PAGE.format(batch.pk) in officer.get(f"/admin/records/batch/{batch.pk}/change/").content.decode()
    page = officer.get(PAGE.format(batch.pk))
    assert "no-store" in page["Cache-Control"]
    text = page.content.decode()
    assert all(label in text for label in THEIRS)
    assert "还没有对应的必填数据项" in text
    for secret in (CITIZEN_NUMBER, "陈小满", "菌落"):
        assert secret not in text
    answer = officer.post(PAGE.format(batch.pk), said(cast))
    assert answer.status_code == 302
    batch = actions.check_batch(batch.pk)
    assert (batch.state, batch.new) == (Batch.State.CHECKED, 1)
    preview = as_user(cast.data_reviewer).get(f"/admin/records/batch/{batch.pk}/change/").content.decode()
    assert "按列对应“办案系统导出”读取" in preview
    assert "被处理人员" in preview
    assert "报送员甲 保存" in preview


def test_what_is_wrong_stands_beside_its_column(cast: Cast, as_user: As) -> None:
    batch, officer = waiting(cast), as_user(cast.data_officer)
    page = officer.post(PAGE.format(batch.pk), said(cast, c0="", c1="CF_XDR_ZJHM", name="张三359901199001010011"))
    assert page.status_code == 422
    text = page.content.decode()
    assert "已由 B 列提供" in text
    assert "“行政相对人名称”" in text
    assert "名称中有长号码" in text
    assert not ColumnMapping.objects.exists()


def test_another_row_is_chosen_as_headings(cast: Cast, as_user: As) -> None:
    titled = ",".join(["处罚信息一览"] * 17).encode() + b"\r\n" + theirs(cast).removeprefix(b"\xef\xbb\xbf")
    batch, officer = waiting(cast, titled), as_user(cast.data_officer)
    assert "被处理人员" not in officer.get(PAGE.format(batch.pk) + "?sheet=0&row=1").content.decode().split("第二步")[1]
    chosen = officer.get(PAGE.format(batch.pk) + "?sheet=0&row=2").content.decode()
    assert "被处理人员" in chosen.split("第二步")[1]
    assert "像是数据" in officer.get(PAGE.format(batch.pk) + "?sheet=0&row=3").content.decode()
    for nonsense in ("?sheet=x&row=-1", "?sheet=5&row=900", "?row=2"):
        assert officer.get(PAGE.format(batch.pk) + nonsense).status_code == 200
    officer.post(PAGE.format(batch.pk), said(cast, row="2"))
    assert actions.check_batch(batch.pk).new == 1


@pytest.mark.parametrize("who", STRANGERS)
def test_nobody_else_sees_or_answers(cast: Cast, as_user: As, who: str) -> None:
    batch, client = waiting(cast), as_user(cast.everyone()[who])
    for answer in (client.get(PAGE.format(batch.pk)), client.post(PAGE.format(batch.pk), said(cast))):
        assert answer.status_code in (302, 403, 404)
        assert "被处理人员" not in answer.content.decode()
    assert Batch.objects.get(pk=batch.pk).state == Batch.State.MAPPING
    assert not ColumnMapping.objects.exists()


def test_a_reviewer_of_the_office_is_told_whose_it_is(cast: Cast, as_user: As) -> None:
    batch, reviewer = waiting(cast), as_user(cast.data_reviewer)
    assert reviewer.get(PAGE.format(batch.pk)).status_code == 403
    assert reviewer.post(PAGE.format(batch.pk), said(cast)).status_code == 403
    assert "由报送单位的数据员" in reviewer.get(f"/admin/records/batch/{batch.pk}/change/").content.decode()


def test_a_batch_that_waits_for_nothing_has_no_such_page(cast: Cast, as_user: As) -> None:
    batch = waiting(cast)
    as_user(cast.data_officer).post(PAGE.format(batch.pk), said(cast))
    again = as_user(cast.data_officer).post(PAGE.format(batch.pk), said(cast, name="再来"))
    assert again.status_code == 302
    assert [one.name for one in ColumnMapping.objects.all()] == ["办案系统导出"]


def test_nothing_of_the_file_reaches_the_log(cast: Cast, as_user: As, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "creditfujian"):
        batch, officer = waiting(cast), as_user(cast.data_officer)
        officer.get(PAGE.format(batch.pk))
        officer.post(PAGE.format(batch.pk), said(cast, c0=""))
        officer.post(PAGE.format(batch.pk), said(cast))
        actions.check_batch(batch.pk)
    for secret in (CITIZEN_NUMBER, "陈小满", "菌落"):
        assert secret not in caplog.text


def test_the_home_page_and_the_list_say_what_waits(cast: Cast, as_user: As) -> None:
    waiting(cast)
    assert "待对应列的批次" in as_user(cast.data_officer).get("/admin/").content.decode()
    assert "待对应列" in as_user(cast.data_officer).get("/admin/records/batch/?state__exact=mapping").content.decode()


def test_saved_mappings_are_listed_renamed_and_retired_by_their_office_only(cast: Cast, as_user: As) -> None:
    batch, officer = waiting(cast), as_user(cast.data_officer)
    officer.post(PAGE.format(batch.pk), said(cast))
    mapping = ColumnMapping.objects.get()
    one = f"/admin/records/columnmapping/{mapping.pk}/"
    for client in (officer, as_user(cast.data_reviewer)):
        assert "办案系统导出" in client.get("/admin/records/columnmapping/").content.decode()
        shown = client.get(f"{one}change/").content.decode()
        assert "被处理人员" in shown
        assert batch.number in shown
    elsewhere = User.objects.get(pk=cast.officer_elsewhere.pk)
    elsewhere.groups.set(cast.data_officer.groups.all())
    for who in (elsewhere, cast.credit_office, cast.operator, cast.auditor):
        for path in ("change/", "rename/", "retire/"):
            assert as_user(who).post(one + path, {"name": "偷换"}).status_code in (403, 404)
    as_user(cast.data_reviewer).post(f"{one}retire/")
    mapping.refresh_from_db()
    assert (mapping.name, mapping.retired_at) == ("办案系统导出", None)
    officer.post(f"{one}rename/", {"name": "新系统导出"})
    assert officer.post(f"{one}rename/", {"name": " "}).status_code == 422
    officer.post(f"{one}retire/")
    shown = officer.get(f"{one}change/").content.decode()
    assert "新系统导出" in shown
    assert "改名，原名“办案系统导出”" in shown
    assert "已停用" in shown
    assert "报送员甲：停用" in shown


def test_the_list_of_mappings_costs_the_same_however_many_there_are(cast: Cast, as_user: As) -> None:
    officer = as_user(cast.data_officer)
    counts = []
    for more in ((), ("自编号",), ("科室",), ("页码",)):
        batch = waiting(cast, theirs(cast, more=more))
        officer.post(PAGE.format(batch.pk), said(cast))
        with CaptureQueriesContext(connection) as captured:
            listed = officer.get("/admin/records/columnmapping/?retired=0").content.decode()
        counts.append(len(captured))
        assert "有效" in listed
    assert counts[-1] == counts[-2]
    assert "办案系统导出" not in officer.get("/admin/records/columnmapping/?retired=1").content.decode()


def test_the_command_refuses_and_names_the_page(cast: Cast, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "处罚.csv"
    file.write_bytes(theirs(cast))
    with pytest.raises(SystemExit) as ended:
        call_command(
            "intake", str(file), "--item", cast.item.code, "--supplier", cast.market.uscc, "--by", "data_officer", "--json"
        )  # fmt: skip
    told = json.loads(capsys.readouterr().out)
    assert ended.value.code == 2
    assert told["state"] == "refused"
    assert "“对应列”页面" in told["failure"]["message"]


def test_what_the_page_saved_the_command_reads(cast: Cast, tmp_path: Path, as_user: As) -> None:
    as_user(cast.data_officer).post(PAGE.format(waiting(cast).pk), said(cast))
    file = tmp_path / "处罚.csv"
    file.write_bytes(theirs(cast) + b"\r\n")
    with pytest.raises(SystemExit) as ended:
        call_command(
            "intake", str(file), "--item", cast.item.code, "--supplier", cast.market.uscc, "--by", "data_officer", "--json"
        )  # fmt: skip
    assert ended.value.code == 0
    assert check(cast, theirs(cast) + b"\n").mapping is not None
