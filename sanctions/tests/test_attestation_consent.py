"""Under a consent an institution learns yes or "cannot be attested", once; the person has seen it before; nothing else comes out."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.test import Client
from django.utils import timezone

from access import consents
from access.actions import Ask, Use, write_query
from access.models import Consent, ConsentPurpose, ConsentUse, Kind, Message, Query, QueryPerson, Refusal
from accounts.models import User
from catalogue.models import Item
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, Cast, institution_user, make_cast
from records.reading import Refused
from records.tests.consenting import as_, asked, employer, entered, granted, read, registered, scope_of, wanted
from records.tests.deliveries import deliver, penalty
from records.tests.ways_out import sql
from sanctions import attestation as deeds
from sanctions.attestation import Told
from sanctions.models import Attestation
from sanctions.tests.attesting import (
    Form,
    asked_over_years,
    decided_on,
    granted_over_years,
    home,
    over_years,
    person_of,
    refused_by_database,
    used,
)
from sanctions.tests.test_attestation import in_force

As = Callable[[User | None], Client]
NOBODY = deeds.Asker(None, "公示网站")

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return make_cast()


def told(cast: Cast, consent: Consent) -> Told:
    answer = used(cast, consent)
    assert isinstance(answer, Told)
    return answer


# --- asked, looked at, answered -----------------------------------------------------------------------


def test_from_the_request_to_the_answer_by_the_pages(cast: Cast, as_user: As) -> None:
    registered(cast)
    bank, citizen, nobody = as_user(cast.bank_clerk), as_user(cast.citizen), as_user(None)
    form = {
        "purpose": "loan", "name": "陈小满", "id_number": CITIZEN_NUMBER, "purpose_text": "个人经营贷款审批", "reference": "贷17",
        "form": "years", "days": "30", "uses": "1",
    }  # fmt: skip
    assert "请选择连续几年" in bank.post("/institutions/consents/ask/", form).content.decode()
    page = bank.post("/institutions/consents/ask/", form | {"years": "3"})["Location"]
    number = Consent.objects.get().number
    own = f"/me/consents/{number}/"
    shown = citizen.get(own).content.decode()
    for words in ("如果您现在同意，机构得到的回答是", "能够证明", "连续 3 年无失信记录", "3 个整年"):
        assert words in shown
    assert Query.objects.filter(kind="Q1", case_no=number).exists(), "the look has its line"
    words = citizen.post(own, {"deed": "show", "days": "30", "uses": "1"}).content.decode()
    assert "连续 3 年无失信记录（只答能否证明）" in words
    found = re.search(r'name="shown" value="([0-9a-f]{64})"', words)
    assert found
    citizen.post(own, {"deed": "agree", "days": "30", "uses": "1", "shown": found[1]})
    text = bank.post(page, {"id_number": CITIZEN_NUMBER, "purpose": "loan"}).content.decode()
    attestation = Attestation.objects.get()
    for words in ("能够证明", attestation.number, "359901********0011", "<svg", "验证码"):
        assert words in text
    assert CITIZEN_NUMBER not in text
    code = re.search(r"\w{4}-\w{4}-\w{4}-\w{4}", text)
    assert code
    checked = nobody.post("/verify/", {"number": attestation.number, "code": code[0]}).content.decode()
    assert "经本人授权出具时证明" in checked
    assert "此后的情况不提供" in checked
    assert bank.post(page, {"id_number": CITIZEN_NUMBER, "purpose": "loan"}).status_code == 422, "one use"
    assert "凭您的授权查询了信息" in citizen.get("/me/messages/").content.decode()
    mine = citizen.get("/me/attestations/").content.decode()
    assert attestation.number in mine
    assert "闽江虚拟银行" in mine


def test_the_person_sees_the_no_and_its_records_before_they_agree_and_the_institution_never_does(
    cast: Cast, as_user: As
) -> None:
    deliver(cast, [penalty(cast)])
    consent = asked_over_years(cast)
    shown = as_user(cast.citizen).get(f"/me/consents/{consent.number}/").content.decode()
    for words in ("不能证明", "闽市监处罚〔2026〕1号", "只有您自己看得到", "不影响您依法享有的权利"):
        assert words in shown
    scope = scope_of(consent)
    consents.agree(
        consent.number, scope, shown=consents.digest_of(consents.text_of(consent, scope)), by=home(cast.citizen)
    )
    page = f"/institutions/consents/{consent.number}/"
    text = as_user(cast.bank_clerk).post(page, {"id_number": CITIZEN_NUMBER, "purpose": "loan"}).content.decode()
    assert "不能证明" in text
    assert "不得据此推定" in text
    for words in ("闽市监处罚", "菌落", "1 条", "验证码", "<svg"):
        assert words not in text


def test_a_no_has_no_code_that_anybody_knows_and_its_line_opens_no_record(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    answer = told(cast, granted_over_years(cast))
    assert (answer.holds, answer.code, answer.qr) == (False, "", "")
    line = QueryPerson.objects.filter(kind="Q4", allowed=True).get()
    assert line.items == []
    assert sql("SELECT record_ids FROM access_queryanswer WHERE query_id = %s", line.query_id) == [([],)]
    standing = deeds.own_attestations(person_of(cast.citizen), by=home(cast.citizen))[0]
    assert (standing.holds, standing.may_stop, standing.has_file) == (False, False, False)


def test_the_answer_is_over_what_the_purpose_may_reach(cast: Cast) -> None:
    """Hiring reaches what is public by law; the person's other records are none of the employer's business."""
    hirer = employer(cast)
    reached = {item.pk for item in over_years(purpose="hire")["items"]}  # type: ignore[attr-defined]
    lent = {item.pk for item in over_years(purpose="loan")["items"]}  # type: ignore[attr-defined]
    assert reached <= lent
    if not reached:
        with pytest.raises(ValidationError, match="不能查失信类信息|请选择条目"):
            consents.ask(wanted(cast, **over_years(purpose="hire")), by=as_(hirer))  # type: ignore[arg-type]
        return
    consent = consents.ask(wanted(cast, **over_years(purpose="hire")), by=as_(hirer))  # type: ignore[arg-type]
    assert set(consent.asked_items) == reached


# --- attempts at more -----------------------------------------------------------------------------------


def test_a_consent_is_used_as_often_as_granted_by_its_grantee_about_its_person_for_its_purpose(cast: Cast) -> None:
    consent = granted_over_years(cast, uses=1)
    rival = institution_user("rival", "柜员丑", cast.market)
    for by, changes, refusal in (
        (cast.bank_clerk, {"id_number": OTHER_NUMBER}, Refusal.OTHER_PERSON),
        (cast.bank_clerk, {"purpose": ConsentPurpose.objects.get(pk="hire")}, Refusal.OUT_OF_SCOPE),
    ):
        answer = used(cast, consent, by, **changes)
        assert isinstance(answer, Refused)
        assert answer.refusal is refusal
    assert used(cast, consent, rival) is None
    assert told(cast, consent).holds
    again = used(cast, consent)
    assert isinstance(again, Refused)
    assert again.refusal is Refusal.SPENT
    assert Attestation.objects.count() == ConsentUse.objects.count() == 1


def test_without_an_answer_of_the_person_and_after_they_withdrew_there_is_none(cast: Cast) -> None:
    waiting = used(cast, asked_over_years(cast))
    assert isinstance(waiting, Refused)
    assert waiting.refusal is Refusal.NO_CONSENT
    consents.decline(Consent.objects.get().number, by=home(cast.citizen))
    consent = granted(cast, **over_years(uses=3))  # type: ignore[arg-type]
    told(cast, consent)
    consents.withdraw(consent.number, by=home(cast.citizen))
    after = used(cast, consent)
    assert isinstance(after, Refused)
    assert after.refusal is Refusal.WITHDRAWN


def test_a_consent_over_years_opens_no_file_and_another_gives_no_answer_over_years(cast: Cast) -> None:
    over = granted_over_years(cast, uses=3)
    for form in (Form.ATTESTATION, Form.SUMMARY, Form.FULL):
        answer = read(over, cast.bank_clerk, form=form)
        assert isinstance(answer, Refused)
        assert answer.refusal is Refusal.OUT_OF_SCOPE
    full = granted(cast, uses=3)
    answer = used(cast, full)
    assert isinstance(answer, Refused)
    assert answer.refusal is Refusal.OUT_OF_SCOPE


def test_nobody_finds_out_which_item_it_is_by_asking_for_fewer(cast: Cast) -> None:
    whole = list(Item.objects.filter(pk__in=[item.pk for item in over_years()["items"]]))  # type: ignore[attr-defined]
    registered(cast)
    if len(whole) > 1:
        with pytest.raises(ValidationError, match="不能挑选"):
            asked(cast, **over_years(items=whole[:1]))  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="请选择连续几年"):
        asked(cast, **{**over_years(), "years": None})  # type: ignore[arg-type]
    consent = granted(cast, **over_years(uses=3))  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="不能挑选"):
        consents.check_scope(consent, replace(scope_of(consent), items=consent.asked_items[:-1] or [0]))

    def with_other_items(items: list[Item]) -> Callable[[], object]:
        ask = Ask(
            kind=Kind.CONSENT, ground="x", purpose="x", fields_class="x", items=items, person=consent.person, consent=consent,
            use=Use(consent.purpose, Form.YEARS), opens=False,
        )  # fmt: skip
        return lambda: write_query(ask, by=as_(cast.bank_clerk))

    from accounts import people

    people.open_persons(consent.person_id)
    if len(whole) > 1:
        refused_by_database("consentuse_over_years_is_over_all", with_other_items(whole[:1]))


def test_the_database_opens_no_record_under_it_nor_lets_a_use_go_unwritten(cast: Cast) -> None:
    from accounts import people

    consent = granted_over_years(cast, uses=3)
    items = list(Item.objects.filter(pk__in=consent.items))
    people.open_persons(consent.person_id)
    ask = Ask(
        kind=Kind.CONSENT, ground="x", purpose="x", fields_class="x", items=items, person=consent.person, consent=consent,
        use=Use(consent.purpose, Form.YEARS),
    )  # fmt: skip
    refused_by_database("queryperson_over_years_opens_nothing", lambda: write_query(ask, by=as_(cast.bank_clerk)))
    refused_by_database(
        "consentuse_over_years_has_its_attestation",
        lambda: write_query(replace(ask, opens=False), by=as_(cast.bank_clerk)),
    )
    assert not ConsentUse.objects.exists()


def test_the_database_holds_years_to_the_rule_and_papers_to_the_other_forms(cast: Cast) -> None:
    registered(cast)
    refused_by_database("attestation_years_as_the_rule_allows", lambda: asked(cast, **over_years(years=9)))  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="只能网上授权"):
        entered(cast, **over_years())
    consent = granted(cast, **over_years())  # type: ignore[arg-type]
    with transaction.atomic():
        with pytest.raises(Exception, match="rewritten|consent_is_what_was_agreed"):
            Consent.objects.filter(pk=consent.pk).update(years=1)
        transaction.set_rollback(True)


def test_another_answer_is_not_slipped_under_a_use(cast: Cast) -> None:
    told(cast, granted_over_years(cast, uses=2))
    kept = Attestation.objects.get()

    def again(**changes: object) -> Callable[[], object]:
        values = {
            name: getattr(kept, name) for name in
            ("person", "way", "rule", "years", "since", "as_of", "valid_until", "items", "consent_use", "organisation", "by", "query_seq")
        }  # fmt: skip
        return lambda: Attestation.objects.create(
            **{**values, "number": kept.number[:-1] + "0", "code_hash": b"x", **changes}
        )

    refused_by_database("attestation_has_its_query_line", again())


def test_a_rule_that_no_longer_allows_the_years_refuses_the_use_with_a_line(cast: Cast) -> None:
    consent = granted_over_years(cast, years=5)
    in_force(cast)
    answer = used(cast, consent)
    assert isinstance(answer, Refused)
    assert answer.refusal is Refusal.OUT_OF_SCOPE
    assert QueryPerson.objects.filter(kind="Q4", allowed=False).exists()
    consent.refresh_from_db()
    assert consent.uses == 0


def test_what_is_repaired_no_longer_keeps_the_institution_from_its_yes(cast: Cast) -> None:
    from records.tests.life import one_record
    from records.tests.test_acts import repaired

    number = one_record(cast)
    consent = granted_over_years(cast, uses=2)
    assert not told(cast, consent).holds
    repaired(cast, number)
    assert told(cast, consent).holds


def test_older_than_the_span_does_not_count_for_the_institution_either(cast: Cast) -> None:
    deliver(cast, [decided_on(cast, timezone.localdate() - timedelta(days=500))])
    assert told(cast, granted_over_years(cast, years=1)).holds
    assert not told(cast, granted(cast, **over_years(years=2))).holds  # type: ignore[arg-type]


def test_every_use_is_told(cast: Cast) -> None:
    consent = granted_over_years(cast, uses=2)
    told(cast, consent)
    told(cast, consent)
    about = Message.objects.filter(consent=consent, subject__contains="凭您的授权查询了信息")
    assert about.count() == 2
    assert "连续若干年无失信记录" in about[0].text
