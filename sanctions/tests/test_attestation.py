"""An attestation says what the register says, about oneself, by the rule in force; a check of it tells no more than it may."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.conf import LazySettings
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from access.models import Message, Query, QueryPerson
from access.reading import access_history
from accounts.models import Person, User
from catalogue.deadlines import due
from creditfujian.lib.identity import invent
from creditfujian.lib.workdays import add_months
from creditfujian.night import run as night
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, Cast, make_cast
from records import acts
from records.actions import withdraw
from records.models import mod_37_36
from records.reports import TooMany
from records.tests.deliveries import deliver, penalty
from records.tests.life import at, done, one_record
from records.tests.persons import agreed as decide_case
from records.tests.persons import dying
from records.tests.test_acts import marked, repaired
from records.tests.ways_out import code_on, sql, text_of
from sanctions import attestation as deeds
from sanctions import attestation_rules as rules
from sanctions.attestation import Issued, Preview, Verified
from sanctions.models import Attestation, AttestationAnswer, AttestationEnd, AttestationRule
from sanctions.tests.attesting import (
    decided_on,
    home,
    issued,
    look,
    own_line,
    person_of,
    refused_by_database,
)

As = Callable[[User | None], Client]
NOBODY = deeds.Asker(None, "公示网站")
Kind = acts.RecordAct.Kind

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return make_cast()


def check(made: Issued, **more: str) -> Verified | None:
    return deeds.verify(number=made.attestation.number, code=more.pop("code", code_on(made.pdf)), by=NOBODY, **more)


# --- what it says -------------------------------------------------------------------------------------


def test_the_paper_says_over_which_years_by_which_rule_until_when_and_how_it_is_checked(cast: Cast) -> None:
    made, today = issued(cast), timezone.localdate()
    text, since = text_of(made.pdf), add_months(today, -36)
    for words in (
        "无失信记录证明", made.attestation.number, "陈小满", "359901********0011", "能够证明", "一般、严重",
        f"{since.year}年{since.month}月{since.day}日至{today.year}年{today.month}月{today.day}日的3个整年",
        "无失信记录证明规则第", "连续三年以上无不良信用记录", "已修复、到期、撤销、撤回", "不是对人的评价", "不等于有失信记录", "验证码",
    ):  # fmt: skip
        assert words in text, words
    assert CITIZEN_NUMBER not in text
    assert made.attestation.number[-1] == mod_37_36(made.attestation.number[:-1])
    assert made.attestation.valid_until == due("D95", today).date == today + timedelta(days=30)


def test_the_line_is_written_first_and_the_person_is_told(cast: Cast) -> None:
    made = issued(cast)
    line = Query.objects.get(seq=made.attestation.query_seq)
    assert (line.kind, line.purpose, line.actor_id) == ("Q1", "本人办理无失信记录证明", cast.citizen.pk)
    message = Message.objects.to(person_of(cast.citizen)).get(about=made.attestation.number)
    assert "可以停用" in message.text


def test_the_code_is_kept_nowhere_in_clear_and_the_paper_is_sealed(cast: Cast) -> None:
    made = issued(cast)
    code = code_on(made.pdf)
    with transaction.atomic():
        own_line(cast.citizen)
        kept = AttestationAnswer.objects.get()
        assert kept.holds
        assert b"%PDF" not in bytes(kept.sealed)
    assert code.encode() not in bytes(made.attestation.code_hash)
    again = deeds.fetch_again(made.attestation.number, person_of(cast.citizen), by=home(cast.citizen))
    assert again == made.pdf


def test_who_has_no_record_may_have_it_for_each_number_of_years_that_the_rule_allows(cast: Cast) -> None:
    for years in (1, 2, 3, 4, 5):
        assert issued(cast, years).attestation.years == years
    for years in (0, 6):
        with pytest.raises(ValidationError, match="1 至 5 年"):
            look(cast, years)


# --- which records count --------------------------------------------------------------------------------


def test_a_serious_record_stands_in_the_way_and_is_shown_to_the_person_with_the_day_it_no_longer_does(
    cast: Cast,
) -> None:
    number = one_record(cast)
    found = look(cast)
    assert not found.holds
    assert [one.view.number for one in found.in_the_way] == [number]
    view = found.in_the_way[0].view
    assert view.public_until
    assert found.possible_on == min(view.query_until, add_months(view.public_until, 36))
    asked = deeds.issue(person_of(cast.citizen), 3, by=home(cast.citizen))
    assert isinstance(asked, Preview)
    assert not Attestation.objects.exists(), "nothing is issued that says no"


def test_a_minor_record_does_not_count_a_general_one_does(cast: Cast) -> None:
    deliver(cast, [decided_on(cast, timezone.localdate() - timedelta(days=30), 失信程度="轻微", 处罚类别="罚款")])
    assert look(cast).holds
    row = decided_on(
        cast,
        timezone.localdate() - timedelta(days=30),
        失信程度="一般",
        处罚类别="罚款",
        行政处罚决定书文号="闽市监处罚〔2026〕2号",
    )
    deliver(cast, [row])
    assert len(look(cast).in_the_way) == 1


def test_another_persons_record_does_not_count(cast: Cast) -> None:
    deliver(cast, [penalty(cast, 行政相对人名称="林大雪", 证件号码=OTHER_NUMBER)])
    assert look(cast).holds


def test_what_is_not_public_counts_by_its_day_of_decision_to_the_day(cast: Cast) -> None:
    today = timezone.localdate()
    deliver(cast, [decided_on(cast, add_months(today, -24))])
    assert not look(cast, 2).holds, "the first day of the span is in it"
    assert look(cast, 1).holds
    assert look(cast, 2).possible_on == today + timedelta(days=1)
    with at(timezone.now() + timedelta(days=1)):
        assert look(cast, 2).holds
        assert not look(cast, 3).holds


def test_what_is_public_counts_until_the_span_begins_after_its_publication(cast: Cast) -> None:
    today = timezone.localdate()
    shown = decided_on(cast, add_months(today, -30), add_months(today, -6))
    deliver(cast, [shown])
    until = look(cast).in_the_way[0].view.public_until
    assert until
    with at(timezone.now()):
        assert not look(cast, 1).holds if until > add_months(today, -12) else look(cast, 1).holds
    assert not look(cast, 3).holds


@pytest.mark.parametrize("how", ["repaired", "cancelled", "withdrawn", "held", "expired"])
def test_what_has_ended_or_is_held_back_does_not_count(cast: Cast, how: str) -> None:
    if how == "withdrawn":
        batch = deliver(cast, [penalty(cast)])
        assert not look(cast).holds
        withdraw(batch.pk, by=cast.data_officer, reason="整批有误")
    else:
        number = one_record(cast)
        assert not look(cast, 5).holds
        ends: dict[str, Callable[[], object]] = {
            "repaired": lambda: repaired(cast, number), "cancelled": lambda: done(cast, Kind.CANCEL, number),
            "held": lambda: marked(cast, number, hides=True), "expired": lambda: None,
        }  # fmt: skip
        ends[how]()
    if how == "expired":
        with at(timezone.now() + timedelta(days=366 * 6)):
            assert sql("SELECT 1 FROM sanctions_attestationrule_of(cf_today())")
            assert look(cast, 5).holds
    else:
        assert look(cast).holds
        assert isinstance(deeds.issue(person_of(cast.citizen), 3, by=home(cast.citizen)), Issued)


def test_an_objection_that_only_marks_does_not_take_the_record_away(cast: Cast) -> None:
    marked(cast, one_record(cast))
    assert not look(cast).holds


def test_a_record_that_the_look_missed_is_found_by_the_database_and_shown(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, seen = one_record(cast), deeds._look

    def before_it_came(*asked: object) -> Preview:
        monkeypatch.setattr(deeds, "_look", seen)  # the second look is at what is there
        return replace(seen(*asked), in_the_way=[])  # type: ignore[arg-type]

    monkeypatch.setattr(deeds, "_look", before_it_came)
    found = deeds.issue(person_of(cast.citizen), 3, by=home(cast.citizen))
    assert isinstance(found, Preview)
    assert [one.view.number for one in found.in_the_way] == [number]
    assert not Attestation.objects.exists()


# --- whose it is -----------------------------------------------------------------------------------------


def test_nobody_has_one_issued_about_somebody_else(cast: Cast) -> None:
    for user in (cast.other_citizen, cast.officer_here, cast.credit_office, cast.bank_clerk):
        with pytest.raises(PermissionDenied):
            deeds.issue(person_of(cast.citizen), 3, by=home(user))
        with pytest.raises(PermissionDenied):
            deeds.preview(person_of(cast.citizen), 3, by=home(user))
    assert not Attestation.objects.exists()


def test_none_for_minors(cast: Cast) -> None:
    child = Person.seal(invent(timezone.localdate() - timedelta(days=12 * 365), 3), "小小")
    child.save()
    user = User.objects.create(username="child", name="小小", kind="citizen", person=child)
    for deed in (deeds.preview, deeds.issue):
        with pytest.raises(ValidationError, match="未满 18 周岁"):
            deed(child, 3, by=home(user))


def test_none_for_the_dead(cast: Cast) -> None:
    made, code = issued(cast), ""
    code = code_on(made.pdf)
    decide_case(cast, dying(cast))
    cast.citizen.person = Person.objects.get(pk=cast.citizen.person_id)
    with pytest.raises(PermissionDenied, match="已经死亡"):
        issued(cast)
    found = check(made, code=code)
    assert found is not None
    assert found.stands == "changed"


def test_so_many_a_day(cast: Cast, settings: LazySettings) -> None:
    settings.REPORTS_PER_DAY = 1
    issued(cast)
    with pytest.raises(TooMany):
        issued(cast)


# --- what the database refuses ------------------------------------------------------------------------


def written(cast: Cast, user: User | None = None, **changes: object) -> Attestation:
    """Write one by hand, as the application could."""
    user = user or cast.citizen
    rule = AttestationRule.objects.in_force().get()
    today = timezone.localdate()
    values = {
        "number": "ZM202612010000000009" + "1", "person": person_of(user), "way": "online", "rule": rule, "years": 3, "by": user,
        "since": date(2000, 1, 1), "as_of": today, "valid_until": date(2099, 1, 1), "code_hash": b"x", "query_seq": 1, **changes,
    }  # fmt: skip
    return Attestation.objects.create(**values)  # type: ignore[arg-type]


def test_the_database_wants_a_line_of_this_very_transaction(cast: Cast) -> None:
    refused_by_database("attestation_has_its_query_line", lambda: written(cast))
    with transaction.atomic():
        seq = own_line(cast.citizen)
    refused_by_database("attestation_has_its_query_line", lambda: written(cast, query_seq=seq))


def test_the_database_gives_none_to_somebody_else(cast: Cast) -> None:
    def under_ones_own_line() -> None:
        written(cast, query_seq=own_line(cast.citizen), by=cast.other_citizen)

    refused_by_database("attestation_online_is_for_oneself", under_ones_own_line)
    refused_by_database(
        "attestation_has_its_query_line", lambda: written(cast, cast.other_citizen, query_seq=own_line(cast.citizen))
    )


def test_the_database_sets_the_dates_and_holds_the_rule(cast: Cast) -> None:
    with transaction.atomic():
        made = written(cast, query_seq=own_line(cast.citizen))
        made.refresh_from_db()
        today = timezone.localdate()
        assert (made.since, made.as_of, made.valid_until) == (add_months(today, -36), today, today + timedelta(days=30))
        transaction.set_rollback(True)
    refused_by_database(
        "attestation_years_as_the_rule_allows", lambda: written(cast, years=9, query_seq=own_line(cast.citizen))
    )
    proposed = rules.propose(by=cast.credit_office, **version())
    refused_by_database(
        "attestation_by_the_rule_in_force", lambda: written(cast, rule=proposed, query_seq=own_line(cast.citizen))
    )


def test_the_answer_is_the_registers_whatever_the_application_says(cast: Cast) -> None:
    one_record(cast)

    def a_false_yes() -> None:
        made = written(cast, query_seq=own_line(cast.citizen))
        AttestationAnswer.objects.create(attestation=made, holds=True, sealed=b"x", sha256="0" * 64)

    refused_by_database("attestation_of_no_is_not_handed_out", a_false_yes)


def test_no_answer_comes_later_and_none_is_left_out_or_untold(cast: Cast) -> None:
    def without_an_answer() -> None:
        written(cast, query_seq=own_line(cast.citizen))

    refused_by_database("attestation_has_its_answer", without_an_answer)

    def untold() -> None:
        made = written(cast, query_seq=own_line(cast.citizen))
        AttestationAnswer.objects.create(attestation=made, holds=True, sealed=b"x", sha256="0" * 64)

    refused_by_database("attestation_is_told", untold)


def test_what_was_issued_is_not_rewritten_and_what_it_said_is_kept_until_its_day(cast: Cast) -> None:
    made = issued(cast)
    for statement in (
        "UPDATE sanctions_attestation SET years = 5", "DELETE FROM sanctions_attestation", "TRUNCATE sanctions_attestation CASCADE",
        "DELETE FROM sanctions_attestationend", "UPDATE sanctions_attestationend SET at = now()",
    ):  # fmt: skip
        with pytest.raises(DatabaseError):
            sql(statement)
    for deed in (lambda a: a.update(holds=False), lambda a: a.delete()):

        def under_a_line(deed: Callable[..., object] = deed) -> None:
            own_line(cast.citizen)
            deed(AttestationAnswer.objects.filter(attestation=made.attestation))

        refused_by_database("attestationanswer_is_kept", under_a_line)


def test_what_it_said_is_read_under_a_line_of_its_person_alone(cast: Cast) -> None:
    issued(cast)
    held = "SELECT holds FROM sanctions_attestationanswer"
    assert sql(held) == []
    for who, rows in ((cast.other_citizen, 0), (cast.citizen, 1)):
        with transaction.atomic():
            own_line(who)
            assert len(sql(held)) == rows


def test_what_stands_in_the_way_is_told_under_a_line_that_opens_the_file_alone(cast: Cast) -> None:
    one_record(cast)
    asked = "SELECT * FROM sanctions_in_the_way(%s, (SELECT id FROM sanctions_attestationrule), '2000-01-01', NULL)"
    assert sql(asked, cast.citizen.person_id) == []
    with transaction.atomic():
        own_line(cast.citizen)
        assert sql(asked, cast.citizen.person_id) == [], "a line that opens nothing"


# --- checked -----------------------------------------------------------------------------------------------


def test_a_genuine_one_is_known_with_a_line_and_a_message_once_a_day(cast: Cast) -> None:
    made = issued(cast)
    for _ in range(2):
        found = check(made)
        assert found is not None
        assert (found.stands, found.name, found.same_file) == ("same", "陈*", None)
        assert "没有在此期间作出认定" in found.says
    latest = access_history(person_of(cast.citizen))
    assert [(one.purpose, one.who, one.case_no) for one in latest] == [
        ("核验无失信记录证明真伪", "公众", made.attestation.number)
    ] * 2
    assert Message.objects.filter(subject="有人核验了您的无失信记录证明").count() == 1
    standing = deeds.own_attestations(person_of(cast.citizen), by=home(cast.citizen))[0]
    assert standing.verified == 2


def test_a_forged_code_anothers_code_and_an_unknown_number_look_alike_and_are_about_nobody(cast: Cast) -> None:
    made, other = issued(cast), issued(cast, user=cast.other_citizen)
    persons = QueryPerson.objects.count()
    assert check(made, code="AAAA-BBBB-CCCC-DDDD") is None
    assert check(made, code=code_on(other.pdf)) is None
    assert deeds.verify(number="ZM202601010000000001X", code=code_on(made.pdf), by=NOBODY) is None
    assert QueryPerson.objects.count() == persons


def test_a_record_since_is_a_change_that_nobody_is_told_the_content_of(cast: Cast) -> None:
    made = issued(cast)
    number = one_record(cast)
    found = check(made)
    assert found is not None
    assert found.stands == "changed"
    assert "闽市监" not in str(found)
    repaired(cast, number)
    again = check(made)
    assert again is not None
    assert again.stands == "same"


def test_whether_it_stands_is_not_asked_without_number_code_and_a_line(cast: Cast) -> None:
    made = issued(cast)
    asked, known = "SELECT standing FROM sanctions_attestation_stands(%s, %s)", bytes(made.attestation.code_hash)
    assert sql(asked, made.attestation.number, [known]) in ([], [(None,)])
    with transaction.atomic():
        own_line(cast.other_citizen)
        assert sql(asked, made.attestation.number, [known]) in ([], [(None,)])
    with transaction.atomic():
        own_line(cast.citizen)
        assert sql(asked, made.attestation.number, [b"x"]) in ([], [(None,)])


def test_the_person_stops_it_and_checking_tells_no_more(cast: Cast) -> None:
    made = issued(cast)
    number = made.attestation.number
    with pytest.raises(Attestation.DoesNotExist):
        deeds.stop(number, person_of(cast.other_citizen), by=home(cast.other_citizen))

    def by_another() -> None:
        AttestationEnd.objects.create(attestation=made.attestation, query_seq=own_line(cast.other_citizen))

    refused_by_database("attestation_stopped_by_its_person", by_another)
    deeds.stop(number, person_of(cast.citizen), by=home(cast.citizen))
    found = check(made)
    assert found is not None
    assert found.stands == "stopped"
    with pytest.raises(ValidationError, match="已经停用"):
        deeds.stop(number, person_of(cast.citizen), by=home(cast.citizen))


def test_after_its_period_the_answer_is_gone_and_that_it_was_issued_stays(cast: Cast) -> None:
    made = issued(cast)
    assert deeds.forget_answers() == 0
    with at(timezone.now() + timedelta(days=31)):
        found = check(made)
        assert found is not None
        assert found.stands == "over"
        assert night()["sanctions.attestation_answers"] == 1
        again = check(made)
        assert again is not None
        assert (again.stands, again.sha256) == ("over", "")
        assert deeds.fetch_again(made.attestation.number, person_of(cast.citizen), by=home(cast.citizen)) is None
        assert deeds.own_attestations(person_of(cast.citizen), by=home(cast.citizen))[0].holds is None


# --- by the pages -------------------------------------------------------------------------------------------


def test_from_looking_to_the_paper_the_check_and_the_stop(cast: Cast, as_user: As) -> None:
    citizen, nobody = as_user(cast.citizen), as_user(None)
    assert "我的证明" in citizen.get("/me/").content.decode()
    assert "还没有出具过证明" in citizen.get("/me/attestations/").content.decode()
    assert "能够证明" in citizen.get("/me/attestations/?years=3").content.decode()
    answer = citizen.post("/me/attestations/issue/", {"years": "3"})
    assert answer["Content-Type"] == "application/pdf"
    number, pdf = Attestation.objects.get().number, answer.content
    assert citizen.post(f"/me/attestations/{number}/").content == pdf
    typed = {"number": number, "code": code_on(pdf)}
    right = nobody.post("/verify/", {**typed, "file": SimpleUploadedFile("a.pdf", pdf)}).content.decode()
    for words in ("证明真实", "一字不差", "没有变化", "陈*", hashlib.sha256(pdf).hexdigest()):
        assert words in right
    assert "陈小满" not in right
    wrong = nobody.post("/verify/", {**typed, "file": SimpleUploadedFile("a.pdf", b"%PDF other")}).content.decode()
    assert "不是同一个文件" in wrong
    assert "没有查到相符" in nobody.post("/verify/", {**typed, "code": "AAAABBBBCCCCDDDD"}).content.decode()
    page = citizen.get("/me/attestations/").content.decode()
    assert "2 次，最近一次" in page
    assert "已停用" in citizen.post(f"/me/attestations/{number}/stop/", follow=True).content.decode()
    stopped = nobody.post("/verify/", typed).content.decode()
    assert "已停用这份证明" in stopped
    assert "没有在此期间" not in stopped


def test_a_no_is_shown_with_its_records_to_the_person_alone_and_nothing_is_issued(cast: Cast, as_user: As) -> None:
    deliver(cast, [penalty(cast)])
    answer = as_user(cast.citizen).post("/me/attestations/issue/", {"years": "3"})
    text = answer.content.decode()
    assert answer.status_code == 409
    for words in ("现在不能证明", "闽市监处罚〔2026〕1号", "只有您自己看得到", "不再影响"):
        assert words in text
    assert not Attestation.objects.exists()
    assert "能够证明" in as_user(cast.other_citizen).get("/me/attestations/?years=3").content.decode()


def test_bad_input_is_told_and_others_find_nothing(cast: Cast, as_user: As) -> None:
    number = issued(cast).attestation.number
    citizen, other = as_user(cast.citizen), as_user(cast.other_citizen)
    for typed in ("9", "x", ""):
        assert citizen.post("/me/attestations/issue/", {"years": typed}).status_code == 422
    assert citizen.get("/me/attestations/?years=9").status_code == 422
    for page in (f"/me/attestations/{number}/", f"/me/attestations/{number}/stop/"):
        assert other.post(page).status_code == 404
        assert as_user(cast.officer_here).post(page).status_code == 403
        assert as_user(None).post(page).status_code == 302
    assert number not in other.get("/me/attestations/").content.decode()


def test_without_fonts_none_is_issued_and_the_page_says_so(
    cast: Cast, as_user: As, settings: LazySettings, tmp_path: object
) -> None:
    settings.FONTS = str(tmp_path)
    client = as_user(cast.citizen)
    assert "字库没有装好" in client.get("/me/attestations/?years=3").content.decode()
    assert client.post("/me/attestations/issue/", {"years": "3"}).status_code == 503
    assert not Attestation.objects.exists()


# --- the rule is changed by two hands ------------------------------------------------------------------------


def version(**changes: object) -> dict[str, object]:
    """A new version: serious records alone, up to four years."""
    return {
        "severities": [3], "years_from": 2, "years_to": 4, "years_usual": 3, "basis": "新办法第五条", "source": "省信用办通知",
        "confidence": "M", "valid_from": timezone.localdate(), **changes,
    }  # fmt: skip


def in_force(cast: Cast, **changes: object) -> AttestationRule:
    return rules.confirm(rules.propose(by=cast.credit_office, **version(**changes)).pk, by=cast.credit_office_2)


def test_a_changed_rule_counts_from_its_day_and_what_was_issued_keeps_its_own(cast: Cast) -> None:
    made = issued(cast, 5)
    deliver(cast, [decided_on(cast, timezone.localdate() - timedelta(days=20), 失信程度="一般", 处罚类别="罚款")])
    assert not look(cast).holds
    rule = in_force(cast)
    assert look(cast).holds, "it counts serious ones alone"
    assert issued(cast).attestation.rule == rule
    with pytest.raises(ValidationError, match="2 至 4 年"):
        look(cast, 5)
    found = check(made)
    assert found is not None
    assert (found.stands, found.rule_is_over) == ("changed", True), "by the version that it was issued under"


def test_one_hand_changes_no_rule(cast: Cast, as_user: As) -> None:
    proposed = rules.propose(by=cast.credit_office, **version())
    with pytest.raises(PermissionDenied, match="另一名"):
        rules.confirm(proposed.pk, by=cast.credit_office)
    with pytest.raises(PermissionDenied):
        rules.propose(by=cast.data_officer, **version())
    with pytest.raises(PermissionDenied):
        rules.confirm(proposed.pk, by=cast.officer_here)
    alone = "UPDATE sanctions_attestationrule SET state = 'in_force', confirmed_at = now(), confirmed_by_id = %s WHERE id = %s"
    refused_by_database(
        "sanctions_attestationrule_confirmed_by_another", lambda: sql(alone, cast.credit_office.pk, proposed.pk)
    )
    refused_by_database("attestationrule_by_the_credit_office", lambda: sql(alone, cast.officer_here.pk, proposed.pk))
    ended = "UPDATE sanctions_attestationrule SET valid_to = cf_today() WHERE state = 'in_force'"
    refused_by_database("attestationrule_ends_by_the_next", lambda: sql(ended))
    widened = "UPDATE sanctions_attestationrule SET years_to = 9 WHERE state = 'in_force'"
    refused_by_database("sanctions_attestationrule_is_fixed", lambda: sql(widened))


@pytest.mark.parametrize(("change", "said"), [
    ({"severities": [1, 3]}, "只能计入一般、严重"), ({"severities": [0]}, "只能计入一般、严重"), ({"years_from": 0}, "年数须为"),
    ({"years_to": 11}, "年数须为"), ({"years_usual": 5}, "年数须为"), ({"basis": ""}, "不能为空|不可为空|必填|不能为空白"),
    ({"valid_from": date(2026, 1, 1)}, "不能早于今天"),
])  # fmt: skip
def test_no_rule_counts_what_may_not_be_counted(cast: Cast, change: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        rules.propose(by=cast.credit_office, **version(**change))


def test_the_rule_by_the_pages(cast: Cast, as_user: As) -> None:
    office, second = as_user(cast.credit_office), as_user(cast.credit_office_2)
    form = {
        "severities": ["3"], "years_from": "1", "years_to": "4", "years_usual": "3", "basis": "新办法第五条", "source": "通知",
        "confidence": "M", "valid_from": timezone.localdate().isoformat(),
    }  # fmt: skip
    assert office.post("/admin/sanctions/attestationrule/add/", {**form, "years_to": "2"}).status_code == 422
    answer = office.post("/admin/sanctions/attestationrule/add/", form)
    page = answer["Location"]
    assert "须由省信用办另一名工作人员确认" in office.get(page).content.decode()
    assert "待确认的无失信记录证明规则" in second.get("/admin/").content.decode()
    confirm = page.replace("/change/", "/confirm/")
    office.post(confirm)
    assert AttestationRule.objects.in_force().get().years_to == 5
    assert "现行" in second.post(confirm, follow=True).content.decode()
    assert AttestationRule.objects.in_force().get().years_to == 4
    for user in (cast.data_officer, cast.clerk, cast.citizen):
        assert as_user(user).get(page).status_code in (302, 403)
