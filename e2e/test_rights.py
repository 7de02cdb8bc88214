"""As a citizen would, on a phone: from the front page to who looked and why in three clicks, to a question in one more."""

from collections.abc import Callable

from e2e.conftest import PHONE, Site, Visitor
from e2e.test_pages import reached_by_tab

Come = Callable[[], Visitor]


def shows_who_and_why(citizen: Visitor) -> None:
    assert "/me/access/" in citizen.page.url
    for words in ("谁查了我", "为什么查", "凭什么查", "看了什么", "部门依职责查询"):
        assert words in citizen.text


def test_three_clicks_on_a_phone_signed_in(visitor: Come) -> None:
    citizen = visitor()
    citizen.sign_in("citizen")
    citizen.page.set_viewport_size(PHONE)
    citizen.go("/")
    link = citizen.page.locator("main").get_by_role("link", name="谁查了我").first
    assert link.bounding_box()["y"] < PHONE["height"], "seen without scrolling"  # type: ignore[index]
    link.click()  # one
    shows_who_and_why(citizen)


def test_three_clicks_on_a_phone_signing_in_on_the_way(visitor: Come, site: Site) -> None:
    citizen = visitor()
    citizen.page.set_viewport_size(PHONE)
    citizen.go("/")
    citizen.page.locator("main").get_by_role("link", name="谁查了我").first.click()  # one
    citizen.page.get_by_label("用户名").fill("citizen")
    citizen.page.get_by_label("密码").fill(site.accounts["citizen"]["password"])
    citizen.page.get_by_role("button", name="登录", exact=True).click()  # two
    shows_who_and_why(citizen)


def test_one_click_is_a_question_that_is_answered(visitor: Come) -> None:
    citizen, head, auditor = visitor(), visitor(), visitor()
    citizen.sign_in("citizen2")
    citizen.go("/me/access/")
    citizen.look("谁查了我")
    reached_by_tab(citizen)
    line = citizen.page.locator(".looks > li", has_text="市场监督管理局").filter(has=citizen.page.get_by_role("button"))
    line.first.get_by_role("button", name="我有疑问").click()
    number = citizen.page.url.rstrip("/").rsplit("/", 1)[1]
    assert number in citizen.text
    citizen.look("疑问-已提出")
    reached_by_tab(citizen)
    citizen.go("/me/questions/")
    citizen.look("我提出的疑问")

    head.sign_in("decider_head")
    head.go("/admin/access/anomaly/?state__exact=open&sign__exact=questioned")
    head.look("查询核查-本人疑问")
    head.page.locator("#result_list tbody th a").first.click()
    head.look("查询核查-本人疑问-答复")
    address = head.page.url
    head.page.get_by_label("没有依据", exact=True).check()
    head.page.get_by_label("核实情况").fill("没有对应案件")
    head.page.get_by_label("给当事人的答复").fill("这次查询没有对应的案件，是我们的错，已经处理经办人")
    head.page.get_by_role("button", name="答复", exact=True).click()
    auditor.sign_in("auditor")
    auditor.page.goto(address)
    auditor.page.get_by_label("审计意见").fill("情况属实")
    auditor.page.get_by_role("button", name="办结", exact=True).click()
    citizen.go(f"/me/questions/{number}/")
    assert "结论：没有依据" in citizen.text
    assert "第六十九条" in citizen.text
    citizen.look("疑问-没有依据")


def test_the_rights_centre(visitor: Come) -> None:
    citizen, officer = visitor(), visitor()
    citizen.sign_in("citizen")
    citizen.page.get_by_role("link", name="我的权利").click()
    citizen.look("我的权利")
    reached_by_tab(citizen)
    citizen.page.get_by_role("link", name="看逐条说明").click()
    citizen.look("我的权利-逐条说明")
    citizen.go("/me/rights/ask/delete/")
    citizen.look("我的权利-请求删除")
    reached_by_tab(citizen)
    citizen.page.get_by_role("button", name="提交请求").click()
    citizen.look("我的权利-请求删除-有错")
    citizen.page.locator("input[type=radio]").first.check()
    citizen.page.get_by_label("您的请求和理由").fill("决定书写的是营业部，不是我本人")
    citizen.page.get_by_role("button", name="提交请求").click()
    assert "您不需要再做什么" in citizen.text
    citizen.look("我的权利-请求")

    officer.sign_in("data_officer")
    officer.go("/admin/records/rightsrequest/")
    officer.look("权利请求-列表")
    officer.page.locator("#result_list tbody th a").first.click()
    officer.page.get_by_role("link", name="查阅记录内容").click()
    officer.look("权利请求-办理")
    reached_by_tab(officer)
