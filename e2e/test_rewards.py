"""A reward in the browser: the citizen answers, the unit reads the check and decides, the public sees a surname; it is left."""

from collections.abc import Callable

from e2e.conftest import PHONE, Visitor
from e2e.test_pages import reached_by_tab

Come = Callable[[], Visitor]


def test_from_the_answer_to_the_grant_and_out_again(visitor: Come) -> None:
    citizen, head, anybody = visitor(), visitor(), visitor()
    citizen.sign_in("citizen3")
    citizen.go("/me/")
    citizen.look("我的信用-有激励推荐")
    citizen.page.get_by_role("link", name="我的激励", exact=True).click()
    citizen.look("我的激励")
    reached_by_tab(citizen)
    citizen.page.locator(".entries a").first.click()
    citizen.look("激励-待答复")
    reached_by_tab(citizen)
    number = citizen.page.url.rstrip("/").rsplit("/", 1)[1]
    citizen.page.get_by_role("button", name="提交答复").click()
    citizen.look("激励-待答复-有错")
    citizen.page.set_viewport_size(PHONE)
    citizen.page.get_by_role("group", name="接受推荐").get_by_label("同意", exact=True).check()
    citizen.page.get_by_role("group", name="授予以后公开").get_by_label("同意", exact=True).check()
    citizen.page.get_by_role("button", name="提交答复").click()
    assert "您不需要再做什么" in citizen.text
    citizen.look("激励-核对中")

    head.sign_in("honour_head")
    head.go("/admin/sanctions/rewardcase/")
    head.look("激励办理-列表")
    head.page.get_by_role("link", name=number).click()
    head.look("激励办理-未查阅")
    head.page.get_by_role("link", name="查阅核对结果").click()
    assert "没有发现冲突" in head.text
    head.look("激励办理-已查阅")
    reached_by_tab(head)
    head.page.get_by_role("button", name="决定授予").click()
    assert "已授予" in head.text
    head.look("激励办理-已授予")

    anybody.go("/rewards/")
    anybody.look("守信激励公示")
    reached_by_tab(anybody)
    anybody.go(f"/rewards/{number}/")
    assert "优秀志愿者" in anybody.text
    anybody.look("守信激励公示-已授予")
    citizen.go(f"/me/rewards/{number}/")
    citizen.look("激励-已公开")
    citizen.page.get_by_text("退出激励", exact=True).click()
    citizen.page.get_by_role("button", name="确认退出").click()
    assert "激励已经终止" in citizen.text
    citizen.look("激励-已退出")
    anybody.go(f"/rewards/{number}/")
    assert "内容已撤下" in anybody.text


def test_an_objection_is_answered(visitor: Come) -> None:
    anybody, officer = visitor(), visitor()
    anybody.go("/rewards/")
    anybody.page.locator(".entries > li", has_text="公示中").get_by_role("link").first.click()
    anybody.look("守信激励公示-公示中")
    anybody.page.get_by_role("button", name="提交意见").click()
    anybody.look("守信激励公示-意见有错")
    anybody.page.get_by_label("您的意见").fill("请说明服务时长怎么核对。")
    anybody.page.get_by_role("button", name="提交意见").click()
    assert "已收到您的意见" in anybody.text
    officer.sign_in("honour_officer")
    officer.go("/admin/sanctions/rewardcase/?state__exact=notice")
    officer.page.locator("#result_list tbody th a").first.click()
    officer.look("激励办理-公示意见")
    officer.page.get_by_label("答复").first.fill("按志愿服务平台的记录逐笔核对，不含单位组织的活动。")
    officer.page.get_by_role("button", name="答复", exact=True).first.click()
    anybody.page.reload()
    assert "逐笔核对" in anybody.text


def test_a_suspended_reward_and_the_forms_of_officials(visitor: Come) -> None:
    officer, head, clerk, office = visitor(), visitor(), visitor(), visitor()
    head.sign_in("honour_head")
    head.go("/admin/sanctions/rewardcase/?state__exact=suspended")
    head.page.locator("#result_list tbody th a").first.click()
    head.page.get_by_role("link", name="查阅核对结果").click()
    assert "一般、严重失信记录" in head.text
    head.look("激励办理-暂停")
    head.page.get_by_role("button", name="撤销激励").click()
    head.look("激励办理-没有理由")
    officer.sign_in("honour_officer")
    officer.go("/admin/sanctions/rewardcase/add/")
    officer.look("推荐激励")
    reached_by_tab(officer)
    officer.page.get_by_role("button", name="推荐，征求本人意见").click()
    officer.look("推荐激励-有错")
    officer.go("/admin/sanctions/rewardprogramme/add/")
    officer.look("提出激励项目")
    office.sign_in("credit_office")
    office.go("/admin/sanctions/rewardprogramme/?state__exact=draft")
    office.page.locator("#result_list tbody th a").first.click()
    office.look("激励项目-待确认")
    clerk.sign_in("clerk2")
    clerk.go("/admin/sanctions/rewardpaper/")
    clerk.page.locator("#result_list tbody th a").first.click()
    clerk.look("激励的纸质答复")
    clerk.go("/admin/sanctions/rewardpaper/add/")
    clerk.look("录入激励的书面答复")
