"""Nobody reads a person's file without a ground, and every reading leaves a line."""

from datetime import timedelta

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from access.actions import Asker
from access.models import Purpose, Query, QueryAnswer, QueryPerson, Refusal, Request
from access.reading import access_history
from accounts.models import User
from catalogue.models import Item
from creditfujian.lib import identity
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, Cast
from records.models import Record, RecordVersion
from records.reading import (
    File,
    Refused,
    Registration,
    file_by_request,
    own_file,
    public_records,
    register,
)  # fmt: skip
from records.tests.deliveries import decided, deliver, penalty


def registration(cast: Cast, **changes: object) -> Registration:
    values = {
        "id_number": CITIZEN_NUMBER, "name": "陈小满", "items": [cast.item], "purpose": Purpose.SUPERVISION,
        "purpose_text": "双随机检查前核实", "duty_code": "350000-MRKT-01", "case_no": "闽市监检〔2026〕7号",
    }  # fmt: skip
    return Registration(**{**values, **changes})  # type: ignore[arg-type]


def staff(user: User) -> Asker:
    return Asker(user, "工作平台", "192.0.2.0/24")


@pytest.fixture
def listed(cast: Cast) -> Cast:
    """The citizen with one serious public record."""
    deliver(cast, [penalty(cast)])
    return cast


def open_file(cast: Cast, user: User) -> File | Refused:
    request = register(registration(cast), by=staff(user))
    assert isinstance(request, Request)
    return file_by_request(request, by=staff(user))


def test_without_a_line_in_the_log_the_database_shows_no_record(listed: Cast) -> None:
    assert Record.objects.count() == 0
    assert RecordVersion.objects.count() == 0
    with transaction.atomic():
        file = own_file(listed.citizen.person, by=Asker(listed.citizen, "公示网站"))
        assert len(file.records) == 1


@pytest.mark.django_db(transaction=True)
def test_the_key_is_gone_with_its_transaction() -> None:
    from creditfujian.tests.cast import make_cast

    cast = make_cast()
    deliver(cast, [penalty(cast)])
    assert len(own_file(cast.citizen.person, by=Asker(cast.citizen, "公示网站")).records) == 1
    assert Record.objects.count() == 0


def test_a_line_about_one_person_opens_nobody_else(listed: Cast) -> None:
    other = penalty(listed, 行政相对人名称="林大雪", 证件号码=OTHER_NUMBER, 行政处罚决定书文号="闽市监处罚〔2026〕2号")
    deliver(listed, [other])
    with transaction.atomic():
        own_file(listed.other_citizen.person, by=Asker(listed.other_citizen, "公示网站"))
        assert {r.person_id for r in Record.objects.all()} == {listed.other_citizen.person_id}


def test_if_the_log_cannot_be_written_there_is_no_answer(listed: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '1ms'")
    nobody = Asker(None, "公示网站")
    with pytest.raises(DatabaseError), transaction.atomic():
        own_file(listed.citizen.person, by=nobody)  # a self query by nobody: the line is refused


def test_an_officer_with_a_grant_registers_and_reads_masked_fields(listed: Cast) -> None:
    file = open_file(listed, listed.officer_here)
    assert isinstance(file, File)
    assert file.id_number == "359901********0011"
    shown = str(file)
    assert CITIZEN_NUMBER not in shown
    assert file.records[0].doc_no == "闽市监处罚〔2026〕1号"
    assert [fact.label for fact in file.records[0].facts if fact.code == "CF_SY"] == ["违法事实"]


def test_an_officer_of_a_department_without_the_grant_is_refused_and_that_is_logged(listed: Cast) -> None:
    outcome = register(registration(listed), by=staff(listed.officer_elsewhere))
    assert isinstance(outcome, Refused)
    assert outcome.refusal is Refusal.NO_RIGHT
    line = Query.objects.latest("seq")
    assert (line.decision, line.refusal, line.organisation_name) == ("refused", "no_right", "省交通运输厅")
    assert line.case_no == "闽市监检〔2026〕7号"
    assert Record.objects.count() == 0  # a refused line opens nothing
    history = access_history(listed.citizen.person)
    assert history[0].refused
    assert history[0].unit == "省交通运输厅"


def test_a_grant_on_one_item_does_not_open_another(listed: Cast) -> None:
    both = [listed.item, Item.objects.get(code="FJ1-03-TRAN-0001")]
    outcome = register(registration(listed, items=both), by=staff(listed.officer_here))
    assert isinstance(outcome, Refused)


def test_a_grant_opens_only_the_items_registered_for(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    transport = Item.objects.get(code="FJ1-03-TRAN-0001")
    request = register(registration(cast, items=[transport], name="陈小满"), by=staff(cast.officer_elsewhere))
    assert isinstance(request, Request)
    file = file_by_request(request, by=staff(cast.officer_elsewhere))
    assert isinstance(file, File)
    assert file.records == []


def test_a_registration_ends_by_itself(listed: Cast) -> None:
    request = register(registration(listed), by=staff(listed.officer_here))
    assert isinstance(request, Request)
    with time_machine.travel(timezone.now() + timedelta(minutes=31), tick=False):
        outcome = file_by_request(request, by=staff(listed.officer_here))
    assert isinstance(outcome, Refused)
    assert outcome.refusal is Refusal.EXPIRED
    assert Query.objects.latest("seq").refusal == "expired"


def test_a_registration_cannot_be_borrowed(listed: Cast) -> None:
    request = register(registration(listed), by=staff(listed.officer_here))
    assert isinstance(request, Request)
    outcome = file_by_request(request, by=staff(listed.head))
    assert isinstance(outcome, Refused)
    assert outcome.refusal is Refusal.NOT_OWNER


def test_no_role_that_does_not_read_can_register(listed: Cast) -> None:
    for user in (
        listed.data_officer,
        listed.operator,
        listed.auditor,
        listed.system_admin,
        listed.security_admin,
        listed.clerk,
    ):
        outcome = register(registration(listed), by=staff(user))
        assert isinstance(outcome, Refused), user
        assert outcome.refusal is Refusal.NO_ROLE


def test_every_opening_is_a_line_of_its_own_with_what_it_returned(listed: Cast) -> None:
    before = QueryPerson.objects.count()
    request = register(registration(listed), by=staff(listed.officer_here))
    assert isinstance(request, Request)
    for _ in range(3):
        file_by_request(request, by=staff(listed.officer_here))
    assert QueryPerson.objects.count() == before + 3
    answer = QueryAnswer.objects.latest("at")
    assert answer.items == [listed.item.code]
    assert len(answer.record_ids) == 1


def test_asking_about_a_person_who_is_not_there_is_written_down(listed: Cast) -> None:
    stranger = identity.invent(decided(40 * 365), 9)
    assert register(registration(listed, id_number=stranger), by=staff(listed.officer_here)) is None
    line = Query.objects.latest("seq")
    assert (line.kind, line.decision) == ("Q5", "allowed")
    assert stranger not in str(Query.objects.filter(seq=line.seq).values().get())


def test_the_person_sees_who_looked_why_and_what_in_plain_words(listed: Cast) -> None:
    open_file(listed, listed.officer_here)
    line = access_history(listed.citizen.person)[0]
    assert line.who == "省市场监督管理局"
    assert line.purpose == "日常监督检查：双随机检查前核实"
    assert line.case_no == "闽市监检〔2026〕7号"
    assert line.items == [listed.item.code]
    assert listed.officer_here.name not in str(line)  # the unit is shown, the officer's own name is not


def test_the_person_sees_all_of_their_own(listed: Cast) -> None:
    file = own_file(listed.citizen.person, by=Asker(listed.citizen, "公示网站"))
    assert file.name == "陈小满"
    labels = {fact.label for fact in file.records[0].facts}
    assert {"违法事实", "罚款金额（万元）", "处罚依据"} <= labels
    assert file.records[0].repair_from is not None


def test_the_public_sees_a_serious_record_masked(listed: Cast) -> None:
    found = public_records(name="陈小满", id_number=CITIZEN_NUMBER, by=Asker(None, "公示网站")).records
    assert len(found) == 1
    labels = {fact.label for fact in found[0].facts}
    assert "违法事实" not in labels
    assert "罚款金额（万元）" not in labels
    assert CITIZEN_NUMBER not in str(found)
    assert found[0].public_basis.endswith("第四十八条")


def test_the_public_finds_it_by_document_number_and_exact_name_only(listed: Cast) -> None:
    nobody = Asker(None, "公示网站")
    assert len(public_records(name="陈小满", doc_no="闽市监处罚〔2026〕1号", by=nobody).records) == 1
    for name, document in [
        ("陈", "闽市监处罚〔2026〕1号"),
        ("陈小满", "闽市监处罚〔2026〕%"),
        ("%", "%"),
        ("林大雪", "闽市监处罚〔2026〕1号"),
    ]:
        assert public_records(name=name, doc_no=document, by=nobody).records == []


@pytest.mark.parametrize(
    "changes",
    [
        {"信息使用范围": "授权查询"},  # not marked public by the decider
        {"信息使用范围": ""},
        {"处罚类别": "警告", "失信程度": "轻微"},  # minor: never public
        {"公示截止期": f"{decided(330)}", "处罚决定日期": f"{decided(342)}"},  # its period is over
        {"处罚决定日期": f"{decided(1150)}", "公示截止期": "2099/12/31"},  # beyond three years
    ],
)
def test_what_is_not_public_today_is_not_found(cast: Cast, changes: dict[str, str]) -> None:
    batch = deliver(cast, [penalty(cast, **changes)])
    assert batch.new == 1
    assert public_records(name="陈小满", id_number=CITIZEN_NUMBER, by=Asker(None, "公示网站")).records == []
    assert len(own_file(cast.citizen.person, by=Asker(cast.citizen, "公示网站")).records) == 1


def test_a_look_up_by_anybody_is_logged_and_shown_to_the_person(listed: Cast) -> None:
    public_records(name="陈小满", id_number=CITIZEN_NUMBER, by=Asker(None, "公示网站"))
    assert access_history(listed.citizen.person)[0].who == "公众"


def test_a_look_up_of_nobody_leaves_a_line_without_a_person(cast: Cast) -> None:
    before = QueryPerson.objects.count()
    public_records(name="查无此人", id_number=identity.invent(decided(30 * 365), 5), by=Asker(None, "公示网站"))
    assert Query.objects.latest("seq").kind == "Q6"
    assert QueryPerson.objects.count() == before


def test_no_record_is_written_outside_a_batch(listed: Cast) -> None:
    with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
        Record.objects.create(
            person=listed.citizen.person, item=listed.item, provider=listed.market, decider_uscc=listed.market.uscc,
            doc_no="私自写入", doc_date=decided(), severity=0, query_until=decided(-100), content_hash=b"0" * 16,
        )  # fmt: skip


def test_no_record_is_changed_outside_a_batch_even_in_a_reading(listed: Cast) -> None:
    with transaction.atomic():
        own_file(listed.citizen.person, by=Asker(listed.citizen, "公示网站"))
        assert Record.objects.count() == 1
        assert Record.objects.update(publication=None) == 0
        with pytest.raises(DatabaseError), transaction.atomic():
            RecordVersion.objects.update(content={})
