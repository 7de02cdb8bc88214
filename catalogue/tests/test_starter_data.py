"""The starter catalogue holds together, and every item of it keeps the rules of domain §3.3. No database."""

import json
from collections import Counter

import pytest

from accounts.reference import departments
from catalogue import starter_data
from catalogue.models import Field, Item, ItemVersion, Level
from catalogue.starter_data import DATA, InstrumentData, ItemData, articles, code_sets, instruments, items

BRIEF = "2026-11-23"  # the day of the domain brief: what it calls in force is so on that day
CAPS = {0: (0, 36), 1: (0, 3), 2: (3, 12), 3: (12, 36)}
ROWS_OF_THE_BRIEF = {
    "FJ1-02-COUR-0001", "FJ1-02-COUR-0002", "FJ1-03-MRKT-0001", "FJ1-03-TRAN-0001", "FJ1-03-HRSS-0001",
    "FJ1-03-JUST-0001", "FJ1-03-EDUC-0001", "FJ1-03-HEAL-0001", "FJ1-03-FINA-0001", "FJ1-06-MRKT-0003",
    "FJ1-06-TAXS-0001", "FJ1-06-HRSS-0002", "FJ1-06-NDEF-0001", "FJ1-08-ALLD-0001", "FJ1-11-CULT-0001",
    "FJ1-13-SELF-0001",
}  # fmt: skip
EXTRA = {"code": "Q", "label": "其他", "datatype": "text", "visible_to": []}
each_item = pytest.mark.parametrize("item", items(), ids=lambda item: item["code"])


def by_code(code: str) -> ItemData:
    return next(item for item in items() if item["code"] == code)


def bases(item: ItemData) -> list[InstrumentData]:
    return [articles()[reference] for reference in item["version"]["legal_bases"]]


def in_force_on(instrument: InstrumentData, day: str) -> bool:
    return instrument["effective_on"] <= day < instrument.get("repealed_on", "9999")


# --- the files -----------------------------------------------------------------------------------------------------


def test_every_row_of_the_brief_is_loaded_or_says_why_not() -> None:
    left_out = {entry["code"]: entry["reason"] for entry in starter_data.not_loaded()}
    assert {item["code"] for item in items()} | left_out.keys() == ROWS_OF_THE_BRIEF
    assert list(left_out) == ["FJ1-02-COUR-0002"]
    assert all(left_out.values())


def test_instruments_follow_each_other_without_a_gap() -> None:
    known = {one["code"]: one for one in instruments()}
    followed = {one["code"]: one["superseded_by"] for one in known.values() if "superseded_by" in one}
    assert followed == {"FGW58": "FGW36", "JCML2021": "JCML2022", "JCML2022": "JCML2024"}
    for code, successor in followed.items():
        assert known[code]["repealed_on"] == known[successor]["effective_on"]
    assert known["FGW58"]["repealed_on"] == "2026-04-01"


@pytest.mark.parametrize("name", ["instruments", "code_sets", "field_sets", "items"])
def test_every_entry_says_where_it_is_from_and_how_sure_we_are(name: str) -> None:
    whole = json.loads((DATA / f"{name}.json").read_text())
    for entry in whole if isinstance(whole, list) else whole[name]:
        assert entry["source"], entry["code"]
        assert entry["confidence"] in ("H", "M", "L"), entry["code"]


def test_articles_and_values_fit_their_columns() -> None:
    for one in instruments():
        assert one["level"] in Level.values
        assert one["articles"], one["code"]
        for number, summary in one["articles"].items():
            assert len(number) <= 40
            assert 0 < len(summary) <= 300, number
    for one_set in code_sets():
        for value in one_set["values"]:
            assert len(value["code"]) <= 20
            assert len(value["label"]) <= 60
            assert len(value.get("refusal", "")) <= 200


def test_local_regulations_are_bound_to_their_territory() -> None:
    local = {one["code"]: one.get("territory") for one in instruments() if one["level"] == Level.LOCAL_REGULATION}
    assert local == {"XMXYTL": "350200", "QZXYTL": "350500"}


@pytest.mark.parametrize(
    ("code", "choices"),
    [
        ("BL", [(str(value), label) for value, label in Level.choices]),
        ("DIS", ItemVersion.Disclosure.choices),
        ("SHR", ItemVersion.Sharing.choices),
        ("NTC", ItemVersion.Notice.choices),
        ("STATE", ItemVersion.State.choices),
    ],
)
def test_code_sets_say_what_the_models_say(code: str, choices: list[tuple[str, str]]) -> None:
    found = next(one for one in code_sets() if one["code"] == code)
    assert [(value["code"], value["label"]) for value in found["values"]] == choices


def test_categories_not_used_for_persons_carry_a_refusal() -> None:
    categories = next(one for one in code_sets() if one["code"] == "CAT")
    assert [value["code"] for value in categories["values"]] == [f"{n:02d}" for n in range(1, 14)]
    assert [value["code"] for value in categories["values"] if value.get("refusal")] == ["01", "05", "07", "09", "12"]


# --- the rules of domain §3.3 --------------------------------------------------------------------------------------


@each_item
def test_the_basis_is_high_enough_and_valid_from_the_first_day(item: ItemData) -> None:
    for instrument in bases(item):
        assert in_force_on(instrument, item["effective_from"]), instrument["code"]
        assert in_force_on(instrument, BRIEF), instrument["code"]
        assert "territory" not in instrument
    best = min(instrument["level"] for instrument in bases(item))
    if item["polarity"] == Item.Polarity.NEGATIVE:
        by_ministry = (
            item["code"][4:6] == "06" and best == Level.MINISTRY_RULE and item["version"]["ministry_rule_reason"]
        )
        assert best in (Level.LAW, Level.REGULATION, Level.CENTRAL_POLICY) or by_ministry
    elif item["polarity"] == Item.Polarity.BASIC:
        assert best <= Level.MINISTRY_RULE
    else:
        assert item["version"]["opt_out"]
        assert item["version"]["query_retention_months"] <= 36


@each_item
def test_publication_has_a_basis_of_its_own_or_the_persons_consent(item: ItemData) -> None:
    version = item["version"]
    if version["disclosure"] != "PUBLIC":
        assert version["disclosure_basis"] is None
        assert not version["public_by_consent"]
        assert not version["public_name_in_full"]
        assert not item["periods"]
        return
    assert item["periods"]
    assert "public_mark" in {entry.get("binds") for entry in item["fields"]}
    if version["public_by_consent"]:
        return
    assert version["disclosure_basis"] is not None
    instrument = articles()[version["disclosure_basis"]]
    assert instrument["level"] in (Level.LAW, Level.REGULATION) or instrument["state_council_order"]
    assert in_force_on(instrument, item["effective_from"])
    assert in_force_on(instrument, BRIEF)


@each_item
def test_what_counts_against_a_person_rests_on_a_document_and_can_be_repaired(item: ItemData) -> None:
    version = item["version"]
    assert (item["polarity"] == Item.Polarity.NEGATIVE) == (version["severity_rule"] != "0")
    if item["polarity"] == Item.Polarity.NEGATIVE:
        assert version["document_type"]
        assert version["sensitive"]
        assert version["repairable"]
        assert "DONE" in version["repair_conditions"]


@each_item
def test_periods_are_within_the_caps_and_rest_on_what_is_in_force(item: ItemData) -> None:
    assert len({period["severity"] for period in item["periods"]}) == len(item["periods"])
    for period in item["periods"]:
        shortest, longest = CAPS[period["severity"]]
        assert (period["severity"] == 0) == (item["polarity"] != Item.Polarity.NEGATIVE)
        assert period["max_months"] == 0 or shortest <= period["min_months"] <= period["max_months"] <= longest
        assert in_force_on(articles()[period["basis"]], BRIEF)


@each_item
def test_texts_fit_their_columns(item: ItemData) -> None:
    assert item["version"].keys() <= {column.name for column in ItemVersion._meta.get_fields()}
    for name, value in item["version"].items():
        limit = getattr(ItemVersion._meta.get_field(name), "max_length", None)
        assert not (isinstance(value, str) and limit) or len(value) <= limit, name
    assert len(item["assessment"]["title"]) <= 120
    assert all(item["assessment"].values())
    assert 0 < item["version"]["query_retention_months"] <= 60


# --- the fields ----------------------------------------------------------------------------------------------------


@each_item
def test_the_person_and_the_document_are_bound(item: ItemData) -> None:
    required = {entry.get("binds") for entry in item["fields"] if entry.get("required")}
    assert required >= {"person_name", "id_number", "doc_no", "doc_date", "decider", "decider_uscc"}
    assert all(count == 1 for count in Counter(entry["code"] for entry in item["fields"]).values())


@each_item
def test_nobody_sees_a_number_or_a_name_by_way_of_a_public_field(item: ItemData) -> None:
    for entry in item["fields"]:
        if entry["datatype"] == "id_number":
            assert entry["visible_to"] == ["SUBJECT", "PROVIDER", "DEPT"]
        if entry["datatype"] == "name" or item["version"]["disclosure"] != "PUBLIC":
            assert "PUBLIC" not in entry["visible_to"]


@each_item
def test_fields_fit_the_model_and_ask_for_nothing_prohibited(item: ItemData) -> None:
    words = [word for row in json.loads((DATA / "prohibited.json").read_text()) for word in row["header_keywords"]]
    labels = [label for entry in item["fields"] for label in [entry["label"], *entry.get("aliases", [])]]
    assert [label for label in [*labels, item["version"]["name"]] for word in words if word in label] == []
    assert not {"性别", "年龄", "地址", "电话"} & set(labels)
    for entry in item["fields"]:
        assert entry["datatype"] in Field.Type.values
        assert set(entry["visible_to"]) <= set(Field.Reader.values)
        assert entry.get("binds", "") in ["", *Field.Binding.values]
        assert len(entry["code"]) <= 30
        assert len(entry["label"]) <= 60


@each_item
def test_a_column_name_means_one_field(item: ItemData) -> None:
    names = [name for entry in item["fields"] for name in {entry["label"], entry["code"], *entry.get("aliases", [])}]
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_transport_takes_the_penalty_columns_without_those_of_publication() -> None:
    market, transport = by_code("FJ1-03-MRKT-0001")["fields"], by_code("FJ1-03-TRAN-0001")["fields"]
    assert (len(market), len(transport)) == (34, 32)
    kept = [entry for entry in market if entry["code"] not in ("CF_GSJZQ", "CF_SYFW")]
    for ours, theirs in zip(kept, transport, strict=True):
        assert {**ours, "visible_to": [r for r in ours["visible_to"] if r != "PUBLIC"]} == theirs


def test_the_accountable_unit_is_a_department_of_the_province() -> None:
    known = {department.code for department in departments()}
    assert {item["provider"] for item in items()} <= known
    # Many departments supply commitments, the person alone what is self-declared: one unit answers for each.
    other = {item["code"]: item["provider"] for item in items() if item["provider"] != item["code"][7:11]}
    assert other == {"FJ1-08-ALLD-0001": "FGWH", "FJ1-11-CULT-0001": "WMBA", "FJ1-13-SELF-0001": "FGWH"}


# --- loose ends are refused ----------------------------------------------------------------------------------------


def test_a_field_set_is_taken_apart_as_the_item_says() -> None:
    readers = ["SUBJECT", "PUBLIC"]
    sets = {"S": [{"code": "A", "visible_to": readers}, {"code": "B", "visible_to": readers}]}
    row = {"code": "X", "field_set": "S", "version": {"disclosure": "PUBLIC"}}
    assert starter_data.expand({**row, "omit": ["A"]}, sets) == [{"code": "B", "visible_to": readers}]  # type: ignore[arg-type]
    shown = starter_data.expand({**row, "visible": {"A": ["PROVIDER"]}}, sets)  # type: ignore[arg-type]
    assert [entry["visible_to"] for entry in shown] == [["PROVIDER"], readers]
    hidden = starter_data.expand({**row, "version": {"disclosure": "SHARE"}}, sets)  # type: ignore[arg-type]
    assert [entry["visible_to"] for entry in hidden] == [["SUBJECT"], ["SUBJECT"]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"field_set": "NONE"}, "unknown field set NONE"),
        ({"omit": ["NONE"]}, "has no field NONE"),
        ({"visible": {"NONE": []}}, "has no field NONE"),
        ({"surprise": 1}, "unknown attribute surprise"),
        ({"version": {"legal_bases": ["XZCFF/第九百条"]}}, "no article XZCFF/第九百条"),
        ({"version": {"update_freq": "NEVER"}}, "NEVER is not a value of FRQ"),
        ({"version": {"repair_conditions": ["PAY"]}}, "PAY is not a value of RPC"),
        ({"version": {"colour": "red"}}, "unknown attribute colour"),
        ({"fields": [{"code": "Q", "visible_to": []}]}, "Q: datatype is missing"),
        ({"code": "FJ1-09-MRKT-0001"}, "09 is not a value of CAT"),
        ({"fields": [{**EXTRA, "code": "BZ"}]}, "BZ stands there twice"),
        ({"fields": [{**EXTRA, "datatype": "choice"}]}, "Q: a choice without a code set"),
        ({"fields": [{**EXTRA, "size": 1}]}, "Q: unknown attribute size"),
    ],
)
def test_a_loose_end_is_named(change: dict[str, object], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = starter_data._read("items.json")
    row = whole["items"][1]
    version = {**row["version"], **change.get("version", {})}  # type: ignore[dict-item]
    spoilt = {**whole, "items": [{**row, **change, "version": version}]}
    read = starter_data._read
    monkeypatch.setattr(starter_data, "_read", lambda name: spoilt if name == "items.json" else read(name))
    with pytest.raises(ValueError, match=message):
        starter_data.items.__wrapped__()  # past the cache
