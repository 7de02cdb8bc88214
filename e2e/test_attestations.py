"""Attestations in a browser: looked at, issued, checked, stopped; an institution's question seen before it is answered."""

from collections.abc import Callable
from pathlib import Path

from e2e.conftest import Site, Visitor
from e2e.test_pages import reached_by_tab
from records.tests.ways_out import code_on

Come = Callable[[], Visitor]


def test_a_citizen_looks_has_one_issued_and_stops_it(visitor: Come) -> None:
    citizen, anybody = visitor(), visitor()
    citizen.sign_in("citizen3")
    citizen.go("/me/")
    citizen.page.get_by_role("link", name="我的证明").click()
    citizen.look("证明-先看结果")
    citizen.page.get_by_label("连续几年").select_option("5")
    citizen.page.get_by_role("button", name="看结果").click()
    assert "能够证明" in citizen.text
    citizen.look("证明-可以出具")
    reached_by_tab(citizen)
    with citizen.page.expect_download() as waiting:
        citizen.page.get_by_role("button", name="出具证明（PDF）").click()
    pdf, number = Path(waiting.value.path()).read_bytes(), waiting.value.suggested_filename.removesuffix(".pdf")
    anybody.go(f"/verify/?no={number}")
    anybody.look("证明-核验")
    anybody.page.get_by_label("验证码").fill(code_on(pdf))
    anybody.page.get_by_role("button", name="核验").click()
    assert "证明真实" in anybody.text
    anybody.look("证明-核验通过")
    reached_by_tab(anybody)
    citizen.go("/me/attestations/")
    assert "1 次，最近一次" in citizen.text
    citizen.look("证明-已有的证明")
    citizen.page.get_by_role("button", name=f"停用 {number}").click()
    assert "已停用" in citizen.text
    anybody.go(f"/verify/?no={number}")
    anybody.page.get_by_label("验证码").fill(code_on(pdf))
    anybody.page.get_by_role("button", name="核验").click()
    assert "已停用这份证明" in anybody.text
    anybody.look("证明-核验已停用")


def test_what_stands_in_the_way_is_seen_before_the_bank_is_answered(visitor: Come, site: Site) -> None:
    number = site.accounts["citizen"]["note"].split("身份证号码 ")[1][:18]
    citizen, bank = visitor(), visitor()
    citizen.sign_in("citizen")
    citizen.go("/me/attestations/?years=3")
    assert "现在不能证明" in citizen.text
    citizen.look("证明-不能出具")
    reached_by_tab(citizen)
    citizen.go("/me/consents/")
    citizen.page.locator("li", has_text="请在").get_by_role("link", name="贷款").last.click()
    assert "如果您现在同意，机构得到的回答是" in citizen.text
    citizen.look("我的授权-证明的答复")
    reached_by_tab(citizen)
    consent = citizen.page.url.rstrip("/").rsplit("/", 1)[1]
    citizen.page.get_by_role("button", name="下一步").click()
    citizen.look("我的授权-证明的授权书")
    citizen.page.get_by_role("button", name="同意授权").click()
    bank.sign_in("institution")
    bank.go(f"/institutions/consents/{consent}/")
    bank.look("机构-证明-可以查询")
    bank.page.get_by_label("授权人的身份证号码").fill(number)
    bank.page.get_by_label("本次用途").select_option("loan")
    bank.page.locator("main form button[type=submit]").click()
    assert "不能证明" in bank.text
    assert "验证码" not in bank.text
    bank.look("机构-证明-不能证明")
    bank.go("/institutions/consents/ask/")
    bank.look("机构-申请证明")
    reached_by_tab(bank)
