"""What must never happen to records and batches is refused by PostgreSQL, whoever asks."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from accounts.models import Person, User
from catalogue.models import Item, PublicationPeriod
from catalogue.tests.editions import retire
from creditfujian.lib import identity
from creditfujian.tests.cast import Cast
from records.intake import check as staging
from records.models import Batch, BatchRow, Record, RecordVersion
from records.tests.deliveries import as_csv, check, decided, deliver, penalty


def checked(cast: Cast) -> Batch:
    return check(cast, as_csv([penalty(cast)]))


def at_work(batch: Batch) -> None:
    """Put the batch into the state in which the database lets it write, as its commit does."""
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.COMMITTING)
    staging.work_on(batch)


def test_the_uploader_cannot_commit_even_by_sql(cast: Cast) -> None:
    batch = checked(cast)
    with pytest.raises(IntegrityError, match="another officer commits"), transaction.atomic():
        Batch.objects.filter(pk=batch.pk).update(committed_by=cast.data_officer)


def test_one_hand_by_command_needs_the_item_to_say_so(cast: Cast) -> None:
    Item.objects.filter(pk=cast.item.pk).update(one_hand_by_command=True)
    batch = checked(cast)  # came by the page
    with pytest.raises(IntegrityError), transaction.atomic():
        Batch.objects.filter(pk=batch.pk).update(committed_by=cast.data_officer)


@pytest.mark.parametrize(
    "decided",
    [{"state": "checked"}, {"state": "committing"}, {"committed_by": "data_officer"}, {"withdrawn_by": "data_officer"}],
)
def test_a_batch_cannot_be_born_past_its_arrows_and_its_second_officer(cast: Cast, decided: dict[str, str]) -> None:
    batch = checked(cast)
    decided_by = {name: getattr(cast, value) if name.endswith("_by") else value for name, value in decided.items()}
    with pytest.raises(IntegrityError, match="begins received"), transaction.atomic():
        Batch.objects.create(
            item=cast.item, supplier=cast.transport, uploaded_by=cast.data_officer, file=batch.file, channel="page",
            **decided_by,
        )  # fmt: skip


def test_a_record_is_never_moved_to_another_person(cast: Cast) -> None:
    batch = deliver(cast, [penalty(cast)])
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.WITHDRAWING)
    staging.work_on(batch)
    with pytest.raises(IntegrityError, match="person, item and document"), transaction.atomic():
        Record.objects.update(person=cast.other_citizen.person)


def test_an_account_is_never_pointed_at_another_person(cast: Cast) -> None:
    stranger = Person.seal(identity.invent(decided(9999), 7), "林小寒")
    stranger.save()
    with pytest.raises(IntegrityError, match="person of an account"), transaction.atomic():
        User.objects.filter(pk=cast.citizen.pk).update(person=stranger)


@pytest.mark.parametrize("target", ["committed", "withdrawn", "received", "parsing", "withdrawing"])
def test_a_batch_cannot_jump(cast: Cast, target: str) -> None:
    batch = checked(cast)
    if target == "received":
        Batch.objects.filter(pk=batch.pk).update(state="cancelled")
    with pytest.raises(IntegrityError, match="may not go|violates check"), transaction.atomic():
        Batch.objects.filter(pk=batch.pk).update(state=target)


def test_the_origin_of_a_batch_is_fixed(cast: Cast) -> None:
    batch = checked(cast)
    for change in ({"supplier": cast.transport}, {"uploaded_by": cast.data_reviewer}, {"channel": "command"}):
        with pytest.raises(IntegrityError, match="origin"), transaction.atomic():
            Batch.objects.filter(pk=batch.pk).update(**change)


@pytest.mark.parametrize(
    "lie", [{"new": 0, "unchanged": 1}, {"rows": 0, "new": 0}, {"refused": 1, "rows": 2}, {"new": 7}]
)
@pytest.mark.parametrize("state", ["checked", "committing"])
def test_the_counts_of_a_batch_are_not_written_but_counted(cast: Cast, lie: dict[str, int], state: str) -> None:
    batch = checked(cast)
    if state == "committing":
        at_work(batch)
    with pytest.raises(IntegrityError, match="counted from its rows"), transaction.atomic():
        Batch.objects.filter(pk=batch.pk).update(**lie)


def test_a_batch_begins_with_nothing_counted(cast: Cast) -> None:
    file = checked(cast).file
    with pytest.raises(IntegrityError, match="counted from its rows"), transaction.atomic():
        Batch.objects.create(
            item=cast.item, supplier=cast.transport, uploaded_by=cast.data_officer, file=file, channel="page",
            rows=100, unchanged=100,
        )  # fmt: skip


@pytest.mark.parametrize("unmarked", [1, -1])
def test_rows_are_counted_by_the_batch_at_work_and_a_commit_hides_none_of_them(cast: Cast, unmarked: int) -> None:
    batch = checked(cast)
    for _ in range(2):  # first as somebody else, then at the commit
        with (
            pytest.raises(IntegrityError, match="by the batch at work"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT * FROM records_count_rows(%s, %s)", [batch.pk, unmarked])
        at_work(batch)


@pytest.mark.parametrize("lie", ["rows marked unchanged", "rows taken away"])
def test_a_batch_that_says_less_than_went_in_is_not_committed(cast: Cast, lie: str) -> None:
    from records.intake import commit

    batch = checked(cast)
    Batch.objects.filter(pk=batch.pk).update(committed_by=cast.data_reviewer)
    at_work(batch)
    commit.write_records(batch, by_id=cast.data_reviewer.pk)
    if lie == "rows taken away":
        batch.staged.all().delete()
    else:
        batch.staged.update(outcome=BatchRow.Outcome.UNCHANGED)
    staging.count(batch)
    assert batch.new == 0
    with pytest.raises(IntegrityError, match="1 and 0 went in"), transaction.atomic():
        Batch.objects.filter(pk=batch.pk).update(state="committed", committed_at=timezone.now())


@pytest.mark.parametrize("deed", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("step", [1, 5])
def test_no_version_is_put_beside_the_one_that_its_record_stands_by(cast: Cast, deed: int, step: int) -> None:
    deliver(cast, [penalty(cast)])
    batch = check(cast, as_csv([penalty(cast, 处罚内容="吊销登记证，罚款五万元。")]))
    at_work(batch)
    with (
        pytest.raises(IntegrityError, match="what its record says now|only what was said before|allows this correction"),
        transaction.atomic(), connection.cursor() as cursor,
    ):  # fmt: skip
        cursor.execute(
            """INSERT INTO records_recordversion (record_id, version, deed, item_version_id, batch_id, name, doc_date, severity,
                                                  publication, query_until, content, content_hash, by_id)
               SELECT record_id, version + %s, %s, item_version_id, %s, name, doc_date, severity, publication, query_until,
                      content, content_hash, by_id FROM records_recordversion""",
            [step, deed, batch.pk],
        )


def test_a_version_written_while_a_batch_is_taken_back_is_the_records_own_too(cast: Cast) -> None:
    batch = deliver(cast, [penalty(cast)])
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.WITHDRAWING)
    staging.work_on(batch)
    with (
        pytest.raises(IntegrityError, match="what its record says now"), transaction.atomic(), connection.cursor() as cursor,
    ):  # fmt: skip
        cursor.execute(
            """INSERT INTO records_recordversion (record_id, version, deed, item_version_id, batch_id, name, doc_date, severity,
                                                  publication, query_until, content, content_hash, by_id)
               SELECT record_id, version + 1, 3, item_version_id, batch_id, name, doc_date, severity, publication, query_until,
                      content, content_hash, by_id FROM records_recordversion"""
        )


def test_a_version_under_a_retired_item_is_refused(cast: Cast) -> None:
    batch = checked(cast)
    at_work(batch)
    retire(cast, cast.item)
    from records.intake import commit

    with pytest.raises(IntegrityError, match="no catalogue item in force"), transaction.atomic():
        commit.write_records(batch, by_id=cast.data_reviewer.pk)


@pytest.mark.parametrize("days", [366, 2000])
def test_publication_beyond_the_longest_period_is_refused(cast: Cast, days: int) -> None:
    batch = check(cast, as_csv([penalty(cast, 处罚类别="罚款", 失信程度="一般")]))
    at_work(batch)
    day = decided()
    BatchRow.objects.filter(batch=batch).update(
        publication=DateRange(day, day.fromordinal(day.toordinal() + days)),
        query_until=day.fromordinal(day.toordinal() + 3000),
    )
    from records.intake import commit

    with pytest.raises(IntegrityError, match="publication beyond"), transaction.atomic():
        commit.write_records(batch, by_id=cast.data_reviewer.pk)


def test_a_minor_fact_is_never_public(cast: Cast) -> None:
    batch = checked(cast)
    at_work(batch)
    BatchRow.objects.filter(batch=batch).update(severity=PublicationPeriod.Severity.MINOR)
    from records.intake import commit

    with pytest.raises(IntegrityError, match="record_minor_is_not_public"), transaction.atomic():
        commit.write_records(batch, by_id=cast.data_reviewer.pk)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"doc_no": ""}, "record_rests_on_a_document"),
        ({"query_until": decided()}, "record_has_an_end|record_public_only"),
    ],
)
def test_a_record_without_document_or_end_is_refused(cast: Cast, change: dict[str, object], constraint: str) -> None:
    batch = checked(cast)
    at_work(batch)
    from records.intake import commit

    BatchRow.objects.filter(batch=batch).update(**change)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        commit.write_records(batch, by_id=cast.data_reviewer.pk)


@pytest.mark.parametrize(
    "deed", ["UPDATE records_recordversion SET name = 'x'", "DELETE FROM records_recordversion",
             "TRUNCATE records_recordversion", "DELETE FROM records_record"],
)  # fmt: skip
def test_versions_are_append_only_and_records_never_deleted(cast: Cast, deed: str) -> None:
    batch = deliver(cast, [penalty(cast)])
    with connection.cursor() as cursor:
        try:
            with transaction.atomic():
                cursor.execute(deed)
                assert cursor.rowcount == 0  # row-level security hides what nobody may delete
        except DatabaseError as error:
            assert "append-only" in str(error) or "permission denied" in str(error)
    with connection.cursor() as cursor:
        Batch.objects.filter(pk=batch.pk).update(state=Batch.State.WITHDRAWING)
        staging.work_on(batch)
    assert RecordVersion.objects.count() == 1
    assert Record.objects.count() == 1


def test_only_a_batch_at_work_reads_versions_without_a_line(cast: Cast) -> None:
    batch = deliver(cast, [penalty(cast)])
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.WITHDRAWING)
    staging.work_on(batch)
    assert RecordVersion.objects.count() == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('cf.batch', '', true)")
    assert not Record.objects.exists()
    assert not RecordVersion.objects.exists()
