"""What must never happen to mappings is refused by PostgreSQL, whoever asks; and what lasts: versions, resuming."""

import io
import itertools
from typing import Any

import openpyxl
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from catalogue.models import Item
from catalogue.tests.editions import approved, publish
from creditfujian.tests.cast import Cast, make_cast
from records import actions, jobs, mappings, preview
from records.intake import header, helper, stage
from records.intake.headings import fingerprint
from records.models import Batch, ColumnMapping
from records.tests.deliveries import check, penalty
from records.tests.test_killed_worker import in_a_worker, outcome, steps
from records.tests.test_mapping import THEIRS, answer, codes, theirs, waiting

State = Batch.State


def mapping(cast: Cast, **changes: Any) -> ColumnMapping:
    """A good mapping with something changed, not yet saved."""
    labels = changes.get("labels", THEIRS)
    fields = {
        "supplier": cast.market, "item": cast.item, "item_version": cast.item.versions.get(), "name": "甲",
        "labels": labels, "codes": codes(cast), "fingerprint": fingerprint(labels), "saved_by": cast.data_officer,
    }  # fmt: skip
    return ColumnMapping(**fields | changes)


def instead(labels: list[str], at: int, label: str) -> list[str]:
    return [*labels[:at], label, *labels[at + 1 :]]


def test_a_good_mapping_is_taken_by_the_database(cast: Cast) -> None:
    mapping(cast).save()
    with pytest.raises(IntegrityError, match="mapping_once_per_header"), transaction.atomic():
        mapping(cast, name="乙").save()


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("prohibited", "prohibited: X12 民族"), ("unread prohibited", "prohibited: X12 民族"), ("else", "somebody else"),
        ("twice", "each field once"), ("missing", "each field once"), ("unknown", "each field once"),
        ("nameless", "each field once"), ("data", "no number"), ("fingerprint", "belong together"),
        ("short", "belong together"), ("stranger", "officers of the supplier"), ("version", "not in force"),
        ("name", "without_numbers"),
    ],
)  # fmt: skip
def test_what_the_page_refuses_sql_cannot_do_either(cast: Cast, what: str, says: str) -> None:
    said = codes(cast)
    changes: dict[str, Any] = {
        "prohibited": {"labels": instead(THEIRS, 5, "民族")},
        "unread prohibited": {"labels": [*THEIRS, "民族"], "codes": [*said, ""]},
        "else": {"labels": instead(THEIRS, 3, "法定代表人证件号码")},
        "twice": {"codes": instead(said, 10, said[9])},
        "missing": {"codes": instead(said, 0, "")},
        "unknown": {"codes": instead(said, 10, "CF_NATION")},
        "nameless": {"labels": instead(THEIRS, 4, "")},
        "data": {"labels": instead(THEIRS, 3, "359901199001010011")},
        "fingerprint": {"fingerprint": fingerprint(["别的"])},
        "short": {"codes": said[:-1]},
        "stranger": {"saved_by": cast.officer_elsewhere},
        "version": {"item_version": Item.objects.get(code="FJ1-03-TRAN-0001").versions.get()},
        "name": {"name": "张三359901199001010011"},
    }[what]
    with pytest.raises(IntegrityError, match=says), transaction.atomic():
        mapping(cast, **changes).save()


def test_a_saved_mapping_is_neither_changed_nor_deleted_nor_taken_up_again(cast: Cast) -> None:
    mapping(cast).save()
    saved = ColumnMapping.objects.filter(fingerprint=fingerprint(THEIRS))
    other = codes(cast)
    other[9], other[8] = other[8], other[9]
    for change in (
        {"codes": other}, {"labels": THEIRS[::-1]}, {"saved_by": cast.data_reviewer}, {"supplier": cast.transport},
        {"fingerprint": fingerprint(["别的"])},
    ):  # fmt: skip
        with pytest.raises(IntegrityError, match="not changed"), transaction.atomic():
            saved.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        saved._raw_delete(saved.db)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE records_columnmapping CASCADE")
    with pytest.raises(IntegrityError, match="officers of the supplier"), transaction.atomic():
        saved.update(retired_by=cast.officer_elsewhere, retired_at=timezone.now())
    with pytest.raises(IntegrityError, match="retired_by_somebody"), transaction.atomic():
        saved.update(retired_at=timezone.now())
    saved.update(retired_by=cast.data_officer, retired_at=timezone.now())
    with pytest.raises(IntegrityError, match="not taken up again"), transaction.atomic():
        saved.update(retired_by=None, retired_at=None)


def test_the_mapping_of_a_batch_is_fixed_once_its_rows_are_read(cast: Cast) -> None:
    batch = answer(cast, waiting(cast))
    labels = [*THEIRS, "又一列"]
    other = mapping(cast, labels=labels, codes=[*codes(cast), ""])
    other.save()
    for change in ({"mapping": other}, {"mapping": None}, {"mapped_by": cast.data_reviewer}, {"mapped_by": None}):
        with pytest.raises(IntegrityError, match="is fixed"), transaction.atomic():
            Batch.objects.filter(pk=batch.pk).update(**change)
    Batch.objects.filter(pk=batch.pk).update(state=State.RECEIVED)
    Batch.objects.filter(pk=batch.pk).update(state=State.PARSING)
    with pytest.raises(IntegrityError, match="is fixed"), transaction.atomic():
        Batch.objects.filter(pk=batch.pk).update(mapping=other)


def test_a_batch_goes_on_only_with_a_mapping_of_its_own_given_by_its_own_officer(cast: Cast) -> None:
    batch = Batch.objects.filter(pk=waiting(cast).pk)
    good = mapping(cast)
    good.save()
    transport = Item.objects.get(code="FJ1-03-TRAN-0001")
    fields = [f.code for f in transport.versions.get().fields.all() if f.required]
    labels = [f"列{at}" for at, _ in enumerate(fields)]
    strange = mapping(
        cast, supplier=cast.transport, item=transport, item_version=transport.versions.get(), labels=labels, codes=fields,
        saved_by=cast.officer_elsewhere,
    )  # fmt: skip
    strange.save()
    officer, received = cast.data_officer, State.RECEIVED
    for change, says in (
        ({"state": received}, "goes on with one"),
        ({"state": received, "mapping": good}, "goes on with one"),
        ({"state": received, "mapping": good, "mapped_by": cast.officer_elsewhere}, "goes on with one"),
        ({"state": received, "mapping": strange, "mapped_by": officer}, "another supplier or item"),
        ({"mapping": good, "mapped_by": officer}, "is fixed"),
        ({"state": State.PARSING}, "may not go"),
        ({"state": State.CHECKING}, "may not go"),
        ({"state": State.COMMITTED}, "may not go|violates check"),
    ):
        with pytest.raises(IntegrityError, match=says), transaction.atomic():
            batch.update(**change)
    ColumnMapping.objects.filter(pk=good.pk).update(retired_by=officer, retired_at=timezone.now())
    with pytest.raises(IntegrityError, match="retired mapping"), transaction.atomic():
        batch.update(state=received, mapping=good, mapped_by=officer)
    old = batch.get()
    with pytest.raises(IntegrityError, match="without a mapping"), transaction.atomic():
        Batch.objects.create(
            item=old.item, supplier=old.supplier, uploaded_by=officer, file=old.file, channel="page", mapping=good
        )


@pytest.mark.parametrize(
    "label", ["法定代表人姓名", "负责人", "举报人姓名", "被害人", "经办人", "家属姓名", "执法人员"]
)
def test_the_database_knows_the_same_headings_of_somebody_else(db: None, label: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT records_names_somebody_else(%s), prosrc FROM pg_proc WHERE proname = 'records_names_somebody_else'",
            [label],
        )
        found, source = cursor.fetchone()
    assert found
    assert f"'{header.OTHER_PEOPLE.pattern}'" in source


# --- versions of the item ---------------------------------------------------------------------------------


def later_version(cast: Cast, which: str, **changes: Any) -> None:
    """Let a field be something else from today on, as a new edition does; without changes it is gone."""
    fields = [f for f in cast.item.versions.get().fields.all() if changes or f.code != which]
    for field in fields:
        if field.code == which:
            for name, value in changes.items():
                setattr(field, name, value)
    approved(cast, fields=fields, effective=DateRange(timezone.localdate(), None))
    publish(cast)


@pytest.mark.parametrize("changes", [{}, {"label": "罚款数额（元）"}, {"required": True, "code": "CF_NEU"}])
def test_a_mapping_whose_fields_changed_is_confirmed_again_before_it_reads_anything(
    cast: Cast, changes: dict[str, Any]
) -> None:
    answer(cast, waiting(cast))
    later_version(cast, "CF_NR_FK", **changes)
    batch = check(cast, theirs(cast) + b"\r\n")
    assert batch.state == State.MAPPING
    seen = mappings.look(batch)
    assert seen.before is not None
    assert seen.before.changed_since(seen.fields)
    assert [one.suggestion for one in seen.columns][:10] == codes(cast, version=1)[:10]


def test_a_mapping_whose_fields_stayed_holds_under_a_new_version(cast: Cast) -> None:
    answer(cast, waiting(cast))
    later_version(cast, "CF_YXQ", label="处罚有效期至")
    assert check(cast, theirs(cast) + b"\r\n").state == State.CHECKED


def test_a_batch_given_a_mapping_that_changed_before_it_was_read_waits_again(cast: Cast) -> None:
    batch = waiting(cast)
    mappings.save(batch.pk, mappings.look(batch).place, codes(cast), name="甲", by=cast.data_officer)
    later_version(cast, "CF_NR_FK")
    batch = actions.check_batch(batch.pk)
    assert (batch.state, batch.failure["code"]) == (State.MAPPING, "F24")
    assert "“罚款金额（万元）”" in batch.failure["message"]
    said = codes(cast, version=1)
    said[10] = ""
    assert answer(cast, batch, said).state == State.CHECKED


def test_a_batch_checked_before_the_change_keeps_its_columns(cast: Cast) -> None:
    batch = answer(cast, waiting(cast, theirs(cast, penalty(cast), penalty(cast, 处罚类别="记过"))))
    later_version(cast, "CF_NR_FK")
    out = io.BytesIO()
    assert preview.write_correction(Batch.objects.get(pk=batch.pk), out) == 1
    assert openpyxl.load_workbook(out).worksheets[0].cell(1, 1).value == THEIRS[0]


# --- a worker that dies, a second process -----------------------------------------------------------------


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "CHUNK", 4)
    monkeypatch.setattr(stage, "BLOCK", 2)


def many(cast: Cast, series: int) -> bytes:
    """Good and bad rows under the office's own headings."""
    rows = [penalty(cast, 行政处罚决定书文号=f"闽市监处罚〔2026〕{series}-{n}号") for n in range(11)]
    rows[3]["处罚类别"] = "记过"
    return theirs(cast, *rows)


def received(cast: Cast, series: int) -> Batch:
    batch, _ = actions.receive(
        io.BytesIO(many(cast, series)),
        name="处罚.csv",
        item=cast.item,
        by=cast.data_officer,
        channel=Batch.Channel.PAGE,
    )
    return batch


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_before_or_after_the_answer_leaves_the_same_batch(small_chunks: None) -> None:
    cast = make_cast()
    whole = received(cast, 0)
    total = in_a_worker(lambda: actions.check_batch(whole.pk))
    for number, step in enumerate(steps(total), start=1):
        batch = received(cast, number)
        assert in_a_worker(lambda: actions.check_batch(batch.pk), dies_at=step) == -1  # noqa: B023
        jobs.take_up_orphans()
        assert actions.check_batch(batch.pk).state == State.MAPPING
    place = mappings.look(Batch.objects.get(pk=whole.pk)).place
    mappings.save(whole.pk, place, codes(cast), name="甲", by=cast.data_officer)
    total = in_a_worker(lambda: actions.check_batch(whole.pk))
    expected = outcome(whole)
    assert expected[:2] == (State.CHECKED, 11)
    for step in steps(total):
        batch = Batch.objects.filter(state=State.MAPPING)[0]
        mappings.save(batch.pk, place, codes(cast), name="甲", by=cast.data_officer)
        assert in_a_worker(lambda: actions.check_batch(batch.pk), dies_at=step) == -1  # noqa: B023
        actions.check_batch(batch.pk)
        assert outcome(batch) == expected
    assert ColumnMapping.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_processes_read_by_a_mapping_what_one_reads(small_chunks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    cast = make_cast()
    first = actions.check_batch(received(cast, 0).pk)
    one = answer(cast, first)
    turn = itertools.cycle([True, False])
    monkeypatch.setattr(helper, "is_worth_it", lambda batch: True)
    monkeypatch.setattr(helper.Helper, "has_time", lambda self: next(turn))
    two = actions.check_batch(received(cast, 1).pk)
    assert two.mapping_id == one.mapping_id
    assert outcome(two) == outcome(one)
