"""Every page that each role can reach from its dashboard: readable at both widths, by everyone, without a mouse."""

from collections.abc import Callable

import pytest

from e2e.conftest import CHECKOUT, Site, Visitor

Come = Callable[[], Visitor]
PUBLIC = [
    "/",
    "/lookup/",
    "/sign-in/",
    "/sign-in/activate/",
    "/about/what-we-do-not-do/",
    "/accessibility/",
    "/catalogue/",
    "/catalogue/?words=处罚&disclosure=PUBLIC",
    "/catalogue/FJ1-03-MRKT-0001/",
    "/catalogue/editions/",
    "/catalogue/editions/FJ-2021-01/",
    "/catalogue/consultations/",
    "/catalogue/consultations/1/",
    "/rules/",
    "/rules/prohibited/",
    "/verify/",
    "/institutions/",
    "/api/v1/docs/",
    "/transparency/",
    "/no-such-page/",
]
STAFF = ["data_officer", "data_reviewer", "decider_officer", "legal_reviewer", "credit_office", "operator", "clerk", "auditor",
         "security_admin", "system_admin"]  # fmt: skip

FOCUSABLE = """() => {
  const seen = new Set(), groups = new Set();
  let count = 0;
  for (const e of document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')) {
    if (e.disabled || e.tabIndex < 0 || !e.checkVisibility({visibilityProperty: true})) continue;
    if (e.type === 'radio') { if (groups.has(e.name)) continue; groups.add(e.name); }
    count++;
  }
  return count;
}"""
MARK = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const key = e.type === 'radio' ? 'radio:' + e.name : (e.dataset.seen ||= String(window.__n = (window.__n || 0) + 1));
  const style = getComputedStyle(e);
  return [key, style.outlineStyle !== 'none' || style.boxShadow !== 'none', e.outerHTML.slice(0, 120)];
}"""


def reached_by_tab(visitor: Visitor) -> None:
    """Press Tab through the page: everything that can be used gets the focus, and shows it."""
    page = visitor.page
    page.evaluate("document.activeElement && document.activeElement.blur()")
    expected, reached = page.evaluate(FOCUSABLE), set()
    for _ in range(expected + 3 + 3 * page.locator("input[type=date]").count()):  # a date stops four times
        page.keyboard.press("Tab")
        if (at := page.evaluate(MARK)) is not None:
            key, shown, html = at
            if not shown:
                visitor.complaints.append(f"{page.url}: no visible focus on {html}")
            reached.add(key)
    if len(reached) < expected:
        visitor.complaints.append(f"{page.url}: {len(reached)} of {expected} reached by keyboard")


@pytest.mark.parametrize("path", PUBLIC)
def test_public_pages(visitor: Come, path: str) -> None:
    anybody = visitor()
    anybody.go(path)
    anybody.look(f"公众{path}")
    reached_by_tab(anybody)


def test_forms_say_what_is_wrong(visitor: Come) -> None:
    anybody = visitor()
    anybody.go("/lookup/")
    anybody.page.get_by_label("姓名").fill("林")
    anybody.page.get_by_label("身份证号码").fill("35990119900101001A")
    anybody.page.locator("main form button[type=submit]").click()
    assert anybody.page.locator(".error-summary").is_visible()
    anybody.look("公示查询-填写有误")


def test_large_type(visitor: Come) -> None:
    elder = visitor()
    elder.go("/")
    small = elder.page.evaluate("parseFloat(getComputedStyle(document.querySelector('main p')).fontSize)")
    elder.page.get_by_role("button", name="大字版").click()
    large = elder.page.evaluate("parseFloat(getComputedStyle(document.querySelector('main p')).fontSize)")
    assert large / small > 1.3
    elder.look("大字版首页")


@pytest.mark.parametrize("username", ["citizen", "citizen2", "citizen3"])
def test_pages_of_a_citizen(visitor: Come, username: str) -> None:
    citizen = visitor()
    citizen.sign_in(username)
    own = (
        "/me/",
        "/me/file/",
        "/me/reports/",
        "/me/attestations/?years=3",
        "/me/access/",
        "/me/consents/",
        "/me/messages/",
        "/account/",
        "/account/password/",
    )
    for path in own:
        citizen.go(path)
        citizen.look(f"{username}{path}")
        reached_by_tab(citizen)


@pytest.mark.parametrize("username", STAFF)
def test_every_page_that_a_role_can_reach(visitor: Come, site: Site, username: str) -> None:
    staff = visitor()
    staff.sign_in(username)
    staff.look(f"{username}-工作台")
    reached_by_tab(staff)
    links = "#content a[href^='/admin/']"
    paths = sorted(
        {link.get_attribute("href") or "" for link in staff.page.locator(links).all()}
        | {"/account/", "/account/password/"}
    )
    assert len(paths) > 1
    for path in paths:
        staff.go(path)
        staff.look(f"{username}{path}")
        english = [word for word in ("Add ", "Change ", "Delete", "Save", "Search", "Select ", "Filter", "History", "selected")
                   if word in staff.text]  # fmt: skip
        staff.complaints.extend(f"{path} says {word}" for word in english)
        reached_by_tab(staff)
        first = staff.page.locator("#result_list tbody th a").first
        if first.count():
            first.click()
            staff.look(f"{username}{path}-一条")
            reached_by_tab(staff)


def test_the_way_of_an_item_through_its_pages(visitor: Come) -> None:
    officer = visitor()
    officer.sign_in("data_officer")
    page = officer.page
    officer.go("/admin/catalogue/item/add/")
    officer.look("目录-提出新条目")
    page.get_by_label("条目名称").fill("市场监管领域撤销登记")
    page.get_by_label("信息类别").select_option("03")
    page.get_by_role("radio", name="失信").check()
    page.get_by_label("对应的具体行为").fill("以欺骗手段取得登记")
    page.get_by_role("button", name="建立条目").click()
    officer.look("目录-填写草案")
    reached_by_tab(officer)
    page.get_by_label("查找（标题、文号、条款）").fill("行政处罚法 四十八")
    assert page.locator(".picker .tick:visible").count() == 1
    page.locator(".picker .tick:visible input").check()
    page.locator("button[name=more][value=fields]").click()
    page.locator("[name=fields-8-label]").wait_for(state="attached")
    assert page.locator(".picker input:checked").count() == 1, "adding rows loses nothing"
    page.locator("[name=fields-4-label]").fill("宗教信仰")
    page.get_by_role("button", name="保存", exact=True).first.click()
    assert page.locator(".error-summary").is_visible()
    officer.look("目录-草案有误")
    page.locator("[name=fields-4-label]").fill("")
    page.get_by_role("button", name="保存，回到条目页").first.click()
    officer.look("目录-草案")
    page.get_by_role("button", name="提交").click()
    officer.look("目录-提交被拒")


def test_the_pages_of_the_office_for_items(visitor: Come) -> None:
    office = visitor()
    office.sign_in("credit_office")
    page = office.page
    office.go("/admin/catalogue/itemversion/?state__exact=in_force")
    page.locator("#result_list tbody th a").first.click()
    office.look("目录-现行版")
    page.get_by_role("link", name="登记影响评估").click()
    office.look("目录-登记影响评估")
    reached_by_tab(office)
    office.go("/admin/catalogue/edition/add/")
    page.locator("[name=leaving-0-item]").select_option(index=1)
    page.get_by_role("button", name="预览").click()
    office.look("目录-停用不完整")
    office.go("/admin/catalogue/instrument/?q=行政处罚法")
    page.locator("#result_list tbody th a").first.click()
    page.get_by_role("link", name="登记废止").click()
    page.get_by_label("废止日期").fill("2030-01-01")
    page.get_by_role("button", name="看影响").click()
    assert "会失去依据" in office.text
    office.look("目录-废止的影响")
    reached_by_tab(office)


def test_the_overview_of_components(visitor: Come) -> None:
    designer = visitor()
    designer.go((CHECKOUT / "docs" / "components.html").as_uri())
    designer.look("组件一览")
