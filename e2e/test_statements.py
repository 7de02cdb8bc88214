"""The person's words beside a record: held back by two officials, told to the person, amended."""

from collections.abc import Callable

from e2e.conftest import Visitor

Come = Callable[[], Visitor]


def test_words_are_reviewed_by_two_and_amended_by_their_person(visitor: Come) -> None:
    citizen = visitor()
    citizen.sign_in("citizen")
    citizen.go("/me/file/")
    citizen.page.locator("summary", has_text="这条记录的经过").first.click()
    citizen.look("我的档案-经过")
    number = (citizen.page.locator("dd", has_text="（第 ").first.inner_text()).split("（")[0]
    office = visitor()
    office.sign_in("credit_office")
    page = office.page
    office.go("/admin/records/statementhold/add/")
    office.look("声明复核-开始")
    page.locator("[name=number]").fill(number)
    page.locator("[name=why]").fill("接到反映，写有他人住址")
    page.get_by_role("button", name="开始复核").click()
    page.get_by_role("link", name="查阅声明文字").click()
    assert "登记证已交回" in office.text
    office.look("声明复核-查阅")
    page.locator("[name=ground]").select_option("others")
    page.locator("[name=told]").fill("请删去第二句。")
    page.get_by_role("button", name="提交审核").click()
    second = visitor()
    second.sign_in("credit_office2")
    second.go(page.url)
    assert second.page.get_by_role("button", name="同意暂停显示").count() == 0  # nobody decides on words unread
    second.page.get_by_role("link", name="查阅声明文字").click()
    second.look("声明复核-审核")
    second.page.get_by_role("button", name="同意暂停显示").click()
    second.look("声明复核-已暂停")
    citizen.go(f"/me/file/{number}/statement/")
    assert "请删去第二句。" in citizen.text
    citizen.look("本人声明-暂停显示")
    citizen.page.get_by_label("您的意见").fill("没有写别人。")
    citizen.page.get_by_role("button", name="提出意见").click()
    office.go(page.url)
    office.look("声明复核-待答复")
    page.get_by_role("button", name="恢复显示").click()
    assert "已恢复显示" in office.text
