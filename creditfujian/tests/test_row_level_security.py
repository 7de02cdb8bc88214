"""Every table that says something of a person has a policy, or a reason why not. A new one fails until that is decided."""

import re
from collections.abc import Callable

import pytest
from django.apps import apps
from django.db import connection, models, transaction

from access import questions
from access.actions import Ask, Asker, write_query
from access.authorities import arrange
from access.models import Kind
from accounts import people
from accounts.actions import prove_identity
from accounts.models import Person
from creditfujian.lib import identity
from creditfujian.tests.cast import Cast
from records import rights
from records.intake import check
from records.models import Batch
from records.reports import ask_at_counter, issue
from records.rights_models import RightsRequest
from records.tests.consenting import asked, registered
from records.tests.deliveries import decided, deliver, penalty
from records.tests.grounds import agreed, approved
from records.tests.life import numbers_of
from records.tests.test_questions import looked_at
from records.tests.test_urgent import broken
from sanctions.attestation import issue as attest

NEW = identity.invent(decided(30 * 365), 61)
OURS = ("accounts", "catalogue", "access", "records", "sanctions", "repair", "publicity")
# What makes a table say something of a person: it points at one of these, or has such a column.
PERSONAL = {"Person", "Record", "Consent", "Report", "PersonCase", "Statement", "Attestation", "ListingCase", "Listing"}
COLUMNS = {
    "person_id",
    "record_id",
    "merged_person_id",
    "id_cipher",
    "id_index",
    "subject_index",
    "content",
    "record_ids",
    "sealed",
}

# Nets other than a policy (docs/row-level-security.md says more of each).
REASONS = {
    "accounts_user": "signing in looks accounts up before anybody is known; of the person it holds the key and the name shown",
    "accounts_secondfactor": "sealed; an official's or a citizen's own secret, never about a file",
    "access_query": "who asked and why; whom it is about stands in access_queryperson",
    "access_queryanswer": "keys of records only; what they say and whose they are has policies",
    "access_request": "a registration: the person's key only, shown to the official who made it",
    "access_consentuse": "under its consent: which line of the log used it, nothing of the person",
    "access_anomaly": "a review: the person's key where a signal is about one person, no name",
    "records_listsearch": "the person's key only, gone with its registration",
    "catalogue_itemimport": "items of the catalogue, nobody",
    "records_export": "what was asked for and how much came of it; rows are in records_exportpart",
    "records_bulkjob": "keys of records; what they say has policies",
    "records_batch": "counts and reasons; rows are in records_batchrow",
    "records_batchrow": "staged by COPY, which PostgreSQL refuses under row-level security; unlogged, numbers sealed, cleared",
    "records_batchreceipt": "counts and digests, signed; no row of the file",
    "records_exportpart": "rows sealed with the export's own key",
    "records_unsound": "keys only, written by the night, hides records",
    "records_actrecord": "keys and numbers of records; what they say has policies",
    "records_recordevent": "steps of a record's life; no name, no number",
    "records_consentpaper": "points at a sealed scan; opening it writes a line",
    "records_statementhold": "a review of words: what the words are has policies; the reason is the office's",
    "records_personcase": "keys and steps of a case; names are in records_casepaper, which has a policy",
    "records_caserecord": "keys of records; what they say has policies",
    "records_casesource": "which batch met the case",
    "records_casestep": "who moved a case and when",
    "records_reportfile": "points at a sealed file; opening it writes a line",
    "records_reportprint": "how often a report was printed, by whom",
    "records_bulkoutcome": "keys of records; what they say has policies",
    "records_worklistentry": "keys and numbers of records; what they say has policies",
    "sanctions_measure": "what a measure is: nobody",
    "sanctions_casemeasure": "keys of cases and measures; whose they are, cases say",
    "sanctions_listingmeasure": "keys of listings and measures, days; whose they are, listings say",
    "sanctions_listingstay": "keys of listings, days; whose they are, listings say",
}  # fmt: skip

# Functions that ask of a closed table as whoever is on the connection: each sees what it asks for, or refuses when it does not.
AS_ON_THE_CONNECTION = {
    "access_grant": "privileges, not rows", "access_guard_partitions": "partitions, not rows",
    "access_is_the_person": "a line of this transaction; none, no person",
    "records_whole_file_is_open": "a line of this transaction; none, no file",
    "access_lines": "the log, opened; too few persons, a wrong hash",
    "records_carry_out_death": "by the owner's records_carry_out_case", "records_carry_out_merge": "by records_carry_out_case",
    "records_change_name": "by records_carry_out_case", "records_enter_newcomer": "by records_carry_out_case",
    "records_move": "by records_carry_out_case", "records_clashes": "by the owner's functions on cases",
    "records_merged_numbers": "a batch at work, with everybody open",
    "records_name_of_merged": "by the owner's records_person_by_public_document",
    "records_listed": "what the lines of this transaction open", "records_shown": "what the lines of this transaction open",
    "records_is_written_by_the_owner": "who owns the table, not rows",
    "sanctions_listings_in_force": "what the lines of this transaction open",
    "sanctions_early_from": "by the owner's guard of a case; on a connection what its lines open",
    "sanctions_reward_conflicts": "by the owner's sanctions_reward_check; on a connection what its lines open",
}  # fmt: skip


def columns(model: type[models.Model]) -> set[str]:
    return {field.column for field in model._meta.local_concrete_fields if field.column}


def is_personal(model: type[models.Model]) -> bool:
    points_at = {
        field.related_model.__name__ for field in model._meta.local_fields
        if field.is_relation and isinstance(field.related_model, type)
    }  # fmt: skip
    return model is Person or bool(points_at & PERSONAL) or bool(columns(model) & COLUMNS)


def personal_tables() -> set[str]:
    return {m._meta.db_table for m in apps.get_models() if m._meta.app_label in OURS and is_personal(m)}


def tables_with_policies() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relrowsecurity AND relkind IN ('r', 'p')")
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.django_db
def test_every_table_about_persons_has_a_policy_or_a_reason() -> None:
    closed = tables_with_policies()
    assert personal_tables() - closed - set(REASONS) == set()
    assert set(REASONS) & closed == set(), "a reason too many"
    assert set(REASONS) <= {m._meta.db_table for m in apps.get_models()}


@pytest.mark.django_db
def test_the_application_is_held_by_its_policies() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False,)
        cursor.execute("SELECT relname FROM pg_class WHERE relrowsecurity AND pg_get_userbyid(relowner) = current_user")
        assert cursor.fetchall() == []


@pytest.mark.django_db
@pytest.mark.parametrize("table", ["accounts_person", "accounts_personname"])
def test_who_is_open_is_asked_before_any_line(table: str) -> None:
    """A line is looked for by a call for each row: with everybody open a delivery made a million of them for nothing."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (COSTS OFF) SELECT 1 FROM {table}")
        asked = next(line for (line,) in cursor.fetchall() if "Filter" in line)
    assert asked.count("access_reads") == 1
    assert asked.index("access_reads") > asked.rindex(" OR ")


@pytest.mark.django_db
def test_rules_ask_of_closed_tables_as_the_owner() -> None:
    """A rule that looked for absence through a policy would pass when it sees nothing."""
    named = re.compile(rf"\b({'|'.join(tables_with_policies())})\b")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.proname, p.prosrc FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang AND l.lanname IN ('sql', 'plpgsql')"
            " WHERE p.pronamespace = 'public'::regnamespace AND NOT p.prosecdef"
        )
        asking = {name for name, text in cursor.fetchall() if named.search(text)}
    assert asking == set(AS_ON_THE_CONNECTION)


@pytest.mark.django_db
def test_whom_a_letter_names_is_not_open_to_that_person(cast: Cast) -> None:
    agreed(cast)
    assert seen("access_letterperson") == 1
    for context, count in ((THEIRS, 0), (signs_in("bank_clerk"), 0), (signs_in("clerk"), 0), (signs_in("officer_here"), 0),
                           (signs_in("credit_office"), 1), (signs_in("auditor"), 1)):  # fmt: skip
        with people.nobody():
            context(cast)
            assert seen("access_letterperson") == count
            assert seen("access_officialletter") == count


def signs_in(name: str) -> Callable[[Cast], None]:
    """What the connection of somebody who has signed in has open."""

    def come(cast: Cast) -> None:
        user = getattr(cast, name)
        people.open_persons(user.person_id)
        people.open_office(user.organisation_id)
        people.open_account(user.pk)

    return come


def an_authority(cast: Cast) -> None:
    approved(cast)


def a_wish(cast: Cast) -> None:
    arrange(allows=False, by=Asker(cast.citizen, "公示网站"))


def a_question(cast: Cast) -> None:
    assert cast.citizen.person is not None
    questions.ask(cast.citizen.person, looked_at(cast), by=Asker(cast.citizen, "公示网站"))


def an_emergency(cast: Cast) -> None:
    broken(cast)


def a_right(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    assert cast.citizen.person is not None
    number = numbers_of(cast.citizen)[0]
    rights.ask(cast.citizen.person, RightsRequest.Kind.DELETE, number, "不是我", by=Asker(cast.citizen, "公示网站"))


# Who sees a row beside whose it is: as the pages show it. Everybody else of a department sees none.
BY_DUTY: dict[str, tuple[str, Callable[[Cast], None], set[str]]] = {
    "an authority": ("access_authority", an_authority, {"clerk", "credit_office", "credit_office_2"}),
    "a wish about kin": ("access_kinwish", a_wish, set()),
    "a question": ("access_question", a_question, {"head", "data_reviewer", "auditor", "credit_office", "credit_office_2"}),
    "an emergency": ("access_urgentreading", an_emergency,
                     {"officer_elsewhere", "auditor", "security_admin", "credit_office", "credit_office_2"}),
    "a request of a right": ("records_rightsrequest", a_right, {"data_officer", "data_reviewer"}),
}  # fmt: skip


@pytest.mark.parametrize("case", BY_DUTY)
def test_a_row_is_seen_by_those_whose_duty_it_is_and_by_whom_it_is_about(cast: Cast, case: str) -> None:
    table, make, officials = BY_DUTY[case]
    make(cast)
    found = set()
    for name, user in cast.everyone().items():
        if user is not None:
            with people.nobody():
                signs_in(name)(cast)
                if seen(table):
                    found.add(name)
    assert found == officials | {"citizen"}


# --- each table: nothing without a context, nothing with another's, the row with the right one ---------


def a_proof(cast: Cast) -> None:
    prove_identity(id_number=NEW, name="周清明", by=cast.clerk)


def a_request_at_the_counter(cast: Cast) -> None:
    ask_at_counter(id_number=NEW, name="周清明", by=Asker(cast.clerk, "工作平台"))


def a_consent(cast: Cast) -> None:
    registered(cast)
    asked(cast)


def a_report(cast: Cast) -> None:
    assert cast.citizen.person is not None
    issue(cast.citizen.person, by=Asker(cast.citizen, "公示网站"))


def an_attestation(cast: Cast) -> None:
    assert cast.citizen.person is not None
    attest(cast.citizen.person, 3, by=Asker(cast.citizen, "公示网站"))


Make = Callable[[Cast], object]
THEIRS = lambda cast: people.open_persons(cast.citizen.person_id)  # noqa: E731
NOT_THEIRS = lambda cast: people.open_persons(cast.other_citizen.person_id)  # noqa: E731
CASES: dict[str, tuple[str, Make, Make, Make]] = {
    "a proof, at its counter": ("accounts_identityproof", a_proof, lambda cast: people.open_office(cast.counter.pk),
                                lambda cast: people.open_office(cast.bank.pk)),
    "a proof, of whoever brings the number": ("accounts_identityproof", a_proof, lambda _: Person.objects.holder_of(NEW), THEIRS),
    "a request at the counter": ("records_counterrequest", a_request_at_the_counter,
                                 lambda cast: people.open_office(cast.counter.pk), lambda cast: people.open_office(cast.bank.pk)),
    "a consent, the person": ("access_consent", a_consent, THEIRS, NOT_THEIRS),
    "a consent, the institution": ("access_consent", a_consent, lambda cast: people.open_office(cast.bank.pk),
                                   lambda cast: people.open_office(cast.market.pk)),
    "a message": ("access_message", a_consent, THEIRS, NOT_THEIRS),
    "a message is none of the institution's": ("access_message", a_consent, THEIRS, lambda cast: people.open_office(cast.bank.pk)),
    "a report": ("records_report", a_report, THEIRS, NOT_THEIRS),
    "an attestation": ("sanctions_attestation", an_attestation, THEIRS, NOT_THEIRS),
    "an attestation is none of an office's": ("sanctions_attestation", an_attestation, THEIRS,
                                              lambda cast: people.open_office(cast.bank.pk)),
}  # fmt: skip


def seen(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return cursor.fetchone()[0]


@pytest.mark.parametrize("case", CASES)
def test_a_row_is_seen_with_the_right_context_only(cast: Cast, case: str) -> None:
    table, make, right, wrong = CASES[case]
    make(cast)
    assert seen(table) == 1
    for context, count in ((lambda _: None, 0), (wrong, 0), (right, 1)):
        with people.nobody():
            context(cast)
            assert seen(table) == count


@pytest.mark.django_db(transaction=True)
def test_whom_the_log_names_is_seen_by_them_and_with_the_log_alone(cast: Cast) -> None:
    with transaction.atomic():
        ask = Ask(
            kind=Kind.SELF, ground="本人查询", purpose="查看", fields_class="本人可见", person=cast.citizen.person
        )
        write_query(ask, by=Asker(cast.citizen, "公示网站"))
        with people.nobody():
            assert seen("access_queryperson") == 1, "a transaction sees its own lines"
    with people.nobody():
        assert seen("access_queryperson") == 0
        people.open_persons(cast.other_citizen.person_id)
        assert seen("access_queryperson") == 0
        people.open_persons(cast.citizen.person_id)
        assert seen("access_queryperson") == 1
    with people.nobody(), people.log("a test"):
        assert seen("access_queryperson") == 1
        assert seen("accounts_person") == 0


def test_a_batch_at_work_opens_its_records_to_itself_alone(cast: Cast) -> None:
    batch = deliver(cast, [penalty(cast)])
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.WITHDRAWING)
    with people.nobody():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('cf.batch', %s, true)", [str(batch.pk)])
        assert seen("records_record") == 0, "a setting made up by a statement"
        check.work_on(batch)
        assert seen("records_record") == 1


APPEND_ONLY = {"records_report", "sanctions_attestation"}


@pytest.mark.parametrize("table", sorted({table for table, *_ in CASES.values()} - APPEND_ONLY))
def test_nothing_is_changed_without_a_context(cast: Cast, table: str) -> None:
    next(make for one, make, *_ in CASES.values() if one == table)(cast)
    with people.nobody(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET id = id")
        assert cursor.rowcount == 0
