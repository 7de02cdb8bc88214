"""A grant that is taken back or runs out opens nothing: no delivery, no commit, no typing, no file, no export."""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction

from access.models import Refusal, Request
from catalogue import grants
from catalogue.models import ItemGrant
from catalogue.tests.office import refused_by_database
from creditfujian.tests.cast import Cast, browser_of
from records import actions, exports
from records.export_models import Export
from records.models import Batch
from records.reading import Refused, file_by_request, register
from records.tests.deliveries import as_csv, check, deliver, penalty
from records.tests.test_gateway import registration, staff


def take_back(cast: Cast, permission: str) -> None:
    held = ItemGrant.objects.in_force().get(organisation=cast.market, item=cast.item, permission=permission)
    grants.take_back(held.pk, by=cast.credit_office, reason="职责划出")


def test_nothing_is_delivered_typed_or_committed_any_more(cast: Cast) -> None:
    done = deliver(cast, [penalty(cast)])
    waiting = check(cast, as_csv([penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕2号")]))
    take_back(cast, "supply_item")
    with pytest.raises(PermissionDenied, match="未获准报送"):
        check(cast, as_csv([penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕3号")]))
    with pytest.raises(PermissionDenied, match="授权已收回"):
        actions.commit_now(waiting.pk, by=cast.data_reviewer)
    browser = browser_of(cast.data_officer)
    assert cast.item.code not in browser.get("/admin/records/batch/add/").content.decode()
    assert cast.item.code not in browser.get("/admin/records/batch/type/").content.decode()
    assert not Batch.objects.to_commit_by(cast.data_reviewer).exists()
    refused_by_database(
        "batch_under_a_grant", "UPDATE records_batch SET state = 'committing', committed_by_id = %s WHERE id = %s",
        [cast.data_reviewer.pk, waiting.pk],
    )  # fmt: skip
    refused_by_database(
        "batch_under_a_grant",
        "INSERT INTO records_batch (item_id, supplier_id, uploaded_by_id, file_id, channel, mode)"
        " SELECT item_id, supplier_id, uploaded_by_id, file_id, channel, mode FROM records_batch WHERE id = %s",
        [waiting.pk],
    )  # fmt: skip
    assert actions.withdraw(done.pk, by=cast.data_officer, reason="报送错误") == 1, "what went in may still come out"


def test_no_file_no_export_and_no_registration(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    request = register(registration(cast), by=staff(cast.officer_here))
    assert isinstance(request, Request)
    wish = exports.Filters(
        items=[cast.item], purpose=registration(cast).purpose, purpose_text="核对", duty_code="350000-MRKT-02", case_no="1号",
        own_only=False,
    )  # fmt: skip
    asked = exports.request(wish, by=staff(cast.officer_here))
    assert isinstance(asked, Export)
    take_back(cast, "query_item")
    for outcome in (
        file_by_request(request, by=staff(cast.officer_here)), register(registration(cast), by=staff(cast.officer_here)),
        exports.request(wish, by=staff(cast.officer_here)),
    ):  # fmt: skip
        assert isinstance(outcome, Refused)
        assert outcome.refusal is Refusal.NO_RIGHT
    with transaction.atomic():
        export = exports.run(asked.pk)
    assert (export.persons, export.rows) == (0, 0)
    again = (
        "INSERT INTO records_export (requested_by_id, organisation_id, purpose, purpose_text, duty_code, case_no, item_ids,"
        " own_only, which, format, channel, address, state, decision_reason, failure, persons_done, rows, last_person,"
        " cancel_requested, requested_at) VALUES (%s, %s, 'other', '核对', '350000-MRKT-02', '1号', %s, false, 'all', 'csv',"
        " '', '', 'requested', '', '', 0, 0, 0, false, now())"
    )
    values = [cast.officer_here.pk, cast.market.pk, [cast.item.pk]]
    refused_by_database("export_items_are_granted", again, values)
