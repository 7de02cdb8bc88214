"""What the starter catalogue says, read from `data/` and checked for loose ends. No database, no clock.

The files: `instruments.json` (law and its articles), `code_sets.json`, `field_sets.json` (lists of data fields that
several items share) and `items.json` (domain §3.6). Every entry of a file names its source and how sure we are of it.
Rows are keyed by the columns of the models they feed; dates are ISO texts; an article is "code/number", e.g.
"XZCFF/第四十八条".
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NotRequired, TypedDict

DATA = Path(__file__).parent / "data"


class InstrumentData(TypedDict):
    """A law, regulation, policy or rule; `superseded_by` and `territory` are codes."""

    code: str
    title: str
    issuer: str
    doc_no: str
    level: int
    promulgated_on: NotRequired[str]
    effective_on: str
    repealed_on: NotRequired[str]
    superseded_by: NotRequired[str]
    territory: NotRequired[str]
    source_url: str
    state_council_order: bool
    confidence: str
    articles: dict[str, str]


class ValueData(TypedDict):
    """One value of a code set; one with a refusal is known and never taken."""

    code: str
    label: str
    aliases: NotRequired[list[str]]
    severity: NotRequired[int]
    refusal: NotRequired[str]


class CodeSetData(TypedDict):
    """A closed list of values."""

    code: str
    title: str
    source: str
    values: list[ValueData]


class FieldData(TypedDict):
    """A data field; what is absent keeps the default of its column. `code_set` is a code."""

    code: str
    label: str
    datatype: str
    visible_to: list[str]
    aliases: NotRequired[list[str]]
    length: NotRequired[int]
    required: NotRequired[bool]
    code_set: NotRequired[str]
    binds: NotRequired[str]
    free_text: NotRequired[bool]
    must_be_empty: NotRequired[bool]
    pii_class: NotRequired[str]
    gb_element: NotRequired[str]
    sensitive: NotRequired[bool]
    mask: NotRequired[str]


class VersionData(TypedDict):
    """The rules of an item: the columns of an item version, all of them, articles and code values by reference."""

    name: str
    behaviour: str
    legal_bases: list[str]
    ministry_rule_reason: str
    disclosure: str
    disclosure_basis: str | None
    public_by_consent: bool
    public_name_in_full: bool
    source_channel: str
    source_level: str
    sharing: str
    update_freq: str
    supply_days: int
    supply_unit: str
    document_type: str
    severity_rule: str
    query_retention_months: int
    storage_rule: str
    period_start: str
    repairable: bool
    no_repair_basis: str | None
    repair_conditions: list[str]
    sensitive: bool
    masking_profile: str
    notice_mode: str
    opt_out: bool
    consultation_note: str
    national_ref: str
    change_note: str


class PeriodData(TypedDict):
    """How long a record of that severity may be public."""

    severity: int
    min_months: int
    max_months: int
    basis: str
    confidence: str


class ScopeData(TypedDict):
    """A department (by its code) and the duty for which the item is shared with it."""

    organisation: str
    duty_code: str
    duty_name: str


class AssessmentData(TypedDict):
    """The text of the impact assessment that the item needs before it is in force."""

    title: str
    purpose: str
    risks: str
    safeguards: str


class ItemData(TypedDict):
    """An item with its first version. `provider` is a code of accounts/data/organisations.csv."""

    code: str
    provider: str
    polarity: str
    origin: str
    effective_from: str
    territory: NotRequired[str]
    confidence: str
    source: str
    version: VersionData
    periods: list[PeriodData]
    scopes: list[ScopeData]
    assessment: AssessmentData
    fields: list[FieldData]


class LeftOut(TypedDict):
    """What a reader would look for here and does not find, and why."""

    code: NotRequired[str]
    name: str
    reason: str


# Column of a version → code set that its value must be in.
CODED = {
    "disclosure": "DIS", "source_channel": "SRC", "source_level": "LVL", "sharing": "SHR", "update_freq": "FRQ",
    "storage_rule": "RET", "period_start": "PST", "masking_profile": "MSK", "notice_mode": "NTC",
}  # fmt: skip


@cache
def instruments() -> list[InstrumentData]:
    """Return all instruments without the remark on their source; a successor that one names exists."""
    found = [_checked(_without(row, "source"), InstrumentData) for row in _read("instruments.json")["instruments"]]
    known = _unique((one["code"] for one in found), "instruments")
    for one in found:
        if one.get("superseded_by") and one["superseded_by"] not in known:
            raise ValueError(f"{one['code']}: superseded by an unknown instrument {one['superseded_by']}")
    return found


@cache
def articles() -> dict[str, InstrumentData]:
    """Return every reference "code/number" with its instrument."""
    return {f"{one['code']}/{number}": one for one in instruments() for number in one["articles"]}


@cache
def code_sets() -> list[CodeSetData]:
    """Return all code sets in the order of the file, without the remark on how sure we are."""
    found = [_checked(_without(row, "confidence"), CodeSetData) for row in _read("code_sets.json")]
    for one in found:
        values = [_checked(value, ValueData, one["code"]) for value in one["values"]]
        _unique((value["code"] for value in values), one["code"])
        _unique((value["label"] for value in values), one["code"])
    _unique((one["code"] for one in found), "code sets")
    return found


@cache
def items() -> list[ItemData]:
    """Return the starter items with their fields written out. Raises ValueError naming the first loose end."""
    sets = {row["code"]: row["fields"] for row in _read("field_sets.json")}
    found = [_item(row, sets) for row in _read("items.json")["items"]]
    _unique((item["code"] for item in found), "items")
    for item in found:
        for loose in _loose_ends(item):
            raise ValueError(f"{item['code']}: {loose}")
    return found


def not_loaded() -> list[LeftOut]:
    """Return the items that domain §3.6 names and that are not loaded."""
    return [_checked(row, LeftOut) for row in _read("items.json")["not_loaded"]]


def not_entered() -> list[LeftOut]:
    """Return the instruments that are not entered: drafts, and texts that nobody has seen."""
    return [_checked(row, LeftOut, row["name"]) for row in _read("instruments.json")["not_entered"]]


def expand(row: Mapping[str, Any], sets: Mapping[str, list[FieldData]]) -> list[FieldData]:
    """Return an item's fields: its set without what it omits, then its own, with its own readers where it says so.

    Nothing of an item that is not public is marked as visible to the public, whatever the set says.
    """
    if row["field_set"] not in sets:
        raise ValueError(f"{row['code']}: unknown field set {row['field_set']}")
    omitted, visible = row.get("omit", []), row.get("visible", {})
    known = {entry["code"] for entry in sets[row["field_set"]]}
    if strange := [code for code in [*omitted, *visible] if code not in known]:
        raise ValueError(f"{row['code']}: {row['field_set']} has no field {strange[0]}")
    chosen = [entry for entry in sets[row["field_set"]] if entry["code"] not in omitted]
    public = row["version"]["disclosure"] == "PUBLIC"
    return [_shown(entry, visible, public) for entry in [*chosen, *row.get("fields", [])]]


def _shown(entry: FieldData, visible: dict[str, list[str]], public: bool) -> FieldData:
    readers = visible.get(entry["code"], entry["visible_to"])
    return {**entry, "visible_to": [reader for reader in readers if public or reader != "PUBLIC"]}


def _item(row: dict[str, Any], sets: dict[str, list[FieldData]]) -> ItemData:
    code = row["code"]
    _checked(row["version"], VersionData, code)
    _checked(row["assessment"], AssessmentData, code)
    for period in row["periods"]:
        _checked(period, PeriodData, code)
    for scope in row["scopes"]:
        _checked(scope, ScopeData, code)
    written_out = {**_without(row, "field_set", "omit", "visible"), "fields": expand(row, sets)}
    for entry in written_out["fields"]:
        _checked(entry, FieldData, code)
    return _checked(written_out, ItemData)


def _loose_ends(item: ItemData) -> Iterator[str]:
    """Say what an item refers to and nobody defines."""
    version = item["version"]
    references = [*version["legal_bases"], version["disclosure_basis"], version["no_repair_basis"]]
    for reference in [*references, *(period["basis"] for period in item["periods"])]:
        if reference is not None and reference not in articles():
            yield f"no article {reference}"
    yield from _unknown_codes(item)
    yield from _loose_fields(item)


def _unknown_codes(item: ItemData) -> Iterator[str]:
    taken = {(one["code"], v["code"]) for one in code_sets() for v in one["values"] if not v.get("refusal")}
    version: Mapping[str, Any] = item["version"]
    used = [(code_set, version[column]) for column, code_set in CODED.items()]
    used += [("CAT", item["code"][4:6]), *(("RPC", condition) for condition in version["repair_conditions"])]
    used += [("DOC", version["document_type"])] if version["document_type"] else []
    for code_set, value in used:
        if (code_set, value) not in taken:
            yield f"{value} is not a value of {code_set} that is taken"
    if version["severity_rule"] not in ("0", "1", "2", "3", "C"):
        yield f"unknown severity {version['severity_rule']}"
    if version["supply_unit"] not in ("WD", "ND"):
        yield f"unknown unit {version['supply_unit']}"


def _loose_fields(item: ItemData) -> Iterator[str]:
    sets = {one["code"] for one in code_sets()}
    _unique((entry["code"] for entry in item["fields"]), item["code"])
    _unique((entry["binds"] for entry in item["fields"] if "binds" in entry), item["code"])
    for entry in item["fields"]:
        if entry["datatype"] in ("choice", "choices") and "code_set" not in entry:
            yield f"{entry['code']}: a choice without a code set"
        if "code_set" in entry and entry["code_set"] not in sets:
            yield f"{entry['code']}: no code set {entry['code_set']}"


def _read(name: str) -> Any:
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def _without(row: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in keys}


def _checked(row: Any, shape: Any, where: str = "") -> Any:
    """Return the row if its keys are those of the shape and its dates are dates."""
    what = ": ".join(filter(None, [where, row.get("code", "")]))
    if strange := row.keys() - shape.__annotations__.keys():
        raise ValueError(f"{what}: unknown attribute {min(strange)}")
    if missing := shape.__required_keys__ - row.keys():
        raise ValueError(f"{what}: {min(missing)} is missing")
    for key, value in row.items():
        if key.endswith(("_on", "_from")):
            date.fromisoformat(value)
    return row


def _unique(values: Iterable[str], where: str) -> set[str]:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"{where}: {value} stands there twice")
        seen.add(value)
    return seen
