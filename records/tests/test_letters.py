"""Official letters (Q7): two hands, the case's scope, in the log at once; hidden narrowly, dated, counted, let go by itself."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from access import letters, reviews
from access.actions import Ask, write_query
from access.letters import tell_released
from access.models import HoldExtension, Kind, LetterPerson, Message, OfficialLetter, Query, QueryPerson, Refusal
from access.proofs import proof_of
from access.reading import Which, access_history, held_back, looks_since
from access.sealing import seal
from access.verifying import verify_and_note
from accounts.models import User
from catalogue.models import Item
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, Cast, browser_of
from records import letter_answers, reports
from records.reading import File, Refused, file_by_letter
from records.tests.consenting import CERTIFICATES, SCAN
from records.tests.deliveries import deliver, penalty
from records.tests.grounds import BOTH, COURT, agreed, answered, look, registered
from records.tests.life import asker, at
from records.tests.persons import agreed as carried_out
from records.tests.persons import dying

As = Callable[[User | None], Client]


def today_plus(days: int) -> datetime:
    """Noon of a day to come."""
    return timezone.localtime().replace(hour=12, minute=0) + timedelta(days=days)


def lines_of(letter: OfficialLetter) -> list[int]:
    return list(Query.objects.filter(kind=Kind.OFFICIAL, case_no=letter.number).values_list("seq", flat=True))


# --- the way of a letter ---


def test_a_letter_is_answered_within_its_case_and_each_person_has_a_line(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    letter = agreed(cast, persons=BOTH)
    file = file_by_letter(letter.pk, cast.citizen.person_id, by=asker(cast.credit_office))
    assert isinstance(file, File)
    assert [len(file.records), CITIZEN_NUMBER in file.id_number] == [1, False]
    pdf = answered(cast, letter, cast.other_citizen)
    assert isinstance(pdf, bytes)
    read = QueryPerson.objects.filter(kind=Kind.OFFICIAL, items__len=1).values_list("person", flat=True)
    assert sorted(read) == sorted([cast.citizen.person_id, cast.other_citizen.person_id])


def test_two_hands_the_second_with_the_letter_open(cast: Cast) -> None:
    letter = registered(cast)
    assert isinstance(answered(cast, letter), Refused)
    with pytest.raises(PermissionDenied, match="登记人不能自己审核"):
        letter_answers.approve(letter.pk, by=cast.credit_office)
    with pytest.raises(ValidationError, match="先打开公函"):
        letter_answers.approve(letter.pk, by=cast.credit_office_2)
    for nobody in (cast.clerk, cast.officer_here, cast.auditor):
        with pytest.raises((PermissionDenied, OfficialLetter.DoesNotExist)):
            letter_answers.approve(letter.pk, by=nobody)
    look(letter, cast.credit_office_2)
    with pytest.raises(ValidationError, match="理由"):
        letter_answers.refuse(letter.pk, by=cast.credit_office_2, reason="")
    letter_answers.refuse(letter.pk, by=cast.credit_office_2, reason="没有写明法律依据")
    assert isinstance(answered(cast, letter), Refused)


def test_a_person_whose_name_is_not_the_numbers_is_never_read(cast: Cast) -> None:
    letter = agreed(cast, persons=[("陈大满", CITIZEN_NUMBER)])
    assert answered(cast, letter) == Refused(Refusal.NO_LETTER)
    assert Query.objects.filter(kind=Kind.OFFICIAL, refusal=Refusal.NAME_DIFFERS, case_no=letter.number).count() == 1
    assert access_history(cast.citizen.person) == []  # the attempt is held back with its letter


def test_after_the_case_a_letter_opens_nothing(cast: Cast) -> None:
    letter = agreed(cast)
    letters.close(letter.pk, on=timezone.localdate(), by=cast.credit_office)
    assert answered(cast, letter) == Refused(Refusal.NO_LETTER)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"officers": ["周执行"], "certificates": ["闽执3501-0007"]}, "officers"), ({"items": []}, "items"),
        ({"letter_on": timezone.localdate() + timedelta(days=1)}, "letter_on"), ({"withhold_basis": " "}, "withhold_basis"),
        ({"release_on": timezone.localdate() + timedelta(days=731)}, "release_on"),
        ({"release_on": timezone.localdate()}, "release_on"), ({"withhold": False}, "withhold_basis"),
        ({"persons": [("陈小满", "123")]}, "persons"), ({"persons": [("陈小满", CITIZEN_NUMBER)] * 2}, "persons"),
    ],
)  # fmt: skip
def test_what_is_not_registered(cast: Cast, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        registered(cast, **changes)
    assert field in caught.value.error_dict
    assert not OfficialLetter.objects.exists()


def test_one_letter_is_registered_once(cast: Cast) -> None:
    registered(cast)
    with pytest.raises(ValidationError, match="已经登记过"):
        registered(cast)


# --- held back: nowhere to be seen, but counted ---


def test_what_is_held_back_is_seen_nowhere_but_counted_with_its_last_day(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    person, page = cast.citizen.person, browser_of(cast.citizen)
    letter = agreed(cast)
    answered(cast, letter)
    seal()
    held = lines_of(letter)
    assert held_back(person).lines == len(held) == 2  # the second official's look at the letter, and the reading
    assert held_back(person).until == letter.release_on == timezone.localdate() + timedelta(days=730)
    assert [line.seq for line in access_history(person) if line.seq in held] == []
    assert not any(look.kind is Kind.OFFICIAL for look in looks_since(person, timezone.now() - timedelta(days=2)))
    assert [proof_of(person, seq) for seq in held] == [None, None]
    assert not Message.objects.to(person).exists()
    shown = page.get("/me/access/").content.decode()
    assert f"另有 2 条依法暂不显示，最迟于 {letter.release_on:%Y年%-m月%-d日} 放出" in shown
    assert "依法暂不显示" not in page.get("/me/access/?own=1").content.decode()
    assert "依法暂不显示" not in browser_of(cast.other_citizen).get("/me/access/").content.decode()
    for address in ("/me/", "/me/access/", "/me/access/?own=1", "/me/messages/", "/me/file/", "/me/reports/", "/me/agents/",
                    "/transparency/", "/me/file/print/"):  # fmt: skip
        text = page.get(address).content.decode()
        for word in (COURT, letter.number, letter.case_no, letter.letter_no, "公函条目内"):
            assert word not in text, (address, word)
    for seq in held:
        assert page.get(f"/me/access/{seq}/proof.json").status_code == 404


def test_a_proof_of_another_line_and_a_report_tell_nothing_of_it(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    person = cast.citizen.person
    reports.preview(person, by=asker(cast.citizen))
    letter = agreed(cast, persons=BOTH)
    answered(cast, letter)
    for held in lines_of(letter):  # a number guessed tells nothing of which lines are held back, and since when
        assert access_history(person, which=Which(own=True), before=held) == []
    reports.preview(person, by=asker(cast.citizen))
    seal()
    own = access_history(person, which=Which(own=True))[0]
    proof = proof_of(person, own.seq)
    assert isinstance(proof, dict)
    text = json.dumps(proof, ensure_ascii=False)
    assert all(word not in text for word in (COURT, letter.number, letter.case_no))
    shown = reports.preview(person, by=asker(cast.citizen))
    assert "别人查询 0 次" in shown.looks
    assert not any(COURT in cell for line in shown.look_lines for cell in line)


def test_the_log_and_its_seals_hold_it_from_the_first_moment(cast: Cast) -> None:
    letter = agreed(cast)
    answered(cast, letter)
    seal()
    found = verify_and_note()
    assert found.is_whole
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM access_leaf WHERE query_id = ANY (%s)", [lines_of(letter)])
        assert cursor.fetchone()[0] == 2
    auditor = browser_of(cast.auditor)
    auditor.post("/admin/access/query/reason/", {"reason": "每月核查公函查询"})
    assert letter.number in auditor.get("/admin/access/query/?kind__exact=Q7").content.decode()
    listed = auditor.get("/admin/access/officialletter/?held=1").content.decode()
    assert (letter.number in listed, "陈小满" in listed) == (True, False)
    shown = auditor.get(f"/admin/access/officialletter/{letter.pk}/change/").content.decode()
    assert ("陈小满" in shown, "陈" in shown) == (False, True)
    assert "暂不显示的公函" in auditor.get("/admin/").content.decode()


def test_a_review_of_held_lines_marks_nothing_that_the_person_sees(cast: Cast) -> None:
    letter = agreed(cast)
    answered(cast, letter)
    reviews.sample_each_reader(timezone.localdate())
    assert all(not line.reviewed.open for line in access_history(cast.citizen.person))
    assert COURT not in browser_of(cast.citizen).get("/me/access/").content.decode()


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_on_the_day_it_is_let_go_by_itself_told_by_the_night_and_provable(cast: Cast) -> None:
    person = cast.citizen.person
    letter = agreed(cast, release_on=timezone.localdate() + timedelta(days=20))
    answered(cast, letter)
    seal()
    with at(today_plus(19)):
        assert (held_back(person).lines, tell_released()) == (2, 0)
    with at(today_plus(20)):
        assert held_back(person).lines == 0
        lines = access_history(person)
        assert [line.kind for line in lines] == [Kind.OFFICIAL, Kind.OFFICIAL]
        assert COURT in lines[0].ground
        assert isinstance(proof_of(person, lines[0].seq), dict)
        assert not Message.objects.to(person).exists()
        assert (tell_released(), tell_released()) == (1, 0)
        assert COURT in Message.objects.to(person).get().text
    with at(today_plus(31)):
        assert answered(cast, letter) == Refused(Refusal.NO_LETTER)


def test_what_is_not_to_be_held_back_is_seen_and_told_at_once(cast: Cast) -> None:
    letter = agreed(cast, withhold=False, withhold_basis="")
    answered(cast, letter)
    assert access_history(cast.citizen.person)[0].kind is Kind.OFFICIAL
    assert COURT in Message.objects.to(cast.citizen.person).get().subject
    assert held_back(cast.citizen.person).lines == 0


def test_of_the_dead_a_court_reads_and_nobody_is_told(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    letter = agreed(cast, withhold=False, withhold_basis="")
    carried_out(cast, dying(cast))
    file = file_by_letter(letter.pk, cast.citizen.person_id, by=asker(cast.credit_office))
    assert isinstance(file, File)
    assert len(file.records) == 1


# --- the day comes nearer by the rule, moves away only by two ---


def test_the_cases_end_brings_the_day_nearer_never_further(cast: Cast) -> None:
    letter = agreed(cast)
    closed = letters.close(letter.pk, on=timezone.localdate(), by=cast.credit_office)
    assert 180 <= (closed.release_on - timezone.localdate()).days <= 185
    soon = timezone.localdate() + timedelta(days=9)
    near = agreed(cast, letter_no="榕法函19", release_on=soon)
    assert letters.close(near.pk, on=timezone.localdate(), by=cast.credit_office).release_on == soon
    with pytest.raises(ValidationError, match="不能登记结案"):
        letters.close(near.pk, on=timezone.localdate(), by=cast.credit_office)


def extended(cast: Cast, letter: OfficialLetter, days: int, reason: str = "二审尚未审结") -> HoldExtension:
    day = timezone.localdate() + timedelta(days=days)
    return letters.ask_extension(letter.pk, release_on=day, reason=reason, by=cast.credit_office)


def test_longer_only_once_for_a_reason_by_two_within_the_rule(cast: Cast) -> None:
    letter = agreed(cast, release_on=timezone.localdate() + timedelta(days=100))
    with pytest.raises(ValidationError):
        extended(cast, letter, 200, reason=" ")
    for days in (100, 730 + 366):
        with pytest.raises(ValidationError, match="延期须晚于"):
            extended(cast, letter, days)
    asked = extended(cast, letter, 730 + 300)
    with pytest.raises(ValidationError, match="只能延一次"):
        extended(cast, letter, 300)
    with pytest.raises(PermissionDenied, match="提出人不能自己审核"):
        letter_answers.decide_extension(asked.pk, agree=True, by=cast.credit_office)
    with pytest.raises(ValidationError, match="先打开公函"):  # opened before it was asked, not since
        letter_answers.decide_extension(asked.pk, agree=True, by=cast.credit_office_2)
    look(letter, cast.credit_office_2)
    letter_answers.decide_extension(asked.pk, agree=True, by=cast.credit_office_2)
    letter.refresh_from_db()
    assert letter.release_on == timezone.localdate() + timedelta(days=730 + 300)
    with pytest.raises(ValidationError, match="只能延一次"):
        extended(cast, letter, 730 + 365)


def test_an_extension_refused_moves_nothing(cast: Cast) -> None:
    letter = agreed(cast, release_on=timezone.localdate() + timedelta(days=100))
    asked = extended(cast, letter, 200)
    letter_answers.decide_extension(asked.pk, agree=False, note="理由不足", by=cast.credit_office_2)
    letter.refresh_from_db()
    assert letter.release_on == timezone.localdate() + timedelta(days=100)


def test_what_was_let_go_is_never_taken_back(cast: Cast) -> None:
    open_one = agreed(cast, withhold=False, withhold_basis="")
    with pytest.raises(ValidationError, match="不能再收回"):
        extended(cast, open_one, 100)
    with pytest.raises(DatabaseError, match="stays so"), transaction.atomic():
        HoldExtension.objects.create(
            letter=open_one,
            release_on=timezone.localdate() + timedelta(days=9),
            reason="保密",
            asked_by=cast.credit_office,
        )


# --- what the database refuses ---


def ask(cast: Cast, letter: OfficialLetter, **changes: Any) -> int:
    """A line of kind Q7 written past every page and action."""
    values: dict[str, Any] = {
        "kind": Kind.OFFICIAL, "ground": "公函", "purpose": "办案", "fields_class": "全部", "case_no": letter.number,
        "items": [cast.item], "person": cast.citizen.person,
    }  # fmt: skip
    by = asker(changes.pop("by", cast.credit_office))
    with transaction.atomic():
        return write_query(Ask(**{**values, **changes}), by=by)


def test_by_sql_no_line_is_hidden_or_opens_a_file_without_its_letter(cast: Cast) -> None:
    waiting, good = registered(cast), agreed(cast, letter_no="榕法函20")
    other = Item.objects.get(code=CERTIFICATES)
    ask(cast, good)
    refused = [
        (waiting, {}), (good, {"case_no": "GH1"}), (good, {"case_no": "GH1", "refusal": "no_letter"}),
        (good, {"person": cast.other_citizen.person}), (good, {"person": cast.other_citizen.person, "refusal": "no_letter"}),
        (good, {"items": None}), (good, {"items": [cast.item, other]}), (good, {"by": cast.officer_here}),
        (good, {"by": cast.auditor}), (good, {"by": cast.officer_here, "items": []}),
    ]  # fmt: skip
    for letter, changes in refused:
        with pytest.raises(DatabaseError, match="without its letter|not about this|still answered|an official answers"):
            ask(cast, letter, **changes)
    letters.close(good.pk, on=timezone.localdate(), by=cast.credit_office)
    with pytest.raises(DatabaseError, match="still answered"):
        ask(cast, good)


def test_by_sql_a_reading_by_duty_cannot_hide_under_a_letter(cast: Cast) -> None:
    letter = agreed(cast)
    hide = "INSERT INTO access_queryperson (query_id, person_id, kind, allowed, items) VALUES (%s, %s, 'Q5', true, %s)"
    values = [ask(cast, letter, person=None), cast.citizen.person_id, [cast.item.pk]]
    with pytest.raises(DatabaseError, match="by duty without a registration"), connection.cursor() as cursor:
        cursor.execute(hide, values)


def test_by_sql_the_day_and_the_letter_are_settled(cast: Cast) -> None:
    letter, waiting = agreed(cast), registered(cast, letter_no="榕法函21")
    far = timezone.localdate() + timedelta(days=9000)
    tries: list[tuple[str, list[Any], str]] = [
        ("UPDATE access_officialletter SET release_on = %s WHERE id = %s", [far, letter.pk], "by the rule and by two"),
        ("UPDATE access_officialletter SET release_on = release_on - 1 WHERE id = %s", [letter.pk], "by the rule and by two"),
        ("UPDATE access_officialletter SET withhold_basis = 'x' WHERE id = %s", [letter.pk], "not rewritten"),
        ("UPDATE access_officialletter SET items = items || 1::bigint WHERE id = %s", [letter.pk], "not rewritten"),
        ("UPDATE access_officialletter SET told_at = now() WHERE id = %s", [letter.pk], "before the day"),
        ("UPDATE access_officialletter SET state = 'entered', decided_by_id = NULL WHERE id = %s", [letter.pk], "may not go"),
        ("UPDATE access_officialletter SET state = 'approved', decided_by_id = %s WHERE id = %s",
         [cast.credit_office_2.pk, waiting.pk], "opened the letter"),
        ("UPDATE access_officialletter SET state = 'approved', decided_by_id = %s WHERE id = %s",
         [cast.officer_here.pk, waiting.pk], "another official"),
        ("INSERT INTO access_letterperson (letter_id, person_id, matches) VALUES (%s, %s, true)",
         [letter.pk, cast.other_citizen.person_id], "settled when it is registered"),
        ("DELETE FROM access_officialletter WHERE id = %s", [letter.pk], "kept"),
    ]  # fmt: skip
    for sql, values, words in tries:
        with pytest.raises(DatabaseError, match=words), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, values)
    with pytest.raises(DatabaseError), transaction.atomic():
        LetterPerson.objects.filter(letter=letter).delete()


def test_by_sql_nothing_is_held_back_without_a_day_or_beyond_the_rules(cast: Cast) -> None:
    letter = registered(cast)
    for days in (0, 731, 9000):
        copy = OfficialLetter.objects.get(pk=letter.pk)
        copy.pk, copy._state.adding, copy.letter_no = None, True, f"抄{days}"
        copy.release_on = timezone.localdate() + timedelta(days=days)
        with pytest.raises(DatabaseError, match="longer than the rule says"), transaction.atomic():
            copy.save()


def test_by_sql_an_extension_takes_two_and_the_rule(cast: Cast) -> None:
    letter = agreed(cast, release_on=timezone.localdate() + timedelta(days=50))
    day = timezone.localdate() + timedelta(days=730 + 366)
    with pytest.raises(DatabaseError, match="within the rule"), transaction.atomic():
        HoldExtension.objects.create(letter=letter, release_on=day, reason="长", asked_by=cast.credit_office)
    asked = extended(cast, letter, 90)
    look(letter, cast.credit_office)
    others = (cast.officer_here, "another official"), (cast.credit_office_2, "opened the letter again")
    for who, words in ((cast.credit_office, "two_hands"), *others):
        with pytest.raises(DatabaseError, match=words), transaction.atomic():
            HoldExtension.objects.filter(pk=asked.pk).update(state="confirmed", decided_by=who)


def test_by_sql_what_is_not_held_back_is_told(cast: Cast) -> None:
    letter = agreed(cast, withhold=False, withhold_basis="")
    ask(cast, letter)
    with pytest.raises(DatabaseError, match="told at once"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    ask_message(cast, letter)


def ask_message(cast: Cast, letter: OfficialLetter) -> None:
    """The message that was missing, so that the transaction may end."""
    Message.objects.create(person=cast.citizen.person, about=letter.number, subject="查询", text="查询")


# --- by the pages ---


def form_of(cast: Cast, **changes: Any) -> dict[str, Any]:
    return {
        "sender": "court", "sender_name": COURT, "letter_no": "榕法函30", "letter_on": timezone.localdate().isoformat(),
        "case_no": "（2026）闽9901执88号", "legal_basis": "《民事诉讼法》第七十条", "officers": "周执行 闽执7\n吴书记，闽执12",
        "persons": f"陈小满 {CITIZEN_NUMBER}\n林大雪 {OTHER_NUMBER}", "items": [cast.item.pk], "withhold": "on",
        "withhold_basis": "保全前不宜告知", "scan": SimpleUploadedFile("公函.pdf", SCAN), **changes,
    }  # fmt: skip


def test_by_the_pages(cast: Cast, as_user: As) -> None:
    first, second = as_user(cast.credit_office), as_user(cast.credit_office_2)
    wrong = first.post("/admin/access/officialletter/add/", form_of(cast, officers="周执行"))
    assert (wrong.status_code, "第 1 行须写成" in wrong.content.decode()) == (422, True)
    answer = first.post("/admin/access/officialletter/add/", form_of(cast))
    letter = OfficialLetter.objects.get()
    page = f"/admin/access/officialletter/{letter.pk}/"
    assert answer["Location"] == f"{page}change/"
    assert "登记人不能自己审核" in first.get(f"{page}change/").content.decode()
    assert "待审核的公函" in second.get("/admin/").content.decode()
    assert "先打开公函" in second.post(f"{page}approve/", follow=True).content.decode()
    assert second.post(f"{page}scan/").content == SCAN
    second.post(f"{page}approve/")
    pdf = first.post(f"{page}answer/", {"person": cast.citizen.person_id})
    assert pdf["Content-Type"] == "application/pdf"
    assert first.post(f"{page}answer/", {"person": 9999}).status_code == 404
    day = (letter.release_on + timedelta(days=30)).isoformat()
    assert "延期的理由" in first.post(f"{page}extend/", {"release_on": day}, follow=True).content.decode()
    first.post(f"{page}extend/", {"release_on": day, "reason": "二审"})
    assert "由省信用办另一名工作人员审核" in first.get(f"{page}change/").content.decode()
    second.post(f"{page}scan/")
    second.post(f"{page}extension/", {"agree": "1"})
    letter.refresh_from_db()
    assert letter.release_on.isoformat() == day
    first.post(f"{page}close/", {"closed_on": timezone.localdate().isoformat()})
    letter.refresh_from_db()
    assert (letter.release_on - timezone.localdate()).days <= 185


@pytest.mark.parametrize("deed", ["close", "extend"])
def test_a_form_sent_without_anything_says_what_is_missing(cast: Cast, as_user: As, deed: str) -> None:
    page = f"/admin/access/officialletter/{agreed(cast).pk}"
    answer = as_user(cast.credit_office).post(f"{page}/{deed}/", follow=True)
    assert answer.status_code == 200
    assert "这个字段是必填项" in answer.content.decode()


def test_others_do_not_deal_with_letters(cast: Cast, as_user: As) -> None:
    letter = registered(cast)
    for user in (cast.officer_here, cast.clerk, cast.operator, cast.head, cast.bank_clerk, cast.citizen, None):
        client = as_user(user)
        for deed in ("approve", "refuse", "scan", "answer", "close", "extend", "extension"):
            values = {"reason": "x", "person": cast.citizen.person_id, "agree": "1"}
            answer = client.post(f"/admin/access/officialletter/{letter.pk}/{deed}/", values)
            assert answer.status_code in (302, 403, 404)
            assert SCAN not in answer.content
        assert client.get(f"/admin/access/officialletter/{letter.pk}/change/").status_code in (302, 403, 404)
        assert client.post("/admin/access/officialletter/add/", form_of(cast)).status_code in (302, 403)
    auditor = as_user(cast.auditor)
    for deed in ("approve", "refuse", "close", "extend"):
        auditor.post(f"/admin/access/officialletter/{letter.pk}/{deed}/", {"reason": "x"})
    letter.refresh_from_db()
    assert (letter.state, OfficialLetter.objects.count()) == (OfficialLetter.State.ENTERED, 1)
