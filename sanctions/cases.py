"""The deeds of the listing procedure: a page, the admin and the API call the same ones.

Who may do a step, what it must find and what it leaves behind is held by the database (0003_case_rules); what it refuses comes
out as a ValidationError with a sentence. What a case says of the person is read and written under a line of the query log that
carries the case's number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.utils import timezone

from access.actions import Ask, Asker, write_answer, write_query
from access.models import Kind as QueryKind
from access.models import Refusal
from accounts import people
from accounts.models import Organisation, Person, User
from catalogue import deadline_actions as clocks
from catalogue.deadlines import due
from catalogue.grants import today
from catalogue.models import Deadline
from creditfujian.lib.text import normalise_name
from sanctions import register
from sanctions.case_models import CaseFile, CaseMeasure, CasePaper, ListingCase, Service, State
from sanctions.listing_models import Listing
from sanctions.measure_models import Measure
from sanctions.refusals import in_words
from sanctions.roster_models import Roster

Kind = CasePaper.Kind
GROUND = "认定单位办理列入案件"
DRAFT, NOTICE, LEGAL, UPPER = (
    "D80",
    "D81",
    "D82",
    "D83",
)  # rows of the table of time limits; the rest are the roster's own
ANNOUNCEMENT, RECORD = "D08", "D01"
EVIDENCE = ("name", "source")


@dataclass(frozen=True)
class Document:
    """The effective document that a case rests on (认定文书); `kind` of code set DOC, `digest` the SHA-256 of its copy."""

    kind: str
    number: str
    issuer: str
    on: date
    effective_on: date
    digest: str


def open_case(
    *, roster: Roster, person: Person, category: str, acts: Sequence[int], act_end: date, document: Document, by: Asker,
    upper: Organisation | None = None, employer: str = "", employer_uscc: str = "",
) -> ListingCase:  # fmt: skip
    """Open a case about one person from an effective document; `acts` are numbers of the roster's acts, from 1.

    The person comes from `person_for`; one who is new to the register goes in with the case or not at all. Raises PermissionDenied,
    ValidationError.
    """
    user = _somebody(by)
    _holds(user, "sanctions.propose_listing")
    version = roster.version_on(timezone.localdate())
    if version is None:
        raise ValidationError("这个名单制度今天没有现行版本，不能立案。", code="listingcase_under_a_roster_in_force")
    if not person.is_adult(min(act_end, document.on)):
        raise ValidationError("当事人行为时未满 18 周岁，不得列入名单。", code="minor")
    with in_words():
        if person.pk is None:
            person.save()
        case = ListingCase(
            roster_version=version, organisation=user.organisation, upper=upper, person=person, category=category,
            acts=sorted(set(acts)), act_end=act_end, document_kind=document.kind, document_no=document.number.strip(),
            document_issuer=document.issuer.strip(), document_on=document.on, opened_by=user,
            document_effective_on=document.effective_on,
        )  # fmt: skip
        case.full_clean(exclude=["person", "moved_by", "move_paper"], validate_constraints=False)
        case.save()
        case.refresh_from_db()
        open_file(case, by=by)
        CaseFile.objects.create(case=case, employer=employer.strip(), employer_uscc=employer_uscc.strip())
        add_paper(case, Kind.BASIS, digest=document.digest, number=document.number, issuer=document.issuer,
                  dated=document.on, by=by)  # fmt: skip
        clocks.start(DRAFT, on=timezone.localdate(), subject=case, label=case.number)
    return case


def person_for(id_number: str, name: str, *, by: Asker) -> Person:
    """Return whom a case would be about; whom the register does not know by the number is entered with the case.

    A name that is not the registered one is asked back and leaves a refused line, which the person sees: whoever tries names on a
    number is seen to. Raises ValidationError.
    """
    person = Person.objects.holder_of(id_number)
    if person is None:
        return Person.seal(id_number, normalise_name(name))
    if not person.bears(normalise_name(name)):
        ask = Ask(
            kind=QueryKind.DUTY, ground=GROUND, purpose="立案时填写的姓名与证件号码不符，未立案", fields_class="无", items=[],
            refusal=Refusal.NO_GROUND.value, person=person,
        )  # fmt: skip
        with transaction.atomic():
            write_query(ask, by=by)
        raise ValidationError(
            "姓名与该证件号码登记的姓名不一致。请与证件核对后重新填写。本次已记入查询日志。", code="name"
        )
    return person


def open_file(case: ListingCase, *, by: Asker) -> int:
    """Write the line that opens what the case says of the person to its officials; good for this transaction.

    Returns the line's number. The case's number stands in it; the person sees it under 谁查了我.
    """
    person = people.opened(case)
    assert person is not None
    seq = write_query(
        Ask(kind=QueryKind.DUTY, ground=GROUND, purpose=f"办理列入{case.roster_version.roster}的案件", fields_class="案件内容",
            items=[], case_no=case.number, person=person),
        by=by,
    )  # fmt: skip
    write_answer(seq, record_ids=[], items=[])
    return seq


def add_paper(
    case: ListingCase, kind: str, *, digest: str, by: Asker, number: str = "", issuer: str = "", dated: date | None = None
) -> CasePaper:  # fmt: skip
    """Register a document of a case by its SHA-256; steps rest on it. Raises ValidationError."""
    with in_words():
        paper = CasePaper(
            case=case, kind=kind, number=number.strip(), issuer=issuer.strip(), digest=digest, by=by.user,
            dated=dated or timezone.localdate(),
        )  # fmt: skip
        paper.clean_fields(exclude=["case", "by"])
        paper.save()
    return paper


# --- draft, notice, window -----------------------------------------------------------------------------


def draft(
    case_id: int, *, facts: str, reasons: str, summary: str, evidence: list[dict[str, str]], measures: Sequence[Measure],
    term_months: int, public: bool, by: Asker,
) -> ListingCase:  # fmt: skip
    """Write, or write anew, what the notice will say; the case stays opened until another officer co-signs.

    Raises PermissionDenied, ValidationError.
    """
    user = _somebody(by)
    _holds(user, "sanctions.propose_listing")
    with in_words():
        case = _locked(case_id)
        open_file(case, by=by)
        if any(not all(str(one.get(part, "")).strip() for part in EVIDENCE) for one in evidence):
            raise ValidationError("每项证据都须写明名称和来源。", code="evidence")
        _write(case, facts=facts, reasons=reasons, summary=summary, evidence=evidence)
        wanted = {measure.pk for measure in measures}
        known = set(case.case_measures.values_list("measure", flat=True))
        case.case_measures.exclude(measure__in=wanted).delete()
        CaseMeasure.objects.bulk_create(CaseMeasure(case=case, measure_id=key) for key in sorted(wanted - known))
        case.notice_term_months, case.notice_public = term_months, public
        case.drafted_by = case.moved_by = user
        case.save(update_fields=["notice_term_months", "notice_public", "drafted_by", "moved_by"])
    return case


def cosign(case_id: int, *, by: Asker, note: str = "") -> ListingCase:
    """Agree to the draft as the second officer: from now on it stands. Raises PermissionDenied, ValidationError."""
    with in_words():
        case = _move(case_id, State.DRAFTED, by=by, note=note)
        _follow(case, meets=[DRAFT], starts=[(NOTICE, timezone.localdate())])
    return case


def issue_notice(case_id: int, *, paper: CasePaper, by: Asker) -> ListingCase:
    """Sign the notice (拟列入告知书). Raises PermissionDenied, ValidationError."""
    with in_words():
        return _move(case_id, State.NOTICED, by=by, paper=paper)


def notice_served(case_id: int, *, way: Service | str, on: date, proof: CasePaper, by: Asker) -> ListingCase:
    """Note that the notice reached the person, or was announced; the window to answer opens.

    An announcement counts as served when rule D08 is over. Raises PermissionDenied, ValidationError.
    """
    with in_words():
        case = _locked(case_id)
        clock = case.roster_version.defence_clock
        until = due(clock, _counts_from(way, on)).date
        case = _move(
            case, State.DEFENCE_OPEN, by=by, paper=proof, notice_way=way, notice_served_on=on, defence_until=until
        )
        assert case.notice_counts_from is not None
        starts = [(clock, case.notice_counts_from), (case.roster_version.decide_clock, case.notice_counts_from)]
        _follow(case, meets=[NOTICE], starts=starts)
    return case


def file_defence(case_id: int, *, text: str, by: Asker, paper: CasePaper | None = None) -> ListingCase:
    """Take what the person says, from them or by an officer who writes it down; within the window.

    The person has written a line of their own (Q1) in this transaction. Raises PermissionDenied, ValidationError.
    """
    if not text.strip():
        raise ValidationError("请写明陈述申辩的内容。", code="text")
    with in_words():
        case = _locked(case_id)
        if not _somebody(by).is_citizen:
            open_file(case, by=by)
        _write(case, defence=text)
        case = _move(case, State.DEFENCE_RECEIVED, by=by, paper=paper)
        _follow(case, starts=[(case.roster_version.review_clock, timezone.localdate())])
    return case


def review(case_id: int, *, text: str, paper: CasePaper, by: Asker) -> ListingCase:
    """Answer what the person said point by point, or note that they said nothing; after the window, by another.

    Raises PermissionDenied, ValidationError.
    """
    with in_words():
        case = _locked(case_id)
        open_file(case, by=by)
        _write(case, review=text)
        case = _move(case, State.REVIEWED, by=by, paper=paper)
        _follow(case, meets=[case.roster_version.defence_clock, case.roster_version.review_clock],
                starts=[(LEGAL, timezone.localdate())])  # fmt: skip
    return case


def remedy(case_id: int, *, note: str, paper: CasePaper, by: Asker) -> ListingCase:
    """End a case because the person put it right before the decision, where the roster says so.

    Raises PermissionDenied, ValidationError.
    """
    return _end(case_id, State.REMEDIED, by=by, note=note, paper=paper)


# --- checks and decision -------------------------------------------------------------------------------


def legal_check(case_id: int, *, text: str, paper: CasePaper, by: Asker) -> ListingCase:
    """Pass the legal check (法制审核). Raises PermissionDenied, ValidationError."""
    with in_words():
        case = _locked(case_id)
        open_file(case, by=by)
        _write(case, legal=text)
        case = _move(case, State.LEGAL_CHECK, by=by, paper=paper)
        above = [(UPPER, timezone.localdate())] if case.upper_id else []
        _follow(case, meets=[LEGAL], starts=above)
    return case


def upper_consent(case_id: int, *, paper: CasePaper, by: Asker, note: str = "") -> ListingCase:
    """Consent as the authority above. Raises PermissionDenied, ValidationError."""
    with in_words():
        case = _move(case_id, State.UPPER_CONSENT, by=by, paper=paper, note=note)
        _follow(case, meets=[UPPER])
    return case


def decide(
    case_id: int, *, text: str, measures: Sequence[Measure], term_months: int, public: bool, paper: CasePaper, by: Asker
) -> ListingCase:  # fmt: skip
    """Decide to list, as the head: nothing worse than the notice said. `paper` is the decision (列入决定书).

    Raises PermissionDenied, ValidationError.
    """
    with in_words():
        case = _locked(case_id)
        open_file(case, by=by)
        _write(case, decision=text)
        wanted = {measure.pk for measure in measures}
        noticed = set(case.case_measures.values_list("measure", flat=True))
        if wanted - noticed:
            raise ValidationError("决定的措施不能超出告知书写明的措施。", code="casemeasure_as_noticed")
        case.case_measures.filter(measure__in=wanted).update(decided=True)
        case = _move(case, State.DECIDED, by=by, paper=paper, term_months=term_months, public=public)
        rules = case.roster_version
        _follow(case, meets=[LEGAL, UPPER, rules.decide_clock], starts=[(rules.serve_clock, timezone.localdate())])
    return case


def decide_not(case_id: int, *, note: str, paper: CasePaper, by: Asker) -> ListingCase:
    """Decide not to list (不予列入决定书). Raises PermissionDenied, ValidationError."""
    return _end(case_id, State.NOT_LISTED, by=by, note=note, paper=paper)


def decision_served(case_id: int, *, way: Service | str, on: date, proof: CasePaper, by: Asker) -> ListingCase:
    """Note that the decision and the notice on repair (两书同达) reached the person. Raises PermissionDenied, ValidationError."""
    with in_words():
        case = _move(case_id, State.SERVED, by=by, paper=proof, serve_way=way, decision_served_on=on)
        assert case.decision_counts_from is not None
        assert case.decided_on is not None
        starts = [(RECORD, case.decision_counts_from)]
        if case.public:
            starts.append((case.roster_version.publish_clock, case.decided_on))
        _follow(case, meets=[case.roster_version.serve_clock], starts=starts)
    return case


def list_person(case_id: int, *, by: Asker) -> Listing:
    """Put the person on the roster: the database writes the listing with its term, publication and measures.

    The record goes into the register by the hands of drafter and head. Raises PermissionDenied, ValidationError.
    """
    with in_words():
        case = _locked(case_id)
        open_file(case, by=by)
        case = _move(case, State.LISTED, by=by)
        listing = Listing.objects.select_related("roster__item", "organisation").get(case=case)
        register.put_in(listing, case)
        _follow(case, meets=[RECORD, case.roster_version.publish_clock])
        listing.refresh_from_db()
    return listing


# --- what happens to a listing -------------------------------------------------------------------------


def suspend(case_id: int, *, note: str, paper: CasePaper, by: Asker) -> ListingCase:
    """Stay a listing by order of a court or a reconsideration authority: from today nothing of it has effect.

    Raises PermissionDenied, ValidationError.
    """
    with in_words():
        case = _move(case_id, State.SUSPENDED, by=by, note=note, paper=paper)
        register.hold_back(case, paper=paper, by=by)
    return case


def resume(case_id: int, *, note: str, paper: CasePaper, by: Asker) -> ListingCase:
    """Let a stayed listing have effect again; its term does not get longer. Raises PermissionDenied, ValidationError."""
    with in_words():
        case = _move(case_id, State.LISTED, by=by, note=note, paper=paper)
        register.bring_back(case, paper=paper, by=by)
    return case


def remove_early(case_id: int, *, shown: Sequence[int], note: str, paper: CasePaper, by: Asker) -> ListingCase:
    """Take a person off before the term is over, by a decision on removal (移出决定书).

    `shown` are numbers of the roster's conditions of early removal, from 1, that evidence has shown: each of them. Not before the
    roster's wait is over (domain §5.5). Raises PermissionDenied, ValidationError.
    """
    return _end(case_id, State.REMOVED_EARLY, by=by, note=note, paper=paper, early_shown=sorted(set(shown)))


def annul(case_id: int, *, note: str, paper: CasePaper, by: Asker) -> ListingCase:
    """Annul a case, or a listing with all that followed, because what it rests on was revoked or is void.

    Raises PermissionDenied, ValidationError.
    """
    return _end(case_id, State.ANNULLED, by=by, note=note, paper=paper)


def close(case_id: int, *, note: str, by: Asker) -> ListingCase:
    """Stop a case before its decision, for a reason. Raises PermissionDenied, ValidationError."""
    return _end(case_id, State.CLOSED, by=by, note=note)


@people.everybody("listings whose term is over are tidied up")
def expire_due() -> int:
    """Move the cases whose listing is over by the database's own day; return how many. Safe to run twice.

    The listing ended by itself on its day: this only tidies up.
    """
    over = Listing.objects.filter(
        tidied_at=None, origin=Listing.Origin.CASE, case__state__in=[State.LISTED, State.SUSPENDED],
        period__endswith__lte=today(),
    )  # fmt: skip
    count = 0
    for case_id in over.values_list("case_id", flat=True):
        with in_words():
            case = _locked(case_id)
            case.state, case.moved_by, case.move_note, case.move_paper = State.REMOVED_EXPIRED, None, "期满", None
            case.save(update_fields=["state", "moved_by", "move_note", "move_paper"])
            _stop_clocks(case)
        count += 1
    return count


# --- what may be done now ------------------------------------------------------------------------------


def steps_open_to(case: ListingCase, user: User) -> list[str]:
    """Return the events that lead on from here and are this user's duty, in the order of the procedure.

    What a step must find besides is told when it is tried.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT event FROM sanctions_steps_open(%s, %s) AS event", [case.pk, user.pk])
        return [event for (event,) in cursor.fetchall()]


# --- steps ---------------------------------------------------------------------------------------------


def _somebody(by: Asker) -> User:
    if by.user is None:
        raise PermissionDenied("请先登录。")
    return by.user


def _holds(user: User, permission: str) -> None:
    if not user.has_perm(permission) or user.organisation is None:
        raise PermissionDenied("您没有办理这一步的职责。")


def _locked(case_id: int) -> ListingCase:
    related = ListingCase.objects.select_related("roster_version__roster__item", "organisation", "upper")
    return related.select_for_update(of=("self",)).get(pk=case_id)


def _move(
    case: ListingCase | int, to: State, *, by: Asker, note: str = "", paper: CasePaper | None = None, **values: Any
) -> ListingCase:  # fmt: skip
    """Move a case along one arrow; hands and days are the database's. Raises IntegrityError for `in_words`."""
    case = _locked(case) if isinstance(case, int) else case
    case.state, case.moved_by, case.move_note, case.move_paper = to, _somebody(by), note.strip()[:500], paper
    for name, value in values.items():
        setattr(case, name, value)
    case.save(update_fields=["state", "moved_by", "move_note", "move_paper", *values])
    return _locked(case.pk)


def _end(
    case_id: int, to: State, *, by: Asker, note: str, paper: CasePaper | None = None, **values: Any
) -> ListingCase:  # fmt: skip
    with in_words():
        stayed = _locked(case_id).state == State.SUSPENDED
        case = _move(case_id, to, by=by, note=note, paper=paper, **values)
        _stop_clocks(case)
        if Listing.objects.filter(case=case).exists():
            assert paper is not None
            register.end(case, stayed=stayed, paper=paper, by=by)
    return case


def _write(case: ListingCase, **words: Any) -> None:
    for name, value in words.items():
        words[name] = value.strip() if isinstance(value, str) else value
    file = CaseFile(case=case, **words)
    file.clean_fields(exclude=[f.name for f in CaseFile._meta.fields if f.name not in words])
    if CaseFile.objects.filter(pk=case.pk).update(**words) != 1:
        raise PermissionDenied("没有这个案件，或您不能查看它的内容。")


def _counts_from(way: str, on: date) -> date:
    return due(ANNOUNCEMENT, on).date if way == Service.ANNOUNCEMENT else on


def _follow(case: ListingCase, *, meets: Sequence[str] = (), starts: Sequence[tuple[str, date]] = ()) -> None:
    """Stop the clocks that this step meets and start those that it begins."""
    for clock in Deadline.objects.of(case).filter(met_on__isnull=True, rule__code__in=meets):
        clocks.meet(clock.pk, on=max(timezone.localdate(), clock.started_on))
    for code, on in starts:
        clocks.start(code, on=on, subject=case, label=case.number)


def _stop_clocks(case: ListingCase) -> None:
    for clock in Deadline.objects.of(case).filter(met_on__isnull=True):
        clocks.meet(clock.pk, on=max(timezone.localdate(), clock.started_on))
