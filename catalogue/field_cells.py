"""The data fields of an item in a spreadsheet: a row each with a column per property, or a line each in one cell."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError

from catalogue.models import Field, ItemVersion
from catalogue.prohibited import Door

if TYPE_CHECKING:
    from catalogue.cells import Known

ELSEWHERE = "见“数据项”表"  # what the cell says when the fields stand on a sheet of their own
BETWEEN, WITHIN = "｜", "；"  # between the parts of a field, between the values of a part
_SPLIT = {mark: re.compile(rf"(?<!\\)((?:\\\\)*){mark}") for mark in (BETWEEN, WITHIN)}


@dataclass(frozen=True)
class Part:
    """One property of a field: its heading, how it is written and read."""

    title: str
    attribute: str
    write: Callable[[Field], str]
    read: Callable[[str, "Known"], Any]
    choices: Sequence[str] = ()


@dataclass(frozen=True)
class FieldRow:
    """A field as somebody wrote it: where (row of the sheet, or line of the cell) and what, by heading."""

    number: int
    texts: dict[str, str]


@dataclass(frozen=True)
class FieldProblem:
    """What is wrong with a field: where, in which property, and what to do."""

    number: int
    part: str
    message: str


class FieldsRefused(Exception):
    """Fields that cannot be read."""

    def __init__(self, problems: list[FieldProblem]) -> None:
        self.problems = problems
        super().__init__(problems)


def _escape(text: str) -> str:
    return (
        text.replace("\\", "\\\\").replace(BETWEEN, rf"\{BETWEEN}").replace(WITHIN, rf"\{WITHIN}").replace("\n", r"\n")
    )


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], text)


def _split(text: str, mark: str) -> list[str]:
    return _SPLIT[mark].sub(lambda found: f"{found[1]}\0", text).split("\0")


def _text(title: str, attribute: str) -> Part:
    return Part(title, attribute, lambda f: _escape(getattr(f, attribute)), lambda text, known: _plain(text.strip()))


def _yes(title: str, attribute: str) -> Part:
    def read(text: str, known: "Known") -> bool:
        if text.strip() not in ("是", "否", ""):
            raise ValidationError("请写“是”或“否”。")
        return text.strip() == "是"

    return Part(title, attribute, lambda f: "是" if getattr(f, attribute) else "否", read, ("是", "否"))


def _choice(title: str, attribute: str, *, many: bool = False) -> Part:
    field: Any = Field._meta.get_field(attribute)
    allowed = {str(code): str(label) for code, label in (field.base_field if many else field).choices}

    def one(text: str) -> str:
        said = text.strip()
        found = [code for code, label in allowed.items() if said in (code, label)]
        if not found:
            raise ValidationError(f"“{said[:20]}”不在可填的值内。可填：{'、'.join(filter(None, allowed.values()))}。")
        return found[0]

    if many:
        return Part(
            title, attribute, lambda f: WITHIN.join(allowed.get(value, value) for value in getattr(f, attribute)),
            lambda text, known: [one(part) for part in re.split("[；;、]", text) if part.strip()],
        )  # fmt: skip
    listed = tuple(allowed.values())
    return Part(
        title, attribute, lambda f: allowed.get(getattr(f, attribute), ""), lambda text, known: one(text), listed
    )


def _read_length(text: str, known: "Known") -> int:
    if not re.fullmatch(r"\d{1,6}", text.strip()) or int(text) < 1:
        raise ValidationError(f"“{text[:20]}”不是字数。请写整数，如 200。")
    return int(text)


def _read_code_set(text: str, known: "Known") -> int | None:
    code = text.split(None, 1)[0] if text.split() else ""
    if not code:
        return None
    if code not in known.code_sets:
        raise ValidationError(f"没有代码集“{code[:20]}”。请写已登记的代码集代码；不用代码集的留空。")
    return known.code_sets[code].pk


def _write_code_set(field: Field) -> str:
    return f"{field.code_set.code} {field.code_set.title}" if field.code_set else ""


def _read_aliases(text: str, known: "Known") -> list[str]:
    return [_plain(part.strip()) for part in _split(text, WITHIN) if part.strip()]


PARTS = (
    _text("字段名", "code"),
    _text("名称", "label"),
    _choice("类型", "datatype"),
    Part("长度上限", "length", lambda f: str(f.length), _read_length),
    _yes("必填", "required"),
    Part("代码集", "code_set_id", _write_code_set, _read_code_set),
    _choice("对应记录项", "binds"),
    _choice("可见范围", "visible_to", many=True),
    Part("别名", "aliases", lambda f: WITHIN.join(map(_escape, f.aliases)), _read_aliases),
    _yes("自由文本", "free_text"),
    _yes("自然人应为空", "must_be_empty"),
    _text("个人信息类别", "pii_class"),
    _text("GB/T 39445 数据元", "gb_element"),
    _yes("敏感个人信息", "sensitive"),
    _choice("脱敏", "mask"),
)
_TITLES = {part.attribute: part.title for part in PARTS} | {"code_set": "代码集"}
_MAY_BE_LEFT_OUT = {"length": "200", "mask": "随条目", "binds": ""}  # what an empty part means


def texts(field: Field) -> dict[str, str]:
    """Return a field's properties as the sheet shows them."""
    return {part.title: part.write(field) for part in PARTS}


def write(version: ItemVersion) -> str:
    """Return the fields in one cell: a line each, its parts with ｜ between them."""
    return "\n".join(BETWEEN.join(part.write(field) for part in PARTS) for field in version.fields.all())


def say(version: ItemVersion) -> list[dict[str, Any]]:
    """Return what a version says about its fields, in their order."""
    return [{part.attribute: getattr(field, part.attribute) for part in PARTS} for field in version.fields.all()]


def lines(text: str) -> list[FieldRow]:
    """Take a cell apart into its fields; parts that are missing at the end are empty."""
    titles = [part.title for part in PARTS]
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            parts = _split(line, BETWEEN)
            parts = (
                parts[: len(titles) - 1] + [BETWEEN.join(parts[len(titles) - 1 :])]
                if len(parts) > len(titles)
                else parts
            )
            rows.append(FieldRow(number, dict(zip(titles, parts + [""] * len(titles), strict=False))))
    return rows


def read(rows: Sequence[FieldRow], known: "Known") -> list[dict[str, Any]]:
    """Return what the rows say about the fields. Raises FieldsRefused with every problem."""
    said, problems = [], []
    for row in rows:
        field, wrong = _read_one(row, known)
        problems += wrong or _judge(row, field)
        said.append(field)
    for attribute in ("code", "binds"):
        problems += _twice(rows, said, attribute)
    if problems:
        raise FieldsRefused(problems)
    return said


def _read_one(row: FieldRow, known: "Known") -> tuple[dict[str, Any], list[FieldProblem]]:
    said, problems = {}, []
    for part in PARTS:
        text = row.texts.get(part.title, "")
        try:
            if not text.strip() and part.attribute in _MAY_BE_LEFT_OUT:
                text = _MAY_BE_LEFT_OUT[part.attribute]
            said[part.attribute] = "" if part.attribute == "binds" and not text.strip() else part.read(text, known)
        except ValidationError as error:
            problems += [FieldProblem(row.number, part.title, message) for message in error.messages]
    return said, problems


def _judge(row: FieldRow, said: dict[str, Any]) -> list[FieldProblem]:
    """Return what the columns of the table and its checks would refuse."""
    problems = []
    try:
        Field(**said, position=1).clean_fields(exclude=["item_version", "code_set"])
    except ValidationError as error:
        for name, messages in error.message_dict.items():
            problems += [FieldProblem(row.number, _TITLES.get(name, ""), message) for message in messages]
    if said["datatype"] in (Field.Type.CHOICE, Field.Type.CHOICES) and said["code_set_id"] is None:
        problems.append(FieldProblem(row.number, "代码集", "类型是代码的数据项须写明代码集。"))
    if said["binds"] == Field.Binding.ID_NUMBER and Field.Reader.PUBLIC in said["visible_to"]:
        problems.append(FieldProblem(row.number, "可见范围", "证件号码不能作为公众可见的数据项。请删去“公众”。"))
    return problems


def _twice(rows: Sequence[FieldRow], said: Sequence[dict[str, Any]], attribute: str) -> list[FieldProblem]:
    seen: set[str] = set()
    problems = []
    for row, field in zip(rows, said, strict=True):
        value = field.get(attribute)
        if value and value in seen:
            title = _TITLES[attribute]
            problems.append(FieldProblem(row.number, title, f"“{value}”与前面的数据项重复。每个数据项只能用一次。"))
        seen.add(value or "")
    return problems


def differences(before: ItemVersion, after: ItemVersion) -> tuple[list[str], list[str]]:
    """Return what changed among the fields in words, old and new: whole fields, or the properties that differ."""
    was, now = ({field.code: field for field in version.fields.all()} for version in (before, after))
    old = [f"{field.label}（{code}）" for code, field in was.items() if code not in now]
    new = [f"{field.label}（{code}）" for code, field in now.items() if code not in was]
    for code, field in now.items():
        if code in was:
            then, today = texts(was[code]), texts(field)
            for title in then:
                if then[title] != today[title]:
                    old.append(f"{was[code].label}（{code}）{title}：{then[title] or '空'}")
                    new.append(f"{was[code].label}（{code}）{title}：{today[title] or '空'}")
    return old, new


def refuse_prohibited(rows: Sequence[FieldRow], said: Sequence[dict[str, Any]], door: Door) -> None:
    """Refuse fields of a kind that is never collected, each by its row. Raises FieldsRefused."""
    problems = []
    for row, field in zip(rows, said, strict=True):
        names = [("名称", door.find_header(field["label"]))]
        names += [("别名", door.find_header(alias)) for alias in field["aliases"]]
        for part, hit in (*names, ("个人信息类别", door.find_class(field["pii_class"]))):
            if hit:
                problems.append(FieldProblem(row.number, part, f"属禁止归集的{hit.title}。{hit.advice}"))
    if problems:
        raise FieldsRefused(problems)


def build(said: Sequence[dict[str, Any]]) -> list[Field]:
    """Return fields to be written with a draft."""
    return [Field(**field) for field in said]
