"""What happens to intake and to records when the catalogue changes."""

import io
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from access.actions import Asker
from access.models import Request
from catalogue import actions as catalogue_actions
from catalogue import publishing
from catalogue.models import Instrument, Item, Retirement
from catalogue.tests.editions import approved, publish, retire
from creditfujian.tests.cast import CITIZEN_NUMBER, Cast
from records import actions
from records.forms import UploadForm
from records.intake import commit
from records.intake.check import work_on
from records.intake.schema import Schema
from records.models import Batch, BatchRow
from records.reading import File, View, file_by_request, own_file, public_records, register
from records.tests.deliveries import as_csv, check, deliver, penalty
from records.tests.test_database_rules import at_work
from records.tests.test_gateway import registration


def own(cast: Cast) -> list[View]:
    assert cast.citizen.person is not None
    return own_file(cast.citizen.person, by=Asker(cast.citizen, "公示网站")).records


def public() -> list[View]:
    return public_records(name="陈小满", id_number=CITIZEN_NUMBER, by=Asker(None, "公示网站")).records


def by_duty(cast: Cast) -> list[View]:
    asker = Asker(cast.officer_here, "工作平台")
    request = register(registration(cast), by=asker)
    assert isinstance(request, Request)
    file = file_by_request(request, by=asker)
    assert isinstance(file, File)
    return file.records


def basis_gone(cast: Cast, days: int) -> None:
    """Let the basis of the item's publication be repealed that many days from today."""
    version = cast.item.version_on(timezone.localdate())
    assert version is not None
    assert version.disclosure_basis is not None
    day = timezone.localdate() + timedelta(days=days)
    Instrument.objects.filter(pk=version.disclosure_basis.instrument_id).update(repealed_on=day)


def test_a_suspended_item_takes_nothing_and_shows_its_records_to_the_person_alone(
    transactional_db: None, cast: Cast
) -> None:  # each reading needs a transaction of its own: a query line is a key while its transaction lasts
    deliver(cast, [penalty(cast)])
    waiting = check(cast, as_csv([penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕9号")]))
    version = cast.item.version_on(timezone.localdate())
    assert version is not None
    assert len(public()) == len(by_duty(cast)) == len(own(cast)) == 1
    catalogue_actions.suspend(version, by=cast.credit_office, note="依据修订中")
    assert (len(public()), len(by_duty(cast)), len(own(cast))) == (0, 0, 1)
    with pytest.raises(ValidationError, match="没有现行版本"):
        check(cast, as_csv([penalty(cast, 处罚内容="改")]))
    with pytest.raises(PermissionDenied, match="没有现行版本"):
        actions.commit_now(waiting.pk, by=cast.data_reviewer)
    catalogue_actions.resume(version, by=cast.credit_office, note="修订完成")
    assert (len(public()), len(by_duty(cast)), len(own(cast))) == (1, 1, 1)


def test_the_public_sees_nothing_from_the_day_the_basis_is_gone_even_before_the_nightly_job(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    assert len(public()) == 1
    assert public_records(name="陈小满", doc_no="闽市监处罚〔2026〕1号", by=Asker(None, "公示网站")).records
    basis_gone(cast, days=0)
    assert public() == []
    assert not public_records(name="陈小满", doc_no="闽市监处罚〔2026〕1号", by=Asker(None, "公示网站")).records
    assert len(own(cast)) == 1


def test_an_item_whose_basis_is_repealed_tomorrow_refuses_a_record_decided_the_day_after(cast: Cast) -> None:
    basis = [a.instrument for a in cast.item.versions.get().legal_bases.select_related("instrument")]
    tomorrow = timezone.localdate() + timedelta(days=1)
    Instrument.objects.filter(pk__in=[one.pk for one in basis]).update(repealed_on=tomorrow)
    schema = Schema(cast.item, cast.market)
    assert schema._version_on(timezone.localdate()) is not None
    assert schema._version_on(tomorrow + timedelta(days=1)) is None
    batch = check(cast, as_csv([penalty(cast)]))
    at_work(batch)
    BatchRow.objects.filter(batch=batch).update(doc_date=tomorrow + timedelta(days=1), publication=None)
    with pytest.raises(IntegrityError, match="no catalogue item in force"), transaction.atomic():
        commit.write_records(batch, by_id=cast.data_reviewer.pk)


def test_retiring_an_item_keeps_its_records_to_their_term_when_the_edition_says_so(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    retire(cast, cast.item, Retirement.OldRecords.KEEP)
    assert (len(public()), len(own(cast))) == (1, 1)


def test_retiring_an_item_withdraws_its_records_from_everybody_when_the_edition_says_so(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    retire(cast, cast.item, Retirement.OldRecords.WITHDRAW)
    assert (public(), own(cast), by_duty(cast)) == ([], [], [])


def test_records_withdrawn_with_their_item_go_on_its_day_and_not_before(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    retire(cast, cast.item, Retirement.OldRecords.WITHDRAW, on=timezone.localdate() + timedelta(days=3))
    assert len(public()) == 1


def test_the_preview_says_how_many_records_stop_and_end(cast: Cast) -> None:
    deliver(cast, [penalty(cast), penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕2号", 信息使用范围="")])
    leaving = publishing.Leaving(cast.item, timezone.localdate(), Retirement.OldRecords.WITHDRAW, "不再认定")
    difference = publishing.preview([leaving])
    assert (difference.records_stopping, difference.records_ending) == (2, 2)
    assert difference.retired[0][2] == publishing.Effect(held=2, shown=1)
    kept = publishing.preview([publishing.Leaving(cast.item, timezone.localdate(), Retirement.OldRecords.KEEP, "x")])
    assert (kept.records_stopping, kept.records_ending) == (2, 0)


def test_counting_records_for_the_preview_reads_nobodys_file(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM records_record")
        assert cursor.fetchone() == (0,), "row security still hides every record"


def test_nobody_is_put_on_a_list_by_a_spreadsheet(cast: Cast) -> None:
    roster = Item.objects.get(code="FJ1-06-MRKT-0003")
    with pytest.raises(ValidationError, match="告知、申辩、决定、送达"):
        actions.receive(
            io.BytesIO(b"x"), name="x.csv", item=roster, by=cast.data_officer, channel=Batch.Channel.COMMAND
        )
    assert roster.pk not in {v.item_id for v in UploadForm(user=cast.data_officer).fields["item"].queryset}  # type: ignore[attr-defined]


def test_nor_by_sql(cast: Cast) -> None:
    """A batch made by hand for the list's item, with rows that were checked for another one."""
    roster = Item.objects.get(code="FJ1-06-MRKT-0003")
    batch = check(cast, as_csv([penalty(cast)]))
    forged = Batch.objects.create(
        item=roster, supplier=cast.market, uploaded_by=cast.data_officer, file=batch.file, channel="page"
    )
    for state in ("parsing", "checking"):
        Batch.objects.filter(pk=forged.pk).update(state=state)
    BatchRow.objects.filter(batch=batch).update(batch=forged, item_version=roster.versions.get(), publication=None)
    work_on(forged)
    with pytest.raises(IntegrityError, match="not supplied by deliveries"), transaction.atomic():
        commit.write_records(forged, by_id=cast.data_reviewer.pk)


def test_the_gravity_that_an_item_fixes_stands_whatever_the_row_says(cast: Cast) -> None:
    values = {"severity_rule": "2", "effective": DateRange(timezone.localdate(), None)}
    approved(cast, **values)
    publish(cast)
    today = timezone.localdate().isoformat()
    batch = check(cast, as_csv([penalty(cast, 失信程度="严重", 处罚决定日期=today)]))
    assert batch.refused == 0, batch.reasons
    assert BatchRow.objects.get(batch=batch).severity == 2


def test_a_field_that_the_catalogue_hides_shows_its_content_to_the_person_alone(
    transactional_db: None, cast: Cast
) -> None:  # each reading needs a transaction of its own
    fields = list(cast.item.versions.get().fields.all())
    kept_back = next(f for f in fields if f.code == "CF_NR")
    kept_back.mask = "HIDE"
    approved(cast, fields=fields, effective=DateRange(timezone.localdate(), None))
    publish(cast)
    deliver(cast, [penalty(cast, 处罚决定日期=timezone.localdate().isoformat())])
    for views, hidden in ((public(), True), (by_duty(cast), True), (own(cast), False)):
        fact = next(fact for fact in views[0].facts if fact.code == "CF_NR")
        assert ("六万元" not in fact.value) is hidden
        assert fact.value
