"""The ways out in a browser: download a report and check it, print one at the counter, ask for an export and fetch it."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from e2e.conftest import SHOTS, Site, Visitor
from e2e.test_pages import reached_by_tab
from records.tests.ways_out import code_on, text_of

Come = Callable[[], Visitor]


def test_a_citizen_downloads_a_report_and_anybody_checks_it(visitor: Come) -> None:
    citizen = visitor()
    citizen.sign_in("citizen")
    citizen.go("/me/file/")
    citizen.look("报告-我的档案")
    with citizen.page.expect_download() as waiting:
        citizen.page.get_by_role("button", name="下载报告（PDF）").click()
    file = Path(waiting.value.path())
    pdf, number = file.read_bytes(), waiting.value.suggested_filename.removesuffix(".pdf")
    assert pdf.startswith(b"%PDF")
    assert f"{citizen.site.base}/verify/" in text_of(pdf)  # the QR code says the same: this portal, this port
    citizen.go("/me/file/print/")
    citizen.look("报告-打印页")
    reached_by_tab(citizen)

    bank = visitor()
    bank.go(f"/verify/?no={number}")
    bank.look("报告-核验")
    reached_by_tab(bank)
    bank.page.get_by_label("验证码").fill(code_on(pdf))
    bank.page.get_by_label("报告或证明的 PDF 文件").set_input_files(
        {"name": "r.pdf", "mimeType": "application/pdf", "buffer": pdf}
    )
    bank.page.get_by_role("button", name="核验").click()
    assert "一字不差" in bank.text
    assert hashlib.sha256(pdf).hexdigest() in bank.text
    bank.look("报告-核验通过")
    bank.go(f"/verify/?no={number}")
    bank.page.get_by_label("验证码").fill("AAAA-BBBB-CCCC-DDDD")
    bank.page.get_by_role("button", name="核验").click()
    bank.look("报告-核验不符")

    citizen.go("/me/reports/")
    assert "1 次" in citizen.text
    citizen.look("报告-已出具")
    reached_by_tab(citizen)


def test_two_officers_print_a_report_at_the_counter(visitor: Come, site: Site) -> None:
    citizen = re.search(r"^(\S+?)，身份证号码 (\d{17}[\dX])", site.accounts["citizen2"]["note"])
    assert citizen is not None
    clerk, colleague = visitor(), visitor()
    clerk.sign_in("clerk")
    clerk.go("/admin/records/counterrequest/add/")
    clerk.look("窗口-办理")
    reached_by_tab(clerk)
    clerk.page.get_by_label("姓名").fill(citizen[1])
    clerk.page.get_by_label("身份证号码").fill(citizen[2])
    clerk.page.get_by_label("已查验居民身份证原件").check()
    clerk.page.get_by_role("button", name="提交，请同事核对").click()
    clerk.look("窗口-待核对")
    colleague.sign_in("clerk2")
    colleague.go("/admin/records/counterrequest/?state__exact=waiting")
    colleague.page.locator("#result_list tbody th a").first.click()
    colleague.look("窗口-第二人核对")
    reached_by_tab(colleague)
    colleague.page.get_by_label("已当面核对居民身份证原件").check()
    colleague.page.get_by_role("button", name="核对无误，出具报告").click()
    colleague.look("窗口-打印")
    address = colleague.page.url
    with colleague.page.expect_response(
        re.compile("/print/$")
    ) as answer:  # opens in the browser: no copy is left on disk
        colleague.page.get_by_role("button", name="打开并打印").click()
    assert answer.value.headers["content-type"] == "application/pdf"
    colleague.page.wait_for_timeout(1500)
    colleague.page.screenshot(path=str(SHOTS / "窗口-打开的报告.png"))
    colleague.page.goto(address)
    assert "第 1 份" in colleague.text
    colleague.look("窗口-已打印")


def test_an_export_waits_for_another_officer_and_is_fetched(visitor: Come) -> None:
    officer, reviewer = visitor(), visitor()
    officer.sign_in("decider_officer")
    officer.go("/admin/records/export/add/")
    officer.look("导出-申请")
    reached_by_tab(officer)
    officer.go("/admin/records/export/?state__exact=awaiting")
    officer.page.locator("#result_list tbody th a").first.click()
    officer.look("导出-待复核")
    address = officer.page.url
    reviewer.sign_in("decider_reviewer")
    reviewer.page.goto(address)
    reviewer.look("导出-复核")
    reached_by_tab(reviewer)
    reviewer.page.get_by_role("button", name="同意导出").click()
    officer.page.goto(address)
    officer.page.get_by_role("button", name="取得下载链接").wait_for(timeout=60_000)
    officer.look("导出-可下载")
    officer.page.get_by_role("button", name="取得下载链接").click()
    with officer.page.expect_download() as waiting:
        officer.page.get_by_role("link", name="下载文件").click()
    assert Path(waiting.value.path()).read_bytes().startswith(b"PK")
    officer.page.reload()
    officer.look("导出-已下载")
