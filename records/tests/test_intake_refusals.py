"""What is refused with a reason that a clerk can act on, and what is taken without complaint."""

import io
import zipfile
from datetime import timedelta

import openpyxl
import pytest
from django.utils import timezone

from creditfujian.lib import identity
from creditfujian.tests.cast import CITIZEN_NUMBER, Cast
from records.intake.reasons import TITLES
from records.models import Batch, BatchRow
from records.tests.crafting import ole
from records.tests.deliveries import HEADER, as_csv, check, decided, penalty, problems


def one(cast: Cast, **changes: str) -> tuple[Batch, list[list[str]]]:
    """Deliver one changed row; return the batch and the row's problems."""
    batch = check(cast, as_csv([penalty(cast, **changes)]))
    assert batch.state == Batch.State.CHECKED, batch.failure
    assert batch.rows == 1
    row = BatchRow.objects.get(batch=batch)
    return batch, row.problems or []


def as_xlsx(rows: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def minor_number() -> str:
    return identity.invent(decided(365 * 17), 5)


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"证件号码": "359901199001010012"}, "I16", "校验位"),
        ({"证件号码": minor_number()}, "R10", "未满 18 周岁"),
        ({"处罚类别": "行政拘留"}, "R13", "封存"),
        ({"处罚类别": "罚款;行政拘留"}, "R13", "封存"),
        ({"行政处罚决定书文号": ""}, "C01", "文号"),
        ({"处罚决定日期": (timezone.localdate() + timedelta(days=1)).isoformat()}, "C21", "晚于今天"),
        ({"行政相对人名称": "=HYPERLINK(1)"}, None, "公式"),
        ({"行政相对人类别": "法人及非法人组织"}, "R13", "只归集自然人"),
        ({"证件类型": "护照"}, "R13", "居民身份证"),
        ({"处罚类别": "记过"}, "C11", "可填"),
        ({"违法事实": "当事人患有疾病"}, "R14", "禁止归集"),
        ({"违法事实": "同案人电话13800138000"}, "R14", "第三人"),
        ({"处罚机关统一社会信用代码": "11350000MB0000001X"}, "C22", "统一社会信用代码"),
        ({"处罚决定日期": "去年"}, None, "日期"),
        ({"处罚决定日期": "2015-03-01"}, None, "归集"),
        ({"罚款金额（万元）": "六万"}, None, "金额"),
    ],
)
def test_a_bad_row_goes_back_with_a_reason(cast: Cast, changes: dict[str, str], code: str | None, says: str) -> None:
    batch, found = one(cast, **changes)
    assert batch.refused == 1
    assert batch.new == 0
    assert found, "no reason given"
    assert code is None or code in [problem[1] for problem in found]
    assert any(says in problem[2] for problem in found), found
    assert all(problem[1] in TITLES for problem in found)


def test_a_number_typed_identity_cell_is_refused_by_its_type(cast: Cast) -> None:
    row = list(penalty(cast).values())
    row[3] = int(CITIZEN_NUMBER)
    batch = check(cast, as_xlsx([HEADER, row]), name="数字.xlsx")
    assert batch.refused == 1
    [(field, code, message)] = BatchRow.objects.get(batch=batch).problems
    assert field == "CF_XDR_ZJHM"
    assert "文本" in message
    assert "15" in message


def test_a_formula_in_a_name_is_refused(cast: Cast) -> None:
    row = list(penalty(cast).values())
    row[0] = '="陈"&"小满"'
    batch = check(cast, as_xlsx([HEADER, row]), name="公式.xlsx")
    assert batch.refused == 1
    assert "公式" in BatchRow.objects.get(batch=batch).problems[0][2]


@pytest.mark.parametrize(
    "changes",
    [
        {"证件号码": "３５９９０１１９９００１０１００１１"},
        {"证件号码": " 359901 19900101 0011 "},
        {"处罚决定日期": decided().strftime("%Y/%m/%d")},
        {"处罚决定日期": decided().strftime("%Y年%m月%d日")},
        {"公示截止期": "2099/12/31"},
        {"处罚类别": "罚款；没收违法所得"},
        {"行政相对人名称": "陈 小满"},
    ],
)
def test_habits_of_real_offices_are_taken_without_complaint(cast: Cast, changes: dict[str, str]) -> None:
    batch, found = one(cast, **changes)
    assert found == []
    assert batch.new == 1


def test_a_lower_case_x_is_taken(cast: Cast) -> None:
    number = identity.invent(decided(40 * 365), 1)
    serial = next(n for n in range(1, 999) if identity.invent(decided(40 * 365), n).endswith("X"))
    number = identity.invent(decided(40 * 365), serial)
    batch, found = one(cast, 证件号码=number.lower(), 行政相对人名称="林立春")
    assert found == []
    assert batch.new == 1


def test_a_gb18030_csv_is_taken(cast: Cast) -> None:
    batch = check(cast, as_csv([penalty(cast)], encoding="gb18030"))
    assert batch.new == 1
    assert any("GB18030" in note for note in batch.notes)


def test_a_title_row_and_a_footer_are_understood(cast: Cast) -> None:
    rows = [["市场监管行政处罚信息报送表（2026年9月）"], [], HEADER, list(penalty(cast).values()), ["合计", "1"]]
    batch = check(cast, as_xlsx(rows), name="带标题.xlsx")
    assert (batch.rows, batch.new) == (1, 1)


def test_codes_of_the_national_standard_are_column_names_too(cast: Cast) -> None:
    labels = dict(zip(HEADER, [
        "CF_XDR_MC", "CF_XDR_LB", "CF_XDR_ZJLX", "CF_XDR_ZJHM", "CF_WSH", "CF_WFXW", "CF_SY", "CF_YJ", "CF_CFLB", "CF_NR",
        "CF_NR_FK", "CF_JDRQ", "CF_GSJZQ", "CF_CFJG", "CF_CFJGDM", "CF_SXCD", "CF_SYFW",
    ], strict=True))  # fmt: skip
    row = {labels[key]: value for key, value in penalty(cast).items()}
    assert check(cast, as_csv([row], header=list(row))).new == 1


def _zip_bomb() -> bytes:
    out = io.BytesIO()
    good = as_xlsx([HEADER])
    with zipfile.ZipFile(io.BytesIO(good)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bomb:
        for info in source.infolist():
            if info.filename != "xl/worksheets/sheet1.xml":
                bomb.writestr(info.filename, source.read(info))
        row = b'<row r="2"><c r="A2" t="inlineStr"><is><t>' + b"x" * 1000 + b"</t></is></c></row>"
        bomb.writestr(
            "xl/worksheets/sheet1.xml",
            b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
            + row * 40_000 + b"</sheetData></worksheet>",
        )  # fmt: skip
    data = out.getvalue()
    assert 40_000_000 / len(data) > 100
    return data


_OLE = ole(b"", "EncryptedPackage").getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "空"),
        (_OLE, "密码"),
        (_zip_bomb(), "解压"),
        (b"\xe4\xff,\xff\xfe\x0a" * 20, "编码"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x81\x82\x83" * 30, ""),
        ("甲,乙,丙\n1,2,3\n".encode(), "表头"),
        ("行政相对人名称,证件号码\n陈小满,359901199001010011\n".encode(), "文号"),
        (b"PK\x03\x04garbage", ""),
        (b"<html><table><tr><td>1</td></tr></table></html>", ""),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_a_sentence(cast: Cast, content: bytes, says: str) -> None:
    batch = check(cast, content, name="文件.xlsx")
    assert batch.state == Batch.State.REFUSED
    assert batch.failure is not None
    assert says in batch.failure["message"]
    assert batch.failure["code"] in TITLES
    assert "请" in batch.failure["message"]


def test_a_column_that_may_not_be_collected_refuses_the_file(cast: Cast) -> None:
    row = {**penalty(cast), "民族": "汉"}
    batch = check(cast, as_csv([row], header=[*HEADER, "民族"]))
    assert batch.state == Batch.State.REFUSED
    assert "民族" in batch.failure["message"]


def test_a_column_outside_the_catalogue_is_not_read_and_the_clerk_is_told(cast: Cast) -> None:
    row = {**penalty(cast), "承办科室": "二科"}
    batch = check(cast, as_csv([row], header=[*HEADER, "承办科室"]))
    assert batch.new == 1
    assert any("承办科室" in note for note in batch.notes)
    assert "二科" not in str(BatchRow.objects.get(batch=batch).content)


def test_columns_of_companies_must_be_empty_for_persons(cast: Cast) -> None:
    row = {**penalty(cast), "法定代表人": "林某"}
    batch = check(cast, as_csv([row], header=[*HEADER, "法定代表人"]))
    assert problems(batch) == {2: ["C20"]}


def test_duplicates_in_a_file_name_the_first_row(cast: Cast) -> None:
    batch = check(cast, as_csv([penalty(cast), penalty(cast)]))
    assert (batch.new, batch.refused) == (1, 1)
    row = BatchRow.objects.get(batch=batch, outcome=9)
    assert row.problems[0][1] == "R01"
    assert "第 2 行" in row.problems[0][2]


def test_a_name_that_differs_from_the_register_is_for_an_official_never_a_merge(cast: Cast) -> None:
    _, found = one(cast, 行政相对人名称="陈小暑")
    assert [problem[1] for problem in found] == ["R02"]


def test_two_names_for_one_number_in_a_file_are_a_conflict(cast: Cast) -> None:
    number = identity.invent(decided(50 * 365), 7)
    rows = [
        penalty(cast, 证件号码=number, 行政相对人名称="林立夏"),
        penalty(cast, 证件号码=number, 行政相对人名称="林立秋", 行政处罚决定书文号="闽市监处罚〔2026〕9号"),
    ]
    assert problems(check(cast, as_csv(rows))) == {2: ["R03"], 3: ["R03"]}


def test_a_wrong_name_in_a_file_does_not_send_back_the_rows_with_the_name_that_the_register_knows(cast: Cast) -> None:
    rows = [
        penalty(cast, 行政相对人名称="陈小暑"),
        penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕9号"),
    ]
    assert problems(check(cast, as_csv(rows))) == {2: ["R02"]}


def test_a_publication_end_later_than_the_law_allows_is_cut_and_said(cast: Cast) -> None:
    batch, found = one(cast, 处罚类别="罚款", 公示截止期="2099/12/30")
    assert found == []
    row = BatchRow.objects.get(batch=batch)
    assert row.hints
    assert row.publication.upper == decided().replace(year=decided().year + 1)


def test_nothing_sealed_is_readable_in_the_staging_table(cast: Cast) -> None:
    batch, _ = one(cast)
    kept = BatchRow.objects.filter(batch=batch).values().get()
    assert CITIZEN_NUMBER not in str({k: bytes(v) if isinstance(v, memoryview) else v for k, v in kept.items()})
