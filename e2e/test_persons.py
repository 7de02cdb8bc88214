"""Who somebody is, in a browser: a name conflict is looked into by one official and decided by another."""

from collections.abc import Callable

from e2e.conftest import Visitor
from e2e.test_pages import reached_by_tab

Come = Callable[[], Visitor]
OPEN = "/admin/records/personcase/?state__exact=open"


def test_two_officials_answer_a_name_conflict(visitor: Come) -> None:
    supplier, office, second = visitor(), visitor(), visitor()
    supplier.sign_in("data_officer")
    supplier.go("/admin/records/personcase/?state__exact=done")
    supplier.page.locator("#result_list tbody th a").first.click()
    supplier.look("人员-报送单位看核对单")

    office.sign_in("credit_office")
    office.look("人员-工作台")
    office.go(OPEN)
    office.look("人员-核对单列表")
    office.page.locator("#result_list tbody th a").first.click()
    office.look("人员-核对单")
    reached_by_tab(office)
    office.page.get_by_role("link", name="查看双方姓名").click()
    office.look("人员-双方姓名")
    reached_by_tab(office)
    office.page.get_by_label("当事人已改名").check()
    office.page.get_by_role("button", name="提交审核").click()
    office.look("人员-缺证明文件")
    office.page.get_by_label("证明文件").select_option("book")
    office.page.get_by_label("文件编号").fill("第0822号第2页")
    office.page.get_by_label("文件日期").fill("2026-10-08")
    office.page.get_by_label("核对的情况").fill("户口簿变更页载明")
    office.page.get_by_label("当事人已改名").check()
    office.page.get_by_role("button", name="提交审核").click()
    address = office.page.url
    assert "待审核" in office.text

    second.sign_in("credit_office2")
    second.page.goto(f"{address}?names=1")
    second.look("人员-审核")
    reached_by_tab(second)
    second.page.get_by_role("button", name="同意，立即生效").click()
    assert "已办结" in second.text
    second.look("人员-已办结")


def test_a_death_is_asked_for_and_undone(visitor: Come) -> None:
    office = visitor()
    office.sign_in("credit_office")
    office.go("/admin/records/personcase/add/")
    office.look("人员-申请办理")
    reached_by_tab(office)
    office.go("/admin/records/personcase/add/?kind=death")
    office.look("人员-登记死亡")
    reached_by_tab(office)
    office.page.get_by_role("button", name="提交审核").click()
    office.look("人员-登记死亡缺项")
    office.go("/admin/records/personcase/?kind__exact=death")
    office.page.locator("#result_list tbody th a").first.click()
    office.page.get_by_role("link", name="查看当事人").click()
    office.look("人员-已登记死亡")
    office.page.get_by_role("link", name="登记有误，申请撤销").click()
    office.look("人员-撤销死亡登记")


def test_a_merge_is_told_to_the_person_and_can_be_undone(visitor: Come) -> None:
    office, citizen = visitor(), visitor()
    office.sign_in("credit_office")
    for kind, name in (("merge", "合并"), ("move", "移转记录")):
        office.go(f"/admin/records/personcase/add/?kind={kind}")
        office.look(f"人员-{name}")
        reached_by_tab(office)
    office.go("/admin/records/personcase/?kind__exact=merge")
    office.page.locator("#result_list tbody th a").first.click()
    office.page.get_by_role("link", name="查看当事人").click()
    office.look("人员-已合并")
    office.page.get_by_role("link", name="登记有误，申请撤销").click()
    office.look("人员-撤销合并")
    citizen.sign_in("citizen2")
    citizen.look("人员-本人首页告知")
    citizen.go("/me/file/")
    assert "已登记为同一人" in citizen.text
    citizen.look("人员-本人档案告知")
