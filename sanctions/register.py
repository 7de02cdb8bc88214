"""A listing in the register of records: it goes in by the records' own checks, and ends by their own acts."""

from datetime import date

from django.core.exceptions import ValidationError

from access.actions import Asker
from accounts import people
from accounts.models import User
from catalogue.models import Field
from records import acts, listed
from records.life_models import RecordAct
from sanctions.case_models import CaseFile, CasePaper, ListingCase
from sanctions.listing_models import Listing

Kind, Binding = RecordAct.Kind, Field.Binding
PUBLIC, SHARED = "公示", "政务共享"  # code set SYFW


def put_in(listing: Listing, case: ListingCase) -> None:
    """Write the record of a new listing by the hands of the case's drafter and head; the database ties the two together.

    Raises ValidationError with what the checks find.
    """
    assert case.drafted_by is not None
    assert case.decided_by is not None
    assert listing.roster.item is not None
    assert listing.period.upper is not None
    publication = listing.publication and (listing.publication.lower, listing.publication.upper)
    listed.put_in(
        _row(listing, case), item=listing.roster.item, supplier=listing.organisation, handed_in_by=case.drafted_by,
        committed_by=case.decided_by, publication=publication, label=case.number,
    )  # fmt: skip


def hold_back(case: ListingCase, *, paper: CasePaper, by: Asker) -> None:
    """Withdraw the record of a stayed listing."""
    _act(Kind.WITHDRAW, case, paper=paper, by=by, reason="停止执行")


def bring_back(case: ListingCase, *, paper: CasePaper, by: Asker) -> None:
    """Restore the record of a listing that has effect again."""
    _act(Kind.RESTORE, case, paper=paper, by=by, reason="恢复执行")


def end(case: ListingCase, *, stayed: bool, paper: CasePaper, by: Asker) -> None:
    """End the record with its listing: annulled is cancelled, removed early is repaired; of a stayed listing it comes back for that."""
    kind = Kind.CANCEL if case.state == "annulled" else Kind.REPAIR
    if stayed:
        _act(Kind.RESTORE, case, paper=paper, by=by, reason="停止执行结束，随即办结")
    _act(kind, case, paper=paper, by=by, reason=case.move_note)


def _act(kind: RecordAct.Kind, case: ListingCase, *, paper: CasePaper, by: Asker, reason: str) -> None:
    listing = Listing.objects.select_related("organisation").get(case=case)
    if listing.record_id is None:
        return
    acts.carry_out_decided(
        kind, [_number(listing)], organisation=listing.organisation, asked_by=_other_hand(case, by.user), decided_by=_user(by),
        reason=f"{case.number} {reason}", document_no=paper.number or paper.get_kind_display(), document_date=paper.dated,
        opens=by,
    )  # fmt: skip


def _number(listing: Listing) -> str:
    assert listing.record_id is not None
    return listed.number_of(listing.record_id)


def _other_hand(case: ListingCase, user: User | None) -> User:
    """Return the second official of an act on the record: the drafter, or the co-signer where the drafter acts."""
    hand = case.cosigned_by if case.drafted_by_id == (user and user.pk) else case.drafted_by
    assert hand is not None
    return hand


def _user(by: Asker) -> User:
    assert by.user is not None
    return by.user


def _row(listing: Listing, case: ListingCase) -> dict[str, str]:
    """Return the row as the item's fields want it: what binds, and what the list's own fields say."""
    file = CaseFile.objects.get(case=case)
    person = people.opened(case)
    assert person is not None
    rules = case.roster_version
    bound = {
        Binding.PERSON_NAME: person.name, Binding.ID_NUMBER: person.id_number(), Binding.DOC_NO: listing.document_no,
        Binding.DOC_DATE: _day(listing.decided_on), Binding.SERVICE_DATE: _day(case.decision_counts_from),
        Binding.ACT_END: _day(case.act_end), Binding.PUBLIC_MARK: PUBLIC if listing.publication else SHARED,
        Binding.PUBLIC_UNTIL: _day(listing.period.upper), Binding.DECIDER: str(listing.organisation),
        Binding.DECIDER_USCC: listing.organisation.uscc,
    }  # fmt: skip
    own = {
        "LRSY": file.summary, "SSZY": file.facts[:500], "LRYJ": file.reasons[:2048], "GLWSH": case.document_no,
        "YCTJ": "；".join(rules.early_conditions)[:1000], "JJTJ": rules.relief[:500], "YRDW": file.employer,
        "YRDWDM": file.employer_uscc, "ZRRYLB": case.get_category_display() if case.category != "self" else "",
    }  # fmt: skip
    assert listing.roster.item is not None
    return listed.row_of(listing.roster.item, {binding.value: said for binding, said in bound.items()}, own)


def _day(day: date | None) -> str:
    if day is None:
        raise ValidationError("案件缺少日期，不能列入。", code="day")
    return day.isoformat()
