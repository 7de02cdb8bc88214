"""Pages of records that no list leads to at once: reasons, acts asked and decided, batches compared, work lists."""

from collections.abc import Callable

from e2e.conftest import Visitor
from e2e.test_pages import reached_by_tab

Come = Callable[[], Visitor]


def look(somebody: Visitor, path: str, name: str) -> None:
    somebody.go(path)
    somebody.look(name)
    reached_by_tab(somebody)


def test_the_pages_of_a_data_officer(visitor: Come) -> None:
    officer = visitor()
    officer.sign_in("data_officer")
    page = officer.page
    for path, name in (
        ("/admin/records/batch/", "批次-列表"), ("/admin/records/batch/add/", "批次-上传"),
        ("/admin/records/batch/reasons/", "批次-原因"), ("/admin/records/recordact/", "办理单-列表"),
        ("/admin/records/recordact/add/", "办理单-申请"), ("/admin/records/supplyduty/situation/", "报送情况"),
    ):  # fmt: skip
        look(officer, path, name)
    officer.go("/admin/records/batch/?state__exact=checked")
    page.locator("#result_list tbody th a").first.click()
    officer.look("批次-待审核")
    officer.go("/admin/records/recordact/?state__exact=asked")
    page.locator("#result_list tbody th a").first.click()
    officer.look("办理单-待审核")
    number = page.locator("dd", has_text="R20").first.inner_text()
    officer.go("/admin/records/recordact/add/")
    page.get_by_role("button", name="提交").click()
    assert page.locator(".error-summary").is_visible()
    officer.look("办理单-填写有误")
    page.locator("[name=kind]").select_option("correct")
    page.locator("[name=numbers]").fill(number)
    page.locator("[name=reason]").fill("罚款金额录入有误")
    page.get_by_role("button", name="提交").click()
    page.get_by_role("button", name="提交审核").wait_for()
    officer.look("办理单-更正")
    page.locator("input[name], textarea[name]").last.fill("更正后的内容")
    page.get_by_role("button", name="提交审核").click()
    officer.look("办理单-更正已提交")


def test_the_second_official_decides(visitor: Come) -> None:
    reviewer = visitor()
    reviewer.sign_in("data_reviewer")
    page = reviewer.page
    reviewer.go("/admin/records/recordact/?state__exact=asked")
    reviewer.look("办理单-审核列表")
    page.locator("#result_list tbody th a").first.click()
    page.get_by_role("link", name="查阅记录内容").click()
    reviewer.look("办理单-审核")
    reached_by_tab(reviewer)
    reviewer.go("/admin/records/export/")
    reviewer.look("导出-复核列表")


def test_a_work_list_and_saved_views(visitor: Come) -> None:
    colleague = visitor()
    colleague.sign_in("decider_reviewer")
    page = colleague.page
    colleague.go("/admin/records/worklist/")
    colleague.look("核对名单-列表")
    page.locator("#result_list tbody tr", has_text="三季度严重失信案卷核对").locator("th a").click()
    assert "罚款金额与决定书不一致" in colleague.text
    colleague.look("核对名单-填写")
    reached_by_tab(colleague)
