"""An institution reads what a person consented to, for what, as often, as long; and nothing else, by whatever way."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from access import consents, institutions, reviews
from access.actions import Ask, Asker, write_query
from access.models import Anomaly, Consent, ConsentPurpose, ConsentUse, Kind, Message, Query, QueryPerson, Refusal
from access.reading import access_history
from access.waiting import waiting_for
from accounts.models import User
from catalogue.models import Item
from creditfujian.lib import identity
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, Cast, browser_of, institution_user, make_cast
from records.consent_answers import answer
from records.models import Record
from records.reading import File, Refused
from records.tests.consenting import (
    CERTIFICATES,
    Form,
    agreed,
    as_,
    asked,
    employer,
    granted,
    read,
    registered,
    scope_of,
    wanted,
)
from records.tests.deliveries import decided, deliver, penalty
from records.tests.life import at
from records.tests.persons import agreed as decide_case
from records.tests.persons import dying, merging

State = Consent.State


@pytest.fixture
def listed(cast: Cast) -> Cast:
    """The citizen with one serious public penalty."""
    deliver(cast, [penalty(cast)])
    return cast


def sql(statement: str, *values: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def refused_by_database(name: str, deed: Callable[[], object]) -> None:
    """Let the application try; the database's rule of that name stops it."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        deed()
    found = getattr(getattr(caught.value.__cause__, "diag", None), "constraint_name", None)
    assert found == name, str(caught.value)


# --- asked ------------------------------------------------------------------------------------------


def test_a_request_reaches_its_person_with_a_message(listed: Cast) -> None:
    consent = asked(listed)
    assert consent.state == State.ASKED
    assert consent.person == listed.citizen.person
    message = Message.objects.to(listed.citizen.person).get()
    assert message.subject == "闽江虚拟银行申请查询您的信息"
    assert consent.number in message.text


def test_the_answer_to_the_institution_is_the_same_whoever_is_asked(listed: Cast) -> None:
    stranger = identity.invent(decided(40 * 365), 9)
    unknown = asked(listed, id_number=stranger, name="查无此人")
    misnamed = asked(listed, name="陈大满")
    without_account = asked(listed)
    shown = [(c.state, c.standing, c.form, c.items, c.answer_by, c.uses) for c in (unknown, misnamed, without_account)]
    assert shown[0] == shown[1] == shown[2]
    assert stranger not in str(Consent.objects.filter(pk=unknown.pk).values().get())
    for number, name in ((stranger, "查无此人"), (CITIZEN_NUMBER, "陈大满"), (CITIZEN_NUMBER, "陈小满")):
        with pytest.raises(ValidationError, match="还没有答复"):
            asked(listed, id_number=number, name=name)


def test_a_wrong_name_reaches_nobody_and_the_owner_of_the_number_sees_it(listed: Cast) -> None:
    consent = asked(listed, name="陈大满")
    assert consent.person is None
    assert not Consent.objects.about(listed.citizen.person).exists()
    line = access_history(listed.citizen.person)[0]
    assert (line.refused, line.unit, line.refusal) == (True, "闽江虚拟银行", "name_differs")


def test_a_request_waits_for_somebody_who_comes_later(cast: Cast) -> None:
    from accounts.models import Person, User

    number = identity.invent(decided(35 * 365), 21)
    consent = asked(cast, id_number=number, name="周后来")
    person = Person.seal(number, "周后来")
    person.save()
    later = User.objects.create(username="later", name="周后来", kind="citizen", person=person)
    assert agreed(consent, later).person == person


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"days": 366}, "days"), ({"days": 0}, "days"), ({"uses": 0}, "uses"), ({"uses": 13}, "uses"), ({"items": []}, "items"),
        ({"purpose_text": " "}, "purpose_text"), ({"reference": "客户35990119900101001X"}, "reference"),
    ],
)  # fmt: skip
def test_what_may_not_be_asked(cast: Cast, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        asked(cast, **changes)
    assert field in caught.value.error_dict


def test_items_that_are_not_for_institutions_are_not_asked_for(cast: Cast) -> None:
    shared = Item.objects.get(code="FJ1-03-TRAN-0001")
    with pytest.raises(ValidationError, match="条目"):
        asked(cast, items=[shared])
    consent = asked(cast)
    columns = [f.attname for f in Consent._meta.concrete_fields if f.attname not in ("id", "number")]
    row = Consent.objects.filter(pk=consent.pk).values(*columns).get() | {
        "asked_items": [shared.pk],
        "subject_index": b"x",
    }
    refused_by_database("consent_items_fit_the_purpose", lambda: Consent.objects.create(**row | {"person_id": None}))


def test_an_employer_is_limited_to_what_employers_may_check(listed: Cast) -> None:
    clerk = employer(listed)
    hire = ConsentPurpose.objects.get(pk="hire")
    certificates = Item.objects.get(code=CERTIFICATES)
    consent = asked(listed, clerk, purpose=hire, items=[certificates, listed.item])  # public by law: may be checked
    assert consent.organisation == clerk.organisation
    hidden = Item.objects.get(code="FJ1-03-TRAN-0001")
    with pytest.raises(ValidationError):
        asked(listed, clerk, purpose=hire, items=[hidden])
    with pytest.raises(PermissionDenied, match="用途不在登记范围"):  # an employer does not lend
        asked(listed, clerk)


def test_nobody_but_an_operator_of_a_registered_institution_asks(cast: Cast) -> None:
    for user in (cast.bank_clerk, cast.officer_here, cast.citizen, cast.credit_office):
        with pytest.raises(PermissionDenied):
            consents.ask(wanted(cast), by=as_(user))
    registered(cast)
    assert consents.ask(wanted(cast), by=as_(cast.bank_clerk)).state == State.ASKED


def test_an_institution_does_not_fish_for_persons(cast: Cast, settings: Any) -> None:
    settings.CONSENT_ASKS_PER_DAY = 2
    asked(cast)
    asked(cast, id_number=OTHER_NUMBER, name="林大雪")
    with pytest.raises(ValidationError, match="明天再提"):
        asked(cast, reference="贷〔2026〕18号", name="陈大满")


def test_children_are_not_asked(cast: Cast) -> None:
    child = identity.invent(timezone.localdate() - timedelta(days=15 * 365), 3)
    with pytest.raises(ValidationError, match="未满 18"):
        asked(cast, id_number=child, name="小小")


# --- answered ----------------------------------------------------------------------------------------


def test_the_person_grants_what_they_saw_and_the_words_are_kept(listed: Cast) -> None:
    consent = granted(listed)
    consent.refresh_from_db()
    for words in (
        "闽江虚拟银行",
        listed.bank.uscc,
        "0591-0000000",
        "个人经营贷款审批",
        "记录内容",
        "最多使用 1 次",
        "第十六条",
    ):
        assert words in consent.text
    assert consents.is_genuine(consent)
    assert consent.onward is False
    assert (consent.valid_to - consent.valid_from).days == 30
    line = Query.objects.latest("seq")
    assert (line.kind, line.consent_no, line.purpose) == ("Q1", consent.number, "本人同意查询授权")


def test_the_words_shown_must_be_the_words_granted(listed: Cast) -> None:
    consent = asked(listed)
    shown = consents.digest_of(consents.text_of(consent, scope_of(consent, days=1)))
    with pytest.raises(ValidationError, match="内容有变化"):
        consents.agree(consent.number, scope_of(consent), shown=shown, by=as_(listed.citizen))


def test_the_person_narrows_but_never_widens(listed: Cast) -> None:
    consent = asked(listed, form=Form.SUMMARY, uses=2)
    for wider in ({"form": Form.FULL}, {"days": 31}, {"uses": 3}, {"items": [*consent.asked_items, 0]}):
        with pytest.raises(ValidationError, match="不能比机构申请的更大"):
            agreed(consent, listed.citizen, **wider)
    consent = agreed(consent, listed.citizen, form=Form.ATTESTATION, days=5, uses=1, items=[listed.item.pk])
    assert (consent.form, consent.items, consent.max_uses) == ("attest", [listed.item.pk], 1)


def test_nobody_answers_for_another(listed: Cast) -> None:
    consent = asked(listed)
    with pytest.raises(Consent.DoesNotExist):
        agreed(consent, listed.other_citizen)
    for user in (listed.bank_clerk, listed.credit_office):
        with pytest.raises(PermissionDenied):
            agreed(consent, user)
    scope = scope_of(consent)

    def by_hand(user: Any, person: Any) -> None:
        consent.refresh_from_db()
        consents.write_own_line(consent, person, "x", by=as_(user))
        consent.decided_by = user
        consents.seal(consent, scope)
        consent.save()

    for user, person, rule in (
        (listed.bank_clerk, listed.citizen.person, "queryperson_by_the_person"),
        (listed.other_citizen, listed.other_citizen.person, "consent_granted_by_the_person"),
    ):
        refused_by_database(rule, lambda user=user, person=person: by_hand(user, person))


def test_a_declined_request_opens_nothing_and_is_not_reopened(listed: Cast) -> None:
    consent = asked(listed)
    consents.decline(consent.number, by=as_(listed.citizen))
    outcome = read(consent, listed.bank_clerk)
    assert isinstance(outcome, Refused)
    assert outcome.refusal is Refusal.NO_CONSENT
    with pytest.raises(ValidationError, match="不能再答复"):
        agreed(consent, listed.citizen)
    refused_by_database(
        "consent_is_what_was_agreed", lambda: Consent.objects.filter(pk=consent.pk).update(state="granted")
    )


# --- used ---------------------------------------------------------------------------------------------


def test_a_consent_opens_what_it_says_once_and_leaves_its_line_and_message(listed: Cast) -> None:
    consent = granted(listed)
    file = read(consent, listed.bank_clerk)
    assert isinstance(file, File)
    assert (file.name, file.id_number) == ("陈小满", "359901********0011")
    assert CITIZEN_NUMBER not in str(file)
    assert file.records[0].doc_no == "闽市监处罚〔2026〕1号"
    line = access_history(listed.citizen.person)[0]
    assert (line.kind, line.consent_no, line.unit) == (Kind.CONSENT, consent.number, "闽江虚拟银行")
    assert line.count == 1
    use = ConsentUse.objects.get()
    assert (use.n, use.query_seq, use.message.person) == (1, line.seq, listed.citizen.person)
    again = read(consent, listed.bank_clerk)
    assert isinstance(again, Refused)
    assert again.refusal is Refusal.SPENT
    assert ConsentUse.objects.count() == 1
    assert access_history(listed.citizen.person)[0].refusal == "spent"


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"id_number": OTHER_NUMBER}, Refusal.OTHER_PERSON), ({"form": Form.FULL}, Refusal.OUT_OF_SCOPE),
        ({"purpose": "hire"}, Refusal.OUT_OF_SCOPE), ({"items": CERTIFICATES}, Refusal.OUT_OF_SCOPE),
    ],
)  # fmt: skip
def test_the_three_equalities(listed: Cast, changes: dict[str, Any], refusal: Refusal) -> None:
    consent = agreed(asked(listed), listed.citizen, form=Form.SUMMARY, items=[listed.item.pk])
    if "purpose" in changes:
        changes = {"purpose": ConsentPurpose.objects.get(pk=changes["purpose"])}
    if "items" in changes:
        changes = {"items": [Item.objects.get(code=changes["items"])]}
    outcome = read(consent, listed.bank_clerk, **changes)
    assert isinstance(outcome, Refused)
    assert outcome.refusal is refusal
    assert Record.objects.count() == 0
    line = access_history(listed.citizen.person)[0]
    assert (line.refused, line.refusal, line.consent_no) == (True, refusal.value, consent.number)
    consent.refresh_from_db()
    assert consent.uses == 0


def test_before_the_answer_a_use_tells_nothing_of_who_is_known(listed: Cast) -> None:
    registered(listed)
    known = asked(listed)
    unknown = asked(listed, id_number="359901199001010038", name="林未知")
    misnamed = asked(listed, name="林未知")
    for consent, number in ((known, CITIZEN_NUMBER), (unknown, "359901199001010038"), (misnamed, CITIZEN_NUMBER)):
        assert read(consent, listed.bank_clerk, id_number=number) == Refused(Refusal.NO_CONSENT)
        assert read(consent, listed.bank_clerk, id_number=OTHER_NUMBER) == Refused(Refusal.NO_CONSENT)
    decide_case(listed, dying(listed))
    assert read(known, listed.bank_clerk) == Refused(Refusal.NO_CONSENT)


def test_anothers_consent_and_none_at_all_look_alike(listed: Cast) -> None:
    consent, clerk = granted(listed), employer(listed, "loan")
    assert read(consent, clerk) is None
    assert access_history(listed.citizen.person)[0].refusal == "not_grantee"
    assert read("SQ20260101-00000000", clerk) is None
    assert read(consent, listed.officer_here) is None
    assert isinstance(read(consent, listed.bank_clerk), File)


def test_a_colleague_of_the_grantee_may_use_it_and_a_closed_account_may_not(listed: Cast) -> None:
    consent = granted(listed, uses=2)
    listed.bank_clerk.is_active = False
    listed.bank_clerk.save()
    assert read(consent, listed.bank_clerk) is None
    assert isinstance(read(consent, institution_user("bank2", "柜员巳", listed.bank)), File)


def test_a_withdrawn_consent_opens_nothing(listed: Cast) -> None:
    consent = granted(listed)
    consents.withdraw(consent.number, by=as_(listed.citizen))
    outcome = read(consent, listed.bank_clerk)
    assert isinstance(outcome, Refused)
    assert outcome.refusal is Refusal.WITHDRAWN
    with pytest.raises(ValidationError, match="不需要撤回"):
        consents.withdraw(consent.number, by=as_(listed.citizen))


def test_nobody_withdraws_for_another(listed: Cast) -> None:
    consent = granted(listed)
    with pytest.raises(Consent.DoesNotExist):
        consents.withdraw(consent.number, by=as_(listed.other_citizen))
    with pytest.raises(PermissionDenied):
        consents.withdraw_for(consent.number, CITIZEN_NUMBER, by=as_(listed.credit_office))
    with pytest.raises(ValidationError, match="没有这个编号"):
        consents.withdraw_for(consent.number, OTHER_NUMBER, by=as_(listed.clerk))
    attempt = access_history(listed.other_citizen.person)[0]
    assert (attempt.purpose, attempt.unit, attempt.refusal) == (
        "窗口为本人撤回查询授权",
        listed.counter.name,
        "no_consent",
    )
    assert attempt.consent_no == "", "whose consent it is, nobody learns from another's history"
    assert consents.withdraw_for(consent.number, CITIZEN_NUMBER, by=as_(listed.clerk)).state == State.WITHDRAWN


def test_a_withdrawal_at_the_counter_stands_in_the_persons_history(listed: Cast) -> None:
    consent = granted(listed)
    form = {"number": consent.number, "id_number": CITIZEN_NUMBER, "document_seen": "on"}
    answer = browser_of(listed.clerk).post("/admin/records/consentpaper/withdraw/", form)
    assert answer.status_code == 302, answer.content.decode()
    line = access_history(listed.citizen.person)[0]
    assert (line.kind, line.unit, line.consent_no) == (Kind.COUNTER, listed.counter.name, consent.number)
    page = browser_of(listed.citizen).get("/me/access/").content.decode()
    assert "窗口为本人撤回查询授权" in page


def test_by_sql_nobody_withdraws_without_a_line(listed: Cast) -> None:
    consent = granted(listed)
    gone = {"state": State.WITHDRAWN, "ended_by": listed.clerk}
    refused_by_database("consent_withdrawn_leaves_a_line", lambda: Consent.objects.filter(pk=consent.pk).update(**gone))


def test_the_card_of_licences_that_end_counts_what_its_link_shows(cast: Cast) -> None:
    registered(cast, valid_to=timezone.localdate() + timedelta(days=20))
    employer(cast)
    card = next(one for one in waiting_for(cast.credit_office) if one.title == "证照快到期的机构")
    page = browser_of(cast.credit_office).get(card.url).content.decode()
    assert card.count == 1
    assert cast.bank.name in page
    assert "乌龙江虚拟造船厂" not in page


def test_a_suspended_institution_reads_nothing_until_another_official_resumes_it(listed: Cast) -> None:
    consent = granted(listed)
    institution = consent.institution
    institutions.suspend(institution.pk, by=listed.credit_office_2, reason="超范围使用信息")
    outcome = read(consent, listed.bank_clerk)
    assert isinstance(outcome, Refused)
    assert outcome.refusal is Refusal.LICENCE
    with pytest.raises(PermissionDenied, match="另一名"):
        institutions.resume(institution.pk, by=listed.credit_office_2, reason="已整改")
    institutions.resume(institution.pk, by=listed.credit_office, reason="已整改")
    assert isinstance(read(consent, listed.bank_clerk), File)


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_dates_end_consent_request_and_licence_by_themselves() -> None:
    cast = make_cast()
    deliver(cast, [penalty(cast)])
    today = timezone.now()
    registered(cast, valid_to=timezone.localdate() + timedelta(days=20))
    consent, waiting = granted(cast, uses=9, days=90), asked(cast, reference="贷〔2026〕18号")
    assert isinstance(read(consent, cast.bank_clerk), File)
    with at(today + timedelta(days=20)):
        assert isinstance(read(consent, cast.bank_clerk), File)  # the licence's last day counts
    with at(today + timedelta(days=21)):
        outcome = read(consent, cast.bank_clerk)
        assert isinstance(outcome, Refused)
        assert outcome.refusal is Refusal.LICENCE
        once_more = wanted(cast, reference="贷〔2026〕19号")
        with pytest.raises(PermissionDenied):
            consents.ask(once_more, by=as_(cast.bank_clerk))
    with at(today + timedelta(days=31)):
        with pytest.raises(ValidationError, match="逾期未答复"):
            agreed(waiting, cast.citizen)
        over = Consent.objects.filter(pk=waiting.pk)
        refused_by_database("consent_is_of_its_person", lambda: over.update(state=State.LAPSED, person=None))
        refused_by_database("consent_is_what_was_agreed", lambda: over.update(state=State.LAPSED, note="本人不同意"))
        registered(cast)
        assert isinstance(read(consent, cast.bank_clerk), File)
        assert consents.end_what_is_over() == {"consents_lapsed": 1, "consents_expired": 0}
    with at(today + timedelta(days=91)):
        outcome = read(consent, cast.bank_clerk)
        assert isinstance(outcome, Refused)
        assert outcome.refusal is Refusal.OVER
        consent.refresh_from_db()
        assert consent.standing == "已到期"
        assert consents.end_what_is_over() == {"consents_lapsed": 0, "consents_expired": 1}
        assert consents.end_what_is_over() == {"consents_lapsed": 0, "consents_expired": 0}


def test_an_attestation_says_yes_or_no_and_nothing_of_the_record(listed: Cast) -> None:
    consent = granted(listed, form=Form.ATTESTATION, uses=2)
    file = read(consent, listed.bank_clerk)
    assert isinstance(file, File)
    told = answer(file, Form.ATTESTATION, consent.items)
    says = {line.says: line.holds for line in told.lines}
    assert next(holds for words, holds in says.items() if words.startswith("有效期内无失信信息")) is False
    assert next(holds for words, holds in says.items() if "职业资格" in words) is False
    assert (told.views, told.counts) == ([], [])
    assert "菌落" not in str(told)


def test_a_clean_person_is_attested_clean(cast: Cast) -> None:
    consent = granted(cast, form=Form.ATTESTATION, items=[cast.item])
    file = read(consent, cast.bank_clerk)
    assert isinstance(file, File)
    assert [line.holds for line in answer(file, Form.ATTESTATION, consent.items).lines] == [True]


def test_a_summary_counts(listed: Cast) -> None:
    consent = granted(listed, form=Form.SUMMARY)
    file = read(consent, listed.bank_clerk)
    assert isinstance(file, File)
    told = answer(file, Form.SUMMARY, consent.items)
    assert [(count.records, count.latest) for count in told.counts] == [(0, None), (1, decided())]
    assert told.views == []


# --- by SQL, as the application -----------------------------------------------------------------------------


def q4(cast: Cast, claimed: Consent, **changes: Any) -> int:
    """A line that claims a consent, without a use of it."""
    values: dict[str, Any] = {
        "kind": Kind.CONSENT, "ground": "经本人授权", "purpose": "贷款", "fields_class": "x", "items": [cast.item],
        "consent": claimed, "person": cast.citizen.person,
    }  # fmt: skip
    return write_query(Ask(**{**values, **changes}), by=as_(cast.bank_clerk))


def test_no_line_by_consent_without_a_use_of_it(listed: Cast) -> None:
    consent = granted(listed)
    refused_by_database("queryperson_by_consent_has_its_use", lambda: q4(listed, consent))
    refused_by_database("queryperson_by_consent_has_its_use", lambda: q4(listed, consent, items=None))
    with pytest.raises(DatabaseError, match="query_by_consent_names_it"), transaction.atomic():
        q4(listed, consent, consent=None, person=None)


def test_a_use_opens_its_own_person_and_items_and_only_in_its_own_transaction(listed: Cast) -> None:
    consent = granted(listed, items=[listed.item], uses=3)
    other = "INSERT INTO access_queryperson (query_id, person_id, kind, allowed, items) VALUES (%s, %s, 'Q4', true, %s)"

    def beside(person: int | None, items: list[int] | None) -> None:
        file = read(consent, listed.bank_clerk)
        assert isinstance(file, File)
        sql(other, file.seq, person, items)

    everything = list(Item.objects.values_list("pk", flat=True))
    for person, items in (
        (listed.other_citizen.person_id, [listed.item.pk]), (listed.citizen.person_id, everything), (listed.citizen.person_id, None),
    ):  # fmt: skip
        refused_by_database(
            "queryperson_by_consent_has_its_use", lambda person=person, items=items: beside(person, items)
        )


def forged(cast: Cast, consent: Consent, **changes: Any) -> None:
    """A use written by hand under a line of the transaction."""
    by = changes.pop("line_by", cast.bank_clerk)
    ask = Ask(kind=Kind.CONSENT, ground="x", purpose="x", fields_class="x", items=[cast.item], consent=consent)
    seq = write_query(ask, by=as_(by))
    values = {"consent": consent, "n": 1, "purpose": consent.purpose, "form": "full", "items": [cast.item.pk],
              "query_seq": seq, "by": by}  # fmt: skip
    ConsentUse.objects.create(**{**values, **changes})


def test_a_forged_use_is_refused(listed: Cast) -> None:
    consent = granted(listed, items=[listed.item])
    hire, certificates = ConsentPurpose.objects.get(pk="hire"), Item.objects.get(code=CERTIFICATES).pk
    stranger = employer(listed, "loan")
    for rule, changes in (
        ("consentuse_within_its_scope", {"purpose": hire}), ("consentuse_within_its_scope", {"items": [certificates]}),
        ("consentuse_within_its_scope", {"items": []}), ("consentuse_within_its_scope", {"form": "all"}),
        ("consentuse_by_its_grantee", {"line_by": stranger}), ("consentuse_by_its_grantee", {"by": stranger}),
        ("consentuse_by_its_grantee", {"query_seq": 1}), ("consentuse_by_its_grantee", {"line_by": listed.officer_here}),
    ):  # fmt: skip
        refused_by_database(rule, lambda changes=changes: forged(listed, consent, **changes))

    def not_told() -> None:
        forged(listed, consent)
        sql("SET CONSTRAINTS ALL IMMEDIATE")

    refused_by_database("consentuse_is_told_and_logged", not_told)
    consent.refresh_from_db()
    assert consent.uses == 0


def test_a_use_of_what_is_not_in_force_is_refused(listed: Cast) -> None:
    waiting = asked(listed)
    refused_by_database("consentuse_of_a_consent_in_force", lambda: forged(listed, waiting))
    consent = agreed(waiting, listed.citizen)
    assert isinstance(read(consent, listed.bank_clerk), File)
    refused_by_database("consentuse_of_a_consent_in_force", lambda: forged(listed, consent))


@pytest.mark.parametrize(
    "change",
    [
        "items = asked_items || 1", "asked_items = asked_items || 1", "valid_to = valid_to + 1", "max_uses = 2", "form = 'attest'",
        "organisation_id = organisation_id + 1", "purpose_id = 'hire'", "text = 'x'", "text_sha256 = repeat('0', 64)",
        "person_id = person_id + 1", "onward = true", "asked_at = asked_at - interval '1 day'", "note = 'x'", "signature = '\\x00'",
        "number = 'SQ'",
    ],
)  # fmt: skip
def test_what_was_granted_is_never_rewritten(listed: Cast, change: str) -> None:
    consent = granted(listed)
    with pytest.raises(DatabaseError):
        sql(f"UPDATE access_consent SET {change} WHERE id = %s", consent.pk)
    unchanged = Consent.objects.get(pk=consent.pk)
    assert consents.is_genuine(unchanged)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("uses = 1", "consent_is_used_by_using_it"), ("state = 'used', uses = 1", "consent_is_used_by_using_it"),
        ("state = 'expired'", "consent_lapses_on_its_day"), ("state = 'asked'", "consent_moves_along_its_arrows"),
        ("state = 'withdrawn'", "consent_withdrawn_by_the_person"), ("state = 'declined'", "consent_moves_along_its_arrows"),
    ],
)  # fmt: skip
def test_no_arrow_is_taken_by_hand(listed: Cast, change: str, rule: str) -> None:
    consent = granted(listed)
    refused_by_database(rule, lambda: sql(f"UPDATE access_consent SET {change} WHERE id = %s", consent.pk))


def test_consents_uses_and_messages_are_kept(listed: Cast) -> None:
    consent = granted(listed)
    read(consent, listed.bank_clerk)
    for table in ("access_consent", "access_consentuse", "access_message", "access_consenttext", "access_consentpurpose",
                  "access_institution", "access_institutionstep"):  # fmt: skip
        for deed in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            with pytest.raises(DatabaseError):
                sql(deed)
    for deed in ("UPDATE access_consentuse SET n = 2", "UPDATE access_message SET text = 'x'",
                 "UPDATE access_consenttext SET body = 'x'", "UPDATE access_consentpurpose SET adverse = '{SHARE}'"):  # fmt: skip
        with pytest.raises(DatabaseError):
            sql(deed)


def test_a_request_is_not_given_to_another_person(listed: Cast) -> None:
    consent = asked(listed, id_number=identity.invent(decided(40 * 365), 9), name="查无此人")

    def claim() -> None:
        mine = Consent.objects.get(pk=consent.pk)
        consents.write_own_line(mine, listed.citizen.person, "x", by=as_(listed.citizen))
        mine.person, mine.decided_by = listed.citizen.person, listed.citizen
        consents.seal(mine, scope_of(mine))
        mine.save()

    refused_by_database("consent_is_of_its_person", claim)


def test_an_untold_request_is_refused(listed: Cast) -> None:
    consent = asked(listed)
    columns = [f.attname for f in Consent._meta.concrete_fields if f.attname not in ("id", "number")]
    row = Consent.objects.filter(pk=consent.pk).values(*columns).get() | {"name_index": b"x"}

    def untold() -> None:
        Consent.objects.create(**row)
        sql("SET CONSTRAINTS ALL IMMEDIATE")

    refused_by_database("consent_is_told", untold)


def test_no_query_line_leaves_out_the_log_when_refused(listed: Cast) -> None:
    consent = granted(listed)
    before = QueryPerson.objects.count()
    read(consent, listed.bank_clerk, id_number=OTHER_NUMBER)
    assert QueryPerson.objects.count() == before + 1


@pytest.mark.parametrize(("address", "found"), [("198.51.100.0/24", True), ("192.0.2.0/24", False)])
def test_a_consent_used_where_it_was_just_given_gets_a_second_look(listed: Cast, address: str, found: bool) -> None:
    waits = asked(listed)
    shown = consents.digest_of(consents.text_of(waits, scope_of(waits)))
    consents.agree(waits.number, scope_of(waits), shown=shown, by=Asker(listed.citizen, "公示网站", address))
    assert isinstance(read(waits, listed.bank_clerk), File)
    reviews.look_at(timezone.localdate())
    reviews.look_at(timezone.localdate())
    opened = Anomaly.objects.filter(sign="same_place")
    assert [one.organisation for one in opened] == [listed.bank] * found
    for one in opened:
        assert Anomaly.objects.to_answer_by(listed.credit_office).filter(pk=one.pk).exists()
        line = reviews.lines_of(one, by=listed.credit_office)[0]
        assert (line.case_no, line.actor) == (waits.number, listed.bank_clerk.name)


# --- whoever can no longer consent ---------------------------------------------------------------------------


def test_a_consent_ends_with_its_person(listed: Cast) -> None:
    consent = granted(listed, uses=3)
    decide_case(listed, dying(listed))
    outcome = read(consent, listed.bank_clerk)
    assert isinstance(outcome, Refused)
    assert outcome.refusal is Refusal.PERSON_GONE
    refused_by_database("consent_of_the_living", lambda: forged(listed, consent))


def test_a_consent_ends_with_a_number_that_is_merged_and_the_survivor_still_sees_it(listed: Cast) -> None:
    consent = granted(listed, uses=3)
    decide_case(listed, merging(listed))
    for number in (CITIZEN_NUMBER, OTHER_NUMBER):
        outcome = read(consent, listed.bank_clerk, id_number=number)
        assert isinstance(outcome, Refused)
        assert outcome.refusal is Refusal.PERSON_GONE
    refused_by_database("consent_of_the_living", lambda: forged(listed, consent))
    survivor = User.objects.get(pk=listed.other_citizen.pk)
    assert Consent.objects.about(survivor.person).get() == consent
    assert consents.withdraw(consent.number, by=as_(survivor)).state == State.WITHDRAWN
