"""A case from the document to the listing, and what the person's file and the register say then."""

import pytest
from django.utils import timezone

from catalogue.deadlines import due
from catalogue.models import Deadline
from sanctions.models import Listing
from sanctions.tests.stage import Stage, day_after, own_days, record_of, stage  # noqa: F401 – the fixture

pytestmark = pytest.mark.django_db


def test_a_case_goes_from_document_to_listing_and_into_the_register(stage: Stage) -> None:  # noqa: F811
    case = stage.served_notice()
    assert case.state == "defence_open"
    assert case.defence_until == due("D04", timezone.localdate()).date
    stage.defended(case)
    with day_after(case):
        case = stage.decided_after_the_window(case)
        assert case.decision_no
        case = stage.served(case)
        listing = stage.listed(case)
        today = timezone.localdate()
        assert listing.period.lower == today
        assert listing.publication.lower > today
        assert listing.publication.upper == listing.period.upper
        record = record_of(listing)
        assert record.person_id == stage.person.pk
        assert record.doc_no == case.decision_no
        assert record.publication == listing.publication
        assert list(Listing.objects.in_force()) == [listing]
        assert not Listing.objects.public_on().exists()
        assert Listing.objects.public_on(listing.publication.lower).exists()
        assert not Deadline.objects.of(case).filter(met_on=None).exists()
    events = list(case.events.values_list("event", flat=True))
    assert events == ["open", "cosign", "notice", "notice_served", "defend", "review", "legal_check", "decide",
                      "decision_served", "list"]  # fmt: skip
