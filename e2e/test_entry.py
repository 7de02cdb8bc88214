"""A record typed by one officer and put in by another, in a real browser; pasting, errors at their fields, on paper."""

from collections.abc import Callable
from datetime import date

from creditfujian.lib.identity import invent
from e2e.conftest import SHOTS, Visitor
from e2e.test_journey import MARKET_PENALTIES
from e2e.test_pages import reached_by_tab

Come = Callable[[], Visitor]
FORM = f"/admin/records/batch/type/{MARKET_PENALTIES}/"
NUMBER = invent(date(1988, 8, 8), 88)


def fill(officer: Visitor, number: str, document: str, *, at: int = 0) -> None:
    """Fill one slip in."""
    slip = officer.page.locator(".slip").nth(at)
    for label, value in {
        "行政相对人名称": "林立夏", "证件号码": number, "行政处罚决定书文号": document, "违法行为类型": "经营超过保质期的食品",
        "违法事实": "当事人经营的预包装食品超过保质期三日，货值金额较小，已主动召回。", "处罚依据": "食品安全法第一百二十四条",
        "处罚内容": "罚款五千元。", "罚款金额（万元）": "0.5", "处罚决定日期": "2026-09-01",
    }.items():  # fmt: skip
        slip.get_by_label(label).first.fill(value)
    slip.get_by_label("罚款", exact=True).check()
    slip.get_by_label("失信程度").select_option("一般")
    slip.get_by_label("信息使用范围").select_option("公示")


def test_one_officer_types_and_another_puts_it_in(visitor: Come) -> None:
    officer, reviewer = visitor(), visitor()
    officer.sign_in("data_officer")
    officer.go("/admin/records/batch/add/")
    officer.page.get_by_role("link", name="逐条填写").click()
    assert officer.page.url.endswith(FORM)
    officer.look("表单录入")
    reached_by_tab(officer)
    fill(officer, NUMBER[:-1] + ("1" if NUMBER[-1] != "1" else "2"), "闽市监处罚〔2026〕901号")
    officer.page.get_by_role("button", name="校验并提交审核").click()
    assert "第 1 条 证件号码" in officer.page.locator(".error-summary").inner_text()
    officer.look("表单录入-有误")
    officer.page.get_by_label("证件号码").fill(NUMBER)
    officer.page.get_by_role("button", name="校验并提交审核").click()
    assert "等候本单位另一名审核员" in officer.text
    batch = officer.page.locator("h1").inner_text().removeprefix("批次 ")
    assert NUMBER not in officer.page.url + officer.page.content()
    officer.look("表单录入-已提交")
    reviewer.sign_in("data_reviewer")
    reviewer.page.get_by_role("link", name="待审核提交的批次").click()
    reviewer.page.get_by_role("link", name=batch).click()
    assert "货值金额较小" in reviewer.text
    reviewer.look("表单录入-审核")
    reached_by_tab(reviewer)
    reviewer.page.get_by_role("button", name="审核通过，提交入库").click()
    reviewer.wait_until("已入库")
    assert "货值金额较小" not in reviewer.text


def test_rows_copied_from_a_spreadsheet(visitor: Come) -> None:
    officer = visitor()
    officer.sign_in("data_officer")
    officer.go(FORM)
    page = officer.page
    fill(officer, NUMBER, "闽市监处罚〔2026〕902号")
    page.get_by_role("button", name="再加一条").click()
    page.locator(".slip").nth(1).wait_for()
    assert page.get_by_label("证件号码").first.input_value() == NUMBER
    page.locator("summary", has_text="从表格粘贴").click()
    page.get_by_label("粘贴的内容").fill("姓名\t证件号码\t文号\t决定日期\n林立秋\t3.59901E+17\t闽903号\t昨天\n")
    page.get_by_role("button", name="校验并提交审核").click()
    assert page.get_by_label("处罚决定日期").last.input_value() == "昨天"
    officer.look("表单录入-粘贴有误")


def test_the_form_on_paper(visitor: Come) -> None:
    officer = visitor()
    officer.sign_in("data_officer")
    officer.go(FORM)
    officer.page.emulate_media(media="print")
    officer.page.set_viewport_size({"width": 794, "height": 1123})
    officer.page.screenshot(path=SHOTS / "表单录入-打印.png", full_page=True)
    assert officer.page.get_by_text("填表人").is_visible()
    assert not officer.page.get_by_role("button", name="校验并提交审核").is_visible()


def test_the_typist_takes_a_waiting_record_back(visitor: Come) -> None:
    officer = visitor()
    officer.sign_in("data_officer")
    officer.go(FORM)
    fill(officer, NUMBER, "闽市监处罚〔2026〕904号")
    officer.page.get_by_role("button", name="校验并提交审核").click()
    officer.page.get_by_role("button", name="取回修改").click()
    assert officer.page.get_by_label("证件号码").input_value() == NUMBER
    assert officer.page.get_by_label("罚款", exact=True).is_checked()
    officer.look("表单录入-取回修改")
