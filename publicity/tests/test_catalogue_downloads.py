"""An edition as a file opens again, holds all 39 columns, keeps its schema, and can be checked against its digest."""

import csv
import hashlib
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone
from jsonschema import Draft202012Validator
from openpyxl import load_workbook

from catalogue import actions
from catalogue.columns import COLUMNS
from catalogue.models import Item
from catalogue.tests.editions import ASSESSMENT, approved, publish, retire
from creditfujian.tests.cast import Cast

TITLES = [column.title for column in COLUMNS]
FIRST = "/catalogue/editions/FJ-2021-01/catalogue"


def table(client: Client, path: str) -> list[list[str]]:
    answer = client.get(path)
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def data(client: Client, path: str) -> dict[str, Any]:
    return json.loads(client.get(path).content)


def test_there_are_39_columns(cast: Cast, client: Client) -> None:
    assert len(TITLES) == 39
    rows = table(client, f"{FIRST}.csv")
    assert rows[0] == TITLES
    assert [row[0] for row in rows[1:]] == sorted(Item.objects.values_list("code", flat=True))
    assert {len(row) for row in rows} == {39}


def test_the_workbook_says_the_same_as_the_table(cast: Cast, client: Client) -> None:
    answer = client.get("/catalogue/catalogue.xlsx")
    sheet = load_workbook(io.BytesIO(answer.content)).active
    cells = [["" if cell is None else cell for cell in row] for row in sheet.iter_rows(values_only=True)]
    assert cells == table(client, "/catalogue/catalogue.csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="FJ-2021-01-catalogue.xlsx"'


def test_json_keeps_its_schema_and_says_the_same(cast: Cast, client: Client) -> None:
    schema = data(client, "/catalogue/schema.json")
    Draft202012Validator.check_schema(schema)
    download = data(client, f"{FIRST}.json")
    Draft202012Validator(schema).validate(download)
    assert [column["title"] for column in download["columns"]] == TITLES
    assert all(set(one) == {column.name for column in COLUMNS} for one in download["items"])
    rows = table(client, f"{FIRST}.csv")
    for row, one in zip(rows[1:], download["items"], strict=True):
        assert row == [row[i] if column.name == "fields" else one[column.name] for i, column in enumerate(COLUMNS)]
    assert download["edition"]["publisher"] == "省经济信息中心"


def check_digest(client: Client, number: str) -> None:
    """Do what the schema's description says."""
    download = data(client, f"/catalogue/editions/{number}/catalogue.json")
    items = [
        {k: v for k, v in one.items() if k not in ("state", "effective", "assessment")} for one in download["items"]
    ]
    text = json.dumps(sorted(items, key=lambda one: one["code"]), ensure_ascii=False, sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest() == download["edition"]["digest"]


def test_the_digest_can_be_checked_by_anybody_even_after_later_editions(cast: Cast, client: Client) -> None:
    check_digest(client, "FJ-2021-01")
    approved(cast, query_retention_months=36, change_note="缩短查询期限")
    later = publish(cast)
    version = cast.item.versions.get(version=1)
    today = timezone.localdate()
    values = {
        "number": "PIA-T-900",
        "title": "重新评估",
        "assessed_on": today,
        "valid_until": today + timedelta(days=365),
        **ASSESSMENT,
    }
    renewed = actions.assess(version, by=cast.credit_office_2, values=values)
    renewed = actions.review_assessment(renewed, by=cast.credit_office, passed=True)
    actions.renew_assessment(version, renewed, by=cast.credit_office_2)
    check_digest(client, "FJ-2021-01")
    check_digest(client, later.number)


def test_an_old_edition_stays_to_be_had_beside_the_latest(cast: Cast, client: Client) -> None:
    later = retire(cast, cast.item)
    before = table(client, f"{FIRST}.csv")
    assert table(client, "/catalogue/catalogue.csv") == table(
        client, f"/catalogue/editions/{later.number}/catalogue.csv"
    )
    now = [row[0] for row in table(client, "/catalogue/catalogue.csv")]
    assert [row[0] for row in before if row[0] not in now] == [cast.item.code]
    assert (
        next(row for row in before if row[0] == cast.item.code)[36] == "停用"
    )  # the old edition's column 37 says how the item stands today


def test_a_formula_in_a_name_stays_a_text(cast: Cast, client: Client) -> None:
    approved(cast, name='=HYPERLINK("http://example.org")', behaviour="＋1 违反规定", change_note="@改名")
    publish(cast)
    rows = table(client, "/catalogue/catalogue.csv")
    changed = next(row for row in rows if row[0] == cast.item.code)
    assert changed[1].startswith("'=HYPERLINK")
    assert changed[5].startswith("'＋1")
    assert changed[38] == "'@改名"
    sheet = load_workbook(io.BytesIO(client.get("/catalogue/catalogue.xlsx").content)).active
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s"}


@pytest.mark.parametrize("kind", ["csv", "xlsx", "json"])
def test_what_has_not_changed_is_not_sent_again(cast: Cast, client: Client, kind: str) -> None:
    path = f"{FIRST}.{kind}"
    first = client.get(path)
    assert client.get(path).content == first.content
    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(path, headers={"If-Modified-Since": first.headers["Last-Modified"]}).status_code == 304
    actions.suspend(cast.item.versions.get(), by=cast.credit_office, note="依据正在修订")
    changed = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


def test_nothing_to_download_before_the_first_edition(client: Client, db: None) -> None:
    assert client.get("/catalogue/catalogue.csv").status_code == 404
    assert client.get("/catalogue/").status_code == 200


def test_the_number_of_an_edition_can_stand_in_an_address(cast: Cast) -> None:
    from catalogue import publishing

    approved(cast, change_note="调整")
    with pytest.raises(ValidationError, match="字母、数字和短横线"):
        publishing.publish(number="FJ/2026", title="测试版", by=cast.credit_office)
