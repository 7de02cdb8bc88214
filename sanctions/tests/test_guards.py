"""Each guard of the procedure, tried by the deed and by raw SQL as the application's own role."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from access.actions import Ask, Asker, write_query
from access.models import Kind
from accounts import people
from accounts.models import Person, Role
from catalogue.deadlines import due
from catalogue.models import Deadline
from creditfujian.lib import identity
from creditfujian.lib.workdays import add_months
from creditfujian.tests.cast import Cast
from records.tests.life import themselves
from records.tests.persons import agreed, dying
from sanctions import cases, rosters
from sanctions.models import CaseEvent, CaseFile, Listing, ListingCase, Measure, RosterVersion
from sanctions.tests.stage import (
    Stage,
    a_year_later,
    asker,
    day_after,
    digest,
    on,
    own_days,  # noqa: F401 – the days
    own_line,
    record_of,
    somebody,
    staff,
    stage,  # noqa: F401 – the fixture
)

pytestmark = pytest.mark.django_db


def refused(name: str, deed: Any) -> None:
    """The deed comes back with the sentence of that rule."""
    with pytest.raises(ValidationError) as said:
        deed()
    assert name in {error.code for error in said.value.error_list}, said.value


def sql_refused(name: str, statement: str, *values: object) -> None:
    """The same by a statement of the application's role."""
    with pytest.raises(IntegrityError) as said, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
    assert said.value.__cause__.diag.constraint_name == name  # type: ignore[union-attr]


def sql_forbidden(statement: str, *values: object) -> None:
    """The application has no right to it at all."""
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


MOVE_FOR = "UPDATE sanctions_listingcase SET state = %s, moved_by_id = %s, move_paper_id = %s, move_note = '理由' WHERE id = %s"
MOVE = "UPDATE sanctions_listingcase SET state = %s, moved_by_id = %s, move_paper_id = %s WHERE id = %s"


# --- opening -------------------------------------------------------------------------------------------


def test_nobody_is_listed_for_what_they_did_as_a_minor(stage: Stage) -> None:  # noqa: F811
    child = somebody(81, date(timezone.localdate().year - 17, 1, 2), "郑小和")
    refused("minor", lambda: stage.opened(person=child))


def test_the_dead_are_not_listed(stage: Stage, cast: Cast) -> None:  # noqa: F811
    stage.person = cast.citizen.person
    agreed(cast, dying(cast))
    refused("listingcase_is_about_somebody_alive", stage.opened)


@pytest.mark.parametrize(
    ("values", "rule"),
    [({"category": "legal"}, "listingcase_names_whom_the_roster_names"), ({"acts": [9]}, "listingcase_names_whom_the_roster_names"),
     ({"acts": [0]}, "listingcase_names_whom_the_roster_names")],
)  # fmt: skip
def test_only_whom_and_what_the_roster_names(stage: Stage, values: dict[str, Any], rule: str) -> None:  # noqa: F811
    refused(rule, lambda: stage.opened(**values))


def test_a_document_without_effect_opens_nothing(stage: Stage) -> None:  # noqa: F811
    today = timezone.localdate()
    later = cases.Document(
        "P", "闽市监处罚〔2026〕1号", "省市场监督管理局", today, today + timedelta(days=1), digest("x")
    )
    refused("listingcase_rests_on_an_effective_document", lambda: stage.opened(document=later, act_end=today))


def test_a_case_that_is_not_opened_enters_nobody(stage: Stage) -> None:  # noqa: F811
    number, today = identity.invent(date(1985, 3, 2), 93), timezone.localdate()
    later = cases.Document(
        "P", "闽市监处罚〔2026〕1号", "省市场监督管理局", today, today + timedelta(days=1), digest("x")
    )
    unknown = cases.person_for(number, "郑无记", by=asker(stage.officer))
    refused(
        "listingcase_rests_on_an_effective_document",
        lambda: stage.opened(person=unknown, document=later, act_end=today),
    )
    assert Person.objects.holder_of(number) is None
    case = stage.opened(person=cases.person_for(number, "郑无记", by=asker(stage.officer)))
    assert Person.objects.holder_of(number) == case.person


def test_who_has_not_the_role_or_the_grant_opens_nothing(stage: Stage, cast: Cast) -> None:  # noqa: F811
    with pytest.raises(PermissionDenied):
        stage.opened(by=asker(stage.reviewer))
    refused("listingcase_moved_by_its_duty", lambda: stage.opened(by=asker(cast.officer_elsewhere)))


def test_a_grant_taken_back_stops_the_case_where_it_is(stage: Stage, cast: Cast) -> None:  # noqa: F811
    case = stage.drafted()
    rosters.take_back_grant(stage.roster.grants.get().pk, by=cast.credit_office, reason="职责已划转")
    refused("listingcase_moved_by_its_duty", lambda: stage.noticed(case))


def test_sql_opens_no_case_in_the_middle(stage: Stage) -> None:  # noqa: F811
    case = stage.opened()
    columns = "roster_version_id, organisation_id, person_id, category, acts, act_end, document_kind, document_issuer, document_on," \
              " document_effective_on, opened_by_id, move_note, notice_public, notice_way, public, decision_no, serve_way"  # fmt: skip
    copy = (
        f"INSERT INTO sanctions_listingcase ({columns}, document_no, state{{}}) SELECT {columns}, '另案', {{}}"
        " FROM sanctions_listingcase WHERE id = %s"
    )
    sql_refused("listingcase_begins_at_the_beginning", copy.format("", "'listed'"), case.pk)
    sql_refused("listingcase_begins_at_the_beginning", copy.format(", decided_on", "'opened', cf_today()"), case.pk)


# --- draft and notice ----------------------------------------------------------------------------------


def test_one_officer_alone_does_not_make_a_draft(stage: Stage) -> None:  # noqa: F811
    case = stage.opened()
    stage.second = stage.officer
    refused("listingcase_each_duty_by_another", lambda: stage.drafted(case))


@pytest.mark.parametrize(
    ("values", "rule"),
    [({"evidence": []}, "listingcase_says_what_the_notice_must"), ({"facts": ""}, "listingcase_says_what_the_notice_must"),
     ({"term_months": 48}, "listingcase_within_the_roster")],
)  # fmt: skip
def test_the_notice_says_what_it_must_and_no_more_than_the_roster_allows(stage: Stage, values: Any, rule: str) -> None:  # noqa: F811
    refused(rule, lambda: stage.drafted(**values))


def test_what_was_drafted_stands(stage: Stage) -> None:  # noqa: F811
    case = stage.drafted()
    sql_refused(
        "casefile_is_written_at_its_step",
        "UPDATE sanctions_casefile SET facts = '另一件事' WHERE case_id = %s",
        case.pk,
    )
    sql_refused("casemeasure_as_noticed", "DELETE FROM sanctions_casemeasure WHERE case_id = %s", case.pk)
    sql_refused(
        "listingcase_moves_along_its_arrows",
        "UPDATE sanctions_listingcase SET notice_term_months = 12 WHERE id = %s",
        case.pk,
    )
    with pytest.raises(ValidationError):
        cases.draft(case.pk, facts="x", reasons="x", summary="x", evidence=[{"name": "a", "source": "b"}], measures=[], term_months=1,
                    public=False, by=asker(stage.officer))  # fmt: skip


def test_no_notice_without_its_paper(stage: Stage) -> None:  # noqa: F811
    case = stage.drafted()
    wrong = stage.paper(case, "legal")
    refused("listingcase_rests_on_its_paper", lambda: cases.issue_notice(case.pk, paper=wrong, by=asker(stage.officer)))
    sql_refused("listingcase_rests_on_its_paper", MOVE, "noticed", stage.officer.pk, None, case.pk)


def test_service_is_neither_before_the_notice_nor_in_the_future(stage: Stage) -> None:  # noqa: F811
    case = stage.noticed()
    today = timezone.localdate()
    for day in (today - timedelta(days=30), today + timedelta(days=1)):
        refused("listingcase_is_served_after_it_is_signed", lambda day=day: stage.served_notice(case, on=day))


def test_an_announcement_counts_after_thirty_days(stage: Stage) -> None:  # noqa: F811
    case = stage.served_notice(way="announcement")
    counts = due("D08", timezone.localdate()).date
    assert case.notice_counts_from == counts
    assert case.defence_until == due("D04", counts).date
    assert counts >= timezone.localdate() + timedelta(days=30)


# --- the window ----------------------------------------------------------------------------------------


def test_nothing_goes_on_before_the_window_is_over(stage: Stage) -> None:  # noqa: F811
    case = stage.served_notice()
    refused("listingcase_waits_for_the_window", lambda: stage.reviewed(case))
    with on(case.defence_until):  # its last day is still the person's
        refused("listingcase_waits_for_the_window", lambda: stage.reviewed(case))
    paper = stage.paper(case, "review")
    with transaction.atomic():
        CaseFile.objects.filter(case=case).update(review="好")
        sql_refused("listingcase_waits_for_the_window", MOVE, "reviewed", stage.reviewer.pk, paper.pk, case.pk)
        transaction.set_rollback(True)
    sql_refused(
        "listingcase_moves_along_its_arrows",
        "UPDATE sanctions_listingcase SET defence_until = '2020-01-01' WHERE id = %s",
        case.pk,
    )
    for state in ("listed", "decided", "served"):
        sql_refused("listingcase_moves_along_its_arrows", MOVE, state, stage.head.pk, paper.pk, case.pk)


def test_a_window_that_the_calendar_moved_is_waited_for(stage: Stage) -> None:  # noqa: F811
    case = stage.served_notice()
    Deadline.objects.of(case).filter(rule__code="D04").update(due_on=case.defence_until + timedelta(days=3))
    with day_after(case):
        refused("listingcase_waits_for_the_window", lambda: stage.reviewed(case))


def test_an_answer_is_in_time_or_not_at_all(stage: Stage) -> None:  # noqa: F811
    case = stage.served_notice()
    with day_after(case):
        refused("listingcase_is_answered_in_time", lambda: stage.defended(case))


def test_the_person_answers_themselves_and_nobody_else_for_them(stage: Stage, cast: Cast) -> None:  # noqa: F811
    stage.person = cast.citizen.person
    case = stage.served_notice()
    refused(
        "listingcase_moved_by_its_duty",
        lambda: cases.file_defence(case.pk, text="我替他说", by=asker(cast.other_citizen)),
    )
    own_line(stage.person, cast.citizen)
    case = cases.file_defence(case.pk, text="不是我做的", by=asker(cast.citizen))
    assert case.state == "defence_received"
    assert case.events.last().by_name == cast.citizen.name


# --- review, legal check, decision ---------------------------------------------------------------------


def test_no_two_duties_in_one_hand(stage: Stage, cast: Cast) -> None:  # noqa: F811
    """Even an account that holds two duties through an error of the register of roles does one of them."""
    case = stage.served_notice()
    with day_after(case):
        stage.reviewed(case)
        both = staff("both", "身兼", cast.market, Role.LEGAL_REVIEWER)
        stage.legal = both
        stage.checked(case)
        from django.contrib.auth.models import Group

        both.groups.set(Group.objects.filter(name=Role.DECIDER_HEAD))
        stage.head = both
        refused("listingcase_each_duty_by_another", lambda: stage.decided(case))


def test_a_decision_is_never_worse_than_the_notice(stage: Stage) -> None:  # noqa: F811
    noticed, kept_back = stage.measures[:2], stage.measures[2]
    case = stage.served_notice(stage.noticed(stage.drafted(measures=noticed, term_months=24, public=False)))
    with day_after(case):
        stage.checked(stage.reviewed(case))
        refused(
            "casemeasure_as_noticed",
            lambda: stage.decided(case, measures=[*noticed, kept_back], term_months=24, public=False),
        )
        refused(
            "listingcase_term_not_worse_than_noticed",
            lambda: stage.decided(case, measures=noticed, term_months=25, public=False),
        )
        with pytest.raises(ValidationError):
            stage.decided(case, measures=noticed, term_months=24, public=True)
        insert = "INSERT INTO sanctions_casemeasure (case_id, measure_id, decided) VALUES (%s, %s, true)"
        sql_refused("casemeasure_as_noticed", insert, case.pk, kept_back.pk)
        decided = stage.decided(case, measures=noticed[:1], term_months=12, public=False)
        assert decided.term_months == 12
        assert [one.measure_id for one in decided.case_measures.filter(decided=True)] == [noticed[0].pk]


def test_nobody_is_listed_under_a_roster_whose_basis_is_repealed(stage: Stage) -> None:  # noqa: F811
    case = stage.served_notice()
    with day_after(case):
        stage.checked(stage.reviewed(case))
        today = timezone.localdate()
        for base in stage.roster.versions.get().bases.filter(use="list").select_related("article__instrument"):
            base.article.instrument.repealed_on = today
            base.article.instrument.save()
        refused("listingcase_under_a_roster_in_force", lambda: stage.decided(case))


def test_the_decision_and_the_way_out_are_served_together(stage: Stage) -> None:  # noqa: F811
    case = stage.served_notice()
    with day_after(case):
        stage.decided_after_the_window(case)
        proof = stage.paper(case, "receipt")
        today = timezone.localdate()
        refused("listingcase_tells_the_way_out",
                lambda: cases.decision_served(case.pk, way="post", on=today, proof=proof, by=asker(stage.officer)))  # fmt: skip


def test_an_announced_decision_lists_nobody_for_thirty_days(stage: Stage) -> None:  # noqa: F811
    case = stage.served_notice()
    with day_after(case):
        case = stage.served(stage.decided_after_the_window(case), way="announcement")
        refused("listingcase_is_listed_after_service", lambda: stage.listed(case))
    with on(case.decision_counts_from):
        listing = stage.listed(case)
        assert listing.publication.lower > case.decision_counts_from


def test_a_case_is_remedied_only_where_the_roster_says_so(stage: Stage) -> None:  # noqa: F811
    case = stage.served_notice()
    paper = stage.paper(case, "remedy")
    refused("listingcase_is_remedied_where_the_roster_says",
            lambda: cases.remedy(case.pk, note="已改正", paper=paper, by=asker(stage.officer)))  # fmt: skip


# --- the listing ---------------------------------------------------------------------------------------


@pytest.fixture
def listed(stage: Stage) -> Any:  # noqa: F811
    """A listing of today, and the day on which it is today."""
    case = stage.served_notice()
    with day_after(case):
        yield stage.listed(stage.served(stage.decided_after_the_window(case)))


def test_a_listing_is_written_by_its_case_alone(stage: Stage, listed: Listing) -> None:  # noqa: F811
    sql_forbidden("INSERT INTO sanctions_listing SELECT * FROM sanctions_listing WHERE id = %s", listed.pk)
    sql_forbidden("INSERT INTO sanctions_caseevent SELECT * FROM sanctions_caseevent LIMIT 1")
    sql_forbidden("UPDATE sanctions_arrow SET from_state = 'opened' WHERE to_state = 'listed'")
    sql_refused(
        "listing_is_kept",
        "UPDATE sanctions_listing SET period = daterange(lower(period), NULL) WHERE id = %s",
        listed.pk,
    )
    sql_refused("listing_is_kept", "DELETE FROM sanctions_listing WHERE id = %s", listed.pk)
    sql_refused("listing_ends_by_its_case",
                "UPDATE sanctions_listing SET ended_on = cf_today(), \"end\" = 'early' WHERE id = %s", listed.pk)  # fmt: skip
    sql_refused("listingcase_is_kept", "DELETE FROM sanctions_listingcase WHERE id = %s", listed.case_id)


def test_nothing_is_public_before_service_or_after_the_end(listed: Listing) -> None:
    at_service, last = listed.period.lower, listed.period.upper
    for first, until in ((at_service, last), (listed.publication.lower, last + timedelta(days=1))):
        sql_refused("listing_public_only_after_service",
                    "UPDATE sanctions_listing SET publication = daterange(%s, %s) WHERE id = %s", first, until, listed.pk)  # fmt: skip
    assert not Listing.objects.public_on(at_service).exists()
    assert Listing.objects.public_on(last - timedelta(days=1)).exists()
    assert not Listing.objects.public_on(last).exists()


def test_a_stayed_listing_has_no_effect_and_comes_back_no_longer(stage: Stage, listed: Listing) -> None:  # noqa: F811
    case, today = listed.case, timezone.localdate()
    cases.suspend(case.pk, note="复议机关决定停止执行", paper=stage.paper(case, "suspension"), by=asker(stage.officer))
    assert not Listing.objects.in_force(today).exists()
    cases.resume(case.pk, note="复议维持", paper=stage.paper(case, "resumption"), by=asker(stage.head))
    assert Listing.objects.in_force(today + timedelta(days=1)).exists()
    again = Listing.objects.get(pk=listed.pk)
    assert again.period == listed.period


def removed_early(stage: Stage, listed: Listing, shown: Sequence[int] = (1, 2, 3, 4)) -> ListingCase:  # noqa: F811
    paper = stage.paper(listed.case, "removal", stage.head)
    return cases.remove_early(listed.case_id, shown=shown, note="已履行", paper=paper, by=asker(stage.head))


def annulled(stage: Stage, listed: Listing) -> ListingCase:  # noqa: F811
    paper = stage.paper(listed.case, "annulment", stage.head)
    return cases.annul(listed.case_id, note="处罚被撤销", paper=paper, by=asker(stage.head))


@pytest.mark.parametrize(("deed", "end", "state"), [(removed_early, "early", 5), (annulled, "annulled", 4)])
def test_the_end_takes_publication_measures_and_record_with_it(
    stage: Stage, listed: Listing, deed: Any, end: str, state: int  # noqa: F811
) -> None:  # fmt: skip
    with a_year_later(stage, listed):
        today = timezone.localdate()
        deed(stage, listed)
        after = Listing.objects.get(pk=listed.pk)
        assert (after.ended_on, after.end) == (today, end)
        assert not Listing.objects.in_force(today).exists()
        assert not Listing.objects.public_on(max(today, listed.publication.lower)).exists()
        assert set(after.measures.values_list("ends_on", flat=True)) == {today}
        assert record_of(after).state == state


REMOVE = "UPDATE sanctions_listingcase SET state = 'removed_early', moved_by_id = %s, move_note = '已履行', move_paper_id = %s," \
         " early_shown = %s WHERE id = %s"  # fmt: skip


def test_nobody_is_taken_off_early_before_the_wait_is_over(stage: Stage, listed: Listing) -> None:  # noqa: F811
    first = listed.early_from
    assert first == add_months(listed.period.lower, 12)
    with a_year_later(stage, listed, days=-1):
        assert "remove_early" not in cases.steps_open_to(listed.case, stage.head)
        refused("listingcase_early_after_its_wait", lambda: removed_early(stage, listed))
        paper = stage.paper(listed.case, "removal", stage.head)
        sql_refused("listingcase_early_after_its_wait", REMOVE, stage.head.pk, paper.pk, [1, 2, 3, 4], listed.case_id)
    with on(first):
        assert "remove_early" in cases.steps_open_to(listed.case, stage.head)
        assert removed_early(stage, listed).early_shown == [1, 2, 3, 4]


@pytest.mark.parametrize("shown", [None, [], [1, 2, 3], [1, 2, 3, 5], [1, 2, 3, 4, 5]])
def test_early_removal_rests_on_each_condition(stage: Stage, listed: Listing, shown: list[int] | None) -> None:  # noqa: F811
    with a_year_later(stage, listed):
        refused("listingcase_early_on_all_conditions", lambda: removed_early(stage, listed, shown or []))
        paper = stage.paper(listed.case, "removal", stage.head)
        sql_refused("listingcase_early_on_all_conditions", REMOVE, stage.head.pk, paper.pk, shown, listed.case_id)
        listed.case.refresh_from_db()
        assert listed.case.state == "listed"


def test_no_early_removal_where_the_roster_names_none(stage: Stage, cast: Cast) -> None:  # noqa: F811
    version = next_version(stage, cast)  # says nothing of early removal
    rosters.confirm_version(version.pk, by=cast.credit_office_2)
    with on(version.valid_from):
        case = stage.served_notice()
    with day_after(case):
        listing = stage.listed(stage.served(stage.decided_after_the_window(case)))
    with a_year_later(stage, listing):
        assert listing.early_from is None
        refused("listingcase_early_where_the_roster_says", lambda: removed_early(stage, listing, []))
        paper = stage.paper(case, "removal", stage.head)
        sql_refused("listingcase_early_where_the_roster_says", REMOVE, stage.head.pk, paper.pk, [], case.pk)


def stayed(stage: Stage, listed: Listing) -> ListingCase:  # noqa: F811
    paper = stage.paper(listed.case, "suspension")
    return cases.suspend(listed.case_id, note="停止执行", paper=paper, by=asker(stage.officer))


@pytest.mark.parametrize("deed", [removed_early, annulled, stayed])
def test_what_ended_or_is_stayed_is_shown_to_its_person_and_nobody_else(
    stage: Stage, listed: Listing, deed: Any  # noqa: F811
) -> None:  # fmt: skip
    with a_year_later(stage, listed):
        public = Ask(
            kind=Kind.PUBLIC, ground="依法公示", purpose="查询公示", fields_class="公众可见", person=listed.person
        )
        with people.nobody():
            write_query(public, by=Asker(None, "公示网站"))
            assert Listing.objects.count() == 1
        deed(stage, listed)
        with people.nobody():
            assert Listing.objects.count() == 0
            own_line(listed.person, themselves(listed.person).user)
            assert Listing.objects.count() == 1


LEFT = "; SET CONSTRAINTS ALL IMMEDIATE"  # what is asked when the transaction ends


@pytest.mark.parametrize(("state", "paper"), [("annulled", "annulment"), ("suspended", "suspension")])
def test_no_listing_ends_or_stays_and_leaves_its_record(
    stage: Stage, listed: Listing, state: str, paper: str  # noqa: F811
) -> None:  # fmt: skip
    by = stage.officer if state == "suspended" else stage.head
    made = stage.paper(listed.case, paper, by)
    sql_refused("listingcase_ends_in_the_register", MOVE_FOR + LEFT, state, by.pk, made.pk, listed.case_id)


def test_no_early_removal_leaves_its_record(stage: Stage, listed: Listing) -> None:  # noqa: F811
    with a_year_later(stage, listed):
        paper = stage.paper(listed.case, "removal", stage.head)
        sql_refused(
            "listingcase_ends_in_the_register", REMOVE + LEFT, stage.head.pk, paper.pk, [1, 2, 3, 4], listed.case_id
        )


def test_a_listing_ends_by_itself_and_the_night_only_tidies(stage: Stage, listed: Listing) -> None:  # noqa: F811
    assert cases.expire_due() == 0
    with on(listed.period.upper):
        assert not Listing.objects.in_force().exists()
        assert cases.expire_due() == 1
        assert cases.expire_due() == 0
        case = ListingCase.objects.get(pk=listed.case_id)
        assert case.state == "removed_expired"
        assert Listing.objects.get(pk=listed.pk).ended_on == listed.period.upper
        assert case.events.last().by_id is None


# --- rosters and measures ------------------------------------------------------------------------------


def test_a_version_in_force_is_frozen(stage: Stage) -> None:  # noqa: F811
    version = stage.roster.versions.get()
    sql_refused(
        "sanctions_rosterversion_is_fixed",
        "UPDATE sanctions_rosterversion SET term_months = 60 WHERE id = %s",
        version.pk,
    )
    sql_forbidden("UPDATE sanctions_rosterarticle SET use = 'list'")
    sql_refused("roster_is_what_it_is", "UPDATE sanctions_roster SET mirrored = true WHERE id = %s", stage.roster.pk)


def test_who_proposed_a_version_does_not_confirm_it(stage: Stage, cast: Cast) -> None:  # noqa: F811
    version = next_version(stage, cast)
    with pytest.raises(PermissionDenied):
        rosters.confirm_version(version.pk, by=cast.credit_office)
    rosters.confirm_version(version.pk, by=cast.credit_office_2)
    assert stage.roster.version_on(version.valid_from) == version


def next_version(stage: Stage, cast: Cast, uses: str = "list", **changed: Any) -> RosterVersion:  # noqa: F811
    old = stage.roster.versions.get()
    names = ("grounds", "acts", "categories", "term_months", "relief", "public", "public_fields", "source")
    values = {name: getattr(old, name) for name in names} | {
        "valid_from": timezone.localdate() + timedelta(days=1), "change_note": "修订"
    }  # fmt: skip
    bases = [(base.article, base.use) for base in old.bases.all() if base.use in (uses, "publish")]
    return rosters.propose_version(stage.roster, bases=bases, by=cast.credit_office, **values | changed)


def test_a_local_list_rests_on_a_local_regulation_alone(stage: Stage, cast: Cast) -> None:  # noqa: F811
    from catalogue.models import Article

    rule = Article.objects.filter(instrument__level=60).first()
    version = rosters.propose_version(
        stage.roster, bases=[(rule, "list")], by=cast.credit_office, grounds=["market"], acts=["一种行为"], categories=["self"],
        term_months=12, relief="复议", source="测试", change_note="修订", valid_from=timezone.localdate() + timedelta(days=1),
    )  # fmt: skip
    refused("rosterversion_basis_is_of_the_level", lambda: rosters.confirm_version(version.pk, by=cast.credit_office_2))


@pytest.mark.parametrize(
    ("values", "rule"),
    [({"kind": "C", "implementer_name": "各银行"}, "measure_of_class_c_obliges_nobody"),
     ({"content": "限制其子女就读高收费学校"}, "measure_spares_the_family"),
     ({"subject": "family"}, "measure_reaches_the_listed_only")],
)  # fmt: skip
def test_what_no_measure_may_be(stage: Stage, cast: Cast, values: dict[str, Any], rule: str) -> None:  # noqa: F811
    known = Measure.objects.filter(kind="B").first()
    fields = {name: getattr(known, name) for name in ("name", "kind", "content", "subject", "basis", "implementer_name", "proportionality",
                                                      "source", "published_on", "valid_from")}  # fmt: skip
    with pytest.raises(ValidationError):
        rosters.propose_measure(code="Z-01", rosters=[stage.roster], by=cast.credit_office, **fields | values)
    said = ", ".join(f"{name} = %s" for name in values)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE sanctions_measure SET {said} WHERE id = %s", [*values.values(), known.pk])


def test_no_measure_without_publication_and_basis(stage: Stage, cast: Cast) -> None:  # noqa: F811
    known = Measure.objects.filter(kind="B").first()
    fields = {name: getattr(known, name) for name in ("name", "kind", "content", "subject", "basis", "implementer_name", "proportionality",
                                                      "source", "valid_from")}  # fmt: skip
    measure = rosters.propose_measure(code="Z-02", rosters=[stage.roster], by=cast.credit_office, **fields)
    refused("measure_rests_on_a_published_basis", lambda: rosters.confirm_measure(measure.pk, by=cast.credit_office_2))
    assert measure not in Measure.objects.in_force(timezone.localdate())


def test_the_unit_that_would_use_a_grant_has_no_hand_in_it(stage: Stage, cast: Cast) -> None:  # noqa: F811
    refused("rostergrant_is_not_for_oneself", lambda: rosters.ask_grant(
        organisation=cast.platform, roster=stage.roster, permission="check", basis="法", reason="由", by=cast.credit_office))  # fmt: skip


def test_every_step_leaves_an_event_that_nobody_changes(stage: Stage) -> None:  # noqa: F811
    stage.drafted()
    assert CaseEvent.objects.count() == 2
    sql_forbidden("UPDATE sanctions_caseevent SET note = '改'")
    sql_forbidden("DELETE FROM sanctions_caseevent")
