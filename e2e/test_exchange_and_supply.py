"""A department revises its item in a spreadsheet and looks at how it supplied; the credit office assigns a supplier."""

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import openpyxl

from e2e.conftest import CHECKOUT, Site, Visitor
from e2e.test_pages import reached_by_tab

Come = Callable[[], Visitor]

# What three years of monthly supply look like: entered by the owner's hand, for the demo's items have no periods.
PERIODS = """
from catalogue.models import SupplyAssignment
from records.models import SupplyDuty
from datetime import date, timedelta
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
today = timezone.localdate()
one = SupplyAssignment.objects.get(item__code="FJ1-03-MRKT-0001")
for back, state in enumerate(("missed", "late", "declared", "met", "not_counted")):
    first = date(today.year, 11 - back, 1)
    upper = (first + timedelta(days=32)).replace(day=1)
    due = upper + timedelta(days=9)
    met = due + timedelta(days=5) if state == "late" else due if state in ("met", "declared") else None
    SupplyDuty.objects.create(assignment=one, item=one.item, supplier=one.supplier, frequency="M", state=state, due_on=due,
        period=DateRange(first, upper), met_on=met, late_days=3 if met and met > due else 0, closed_on=today,
        note="条目暂停" if state == "not_counted" else "")
"""


def test_an_item_is_revised_in_a_spreadsheet(visitor: Come, tmp_path: Path) -> None:
    officer = visitor()
    officer.sign_in("hrss_data")
    officer.go("/admin/catalogue/item/")
    officer.page.get_by_role("link", name="导出").click()
    officer.look("导出条目")
    reached_by_tab(officer)
    with officer.page.expect_download() as download:
        officer.page.get_by_role("button", name="导出").click()
    book = openpyxl.load_workbook(io.BytesIO(Path(download.value.path()).read_bytes()))
    sheet = book["条目"]
    titles = [cell.value for cell in sheet[1]]
    rows = {sheet.cell(n, 1).value: n for n in range(2, sheet.max_row + 1)}
    good, bad = rows["FJ1-03-HRSS-0001"], rows["FJ1-06-HRSS-0002"]
    sheet.cell(good, titles.index("对应的具体行为") + 1).value = "依法取得专业技术人员职业资格证书（新样式）"
    sheet.cell(good, titles.index("修订说明") + 1).value = "按新规定调整"
    book["数据项"].cell(2, 16).value = "是"
    sheet.cell(bad, titles.index("报送时限") + 1).value = "尽快"
    book.save(tmp_path / "修订.xlsx")
    officer.go("/admin/catalogue/itemimport/add/")
    officer.look("导入修订-上传")
    officer.page.get_by_label("修订表").set_input_files(tmp_path / "修订.xlsx")
    officer.page.get_by_role("button", name="上传并查看差别").click()
    assert "现在还没有写入任何内容" in officer.text
    assert "“尽快”不是时限" in officer.text
    officer.look("导入修订-预览")
    reached_by_tab(officer)
    officer.page.get_by_role("button", name="确认，写成草案").click()
    assert "已写成 1 份草案" in officer.text
    officer.look("导入修订-完成")


def test_the_situation_of_a_quarter(visitor: Come, site: Site) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", PERIODS],
        check=False,
        cwd=CHECKOUT,
        env=site.settings,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for username in ("data_officer", "credit_office"):
        somebody = visitor()
        somebody.sign_in(username)
        somebody.look(f"{username}-工作台-报送")
        somebody.page.get_by_role("link", name="未报、迟报").click()
        somebody.look(f"{username}-部门报送情况")
        reached_by_tab(somebody)
        somebody.page.get_by_role("link", name="查看未报、迟报的期间").click()
        somebody.look(f"{username}-未报迟报")
        somebody.page.locator("#result_list tbody th a").first.click()
        somebody.look(f"{username}-报送期次")
    with somebody.page.expect_download():
        somebody.page.goto(f"{site.base}/admin/records/supplyduty/situation/")
        somebody.page.get_by_role("button", name="下载 xlsx").click()


def test_the_credit_office_assigns_a_supplier(visitor: Come) -> None:
    office = visitor()
    office.sign_in("credit_office")
    office.go("/admin/catalogue/supplyassignment/add/")
    office.page.get_by_label("目录条目").select_option(index=3)
    office.page.get_by_label("报送单位").select_option(index=2)
    office.page.get_by_label("开始日期").fill("2020-01-01")
    office.page.get_by_label("理由").fill("机构改革，职能划转")
    office.page.get_by_role("button", name="指定", exact=True).click()
    assert "不能追溯" in office.text
    office.look("指定报送单位-填写有误")
    office.page.get_by_label("开始日期").fill("2030-01-01")
    office.page.get_by_role("button", name="指定", exact=True).click()
    office.look("报送任务-一条")
