"""Items out to a spreadsheet and back: an import only ever proposes, by the same deeds as the pages.

django-import-export walks the rows, each in a savepoint; a dry run does everything and takes it back.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import tablib
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import QuerySet
from django.utils import timezone
from import_export import fields, instance_loaders, resources

from accounts.models import User
from catalogue import actions, field_cells, publishing
from catalogue.cells import BY_NAME, CELLS, Cell, Kind, Known, Said, normal, say, stated_version
from catalogue.columns import complete
from catalogue.models import Article, Item, ItemVersion, PublicationPeriod, SharingScope
from catalogue.prohibited import Door
from catalogue.rules import BEFORE_ASSESSMENT, faults, items_to_propose
from creditfujian.lib.spreadsheet import safe

ROW, FIELD_ROWS = "\0行", "\0数据项"  # columns of the dataset that are ours, never of the file
PARTS = ("legal_bases", "fields", "scopes", "min_months", "max_months")
STANDING = (ItemVersion.State.PUBLISHED, ItemVersion.State.IN_FORCE, ItemVersion.State.SUSPENDED)
_COLUMN_OF = {"supply_days": "supply_deadline", "supply_unit": "supply_deadline", "no_repair_basis": "repairable",
              "public_by_consent": "disclosure_basis"}  # fmt: skip
_NEEDED_AT_FIRST = ("name", "behaviour", "territory", "query_retention_months")
NOT_YOURS = "没有这个条目，或者您的单位未获准修订它。请核对条目编码。"


@dataclass(frozen=True)
class Problem:
    """Why a row is refused: the column, where among the fields, and what to do."""

    column: str
    message: str
    field_row: int | None = None
    part: str = ""


class RowRefused(ValidationError):
    """A row that cannot become a draft."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__([problem.message for problem in problems])


@dataclass
class Outcome:
    """What becomes of a row: a draft begun or rewritten, nothing, or back to the sender."""

    NEW, CHANGED, UNCHANGED, REFUSED = "new", "changed", "unchanged", "refused"

    row: int
    code: str = ""
    name: str = ""
    kind: str = REFUSED
    changes: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[dict[str, Any]] = field(default_factory=list)
    draft: int | None = None


# --- which items --------------------------------------------------------------------------------------------


def to_export(user: User, which: str) -> QuerySet[ItemVersion]:
    """Return the versions to export: `in_force` of everybody, `own` latest ones to revise, or `drafts` of one's own."""
    versions = complete(ItemVersion.objects.visible_to(user)).order_by("item__code")
    if which == "in_force":
        return versions.filter(pk__in=ItemVersion.objects.in_force(timezone.localdate()))
    own = versions.filter(item__in=items_to_propose(user.organisation))
    if which == "drafts":
        return own.filter(state=ItemVersion.State.DRAFT)
    latest = ItemVersion.objects.filter(state__in=STANDING).order_by("item_id", "-version").distinct("item_id")
    return own.filter(pk__in=latest)


# --- the resource -------------------------------------------------------------------------------------------


class CellField(fields.Field):
    """A column of the sheet, written by its cell."""

    def __init__(self, cell: Cell) -> None:
        super().__init__(attribute=cell.name, column_name=cell.title)
        self.cell = cell

    def export(self, instance: ItemVersion, **kwargs: Any) -> str:
        return safe(self.cell.write(instance, kwargs["known"].labels))


class NoLoader(instance_loaders.BaseInstanceLoader):
    """The resource finds the version a row speaks of by itself: by item, number and who may see it."""

    def get_instance(self, row: dict[str, Any]) -> None:
        return None


class ItemResource(resources.Resource):
    """Item versions as rows, the catalogue's columns as cells."""

    class Meta:
        model = ItemVersion
        import_id_fields = ("code",)
        instance_loader_class = NoLoader
        use_transactions = True
        skip_diff = True

    def __init__(self, *, by: User) -> None:
        super().__init__()
        self.fields = {cell.name: CellField(cell) for cell in CELLS}
        self.by = by
        self.known = Known.load()
        self._door = Door.load()
        self.outcomes: list[Outcome] = []
        self._seen: dict[str, int] = {}
        self._row = _Row()

    def before_export(self, queryset: Any, **kwargs: Any) -> None:
        self.known = Known.load()

    def export_field(self, field: Any, instance: Any, **kwargs: Any) -> Any:
        return super().export_field(field, instance, known=self.known, **kwargs)

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        """Read the versions of all rows at once."""
        codes = {normal(str(code)) for code in dataset["条目编码"]}
        self._items = {item.code: item for item in Item.objects.filter(code__in=codes)}
        self._own = set(items_to_propose(self.by.organisation).values_list("pk", flat=True))
        self._versions: dict[int, list[ItemVersion]] = {}
        visible = ItemVersion.objects.visible_to(self.by).exclude(state=ItemVersion.State.RETIRED)
        for version in complete(visible.filter(item__code__in=codes)).order_by("version"):
            self._versions.setdefault(version.item_id, []).append(version)

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        self._row = _Row(texts={title: str(text) for title, text in row.items() if title not in (ROW, FIELD_ROWS)},
                         field_rows=row.get(FIELD_ROWS) or None)  # fmt: skip
        code = normal(self._row.texts.get("条目编码", ""))
        self.outcomes.append(Outcome(row=int(row[ROW]), code=code, name=normal(self._row.texts.get("条目名称", ""))))
        if not code:
            raise RowRefused([Problem("code", "没有条目编码。请填写。")])
        if code in self._seen:
            raise RowRefused([Problem("code", f"与第 {self._seen[code]} 行是同一条目。请只留一行。")])
        self._seen[code] = int(row[ROW])

    def get_or_init_instance(self, instance_loader: Any, row: dict[str, Any]) -> tuple[ItemVersion, bool]:
        """Return the version that the row was exported from; a new one for an item that has none."""
        item = self._items.get(self._outcome.code)
        versions = self._versions.get(item.pk, []) if item else []
        if item is None or (not versions and item.pk not in self._own):
            raise RowRefused([Problem("code", NOT_YOURS)])
        if not versions:
            return ItemVersion(item=item, version=1), True
        return self._stated(versions), False

    def _stated(self, versions: list[ItemVersion]) -> ItemVersion:
        latest, number = versions[-1], stated_version(self._row.texts.get(BY_NAME["effective"].title, ""))
        if number is None:
            return latest
        for version in versions:
            if version.version == number:
                standing = [v.version for v in versions if v.state in STANDING]
                self._row.stale = version.version < max(standing, default=0)
                return version
        raise RowRefused(
            [Problem("effective", f"这一行是第 {number} 版，该条目现在是第 {latest.version} 版。请重新导出后再改。")]
        )

    def import_instance(self, instance: ItemVersion, row: dict[str, Any], **kwargs: Any) -> None:
        """Read every cell; an untouched one says what the version says. Problems are kept until all are found."""
        for cell in CELLS:
            self._row.problems += self._take(cell, instance)
        self._row.problems += _periods_fit(self._row.said)

    def _take(self, cell: Cell, version: ItemVersion) -> list[Problem]:
        new = version.pk is None
        if cell.kind is Kind.KEY or cell.title not in self._row.texts:
            self._row.said |= {} if new else cell.say(version)
            missing = new and cell.name in _NEEDED_AT_FIRST
            return [Problem(cell.name, "表中没有这一列。请用导出的表填写。")] if missing else []
        text = self._row.texts[cell.title]
        untouched = not new and normal(text) == normal(cell.write(version, self.known.labels))
        if cell.kind in (Kind.FIXED, Kind.OTHERS):
            return [] if untouched else self._leave_aside(cell, version)
        if cell.name == "fields" and self._row.field_rows is not None:
            return self._read_fields(self._row.field_rows)
        elsewhere = cell.name == "fields" and not new and text.startswith(field_cells.ELSEWHERE)
        if untouched or elsewhere:  # a sheet of fields that was deleted changes none of them
            self._row.said |= cell.say(version)
            return []
        return self._read(cell, text)

    def _leave_aside(self, cell: Cell, version: ItemVersion) -> list[Problem]:
        text = normal(self._row.texts[cell.title])
        if cell.kind is Kind.OTHERS:
            if text:
                self._outcome.notes.append(f"“{cell.title}”不由本表填写，已忽略。")
            return []
        was = cell.write(version, self.known.labels)
        if text.split(None, 1)[:1] == was.split(None, 1)[:1]:
            return []
        return [Problem(cell.name, f"不能修改，应为“{was}”。确需改变的，请提出新条目。")]

    def _read(self, cell: Cell, text: str) -> list[Problem]:
        if cell.name == "fields":
            return self._read_fields(field_cells.lines(text))
        try:
            self._row.said |= cell.read(text, self.known)
        except ValidationError as error:
            return [Problem(cell.name, message) for message in error.messages]
        self._row.written.add(cell.name)
        return []

    def _read_fields(self, rows: Sequence[field_cells.FieldRow]) -> list[Problem]:
        try:
            self._row.said["fields"] = field_cells.read(rows, self.known)
            field_cells.refuse_prohibited(rows, self._row.said["fields"], self._door)
        except field_cells.FieldsRefused as refused:
            return [Problem("fields", one.message, one.number, one.part) for one in refused.problems]
        return []

    def skip_row(self, instance: ItemVersion, original: Any, row: Any, import_validation_errors: Any = None) -> bool:
        """Tell whether the row says nothing new; an item of another department may say nothing new only."""
        said = self._row.said
        if instance.pk and not self._row.problems and said == say(instance):
            self._outcome.kind = Outcome.UNCHANGED
            return True
        if instance.item_id not in self._own:
            raise RowRefused([Problem("code", NOT_YOURS)])
        if self._row.problems:
            raise RowRefused(self._row.problems)
        draft = self._draft_of(instance)
        if (
            draft is not None
            and draft.pk != instance.pk
            and _without_defaults(said, self._row.written) == _without_defaults(say(draft), self._row.written)
        ):
            self._outcome.kind = Outcome.UNCHANGED
            self._outcome.notes.append("这些改动已经在草案里。")
            self._outcome.draft = draft.pk
            return True
        if self._row.stale:
            latest = max(v.version for v in self._versions[instance.item_id])
            raise RowRefused(
                [
                    Problem(
                        "effective", f"这一行是第 {instance.version} 版，已有第 {latest} 版待生效。请重新导出后再改。"
                    )
                ]
            )
        return False

    def validate_instance(self, *args: Any, **kwargs: Any) -> None:
        """The deed judges the whole draft when it is written."""

    def save_m2m(self, *args: Any, **kwargs: Any) -> None:
        """The deed writes the parts together with the draft."""

    def save_instance(self, instance: ItemVersion, is_create: bool, row: Any, **kwargs: Any) -> None:
        """Begin a draft or rewrite the one there is, and tell the differences."""
        outcome, draft = self._outcome, self._draft_of(instance)
        try:
            with transaction.atomic():
                begun = draft or actions.start_draft(instance.item, by=self.by, first=_first(self._row.said))
                before = draft or (instance if instance.pk else None)
                actions.write_draft(begun, by=self.by, **_deed(self._row.said, self._row.written))
                written = complete(ItemVersion.objects.filter(pk=begun.pk)).get()
        except PermissionDenied as error:
            raise RowRefused([Problem("code", str(error))]) from error
        except ValidationError as error:
            raise RowRefused(_placed(error)) from error
        except IntegrityError as error:
            raise RowRefused(
                [Problem("code", "数据库的规则不允许这样写。请核对各列后重试，或在页面上修订。")]
            ) from error
        outcome.kind = Outcome.CHANGED if draft else Outcome.NEW
        outcome.draft = begun.pk
        outcome.changes = self._differences(before, written)
        outcome.notes += _notes(draft, written, self._row.written)

    def _differences(self, before: ItemVersion | None, written: ItemVersion) -> list[dict[str, Any]]:
        if before is None:
            return []
        found = publishing.changes(before, written, self.known.labels)
        if "effective" in self._row.written:
            cell = BY_NAME["effective"]
            old, new = (cell.write(version, self.known.labels) for version in (before, written))
            found += [publishing.Change(cell.title, old, new)] if old != new else []
        kept = {BY_NAME["change_note"].title} if "change_note" not in self._row.written else set()
        rows = [told(change) for change in found if change.column not in kept]
        for row in rows:
            if row["column"] == BY_NAME["fields"].title:
                row["old"], row["new"] = field_cells.differences(before, written)
                row["reordered"] = not row["old"] and not row["new"]
        return rows

    def handle_import_error(self, result: Any, error: Exception, raise_errors: bool = False) -> None:
        raise error

    @property
    def _outcome(self) -> Outcome:
        return self.outcomes[-1]

    def _draft_of(self, version: ItemVersion) -> ItemVersion | None:
        drafts = [v for v in self._versions.get(version.item_id, []) if v.state == ItemVersion.State.DRAFT]
        return drafts[0] if drafts else None


@dataclass
class _Row:
    """The row at hand: its texts, what they say, and which cells were written anew."""

    texts: dict[str, str] = field(default_factory=dict)
    field_rows: list[field_cells.FieldRow] | None = None
    said: Said = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    stale: bool = False


# --- from what is said to the deed ----------------------------------------------------------------------------


def _without_defaults(said: Said, written: set[str]) -> Said:
    """Leave out what a draft has of its own when the sheet does not say it: its first day and its note."""
    return {key: value for key, value in said.items() if key not in ("effective", "change_note") or key in written}


def _periods_fit(said: Said) -> list[Problem]:
    least, most = said.get("min_months"), said.get("max_months")
    if least is None or most is None:
        return []
    if set(least) != set(most):
        return [Problem("max_disclosure_months", "最短、最长公示期两列应写同样的失信程度。请补齐或删去。")]
    over = [severity for severity in least if least[severity] > most[severity][0]]
    return [Problem("min_disclosure_months", f"失信程度 {one} 的最短公示期长于最长公示期。") for one in over]


def _first(said: Said) -> dict[str, Any]:
    """Return what the first version of an item needs to exist at all; the deed then writes the rest."""
    return {"query_retention_months": 60} | {
        name: said[name] for name in ("name", "behaviour", "territory_id") if name in said
    }


def _deed(said: Said, written: set[str]) -> dict[str, Any]:
    """Return the arguments of actions.write_draft."""
    values = {name: value for name, value in _without_defaults(said, written).items() if name not in PARTS}
    if "effective" in values:
        values["effective"] = DateRange(*values["effective"])
    parts: dict[str, Any] = {}
    if "legal_bases" in said:
        parts["legal_bases"] = list(Article.objects.filter(pk__in=said["legal_bases"]))
    if "fields" in said:
        parts["fields"] = field_cells.build(said["fields"])
    if "scopes" in said:
        parts["scopes"] = [
            SharingScope(organisation_id=unit, duty_code=code, duty_name=name)
            for unit, code, name in sorted(said["scopes"])
        ]
    if "min_months" in said and "max_months" in said:
        parts["periods"] = [
            PublicationPeriod(
                severity=severity, min_months=said["min_months"][severity], max_months=months, basis_id=basis, confidence=sure
            )
            for severity, (months, basis, sure) in sorted(said["max_months"].items())
        ]  # fmt: skip
    return {"values": values, **parts}


def _placed(error: ValidationError) -> list[Problem]:
    """Give each sentence of a refused deed the column it is about."""
    if hasattr(error, "error_dict"):
        return [
            Problem(_COLUMN_OF.get(name, name if name in BY_NAME else ""), message)
            for name, messages in error.message_dict.items()
            for message in messages
        ]
    return [Problem("", message) for message in error.messages]


def _notes(draft: ItemVersion | None, written: ItemVersion, said: set[str]) -> list[str]:
    notes = []
    if draft is not None:
        notes.append(f"改写正在起草的第 {draft.version} 版。")
    if "effective" not in said:
        notes.append(f"没有改生效日期，草案暂定 {written.effective.lower} 生效。")
    if "change_note" not in said and written.version > 1:
        notes.append(f"没有改修订说明，草案暂写“{written.change_note}”。")
    found = [one.text for one in faults(written.pk) if one.code not in BEFORE_ASSESSMENT]
    return notes + [f"提交前还要补：{text}" for text in found]


def told(change: publishing.Change) -> dict[str, Any]:
    """Return a difference as the page shows it: of long cells only the lines that differ."""
    old, new = change.old.split("\n"), change.new.split("\n")
    return {
        "column": change.column,
        "old": [line for line in old if line not in new or len(old) == 1],
        "new": [line for line in new if line not in old or len(new) == 1],
        "reordered": change.old != change.new and sorted(old) == sorted(new),
    }


# --- import --------------------------------------------------------------------------------------------------


def propose(dataset: tablib.Dataset, *, by: User, dry_run: bool) -> list[Outcome]:
    """Turn the rows of a sheet into drafts, or tell what that would do; rows that cannot be are told why."""
    resource = ItemResource(by=by)
    result = resource.import_data(dataset, dry_run=dry_run, raise_errors=False)
    for outcome, row in zip(resource.outcomes, result.rows, strict=True):
        if row.errors:
            raise row.errors[0].error
        if row.validation_error is not None:
            outcome.kind, outcome.changes = Outcome.REFUSED, []
            outcome.problems = [asdict(problem) for problem in row.validation_error.problems]
        if dry_run:
            outcome.draft = None
    return resource.outcomes
