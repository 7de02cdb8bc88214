"""One decision travels from a spreadsheet to the citizen, through a real browser, web server and worker."""

import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import load_workbook

from creditfujian.lib.identity import invent
from e2e.conftest import CHECKOUT, Site, Visitor
from records.intake import samples

Come = Callable[[], Visitor]
MESSY = CHECKOUT / "docs" / "samples" / "penalties-messy.xlsx"
PASSWORD = "山海之间-有福之州-2026"
MARKET_PENALTIES = "FJ1-03-MRKT-0001"


def counts(visitor: Visitor) -> dict[str, int]:
    """Read the numbers of a batch off its page."""
    lines = visitor.page.locator(".counts li").all_inner_texts()
    return {label[:3].strip("（"): int(number) for number, label in (line.split(maxsplit=1) for line in lines)}


def upload(officer: Visitor, file: Path) -> None:
    """Upload a file for the market penalties and wait for the checks."""
    officer.go("/admin/records/batch/add/")
    page = officer.page
    page.get_by_label("目录条目").select_option(label=next(
        text for text in page.get_by_label("目录条目").locator("option").all_inner_texts() if MARKET_PENALTIES in text
    ))  # fmt: skip
    page.get_by_label("数据文件").set_input_files(file)
    page.get_by_role("button", name="上传并校验").click()


def commit(reviewer: Visitor, batch: str) -> None:
    """Commit as the second officer, from the dashboard on."""
    reviewer.go("/admin/")
    reviewer.page.get_by_role("link", name="待审核提交的批次").click()
    reviewer.page.get_by_role("link", name=batch).click()
    reviewer.page.get_by_role("button", name="审核通过，提交入库").click()
    reviewer.wait_until("已入库")


def batch_number(visitor: Visitor) -> str:
    return visitor.page.locator("h1").inner_text().removeprefix("批次 ")


def a_serious_row() -> tuple[str, str, str]:
    """Name, identity number and document number of a public serious penalty in the sample."""
    sheet = load_workbook(MESSY, read_only=True).worksheets[0]
    rows = sheet.iter_rows(values_only=True)
    head = next(row for row in rows if row[0] == "行政相对人名称")
    place = {label: index for index, label in enumerate(head) if label}
    for row in rows:
        number = str(row[place["证件号码"]])
        if row[place["失信程度"]] == "严重" and len(number) == 18 and number[6:10] < "2000" and number.isascii():
            return row[0], number, row[place["行政处罚决定书文号"]]
    raise AssertionError("the sample has no serious row")


def corrected(file: Path, target: Path) -> tuple[int, int]:
    """Do a clerk's work: put the marked cells right; take out rows that may not be reported. Return (kept, removed)."""
    book = load_workbook(file)
    sheet = book["待更正"]
    head_row = next(row for row in sheet.iter_rows() if any(cell.value == "来源行" for cell in row))
    labels = {cell.column: cell.value for cell in head_row}
    codes = {column.label: column.code for column in samples.COLUMNS}
    kept = removed = 0
    for number, row in reversed(list(enumerate(sheet.iter_rows(min_row=head_row[0].row + 1), head_row[0].row + 1))):
        marked = [cell for cell in row if cell.comment]
        may_not = any(
            word in str([cell.value for cell in row]) for word in ("未满 18 周岁", "行政拘留", "不得采集", "不予采集")
        )
        if may_not or not marked:
            sheet.delete_rows(number)
            removed += 1
            continue
        right = samples.clean_row(random.Random(number), 5_000_000 + number, uscc="11350000MADEM00038")
        if any(labels[cell.column] == "处罚决定日期" for cell in marked):
            marked = [cell for cell in row if codes.get(labels[cell.column]) in samples.DATE_COLUMNS]
        for cell in marked:
            cell.value = right[samples.INDEX[codes[labels[cell.column]]]]
        kept += 1
    book.save(target)
    return kept, removed


def test_the_journey(visitor: Come, site: Site, tmp_path: Path) -> None:
    # A data officer uploads the messy workbook and sees counts and reasons.
    officer = visitor()
    officer.sign_in("data_officer")
    upload(officer, MESSY)
    officer.wait_until("待提交")
    first, number = officer.page.url, batch_number(officer)
    before = counts(officer)
    assert before["总行数"] == 1000
    assert before["退回"] == 64
    assert before["新增"] + before["变更"] + before["无变化"] + before["退回"] == 1000
    for reason in ("校验位不对", "数字格式", "未满", "晚于今天", "封存"):
        assert reason in officer.text, officer.page.locator("#content").inner_text()
    assert officer.page.get_by_role("button", name="审核通过，提交入库").count() == 0, "the uploader may not commit"
    officer.look("批次-待提交-报送员")

    # A second officer commits.
    reviewer = visitor()
    reviewer.sign_in("data_reviewer")
    reviewer.go(first)
    reviewer.look("批次-待提交-审核员")
    commit(reviewer, number)
    assert counts(reviewer) == before

    # The correction workbook comes back with only the bad rows; corrected and sent again, they land.
    officer.go(first)
    with officer.page.expect_download() as download:
        officer.page.get_by_role("link", name="下载更正件").click()
    correction = tmp_path / "更正件.xlsx"
    download.value.save_as(correction)
    sheet = load_workbook(correction)["待更正"]
    marked = [cell for row in sheet.iter_rows() for cell in row if cell.comment]
    assert all(any("一" <= letter <= "鿿" for letter in cell.comment.text) for cell in marked)
    kept, removed = corrected(correction, tmp_path / "更正后.xlsx")
    assert kept + removed == 64
    upload(officer, tmp_path / "更正后.xlsx")
    officer.wait_until("待提交")
    again = counts(officer)
    assert (again["总行数"], again["退回"]) == (kept, 0), officer.text
    commit(reviewer, batch_number(officer))
    officer.go(first)
    assert f"已更正 {kept}" in officer.text

    # The same file twice changes nothing.
    upload(officer, MESSY)
    assert officer.page.url == first
    assert "没有重复处理" in officer.text

    # An officer of another department without permission is refused, and that is logged.
    name, id_number, document = a_serious_row()
    stranger = visitor()
    stranger.sign_in("transport_officer")
    register(stranger, name, id_number, "闽交执〔2026〕19号")
    assert "不能继续" in stranger.text
    assert "已记入查询日志" in stranger.text
    assert document not in stranger.text
    stranger.look("查询被拒绝")

    # One with permission registers, opens the file, sees masked fields.
    reader = visitor()
    reader.sign_in("decider_officer")
    register(reader, name, id_number, "闽市监案〔2026〕7号")
    assert document in reader.text
    assert id_number not in reader.page.content()
    reader.look("部门视图档案")

    # The citizen proves who they are at the counter, opens an account, sees the record and both readings.
    citizen = become_a_citizen(visitor, name, id_number)
    citizen.go("/me/file/")
    assert document in citizen.text
    assert id_number not in citizen.page.content()
    citizen.look("我的档案-有记录")
    citizen.go("/me/access/")
    for words in (
        "福建省市场监督管理局（演示）",
        "闽市监案〔2026〕7号",
        "福建省交通运输厅（演示）",
        "闽交执〔2026〕19号",
        "已拒绝",
    ):
        assert words in citizen.text
    citizen.look("谁查过我-有记录")

    # The public look-up shows the serious record, masked, and answers alike for nobody and for nothing public.
    anybody = visitor()
    shown = look_up(anybody, name, id_number)
    assert document in shown
    assert id_number not in anybody.page.content()
    assert name not in shown
    anybody.look("公示查询-有记录")
    nobody = look_up(anybody, "林无名", invent_somebody())
    with_nothing_public = look_up(anybody, *citizen_of(site, "citizen3"))
    assert nobody == with_nothing_public
    assert "没有" in nobody
    anybody.look("公示查询-没有记录")

    # Withdrawing so much takes another officer; then everything is as before.
    officer.go(first)
    officer.page.locator("summary", has_text="撤回整个批次").click()
    officer.page.get_by_label("撤回理由").fill("整批报错，撤回重报")
    officer.page.get_by_role("button", name="撤回批次").click()
    assert "已提请复核" in officer.text
    reviewer.go(first)
    reviewer.look("撤回复核")
    reviewer.page.get_by_label("复核意见").fill("与办案科室核实，确实整批错报")
    reviewer.page.get_by_role("button", name="同意，撤回批次").click()
    reviewer.wait_until("已撤回")
    citizen.go("/me/file/")
    assert document not in citizen.text
    assert document not in look_up(anybody, name, id_number)


def register(reader: Visitor, name: str, id_number: str, case_no: str) -> None:
    """Fill in the registration before a file is opened."""
    reader.go("/admin/access/request/add/")
    page = reader.page
    page.get_by_label("被查询人姓名").fill(name)
    page.get_by_label("身份证号码").fill(id_number)
    page.get_by_label(MARKET_PENALTIES).check()
    page.get_by_label("查询事由").select_option(index=1)
    page.get_by_label("事由说明").fill("办理案件，核实既往处罚")
    page.get_by_label("职责事项").select_option(index=1)
    page.get_by_label("案件（办件）编号").fill(case_no)
    page.get_by_role("button", name="登记并打开档案").click()


def become_a_citizen(visitor: Come, name: str, id_number: str) -> Visitor:
    """Counter, a second look, activation code, account, sign-in."""
    clerk = visitor()
    clerk.sign_in("clerk")
    clerk.go("/admin/accounts/identityproof/add/")
    clerk.page.get_by_label("姓名").fill(name)
    clerk.page.get_by_label("身份证号码").fill(id_number)
    clerk.page.get_by_label("已查验居民身份证原件").check()
    clerk.page.get_by_role("button", name="核验通过").click()
    clerk.look("身份核验待复核")
    second = visitor()
    second.sign_in("clerk2")
    second.go("/admin/accounts/identityproof/?waiting=1")
    second.page.locator("#result_list tbody tr").first.get_by_role("link").first.click()
    second.page.get_by_label("身份证号码").fill(id_number)
    second.page.get_by_label("已查验居民身份证原件").check()
    second.look("身份核验复核")
    second.page.get_by_role("button", name="人证相符").click()
    code = second.page.locator(".code").inner_text()
    second.look("激活码")
    citizen = visitor()
    citizen.go("/sign-in/activate/")
    page = citizen.page
    page.get_by_label("身份证号码").fill(id_number)
    page.get_by_label("激活码").fill(code)
    page.get_by_label("用户名").fill("new_citizen")
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    page.locator("main form button[type=submit]").click()
    citizen.look("账户已开通")
    citizen.sign_in("new_citizen", PASSWORD)
    return citizen


def look_up(anybody: Visitor, name: str, number: str) -> str:
    """Ask the public look-up; return what it says."""
    anybody.go("/lookup/")
    anybody.page.get_by_label("姓名").fill(name)
    anybody.page.get_by_label("身份证号码").fill(number)
    anybody.page.locator("main form button[type=submit]").click()
    return anybody.page.locator("main").inner_text().replace(name, "").replace(number, "")


def invent_somebody() -> str:
    from datetime import date

    return invent(date(1988, 8, 8), 771)


def citizen_of(site: Site, username: str) -> tuple[str, str]:
    """Read name and number of a demo citizen off the printed note."""
    note = site.accounts[username]["note"]
    return note.split("，")[0], note.split("身份证号码 ")[1][:18]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("空.csv", b"", "空"),
        ("big5.csv", "姓名,證件號碼\n陳小明,A123456789\n".encode("big5") * 30, "编码"),
        ("加密.xlsx", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(4096), "请"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_plain_words(
    visitor: Come, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    officer = visitor()
    officer.sign_in("data_officer")
    file = tmp_path / name
    file.write_bytes(content)
    upload(officer, file)
    officer.page.locator(".error-summary, .notice.error").wait_for(timeout=30_000)
    assert words in officer.page.locator(".error-summary, .notice.error").inner_text()


def test_clean_and_messy_samples_can_be_tried_in_the_demo(site: Site, tmp_path: Path) -> None:
    clean = site.command("intake", str(CHECKOUT / "docs/samples/penalties-clean.xlsx"), "--help")
    assert clean.returncode == 0
    assert io.StringIO(clean.stdout).readline()
