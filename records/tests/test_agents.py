"""Agents and near relatives (Q3): two hands, the papers opened, the scope kept, the person told, ended at once."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from access import authorities
from access.actions import Ask, write_query
from access.models import Authority, Kind, KinWish, Message, Query, Refusal
from access.reading import access_history, looks_since
from accounts.models import Person, User
from catalogue.models import Deadline, Item
from creditfujian.lib import identity
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, Cast, browser_of
from records import agents
from records.ground_models import GroundPaper
from records.intake import store
from records.reading import File, Refused, file_by_authority
from records.tests.consenting import CERTIFICATES, SCAN
from records.tests.deliveries import deliver, penalty
from records.tests.grounds import AGENT, AGENT_NUMBER, approved, entered, of_kin, papers
from records.tests.life import asker
from records.tests.persons import agreed as carried_out
from records.tests.persons import dying

As = Callable[[User | None], Client]
STATE = Authority.State
CHILD_NUMBER = identity.invent(date(2020, 1, 1), 1)


def read(cast: Cast, authority: Authority) -> File | Refused:
    return file_by_authority(authority.pk, by=asker(cast.clerk))


def dead(cast: Cast) -> None:
    """The citizen's death, registered by two officials."""
    carried_out(cast, dying(cast))


# --- the way of an authority ---


def test_an_agent_gets_what_the_power_of_attorney_names_and_the_person_sees_it(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    authority = approved(cast)
    pdf = agents.hand_over(authority.pk, by=asker(cast.clerk))
    assert isinstance(pdf, bytes)
    assert pdf.startswith(b"%PDF")
    person = cast.citizen.person
    line = access_history(person)[0]
    assert (line.kind, line.case_no, line.purpose, line.count) == (Kind.AGENT, authority.number, "代办企业登记", 1)
    assert line.who == "您的代理人（在省政务服务中心窗口）"
    told = list(Message.objects.to(person).values_list("subject", flat=True))
    assert told == ["您的代理人查询了您的信息", "代您查询的委托已通过复核", "有人持委托书代您查询"]
    words = [look.unit + look.purpose for look in looks_since(person, timezone.now() - timedelta(days=1))]
    assert not any(AGENT in one for one in words)
    assert not Query.objects.filter(ground__contains=AGENT).exists()


def test_two_hands_the_second_with_the_papers_open(cast: Cast) -> None:
    authority = entered(cast)
    assert Deadline.objects.of(authority).get().rule.code == "D60"
    assert isinstance(read(cast, authority), Refused)
    for nobody in (cast.clerk, cast.auditor, cast.officer_here, cast.legal_reviewer):
        with pytest.raises((PermissionDenied, Authority.DoesNotExist)):
            agents.approve(authority.pk, by=nobody)
    with pytest.raises(ValidationError, match="先打开材料"):
        agents.approve(authority.pk, by=cast.credit_office)
    assert agents.scan_of(authority.paper, by=asker(cast.credit_office)) == SCAN
    assert access_history(cast.citizen.person)[0].case_no == authority.number
    agents.approve(authority.pk, by=cast.credit_office)
    assert Deadline.objects.of(authority).get().met_on is not None
    assert isinstance(read(cast, authority), File)


def test_a_refusal_has_a_reason_that_the_person_reads(cast: Cast) -> None:
    authority = entered(cast)
    agents.scan_of(authority.paper, by=asker(cast.credit_office))
    with pytest.raises(ValidationError, match="理由"):
        agents.refuse(authority.pk, by=cast.credit_office, reason=" ")
    agents.refuse(authority.pk, by=cast.credit_office, reason="签名与证件不一致")
    assert "签名与证件不一致" in browser_of(cast.citizen).get("/me/agents/").content.decode()
    assert "签名与证件不一致" in Message.objects.to(cast.citizen.person)[0].text
    assert isinstance(read(cast, authority), Refused)


def test_nothing_beyond_the_items_is_read(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    other = Item.objects.get(code=CERTIFICATES)
    file = read(cast, approved(cast, papers(cast, items=[other.pk])))
    assert isinstance(file, File)
    assert file.records == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"agent_number": CITIZEN_NUMBER}, "agent_number"), ({"agent_number": CHILD_NUMBER}, "agent_number"),
        ({"agent_number": "123"}, "agent_number"), ({"agent_name": " "}, "agent_name"),
        ({"id_number": CHILD_NUMBER}, "id_number"), ({"purpose": ""}, "purpose"),
        ({"purpose": "电话13800000000"}, "purpose"), ({"items": []}, "items"), ({"relation": "child"}, "relation"),
        ({"valid_until": timezone.localdate() + timedelta(days=91)}, "valid_until"), ({"id_number": "123"}, "id_number"),
        ({"valid_until": timezone.localdate() - timedelta(days=1)}, "valid_until"),
        ({"basis": Authority.Basis.KIN, "relation": "child"}, "id_number"),
        ({"basis": Authority.Basis.KIN, "relation": ""}, "relation"),
    ],
)  # fmt: skip
def test_what_is_not_entered(cast: Cast, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        entered(cast, papers(cast, **changes))
    assert field in caught.value.error_dict
    assert not Authority.objects.exists()


def test_a_wrong_name_is_not_entered_and_the_person_sees_it(cast: Cast) -> None:
    assert agents.enter(papers(cast, name="陈大满"), by=asker(cast.clerk)) is None
    line = access_history(cast.citizen.person)[0]
    assert (line.kind, line.refusal) == (Kind.AGENT, Refusal.NAME_DIFFERS)


def test_agents_do_not_enter_the_register_and_their_number_lies_sealed(cast: Cast) -> None:
    authority = entered(cast)
    assert Person.objects.holder_of(AGENT_NUMBER) is None
    assert AGENT_NUMBER.encode() not in bytes(authority.agent_cipher)
    assert authority.agent().id_number() == AGENT_NUMBER


# --- ended ---


def test_the_person_ends_it_at_once_on_their_own_page_or_at_the_counter(cast: Cast) -> None:
    first, second = approved(cast), entered(cast)
    page = browser_of(cast.citizen)
    assert AGENT in page.get("/me/agents/").content.decode()
    page.post("/me/agents/", {"deed": "revoke", "number": first.number})
    first.refresh_from_db()
    assert first.state == STATE.REVOKED
    assert read(cast, first) == Refused(Refusal.NO_AUTHORITY)
    form = {"number": second.number, "id_number": OTHER_NUMBER, "document_seen": "on"}
    clerk = browser_of(cast.clerk)
    assert clerk.post("/admin/access/authority/revoke/", form).status_code == 422
    clerk.post("/admin/access/authority/revoke/", form | {"id_number": CITIZEN_NUMBER})
    second.refresh_from_db()
    assert second.state == STATE.REVOKED


def test_nobody_ends_anothers(cast: Cast) -> None:
    authority = approved(cast)
    other = browser_of(cast.other_citizen)
    assert other.post("/me/agents/", {"deed": "revoke", "number": authority.number}).status_code == 404
    with pytest.raises(Authority.DoesNotExist):
        authorities.revoke(authority.number, by=asker(cast.other_citizen))
    with pytest.raises(PermissionDenied):
        authorities.revoke_for(authority.number, CITIZEN_NUMBER, by=asker(cast.credit_office))
    authority.refresh_from_db()
    assert authority.state == STATE.APPROVED


def test_what_the_counter_ends_or_tries_to_stands_in_the_history(cast: Cast) -> None:
    """Of both persons their own; nobody ends one without a line, by SQL as the application neither."""
    authority = approved(cast)
    with pytest.raises(ValidationError, match="查询日志"):
        authorities.revoke_for(authority.number, OTHER_NUMBER, by=asker(cast.clerk))
    tried = access_history(cast.other_citizen.person)[0]
    assert (tried.refused, tried.purpose, tried.case_no) == (True, "窗口为本人撤销代理查询", "")
    with pytest.raises(DatabaseError, match="without a line"), transaction.atomic():
        Authority.objects.filter(pk=authority.pk).update(state=STATE.REVOKED, revoked_by=cast.clerk)
    authorities.revoke_for(authority.number, CITIZEN_NUMBER, by=asker(cast.clerk))
    done = access_history(cast.citizen.person)[0]
    assert (done.refused, done.kind, done.case_no) == (False, Kind.COUNTER, authority.number)
    told = [one.subject for one in Message.objects.to(cast.citizen.person)]
    assert told.count("窗口为您撤销了代理查询") == 1
    assert not any("查询了您的信息" in subject for subject in told)  # once, in its own words


def test_a_power_of_attorney_ends_with_its_person(cast: Cast) -> None:
    before, waiting = approved(cast), entered(cast)
    agents.scan_of(waiting.paper, by=asker(cast.credit_office))
    dead(cast)
    assert read(cast, before) == Refused(Refusal.PERSON_GONE)
    with pytest.raises(ValidationError, match="随之失效"):
        agents.approve(waiting.pk, by=cast.credit_office)
    with pytest.raises(ValidationError, match="随之失效"):
        entered(cast)


# --- near relatives of the dead ---


def test_a_near_relative_of_the_dead_reads_for_their_own_interest(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    dead(cast)
    authority = approved(cast, of_kin(cast))
    file = read(cast, authority)
    assert isinstance(file, File)
    assert len(file.records) == 1
    told = Message.objects.to(cast.citizen.person).count()  # before their death
    assert isinstance(agents.hand_over(authority.pk, by=asker(cast.clerk)), bytes)
    assert Message.objects.to(cast.citizen.person).count() == told
    assert not Message.objects.filter(about=authority.number).exists()


def test_the_person_may_have_arranged_otherwise(cast: Cast) -> None:
    page = browser_of(cast.citizen)
    page.post("/me/agents/", {"deed": "forbid"})
    assert "不允许近亲属查询</strong>" in page.get("/me/agents/").content.decode()
    dead(cast)
    with pytest.raises(ValidationError, match="生前另有安排"):
        entered(cast, of_kin(cast))


def test_the_last_word_counts(cast: Cast) -> None:
    page = browser_of(cast.citizen)
    for deed in ("forbid", "allow"):
        page.post("/me/agents/", {"deed": deed})
    assert page.post("/me/agents/", {"deed": "what"}).status_code == 404
    dead(cast)
    assert isinstance(read(cast, approved(cast, of_kin(cast))), File)


# --- what the database refuses ---


def ask(cast: Cast, authority: Authority, **changes: Any) -> int:
    """A line of kind Q3 written past every page and action."""
    values: dict[str, Any] = {
        "kind": Kind.AGENT, "ground": "代理人", "purpose": "代办", "fields_class": "全部", "case_no": authority.number,
        "items": [cast.item], "person": cast.citizen.person,
    }  # fmt: skip
    by = asker(changes.pop("by", cast.clerk))
    with transaction.atomic():
        seq = write_query(Ask(**{**values, **changes}), by=by)
        Message.objects.create(person=cast.citizen.person, about=authority.number, subject="查询", text="查询")
        return seq


def test_by_sql_nothing_is_read_without_an_authority_in_force_of_that_person_for_these_items(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    waiting, good = entered(cast), approved(cast)
    ask(cast, good)
    refused = [
        (waiting, {}), (good, {"case_no": "WT1"}), (good, {"person": cast.other_citizen.person}), (good, {"items": None}),
        (good, {"items": []}), (good, {"items": [cast.item, Item.objects.get(code=CERTIFICATES)]}), (good, {"by": cast.credit_office}),
    ]  # fmt: skip
    for authority, changes in refused:
        with pytest.raises(DatabaseError, match="without an authority|does not cover|the counter that"):
            ask(cast, authority, **changes)
    authorities.revoke(good.number, by=asker(cast.citizen))
    with pytest.raises(DatabaseError, match="without an authority in force"):
        ask(cast, good)


def refused_at_the_end(constraint: str, words: str) -> None:
    """What the end of the transaction would say."""
    with pytest.raises(DatabaseError, match=words), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET CONSTRAINTS {constraint} IMMEDIATE")


def test_by_sql_nothing_in_the_persons_name_goes_untold(cast: Cast) -> None:
    given, person = papers(cast), cast.citizen.person
    agent = authorities.check_entry(given.entry)
    authority = Authority.objects.create(
        basis="attorney", person=person, agent_name=AGENT, agent_cipher=agent.id_cipher, agent_index=agent.id_index,
        purpose="代办", items=given.entry.items, valid_until=given.entry.valid_until, organisation=cast.counter, entered_by=cast.clerk,
    )  # fmt: skip
    authority.refresh_from_db()
    refused_at_the_end("authority_is_told", "told of every entry")
    GroundPaper.objects.create(authority=authority, file=store.keep(given.scan, name="委托书.pdf"), type="pdf")
    agents.scan_of(authority.paper, by=asker(cast.credit_office))
    Authority.objects.filter(pk=authority.pk).update(state="approved", decided_by=cast.credit_office)
    line = Ask(
        kind=Kind.AGENT, ground="代理人", purpose="代办", fields_class="全部", case_no=authority.number, items=[cast.item],
        person=person,
    )  # fmt: skip
    write_query(line, by=asker(cast.clerk))
    refused_at_the_end("queryperson_by_authority_is_told", "told of every reading")
    Message.objects.create(person=person, about=authority.number, subject="查询", text="查询")


@pytest.mark.parametrize("death_first", [True, False])
def test_by_sql_a_power_of_attorney_opens_nothing_of_the_dead_nor_kinship_of_the_living(
    cast: Cast, death_first: bool
) -> None:
    if death_first:
        authority = approved(cast)
        dead(cast)
        with pytest.raises(DatabaseError, match="ends with its person"):
            ask(cast, authority)
    else:
        given = of_kin(cast)
        agent = authorities.check_entry(given.entry)
        with pytest.raises(DatabaseError, match="of the dead only"), transaction.atomic():
            authorities.enter(given.entry, cast.citizen.person, agent, by=cast.clerk, organisation=cast.counter)


def test_by_sql_what_was_entered_and_decided_stays(cast: Cast) -> None:
    waiting, good = entered(cast), approved(cast)
    office, approve = cast.credit_office, "state = 'approved', decided_by_id = %s"
    tries = [
        (approve, office, waiting, "opened the papers"), (approve, cast.clerk, waiting, "two_hands|reviewer decides"),
        ("valid_until = valid_until + 1, decided_by_id = %s", office, good, "not rewritten"),
        ("items = items || 1::bigint, decided_by_id = %s", office, good, "not rewritten"),
        ("state = 'revoked', revoked_by_id = %s", cast.other_citizen, good, "the person revokes"),
        ("state = 'entered', decided_by_id = %s", office, good, "may not go"),
    ]  # fmt: skip
    for change, who, authority, words in tries:
        with pytest.raises(DatabaseError, match=words), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE access_authority SET {change} WHERE id = %s", [who.pk, authority.pk])
    with pytest.raises(DatabaseError, match="kept"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM access_authority WHERE id = %s", [good.pk])
    with pytest.raises(DatabaseError), transaction.atomic():
        GroundPaper.objects.update(type="png")
    with pytest.raises(DatabaseError, match="nobody but the person"), transaction.atomic():
        KinWish.objects.create(person=cast.citizen.person, allows=False, by=cast.other_citizen)


# --- by the pages ---


def form_of(cast: Cast, **changes: Any) -> dict[str, Any]:
    return {
        "basis": "attorney", "name": "陈小满", "id_number": CITIZEN_NUMBER, "agent_name": AGENT, "agent_number": AGENT_NUMBER,
        "relation": "", "purpose": "代办企业登记", "items": [cast.item.pk], "document_seen": "on",
        "valid_until": (timezone.localdate() + timedelta(days=9)).isoformat(), "scan": SimpleUploadedFile("委托书.pdf", SCAN), **changes,
    }  # fmt: skip


def test_by_the_pages(cast: Cast, as_user: As) -> None:
    deliver(cast, [penalty(cast)])
    clerk, office = as_user(cast.clerk), as_user(cast.credit_office)
    wrong = clerk.post("/admin/access/authority/add/", form_of(cast, agent_number=CITIZEN_NUMBER))
    assert (wrong.status_code, "不能是当事人本人" in wrong.content.decode()) == (422, True)
    answer = clerk.post("/admin/access/authority/add/", form_of(cast))
    authority = Authority.objects.get()
    page = f"/admin/access/authority/{authority.pk}/"
    assert answer["Location"] == f"{page}change/"
    shown = clerk.get(f"{page}change/").content.decode()
    assert "由省信用办复核" in shown
    assert "查询并打印" not in shown
    assert "待复核的代理人、近亲属查询" in office.get("/admin/").content.decode()
    assert "先打开材料" in office.post(f"{page}approve/", follow=True).content.decode()
    scan = office.post(f"{page}scan/")
    assert (scan.content, scan["Content-Disposition"].startswith("attachment")) == (SCAN, True)
    office.post(f"{page}approve/")
    assert "查询并打印" in clerk.get(f"{page}change/").content.decode()
    pdf = clerk.post(f"{page}print/")
    assert pdf["Content-Type"] == "application/pdf"
    assert "您的代理人（在省政务服务中心窗口）" in as_user(cast.citizen).get("/me/access/").content.decode()
    assert office.post(f"{page}print/").status_code == 403
    as_user(cast.citizen).post("/me/agents/", {"deed": "revoke", "number": authority.number})
    assert "没有通过复核、已到期、已撤销" in clerk.post(f"{page}print/", follow=True).content.decode()


def test_others_do_not_deal_with_it(cast: Cast, as_user: As) -> None:
    authority = entered(cast)
    for user in (cast.officer_here, cast.auditor, cast.operator, cast.bank_clerk, cast.citizen, None):
        client = as_user(user)
        for deed in ("approve", "refuse", "scan", "print"):
            answer = client.post(f"/admin/access/authority/{authority.pk}/{deed}/", {"reason": "x"})
            assert answer.status_code in (302, 403, 404)
            assert SCAN not in answer.content
        assert client.post("/admin/access/authority/add/", form_of(cast)).status_code in (302, 403)
    authority.refresh_from_db()
    assert (authority.state, Authority.objects.count()) == (STATE.ENTERED, 1)
