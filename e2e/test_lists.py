"""An officer's way through lists of records: registering, looking for somebody, opening a record, handing records out."""

from collections.abc import Callable

from e2e.conftest import Visitor

Come = Callable[[], Visitor]


def register(officer: Visitor) -> None:
    page = officer.page
    officer.go("/admin/records/record/register/")
    officer.look("登记列表")
    page.locator("input[name=items]").first.check()
    page.locator("select[name=purpose]").select_option("supervision")
    page.locator("[name=purpose_text]").fill("第三季度案卷核对")
    page.locator("[name=duty_code]").select_option("350000-MRKT-02")
    page.locator("[name=case_no]").fill("闽市监核〔2026〕3号")
    page.get_by_role("button", name="登记并打开列表").click()
    page.locator("#result_list").wait_for()  # boxes are counted at once: on a slow machine before the list is there


def test_an_officer_lists_searches_opens_and_hands_out(visitor: Come) -> None:
    officer = visitor()
    officer.sign_in("decider_officer")
    register(officer)
    page = officer.page
    officer.look("记录列表")
    assert page.locator("#result_list tbody tr").count() == 50
    page.get_by_role("link", name="下一页").click()
    page.get_by_role("link", name="上一页").click()
    page.locator("summary", has_text="筛选").click()
    page.get_by_label("失信程度").select_option("3")
    page.get_by_role("button", name="筛选", exact=True).click()
    officer.look("记录列表-已筛选")
    page.get_by_role("button", name="导出……").click()
    page.get_by_role("button", name="提交申请").wait_for()
    assert "第三季度案卷核对" in officer.text
    officer.look("导出列表中的记录")
    page.go_back()
    page.get_by_role("link", name="清除筛选").click()
    page.locator("summary", has_text="检索").click()
    page.locator("[name=by]").select_option("name")
    page.locator("[name=text]").fill("小")
    page.get_by_role("button", name="检索", exact=True).click()
    assert "姓名至少填两个字" in officer.text
    officer.look("检索未成")
    page.locator("[name=text]").fill("小满")
    page.get_by_role("button", name="检索", exact=True).click()
    assert "小满" not in page.url
    officer.look("记录列表-按姓名")
    page.locator("#result_list tbody th a").first.click()
    assert "来龙去脉" in officer.text
    assert "经过" in officer.text
    officer.look("一条记录")
    page.go_back()
    for box in page.locator("input[name=record]").all()[:3]:
        box.check()
    page.get_by_role("button", name="列入核对名单").click()
    page.locator("[name=title]").fill("第三季度核对")
    page.locator("[name=assigned_to]").select_option(index=1)
    page.locator("[name=due_on]").fill("2099-01-01")
    officer.look("列入核对名单")
    page.get_by_role("button", name="建立核对名单").click()
    page.get_by_role("heading", name="已完成").wait_for(timeout=60_000)
    officer.look("核对名单")


def test_the_person_reads_that_it_was_a_list(visitor: Come) -> None:
    citizen = visitor()
    citizen.sign_in("citizen")
    citizen.go("/me/")
    name = citizen.page.get_by_role("heading", level=1).inner_text().partition("，")[0]
    officer = visitor()
    officer.sign_in("decider_officer")
    register(officer)
    page = officer.page
    page.locator("summary", has_text="检索").click()
    page.locator("[name=by]").select_option("name")
    page.locator("[name=text]").fill(name)
    page.get_by_role("button", name="检索", exact=True).click()
    page.locator("#result_list").wait_for()
    citizen.go("/me/access/")
    assert "列表浏览" in citizen.text
    citizen.look("谁查了我-列表浏览")


def test_what_a_list_shows_goes_out_as_an_export(visitor: Come) -> None:
    officer = visitor()
    officer.sign_in("decider_officer")
    register(officer)
    page = officer.page
    for box in page.locator("input[name=record]").all()[:3]:
        box.check()
    page.get_by_role("button", name="导出……").click()
    page.get_by_label("勾选的 3 条记录").wait_for()
    page.get_by_role("button", name="提交申请").click()
    page.locator(".state .tag", has_text="可下载").wait_for(timeout=60_000)
    assert "只要列表中选定的 3 条" in officer.text
    officer.look("导出-来自列表")
