"""A held batch, rows handed back and a receipt, through a real browser."""

from collections.abc import Callable

from e2e.conftest import Site, Visitor

Come = Callable[[], Visitor]


def find(visitor: Visitor, query: str, nth: int = 0) -> str:
    """Open a batch from the list as filtered; return its address."""
    visitor.go(f"/admin/records/batch/?{query}")
    visitor.page.locator("#result_list .field-number_ a").nth(nth).click()
    return visitor.page.url.removeprefix(visitor.site.base).split("?")[0]


def test_a_held_batch_is_looked_at_by_another(visitor: Come, site: Site) -> None:
    officer, reviewer = visitor(), visitor()
    officer.sign_in("data_officer")
    batch = find(officer, "held=1")
    assert "数量异常" in officer.text
    assert officer.page.get_by_role("button", name="核实无误，放行").count() == 0
    officer.look("数量异常-上传人")
    reviewer.sign_in("data_reviewer")
    reviewer.look("工作台-数量异常-审核员")
    reviewer.go(batch)
    assert reviewer.page.get_by_role("button", name="审核通过，提交入库").count() == 0
    reviewer.look("数量异常-待复核")
    reviewer.page.get_by_label("复核意见").fill("与厦门局核实，模板列错位，退回重报")
    reviewer.page.get_by_role("button", name="不同意").click()
    assert "复核不同意入库" in reviewer.text
    reviewer.look("数量异常-不同意")


def test_rows_handed_back_are_answered(visitor: Come, site: Site) -> None:
    officer, reviewer = visitor(), visitor()
    officer.sign_in("data_officer")
    batch = find(officer, "open_rows=overdue")
    assert "已超期" in officer.text
    officer.look("批次-退回行超期")
    officer.page.get_by_role("link", name="逐行查看、说明").click()
    officer.look("退回行-报送员")
    officer.page.locator("input[name=row]").first.check()
    officer.page.get_by_label("不再报送的原因").select_option("annulled")
    officer.page.locator("#id_note").fill("处罚决定已撤销，见漳市监撤〔2026〕3号")
    officer.page.get_by_role("button", name="说明所选的行").click()
    assert "说明待确认 1" in officer.text
    reviewer.sign_in("data_reviewer")
    reviewer.go(f"{batch.removesuffix('change/')}returned/?state=3")
    reviewer.look("退回行-审核员")
    reviewer.page.locator("input[name=row]").first.check()
    reviewer.page.get_by_role("button", name="确认说明").click()
    assert "已说明 1" in reviewer.text


def test_a_receipt_is_verified_and_a_cleared_batch_says_so(visitor: Come, site: Site) -> None:
    officer, watcher = visitor(), visitor()
    officer.sign_in("data_officer")
    officer.go("/admin/records/batch/?state__exact=committed&o=1")
    officer.page.locator("#result_list .field-number_ a").last.click()
    assert "按期清除" in officer.text
    officer.look("批次-已清除")
    with officer.page.expect_download() as download:
        officer.page.get_by_role("link", name="下载回执（JSON）").click()
    watcher.sign_in("credit_office")
    watcher.go("/admin/records/batch/receipts/")
    watcher.page.get_by_label("JSON 回执").set_input_files(download.value.path())
    watcher.page.get_by_role("button", name="核验").click()
    assert "是本站出具的回执" in watcher.text
    watcher.look("核验回执")
    watcher.go("/admin/records/volumerule/")
    watcher.look("数量规则")
    watcher.go("/admin/records/volumerule/add/")
    watcher.look("提出数量规则")
    watcher.go("/admin/records/volumerule/1/change/")
    watcher.look("数量规则-一条")
    watcher.go("/admin/records/supplyduty/situation/")
    watcher.look("部门报送情况-退回行")
