"""Columns under other names in a browser: an officer says what they are, the reviewer sees it, the mapping is kept."""

from collections.abc import Callable

from creditfujian.demo_mapping import LEDGER
from e2e.conftest import Visitor
from e2e.test_pages import reached_by_tab

Come = Callable[[], Visitor]


def test_an_officer_says_what_the_columns_are(visitor: Come) -> None:
    officer, reviewer = visitor(), visitor()
    officer.sign_in("data_officer")
    page = officer.page
    officer.go("/admin/records/batch/?state__exact=mapping")
    page.locator("#result_list tbody th a").first.click()
    officer.look("对应列-批次待对应")
    address = page.url
    page.get_by_role("link", name="对应列", exact=True).click()
    officer.look("对应列-打开")
    reached_by_tab(officer)
    page.get_by_text("第一步", exact=False).click()
    assert "处罚台账" in officer.text
    officer.look("对应列-表头在哪一行")
    reached_by_tab(officer)
    page.get_by_role("radio", name="第 3 行").check()
    page.get_by_role("button", name="用这一行作表头").click()
    assert "像是数据" in officer.text
    officer.look("对应列-选错表头")
    page.get_by_role("radio", name="第 2 行").check()
    page.get_by_role("button", name="用这一行作表头").click()
    for at in range(len(LEDGER)):
        page.locator(f"#id_c{at}").select_option("")
    page.locator("#id_c0").select_option("CF_XDR_MC")
    page.locator("#id_c1").select_option("CF_XDR_MC")
    page.get_by_role("button", name="保存并按此读取").click()
    assert page.locator(".error-summary").is_visible()
    officer.look("对应列-有误")
    reached_by_tab(officer)
    for at, label in enumerate(LEDGER):
        options = page.locator(f"#id_c{at} option").all_inner_texts()
        page.locator(f"#id_c{at}").select_option(
            label=next(one for one in options if one.removesuffix("（必填）") == label)
        )
    page.get_by_label("名称").fill("处罚台账（手工）")
    page.get_by_role("button", name="保存并按此读取").click()
    officer.wait_until("待提交")
    assert "按已保存的列对应“处罚台账（手工）”读取" in officer.text
    officer.look("对应列-已读取")

    reviewer.sign_in("data_reviewer")
    reviewer.page.goto(address)
    assert "提交前请核对各列是否对应正确" in reviewer.text
    reviewer.look("对应列-审核员核对")
    reached_by_tab(reviewer)

    page.get_by_role("link", name="处罚台账（手工）").first.click()
    officer.look("列对应-一条")
    page.get_by_text("改名", exact=True).click()
    page.get_by_label("名称").fill("处罚台账")
    page.get_by_role("button", name="保存名称").click()
    assert "改名，原名“处罚台账（手工）”" in officer.text
    page.get_by_text("停用", exact=True).first.click()
    page.get_by_role("button", name="停用").click()
    assert "已停用" in officer.text
    reached_by_tab(officer)
    officer.go("/admin/records/columnmapping/")
    officer.look("列对应-列表")
