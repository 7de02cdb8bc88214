"""Readings get a second look: the unit answers, the auditor closes, the person sees it; a list waits for its reviewer."""

from collections.abc import Callable

from e2e.conftest import Site, Visitor
from e2e.test_pages import reached_by_tab

Come = Callable[[], Visitor]


def test_a_review_is_answered_and_closed(visitor: Come, site: Site) -> None:
    head, auditor, office = visitor(), visitor(), visitor()
    head.sign_in("decider_head")
    head.look("工作台-查询核查-负责人")
    head.go("/admin/access/anomaly/?state__exact=open")
    head.look("查询核查-列表")
    head.page.locator("#result_list tbody th a").first.click()
    head.look("查询核查-待答复")
    reached_by_tab(head)
    address = head.page.url
    head.page.get_by_label("有依据", exact=True).check()
    head.page.get_by_label("核实情况").fill("已立案，案卷齐全")
    head.page.get_by_role("button", name="答复").click()
    assert "等候审计员办结" in head.text
    head.look("查询核查-已答复")
    auditor.sign_in("auditor")
    auditor.page.goto(address)
    auditor.look("查询核查-待办结")
    auditor.page.get_by_label("审计意见").fill("与案卷一致")
    auditor.page.get_by_role("button", name="办结", exact=True).click()
    assert "已办结" in auditor.text
    auditor.go("/admin/access/query/")
    auditor.look("查询日志-写明理由")
    auditor.page.get_by_label("查看理由").fill("季度审计")
    auditor.page.get_by_role("button", name="打开查询日志").click()
    auditor.look("查询日志")
    office.sign_in("credit_office")
    for path, name in (("logreading/", "日志的查看记录"), ("reviewrule/", "查询核查规则"), ("reviewrule/add/", "提出核查规则"),
                       ("reviewrule/1/change/", "查询核查规则-一条")):  # fmt: skip
        office.go(f"/admin/access/{path}")
        office.look(name)


def test_the_person_sees_that_a_reading_was_reviewed(visitor: Come) -> None:
    citizen = visitor()
    citizen.sign_in("citizen")
    citizen.go("/me/access/")
    assert "已核查，结论：操作失误" in citizen.text
    citizen.look("谁查了我-已核查")


def test_a_list_of_persons_is_asked_for(visitor: Come) -> None:
    officer = visitor()
    officer.sign_in("decider_officer")
    officer.go("/admin/records/export/named/")
    officer.look("按名单查询")
    reached_by_tab(officer)
    officer.page.locator("main form button[type=submit]").click()
    officer.look("按名单查询-有错")
