"""Regional scope: a city sees its own and below, a county its own, the province all, by every way and after a merger.

One transactional test goes through the ways: every reading needs a transaction of its own, as it has in life.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from access import duties
from access.actions import Ask, Asker, write_persons, write_query
from access.models import DutyItem, Kind, Purpose, Request
from accounts.actions import register_organisation
from accounts.models import Organisation, Region, Role, User
from catalogue.models import ItemGrant
from creditfujian.tests.cast import CITIZEN_NUMBER, Cast, browser_of, credit_code, granted, make_cast, with_duty
from creditfujian.tests.registrations import registration_of
from records import actions, bulk, exports, listing, work_lists
from records.export_models import Export
from records.listing import Filters, ListSearch, look_for
from records.models import Record
from records.reading import File, file_by_request, register
from records.tests.deliveries import as_csv, check, deliver, penalty
from records.tests.listings import asks, opened
from records.tests.test_exports import fetched
from records.tests.test_gateway import registration

OFFICES = {
    "三明": "350400", "三元": "350404", "梅列": "350402", "厦门": "350200", "福州": "350100", "平潭": "350128",
}  # fmt: skip
REACH = {
    "省": {"省", "三明", "三元", "梅列", "厦门", "平潭"}, "三明": {"三明", "三元", "梅列"}, "三元": {"三元", "梅列"},
    "梅列": {"梅列"}, "厦门": {"厦门"}, "福州": set(), "平潭": {"平潭"},
}  # fmt: skip
DUTY = "350000-MRKT-02"


def member(where: Organisation, role: Role) -> User:
    user = User.objects.create(
        username=f"{role}{where.pk}", name=f"工作人员{where.pk}", organisation=where, is_staff=True
    )
    from django.contrib.auth.models import Group

    user.groups.set(Group.objects.filter(name=role))
    return User.objects.get(pk=user.pk)


def office(cast: Cast, serial: int, name: str, region: str) -> User:
    """An office of the market authority there with all that its officer needs; returns the officer."""
    where = register_organisation(
        uscc=credit_code(serial), name=f"{name}市场监督管理局", kind="department", region=Region.objects.get(pk=region),
        parent=cast.market,
    )  # fmt: skip
    for permission in ItemGrant.Permission:
        granted(cast, where, cast.item, permission)
    with_duty(cast.credit_office, cast.credit_office_2, where, DUTY, cast.item.code)
    return member(where, Role.DECIDER_OFFICER)


def delivered_by(cast: Cast, name: str, where: Organisation) -> None:
    """A penalty of that office about the citizen."""
    batch = check(cast, as_csv([document(cast, name)]), by=member(where, Role.DATA_OFFICER), name=f"{name}.csv")
    assert actions.commit_now(batch.pk, by=member(where, Role.DATA_REVIEWER)).new == 1


def document(cast: Cast, name: str) -> dict[str, str]:
    return penalty(cast, 行政处罚决定书文号=f"{name}市监处罚〔2026〕1号")


def short(doc_no: str) -> str:
    return doc_no.split("市监")[0]


# --- the ways ---------------------------------------------------------------------------------------------------


def by_file(cast: Cast, user: User) -> set[str]:
    request = register(registration(cast, duty_code=DUTY), by=asks(user))
    assert isinstance(request, Request), request
    file = file_by_request(request, by=asks(user))
    assert isinstance(file, File)
    return {short(view.doc_no) for view in file.records}


def by_list(cast: Cast, user: User, search: Callable[[Request], ListSearch | None] = lambda _: None) -> set[str]:
    request = opened(cast, user)
    page = listing.page(request, Filters(), search(request), by=asks(user))
    assert isinstance(page, listing.Page), page
    return {short(line.doc_no) for line in page.lines}


def by_number(cast: Cast, user: User) -> set[str]:
    return by_list(cast, user, lambda request: look_for(request, ListSearch.By.NUMBER, CITIZEN_NUMBER))


def by_name(cast: Cast, user: User) -> set[str]:
    return by_list(cast, user, lambda request: look_for(request, ListSearch.By.NAME, "陈小满"))


def by_document(cast: Cast, user: User) -> set[str]:
    found = set[str]()
    for name in REACH["省"]:
        number = f"{name}市监处罚〔2026〕1号"
        found |= by_list(cast, user, lambda request, n=number: look_for(request, ListSearch.By.DOCUMENT, n))  # type: ignore[misc]
    return found


def by_ending(cast: Cast, user: User) -> set[str]:
    page = listing.page(opened(cast, user), Filters(ends_within=3000), None, by=asks(user))
    assert isinstance(page, listing.Page)
    return {short(line.doc_no) for line in page.lines}


def by_provider(cast: Cast, user: User) -> set[str]:
    request, everybody = opened(cast, user), tuple(Organisation.objects.values_list("pk", flat=True))
    page = listing.page(request, Filters(providers=everybody), None, by=asks(user))
    assert isinstance(page, listing.Page)
    return {short(line.doc_no) for line in page.lines}


def by_record(cast: Cast, user: User) -> set[str]:
    request = opened(cast, user)
    pages = [listing.one(request, pk, by=asks(user)) for pk in everything()]
    return {short(page.view.doc_no) for page in pages if isinstance(page, listing.RecordPage)}


def by_work_list(cast: Cast, user: User) -> set[str]:
    job = bulk.start("work_list", request=opened(cast, user), record_ids=list(everything()), params={}, by=user)
    made = work_lists.make(job, title="核对", assigned_to=user, due_on=timezone.localdate(), by=user)
    bulk.run(job.pk)
    known = everything()
    return {known[pk] for pk in made.entries.values_list("record_id", flat=True)}


def by_export(cast: Cast, user: User) -> set[str]:
    return exported(cast, user)


def by_named_export(cast: Cast, user: User) -> set[str]:
    return exported(cast, user, numbers=[CITIZEN_NUMBER])


def exported(cast: Cast, user: User, **more: object) -> set[str]:
    wish = exports.Filters(
        items=[cast.item], purpose=Purpose.SUPERVISION, purpose_text="核对", duty_code=DUTY, case_no="1号",
        format=Export.Format.CSV, own_only=False, **more,  # type: ignore[arg-type]
    )  # fmt: skip
    export = exports.request(wish, by=asks(user))
    assert isinstance(export, Export), export
    export = exports.run(export.pk)
    assert export.state == Export.State.READY, export.failure
    text = fetched(cast, export).decode()
    return {name for name in REACH["省"] if f"{name}市监处罚" in text}


def by_statement(cast: Cast, user: User) -> set[str]:
    """What the application's role sees under a line that it wrote itself, in the name of the province's department."""
    with transaction.atomic():
        listed = registration_of(user, None, [cast.item], case_no="1", duty_code=DUTY)
        seq = write_query(
            Ask(
                kind=Kind.DUTY,
                ground="职责",
                purpose="试",
                fields_class="无",
                case_no="1",
                duty_code=DUTY,
                request_no=listed.pk,
            ),
            by=Asker(user, "x"),
        )
        write_persons(seq, [(cast.citizen.person_id, cast.item.pk)])
        return {short(record.doc_no) for record in Record.objects.all()}


WAYS = (
    by_file, by_list, by_number, by_name, by_document, by_ending, by_provider, by_record, by_work_list, by_export,
    by_named_export, by_statement,
)  # fmt: skip


def everything() -> dict[int, str]:
    """The key of each record by its office; the owner looks them up."""
    from records.tests.life import owner_sql

    return {pk: short(doc_no) for pk, doc_no in owner_sql("SELECT id, doc_no FROM records_record")}


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_each_office_reads_what_lies_within_its_region_by_every_way() -> None:
    cast = make_cast()
    deliver(cast, [document(cast, "省")])
    officers = {"省": cast.officer_here}
    for serial, (name, region) in enumerate(OFFICES.items(), start=30):
        officers[name] = office(cast, serial, name, region)
        if name != "福州":
            delivered_by(cast, name, officers[name].organisation)  # type: ignore[arg-type]
    for name, user in officers.items():
        for way in WAYS:
            assert way(cast, user) == REACH[name], f"{name} {way.__name__}"
    wider = duties.propose(
        organisation=officers["厦门"].organisation, code="350200-MRKT-9", name="闽西南食品安全协作", basis="《食品安全法》第六条",
        region=Region.objects.get(pk="350400"), region_basis="《食品安全法》第六条、省政府区域协作方案",
        valid_from=timezone.localdate(), items=[cast.item], by=cast.credit_office,
    )  # fmt: skip

    def at_work() -> set[str]:
        page = listing.page(
            opened(cast, officers["厦门"], duty_code="350200-MRKT-9"), Filters(), None, by=asks(officers["厦门"])
        )
        assert isinstance(page, listing.Page), page
        return {short(line.doc_no) for line in page.lines}

    with pytest.raises(AssertionError):
        at_work()  # what one official proposed opens nothing
    duties.confirm(wider.pk, by=cast.credit_office_2)
    assert at_work() == {"厦门", "三明", "三元", "梅列"}
    assert by_list(cast, officers["厦门"]) == {"厦门"}, "a wider duty widens nothing but itself"
    duties.end(wider.pk, on=timezone.localdate(), by=cast.credit_office)
    with pytest.raises(AssertionError):
        at_work()


# --- the duty that reaches further ----------------------------------------------------------------------------------


def asked(cast: Cast, **changes: object) -> DutyItem:
    values = {
        "organisation": cast.market, "code": "350000-MRKT-77", "name": "食品生产许可", "basis": "《食品安全法》第三十五条",
        "valid_from": timezone.localdate(), "items": [cast.item], "by": cast.credit_office,
    }  # fmt: skip
    return duties.propose(**values | changes)  # type: ignore[arg-type]


def test_a_wider_region_needs_its_own_basis_and_is_fixed_with_the_duty(cast: Cast) -> None:
    city = Region.objects.get(pk="350200")
    for values in ({"region": city}, {"region_basis": "《食品安全法》"}):
        with pytest.raises(ValidationError, match="扩大区域的依据"):
            asked(cast, **values)
    duty = asked(cast, region=city, region_basis="《食品安全法》第六条")
    with pytest.raises(PermissionDenied, match="另一名"):
        duties.confirm(duty.pk, by=cast.credit_office)
    duties.confirm(duty.pk, by=cast.credit_office_2)
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="not an edit"), transaction.atomic():
        cursor.execute("UPDATE access_dutyitem SET region_id = '350000' WHERE id = %s", [duty.pk])


def test_the_page_of_a_duty_says_how_far_it_reaches(cast: Cast) -> None:
    browser = browser_of(cast.credit_office)
    form = {
        "organisation": cast.market.pk, "code": "350000-MRKT-88", "name": "广告监管", "basis": "《广告法》第六条",
        "valid_from": timezone.localdate().isoformat(), "items": [cast.item.version_on(timezone.localdate()).pk],
        "region": "350200", "region_basis": "",
    }  # fmt: skip
    assert "须写扩大区域的依据" in browser.post("/admin/access/dutyitem/add/", form).content.decode()
    browser.post("/admin/access/dutyitem/add/", form | {"region_basis": "《广告法》第六条第二款"})
    duty = DutyItem.objects.get(code="350000-MRKT-88")
    page = browser.get(f"/admin/access/dutyitem/{duty.pk}/change/").content.decode()
    assert "厦门市及其下辖" in page
    assert "《广告法》第六条第二款" in page


# --- what becomes of the grant while something is open ----------------------------------------------------------------


def test_an_office_that_is_abolished_opens_nothing_any_more(cast: Cast) -> None:
    officer = office(cast, 40, "三明", "350400")
    request = opened(cast, officer)
    Organisation.objects.filter(pk=officer.organisation_id).update(valid_to=timezone.localdate() - timedelta(days=1))
    assert not isinstance(listing.page(request, Filters(), None, by=asks(officer)), listing.Page)
