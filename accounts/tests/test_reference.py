"""Departments, what they grew out of, divisions of the province, and the command that takes the real credit codes."""

import csv
from collections import Counter
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Organisation, Region
from accounts.reference import DATA, departments, successions
from creditfujian.lib import uscc

# What domain §1C says of the departments that the seed document names.
SUCCESSORS = {
    "福建省工商行政管理局": {"MRKT"}, "福建省质量技术监督局": {"MRKT"}, "福建省食品药品监督管理局": {"MRKT", "YPJD"},
    "福建省国家税务局": {"TAXS"}, "福建省地方税务局": {"TAXS"}, "福建省经济和信息化委员会": {"GXTN"},
    "中国银行业监督管理委员会福建监管局": {"JRJG"}, "中国保险监督管理委员会福建监管局": {"JRJG"},
    "中国银行保险监督管理委员会福建监管局": {"JRJG"}, "中国人民银行福州中心支行": {"RHFJ"},
    "福建省文化厅": {"CULT"}, "福建省新闻出版广电局": {"GDJU", "XCBU"},
}  # fmt: skip


def number(serial: int) -> str:
    """Make up a valid credit code."""
    first17 = f"11350000MAREF{serial:04d}"
    return first17 + uscc.check_char(first17)


@pytest.fixture
def load(db: None, tmp_path: Path):
    """Run the command on these lines; return what it says on both channels."""

    def run(*lines: str) -> tuple[str, str]:
        path, said, complained = tmp_path / "代码.csv", StringIO(), StringIO()
        path.write_text("\n".join(lines), encoding="utf-8-sig")
        try:
            call_command("load_organisations", str(path), stdout=said, stderr=complained)
        except CommandError as error:
            complained.write(str(error))
        return said.getvalue(), complained.getvalue()

    return run


# --- the files -----------------------------------------------------------------------------------------------------


def test_departments_have_codes_of_their_own_and_stand_after_their_parents() -> None:
    codes = [department.code for department in departments()]
    assert len(codes) == len(set(codes)) == 45
    assert all(len(code) == 4 and code.isascii() and code.isalpha() and code.isupper() for code in codes)
    for position, department in enumerate(departments()):
        assert department.parent is None or department.parent in codes[:position]
        assert department.region == "350000"
        assert department.source
        assert department.confidence in ("H", "M", "L")


def test_every_department_of_the_seed_that_is_gone_has_its_successors() -> None:
    known = {department.code for department in departments()}
    found: dict[str, set[str]] = {}
    for succession in successions():
        found.setdefault(succession.predecessor, set()).add(succession.successor)
        assert succession.successor in known
        assert date(2017, 9, 27) < succession.valid_to < date(2026, 11, 23)
        assert succession.confidence in ("H", "M", "L")
    assert found == SUCCESSORS


def test_a_predecessor_ends_on_one_day() -> None:
    assert len({(s.predecessor, s.valid_to) for s in successions()}) == len(SUCCESSORS)


# --- divisions -----------------------------------------------------------------------------------------------------


def regions() -> list[dict[str, str]]:
    with (DATA / "regions.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_the_province_has_84_divisions_at_county_level_today() -> None:
    today = [row for row in regions() if not row["valid_to"]]
    assert Counter(row["kind"] for row in today) == {"province": 1, "city": 9, "area": 1, "county": 83}
    counties = [row for row in today if row["kind"] in ("county", "area")]
    # Pingtan's code 350128 is that of a county; the comprehensive experimental area is treated as a tenth area.
    kinds = Counter("县" if row["kind"] == "area" else row["name"][-1] for row in counties)
    assert kinds == {"区": 31, "市": 11, "县": 42}
    by_city = Counter(row["parent"] for row in counties)
    assert by_city == {
        "350100": 13, "350200": 6, "350300": 5, "350400": 11, "350500": 12, "350600": 11, "350700": 10, "350800": 7,
        "350900": 9,
    }  # fmt: skip


def test_codes_belong_to_the_city_they_begin_with() -> None:
    rows = {row["code"]: row for row in regions()}
    assert len(rows) == 99
    for code, row in rows.items():
        expected = {"province": "", "city": "350000"}.get(row["kind"], f"{code[:4]}00")
        assert row["parent"] == expected
    assert "350527" in rows  # Kinmen: a birth place on cards, without an organisation


def test_the_changes_of_2021_keep_both_codes_with_their_dates() -> None:
    rows = {row["code"]: row for row in regions()}
    ended = {code: row["name"] for code, row in rows.items() if row["valid_to"]}
    assert ended == {
        "350402": "梅列区", "350403": "三元区", "350427": "沙县", "350681": "龙海市", "350625": "长泰县",
    }  # fmt: skip
    begun = {code: row["name"] for code, row in rows.items() if row["valid_from"]}
    assert begun == {"350404": "三元区", "350405": "沙县区", "350604": "龙海区", "350605": "长泰区"}
    assert {rows[code]["valid_to"] for code in ended} == {rows[code]["valid_from"] for code in begun}
    # The year is certain, the day is not.
    assert {rows[code]["confidence"] for code in [*ended, *begun]} == {"M"}


def test_the_database_has_the_divisions_of_the_file(db: None) -> None:
    assert set(Region.objects.values_list("code", flat=True)) == {row["code"] for row in regions()}


# --- the command ---------------------------------------------------------------------------------------------------


def test_departments_are_entered_with_their_groups_and_parents(load) -> None:
    said, complained = load("code,uscc", f"YPJD,{number(2)}", f"MRKT,{number(1)}")
    assert said.startswith("新登记 2 个，已登记 0 个")
    assert complained == ""
    drugs = Organisation.objects.get(code="YPJD")
    assert drugs.name == "福建省药品监督管理局"
    assert drugs.parent == Organisation.objects.get(code="MRKT")
    assert drugs.group is not None


def test_a_second_run_changes_nothing(load) -> None:
    lines = ["code,uscc,predecessor", f"MRKT,{number(1)},", f",{number(3)},福建省工商行政管理局"]
    load(*lines)
    said, complained = load(*lines)
    assert said.startswith("新登记 0 个，已登记 2 个")
    assert complained == ""
    assert Organisation.objects.count() == 2


def test_a_parent_that_comes_later_is_linked_then(load) -> None:
    load("code,uscc", f"JJXX,{number(1)}")
    load("code,uscc", f"JJXX,{number(1)}", f"FGWH,{number(2)}")
    assert Organisation.objects.get(code="JJXX").parent.code == "FGWH"


def test_a_predecessor_is_closed_and_linked_to_all_that_took_over(load) -> None:
    load("CODE,USCC,predecessor", f",{number(3)},福建省食品药品监督管理局", f"MRKT,{number(1)},", f"YPJD,{number(2)},")
    former = Organisation.objects.get(name="福建省食品药品监督管理局")
    assert former.valid_to == date(2018, 12, 31)
    assert former.code == ""
    successors = Organisation.objects.filter(predecessors=former)
    assert {successor.code for successor in successors} == {"MRKT", "YPJD"}


def test_without_their_codes_predecessors_are_not_entered(load) -> None:
    load("code,uscc", f"MRKT,{number(1)}")
    assert [organisation.name for organisation in Organisation.objects.all()] == ["福建省市场监督管理局"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (f"ALLD,{number(5)},", "第 3 行“code”列：没有简称为“ALLD”的部门"),
        ("TRAN,11350000MAREF00055,", "第 3 行“uscc”列：统一社会信用代码不对"),
        ("TRAN,,", "第 3 行“uscc”列：统一社会信用代码不对"),
        (f"TRAN,{number(1)},", "第 3 行“uscc”列：该代码已登记为福建省市场监督管理局，不能再给福建省交通运输厅"),
        (f"MRKT,{number(5)},", "第 3 行“code”列：“MRKT”已登记为福建省市场监督管理局"),
        (f",{number(5)},福建省邮政局", "第 3 行“predecessor”列：沿革表中没有“福建省邮政局”"),
        (f"MRKT,{number(5)},福建省工商行政管理局", "第 3 行“code”列：原机构没有目录简称"),
        (f",{number(5)},福建省文化厅", "第 3 行“predecessor”列：承接单位（CULT）尚未登记"),
        (f",{number(1)},福建省工商行政管理局", "第 3 行“uscc”列：该代码已登记为福建省市场监督管理局"),
    ],
)
def test_a_bad_row_is_refused_by_row_and_column_and_the_good_ones_are_taken(load, line: str, says: str) -> None:
    said, complained = load("code,uscc,predecessor", f"MRKT,{number(1)},", line)
    assert says in complained
    assert "请改正后再次运行" in complained
    assert said.startswith("新登记 1 个")
    assert list(Organisation.objects.values_list("code", flat=True)) == ["MRKT"]


def test_codes_may_be_typed_with_spaces_and_small_letters(load) -> None:
    typed = f" {number(1)[:8].lower()} {number(1)[8:].lower()}"
    load("code,uscc", f"mrkt,{typed}", ",")
    assert Organisation.objects.get().uscc == number(1)


def test_a_file_without_the_columns_is_refused(load) -> None:
    assert "第 1 行缺少“uscc”列" in load("code,name", "MRKT,甲")[1]


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="读不到文件"):
        call_command("load_organisations", str(tmp_path / "没有.csv"))
    (tmp_path / "旧.csv").write_bytes("部门".encode("gb18030"))
    with pytest.raises(CommandError, match="不是 UTF-8"):
        call_command("load_organisations", str(tmp_path / "旧.csv"))
