"""Random histories of a case, by the deeds and by raw SQL as the application: what must never be, is not.

No state is reached off the arrows, nobody is listed before the window ends, no two duties are in one hand, nothing is public
before service nor after the end. `CF_HISTORIES=3000` drives thousands (docs/sanctions.md).
"""

import os
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from creditfujian.lib.workdays import add_months
from creditfujian.tests.cast import Cast
from sanctions import cases
from sanctions.case_models import State
from sanctions.models import Arrow, CaseEvent, Listing, ListingCase
from sanctions.tests.stage import Stage, asker, make_stage, on, own_days  # noqa: F401 – the days

HISTORIES = int(os.environ.get("CF_HISTORIES", "12"))
HANDS = ("officer", "second", "reviewer", "legal", "head")
COLUMNS = (
    "drafted_by_id", "cosigned_by_id", "reviewed_by_id", "legal_by_id", "decided_by_id", "opened_by_id", "notice_served_on",
    "notice_counts_from", "defence_until", "decided_on", "decision_served_on", "decision_counts_from", "listed_on", "term_months",
    "notice_term_months", "public", "decision_no", "person_id",
)  # fmt: skip
PAPERS = ("notice", "notice_receipt", "review", "legal", "decision", "repair_notice", "receipt", "not_listing", "annulment",
          "suspension", "resumption", "removal", "remedy")  # fmt: skip
REFUSED = (ValidationError, PermissionDenied, DatabaseError)

the_stage: Stage


class Histories(RuleBasedStateMachine):
    """One case, anybody's hands, any day from the first on."""

    @initialize()
    def begin(self) -> None:
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.stage = the_stage
        self.today = timezone.localdate()
        with self.now():
            self.case = self.stage.opened()
            self.papers = {kind: self.stage.paper(self.case, kind) for kind in PAPERS}

    def teardown(self) -> None:
        if hasattr(self, "savepoint"):
            transaction.set_rollback(True)
            self.savepoint.__exit__(None, None, None)

    def now(self) -> Any:
        return on(self.today)

    def tried(self, deed: Any) -> None:
        """Try a deed as anybody; what is refused leaves nothing behind."""
        with self.now():
            try:
                with transaction.atomic():
                    deed()
            except REFUSED:
                pass

    @rule(days=st.sampled_from([1, 2, 7, 9, 30, 1100]))
    def days_pass(self, days: int) -> None:
        self.today += timedelta(days=days)

    @rule(step=st.sampled_from([
        "draft", "cosign", "notice", "served", "defend", "review", "legal", "decide", "decide_not", "decision_served", "list", "suspend",
        "resume", "early", "annul", "close", "remedy"]), hand=st.sampled_from(HANDS), back=st.integers(0, 9))  # fmt: skip
    def somebody_does(self, step: str, hand: str, back: int) -> None:
        """Any step by any hand, service as of any of the last days."""
        self.tried(lambda: self.deed(step, hand, back))

    @rule(back=st.integers(0, 2))
    def the_right_hand_does_the_next_step(self, back: int) -> None:
        """So that histories come far: the step that leads on, by whose duty it is."""
        following = {
            "opened": ("draft", "officer"), "drafted": ("notice", "officer"), "noticed": ("served", "officer"),
            "defence_open": ("review", "reviewer"), "defence_received": ("review", "reviewer"), "reviewed": ("legal", "legal"),
            "legal_check": ("decide", "head"), "decided": ("decision_served", "officer"), "served": ("list", "officer"),
        }  # fmt: skip
        self.case.refresh_from_db()
        step, hand = following.get(self.case.state, ("annul", "head"))
        if step == "draft" and self.case.drafted_by_id:
            step, hand = "cosign", "second"
        if step == "review" and self.case.defence_until:
            self.today = max(self.today, self.case.defence_until + timedelta(days=1))
        self.tried(lambda: self.deed(step, hand, back))

    @rule(state=st.sampled_from([state.value for state in State]), hand=st.sampled_from([*HANDS, ""]),
          paper=st.sampled_from([*PAPERS, ""]))  # fmt: skip
    def sql_moves_the_case(self, state: str, hand: str, paper: str) -> None:
        """The application's own role, past all deeds."""
        by = getattr(self.stage, hand).pk if hand else None
        rests = self.papers[paper].pk if paper else None
        self.sql("UPDATE sanctions_listingcase SET state = %s, moved_by_id = %s, move_paper_id = %s, move_note = '由' WHERE id = %s",
                 state, by, rests, self.case.pk)  # fmt: skip

    @rule(column=st.sampled_from(COLUMNS), state=st.sampled_from(["", *(state.value for state in State)]),
          days=st.integers(-400, 400))  # fmt: skip
    def sql_sets_a_column(self, column: str, state: str, days: int) -> None:
        values: dict[str, Any] = {
            "term_months": 48,
            "notice_term_months": 60,
            "public": True,
            "decision_no": "伪造〔2026〕1号",
        }
        value = values.get(column, self.today + timedelta(days=days))
        if column.endswith("_by_id"):
            value = self.stage.officer.pk
        elif column == "person_id":
            value = self.stage.cast.citizen.person_id
        moves = ", state = %s" if state else ""
        self.sql(f"UPDATE sanctions_listingcase SET {column} = %s{moves} WHERE id = %s", value, *([state] if state else []),
                 self.case.pk)  # fmt: skip

    @rule(days=st.integers(-40, 1500), length=st.integers(1, 2000))
    def sql_publishes(self, days: int, length: int) -> None:
        first = self.today + timedelta(days=days)
        self.sql("UPDATE sanctions_listing SET publication = daterange(%s, %s)", first, first + timedelta(days=length))

    @rule(what=st.sampled_from([
        "INSERT INTO sanctions_listing (roster_id, roster_version_id, person_id, organisation_id, origin, document_no, decided_on, period,"
        " \"end\") SELECT v.roster_id, v.id, c.person_id, c.organisation_id, 'court', '1', cf_today(), daterange(cf_today(), NULL), ''"
        " FROM sanctions_listingcase c JOIN sanctions_rosterversion v ON v.id = c.roster_version_id",
        "UPDATE sanctions_listing SET ended_on = NULL, \"end\" = ''", "UPDATE sanctions_listing SET period = daterange(cf_today(), NULL)",
        "DELETE FROM sanctions_listing", "DELETE FROM sanctions_listingcase", "DELETE FROM sanctions_caseevent",
        "UPDATE sanctions_casemeasure SET decided = true", "UPDATE sanctions_caseevent SET to_state = 'listed'",
        "UPDATE sanctions_arrow SET from_state = 'opened' WHERE to_state = 'listed'",
        "UPDATE sanctions_listingmeasure SET ends_on = '2099-01-01'",
        "UPDATE sanctions_casefile SET facts = '另一件事', review = '好', legal = '好', decision = '好'",
    ]))  # fmt: skip
    def sql_writes_past_everything(self, what: str) -> None:
        self.sql(what)

    @invariant()
    def what_must_never_be(self) -> None:
        if not hasattr(self, "case"):
            return
        case = ListingCase.objects.get(pk=self.case.pk)
        self.states_follow_the_arrows(case)
        hands = [case.drafted_by_id, case.cosigned_by_id, case.reviewed_by_id, case.legal_by_id, case.decided_by_id]
        given = [hand for hand in hands if hand]
        assert len(given) == len(set(given))
        assert case.opened_by_id not in (case.reviewed_by_id, case.legal_by_id, case.decided_by_id)
        for listing in Listing.objects.filter(person=self.stage.person):
            self.a_listing_is_lawful(case, listing)

    def states_follow_the_arrows(self, case: ListingCase) -> None:
        """The events are a chain of declared arrows that ends where the case is."""
        chain = list(CaseEvent.objects.filter(case=case).values_list("from_state", "to_state"))
        arrows = set(Arrow.objects.values_list("from_state", "to_state"))
        assert chain[0] == ("", "opened")
        assert chain[-1][1] == case.state
        assert set(chain) <= arrows
        assert all(one[1] == following[0] for one, following in zip(chain, chain[1:], strict=False))

    def a_listing_is_lawful(self, case: ListingCase, listing: Listing) -> None:
        assert listing.case_id == case.pk
        assert case.defence_until is not None
        assert case.decision_counts_from is not None
        assert case.defence_until < listing.period.lower
        assert case.decision_counts_from <= listing.period.lower
        assert case.notice_counts_from is not None
        assert case.notice_counts_from < case.defence_until
        assert case.term_months <= case.notice_term_months
        if listing.publication:
            assert listing.publication.lower > case.decision_counts_from
            assert listing.publication.upper <= listing.period.upper
        after = max(self.today, listing.period.upper)
        assert not Listing.objects.public_on(after).filter(pk=listing.pk).exists()
        assert not Listing.objects.in_force(after).filter(pk=listing.pk).exists()
        if case.state == "removed_early":
            assert case.ended_on is not None
            assert case.ended_on >= add_months(listing.period.lower, 12)
            assert case.early_shown == [1, 2, 3, 4]
        if case.state in ("removed_early", "annulled", "suspended"):
            assert not Listing.objects.in_force(self.today).filter(pk=listing.pk).exists()

    # --- how ---

    def sql(self, statement: str, *values: object) -> None:
        def run() -> None:
            with connection.cursor() as cursor:
                cursor.execute(statement, values)

        self.tried(run)

    def deed(self, step: str, hand: str, back: int) -> None:
        stage, case, by = self.stage, self.case, asker(getattr(self.stage, hand))
        day, papers = self.today - timedelta(days=back), self.papers
        {
            "draft": lambda: cases.draft(
                case.pk, facts="事实", reasons="依据", summary="事由", evidence=[{"name": "决定书", "source": "本机关"}],
                measures=stage.measures[:2], term_months=36, public=True, by=by),
            "cosign": lambda: cases.cosign(case.pk, by=by),
            "notice": lambda: cases.issue_notice(case.pk, paper=papers["notice"], by=by),
            "served": lambda: cases.notice_served(case.pk, way=("in_person", "announcement")[back % 2], on=day,
                                                  proof=papers["notice_receipt"], by=by),
            "defend": lambda: cases.file_defence(case.pk, text="不是我", by=by),
            "review": lambda: cases.review(case.pk, text="已核对", paper=papers["review"], by=by),
            "legal": lambda: cases.legal_check(case.pk, text="合法", paper=papers["legal"], by=by),
            "decide": lambda: cases.decide(case.pk, text="清楚", measures=stage.measures[:back % 4], term_months=30 + back, public=True,
                                           paper=papers["decision"], by=by),
            "decide_not": lambda: cases.decide_not(case.pk, note="不列入", paper=papers["not_listing"], by=by),
            "decision_served": lambda: cases.decision_served(case.pk, way="post", on=day, proof=papers["receipt"], by=by),
            "list": lambda: cases.list_person(case.pk, by=by),
            "suspend": lambda: cases.suspend(case.pk, note="复议", paper=papers["suspension"], by=by),
            "resume": lambda: cases.resume(case.pk, note="维持", paper=papers["resumption"], by=by),
            "early": lambda: cases.remove_early(case.pk, shown=range(1, 5 - back % 2), note="已履行", paper=papers["removal"], by=by),
            "annul": lambda: cases.annul(case.pk, note="处罚被撤销", paper=papers["annulment"], by=by),
            "close": lambda: cases.close(case.pk, note="不再办理", by=by),
            "remedy": lambda: cases.remedy(case.pk, note="已改正", paper=papers["remedy"], by=by),
        }[step]()  # fmt: skip


@pytest.mark.django_db
def test_no_history_breaks_the_procedure(cast: Cast) -> None:
    global the_stage
    the_stage = make_stage(cast)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Histories,
        settings=settings(max_examples=HISTORIES, stateful_step_count=30, deadline=None, derandomize=HISTORIES < 100,
                          suppress_health_check=list(HealthCheck)),
    )  # fmt: skip
