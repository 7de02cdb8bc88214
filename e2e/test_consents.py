"""From the bank's request to the person's yes, on the screens they use: readable at both widths, without a mouse."""

from collections.abc import Callable

from e2e.conftest import Site, Visitor
from e2e.test_pages import reached_by_tab

Come = Callable[[], Visitor]


def test_a_bank_asks_a_person_narrows_and_it_is_read_once(visitor: Come, site: Site) -> None:
    note = site.accounts["citizen2"]["note"]
    name, number = note.split("，")[0], note.split("身份证号码 ")[1][:18]
    bank, person = visitor(), visitor()
    bank.sign_in("institution")
    bank.go("/institutions/")
    bank.look("机构-工作页")
    bank.page.get_by_role("link", name="授权与查询").click()
    assert "/institutions/consents/" in bank.page.url
    bank.look("机构-查询授权")
    reached_by_tab(bank)
    bank.page.get_by_role("link", name="申请授权").click()
    bank.look("机构-申请授权")
    reached_by_tab(bank)
    page = bank.page
    page.get_by_label("姓名").fill(name)
    page.get_by_label("身份证号码").fill(number)
    page.get_by_label("具体用途").fill("装修贷款审批")
    page.get_by_label("本单位业务编号").fill("贷〔2026〕0999号")
    page.locator("[name=form][value=summary]").check()
    for box in page.locator("input[type=checkbox]").all():
        box.check()
    page.get_by_role("button", name="提交申请").click()
    assert number not in bank.page.url
    bank.look("机构-等候答复")
    consent = bank.page.url.rstrip("/").rsplit("/", 1)[1]

    person.sign_in("citizen2")
    person.look("我的信用-有授权申请")
    person.go("/me/consents/")
    person.look("我的授权")
    reached_by_tab(person)
    person.go(f"/me/consents/{consent}/")
    person.look("我的授权-答复")
    reached_by_tab(person)
    person.page.get_by_label("职业资格证书信息").check()
    person.page.get_by_role("button", name="下一步").click()
    person.look("我的授权-授权书")
    person.page.get_by_role("button", name="同意授权").click()
    assert "已同意" in person.text
    person.look("我的授权-有效")

    bank.go(f"/institutions/consents/{consent}/")
    bank.look("机构-可以查询")
    bank.page.get_by_label("授权人的身份证号码").fill(number)
    bank.page.get_by_label("本次用途").select_option("loan")
    bank.page.locator("main form button[type=submit]").click()
    assert "职业资格" in bank.text
    assert number not in bank.page.content()
    bank.look("机构-查询结果")
    person.go("/me/messages/")
    assert "凭您的授权查询了信息" in person.text
    person.look("消息")
    reached_by_tab(person)
    person.go("/me/access/")
    person.page.get_by_role("link", name=consent).first.click()
    assert "用过几次" in person.text
    person.look("我的授权-已用完")


def test_the_employer_and_the_form_with_faults(visitor: Come) -> None:
    employer = visitor()
    employer.sign_in("institution2")
    employer.go("/institutions/consents/ask/")
    employer.page.get_by_role("button", name="提交申请").click()
    assert employer.page.locator(".error-summary").is_visible()
    employer.look("机构-申请填写有误")


def test_the_office_registers_and_the_counter_enters_papers(visitor: Come) -> None:
    office, clerk = visitor(), visitor()
    office.sign_in("credit_office")
    office.go("/admin/access/institution/?state__exact=asked")
    office.look("机构登记-待审核")
    office.page.locator("#result_list tbody th a").first.click()
    office.look("机构登记-审核")
    office.page.get_by_role("button", name="核对无误，登记").click()
    office.look("机构登记-已登记")
    clerk.sign_in("clerk")
    clerk.go("/admin/records/consentpaper/withdraw/")
    clerk.look("窗口-撤回授权")
    clerk.go("/admin/records/consentpaper/add/")
    clerk.look("窗口-录入纸质授权书")
    reached_by_tab(clerk)
    second = visitor()
    second.sign_in("clerk2")
    second.go("/admin/records/consentpaper/?consent__state__exact=entered")
    second.page.locator("#result_list tbody th a").first.click()
    second.look("窗口-复核纸质授权书")
    with second.page.expect_download() as got:
        second.page.get_by_role("button", name="打开扫描件").click()
    assert got.value.suggested_filename.endswith(".pdf")
    second.page.get_by_role("button", name="与扫描件一致").click()
    assert "授权生效" in second.text
    second.look("窗口-纸质授权书已复核")
