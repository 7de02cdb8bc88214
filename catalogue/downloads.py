"""An edition as files: the 39 columns for spreadsheets, and JSON with a schema of its own."""

import hashlib
import json
from datetime import datetime, time
from typing import Any

from catalogue.columns import COLUMNS, labels, texts
from catalogue.models import Edition, Field, VersionStep
from catalogue.publishing import as_data, entries_of
from creditfujian.lib import spreadsheet

KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json; charset=utf-8",
}
SCHEMA_PATH = "/catalogue/schema.json"
_LISTS = {"fields"}  # columns that JSON spells out


def stamp(edition: Edition) -> tuple[str, datetime]:
    """Return what a download's content depends on, as one word, and when it last changed.

    An edition is fixed by its digest; how its items stand (columns 35, 37) moves with their steps.
    """
    last = VersionStep.objects.order_by("-id").values_list("id", "at").first()
    step, at = last or (0, edition.created_at)
    word = hashlib.sha256(f"{edition.number} {edition.digest} {step}".encode()).hexdigest()[:32]
    return word, max(at, edition.created_at)


def file_of(edition: Edition, kind: str) -> bytes:
    """Return an edition as a file of one of the KINDS."""
    if kind == "json":
        return json.dumps(as_object(edition), ensure_ascii=False, indent=1).encode()
    known = labels()
    versions = sorted(entries_of(edition).values(), key=lambda version: version.item.code)
    rows = [list(texts(version, known).values()) for version in versions]
    head = [column.title for column in COLUMNS]
    if kind == "csv":
        return spreadsheet.as_csv(head, rows)
    return spreadsheet.as_xlsx("征集目录", head, rows, made=datetime.combine(edition.published_on, time()))


def as_object(edition: Edition) -> dict[str, Any]:
    """Return an edition as plain data that `schema` describes."""
    known = labels()
    versions = sorted(entries_of(edition).values(), key=lambda version: version.item.code)
    return {
        "schema": SCHEMA_PATH,
        "edition": {
            "number": edition.number, "title": edition.title, "published_on": edition.published_on.isoformat(),
            "publisher": publisher(edition), "previous": edition.previous.number if edition.previous else None,
            "digest": edition.digest, "note": edition.note,
        },
        "columns": [{"number": c.number, "name": c.name, "title": c.title} for c in COLUMNS],
        "items": [{**as_data(version, known), "state": version.get_state_display()} for version in versions],
    }  # fmt: skip


def publisher(edition: Edition) -> str:
    """Return the unit that published an edition."""
    unit = edition.published_by.organisation
    return unit.name if unit else ""


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the JSON download, made from the same list of columns."""
    text = {"type": "string"}
    items = {
        column.name: {"title": column.title, "description": f"第 {column.number} 列"}
        | ({"type": "array", "items": {"$ref": "#/$defs/field"}} if column.name in _LISTS else text)
        for column in COLUMNS
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_PATH,
        "title": "福建省自然人公共信用信息征集目录",
        "description": "核对摘要：取 items，去掉 state、effective、assessment 三列，按 code 排序，按键名排序写成 JSON"
        "（UTF-8，不转义中文，分隔符为“, ”和“: ”），其 SHA-256 应等于 edition.digest。",
        **_object({
            "schema": text, "edition": {"$ref": "#/$defs/edition"},
            "columns": {"type": "array", "minItems": len(COLUMNS), "maxItems": len(COLUMNS),
                        "items": _object({"number": {"type": "integer"}, "name": text, "title": text})},
            "items": {"type": "array", "items": {"$ref": "#/$defs/item"}},
        }),
        "$defs": {
            "edition": _object({
                "number": text, "title": text, "published_on": {"type": "string", "format": "date"}, "publisher": text,
                "previous": {"type": ["string", "null"]}, "digest": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                "note": text,
            }),
            "item": _object(items),
            "field": _object({
                "code": text, "label": text, "datatype": {"enum": Field.Type.values}, "length": {"type": "integer"},
                "required": {"type": "boolean"}, "code_set": {"type": ["string", "null"]},
                "must_be_empty": {"type": "boolean"}, "visible_to": {"type": "array", "items": {"enum": Field.Reader.values}},
                "mask": text, "sensitive": {"type": "boolean"},
            }),
        },
    }  # fmt: skip


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
