"""The named cast of every test: who they are never changes from test to test. All of them are invented."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pytest
from django.test import Client
from django.utils import timezone

from access import duties
from access.models import DutyItem
from accounts.actions import register_organisation
from accounts.models import Organisation, Person, Region, Role, User
from accounts.sessions import MARK
from accounts.sign_in import BACKEND, mark
from accounts.sign_in_log import Door
from accounts.sign_in_models import Method
from accounts.sign_in_rules import limits
from catalogue import grants
from catalogue.models import Item, ItemGrant
from catalogue.starter import Hands, load_starter
from creditfujian.lib import identity, uscc

DUTIES = ("350000-MRKT-01", "350000-MRKT-02", "350000-MRKT-0107")  # in the register for both departments that read
ITEMS = ("FJ1-03-MRKT-0001", "FJ1-03-TRAN-0001", "FJ1-03-HRSS-0001", "FJ1-06-MRKT-0003")
ORGANISATIONS = {
    "market": "省市场监督管理局", "transport": "省交通运输厅", "personnel": "省人力资源和社会保障厅", "platform": "省经济信息中心",
    "counter": "省政务服务中心", "bank": "闽江虚拟银行",
}  # fmt: skip
USERNAMES = {  # of those who are called otherwise in the cast
    "other_citizen": "other", "legal_reviewer": "legal", "credit_office": "office", "credit_office_2": "office2",
    "security_admin": "security", "system_admin": "system",
}  # fmt: skip
PASSWORD = "松竹梅-岁寒三友-2026"
CITIZEN_NUMBER = identity.invent(date(1990, 1, 1), 1)
OTHER_NUMBER = identity.invent(date(1976, 6, 15), 4)


def credit_code(serial: int, prefix: str = "11350000") -> str:
    """Make up a valid unified social credit code."""
    first17 = f"{prefix}DEM0{serial:05d}"
    return first17 + uscc.check_char(first17)


@dataclass(frozen=True)
class Cast:
    """Everybody. `market` supplies and reads penalties; `transport` may not read them."""

    market: Organisation
    transport: Organisation
    personnel: Organisation
    platform: Organisation
    counter: Organisation
    bank: Organisation
    item: Item
    citizen: User
    other_citizen: User
    data_officer: User
    data_reviewer: User
    officer_here: User
    officer_elsewhere: User
    legal_reviewer: User
    head: User
    credit_office: User
    credit_office_2: User
    operator: User
    clerk: User
    auditor: User
    security_admin: User
    system_admin: User
    bank_clerk: User

    def everyone(self) -> dict[str, User | None]:
        """All accounts by name, and nobody."""
        users = {name: value for name, value in vars(self).items() if isinstance(value, User)}
        return {**users, "nobody": None}


def _citizen(username: str, name: str, number: str) -> User:
    person = Person.seal(number, name)
    person.save()
    user = User(username=username, name=name, kind=User.Kind.CITIZEN, person=person)
    user.set_password(PASSWORD)
    user.save()
    return user


def institution_user(username: str, name: str, where: Organisation) -> User:
    """Open an operator's account of an institution."""
    user = User(username=username, name=name, organisation=where, kind=User.Kind.INSTITUTION)
    user.set_password(PASSWORD)
    user.save()
    return user


def with_duty(asks: User, confirms: User, organisation: Organisation, code: str, *items: str) -> DutyItem:
    """Enter a duty by two hands."""
    duty = duties.propose(
        organisation=organisation, code=code, name="市场监督管理", basis="《市场主体登记管理条例》第三十八条",
        valid_from=timezone.localdate(), items=list(Item.objects.filter(code__in=items)), by=asks,
    )  # fmt: skip
    return duties.confirm(duty.pk, by=confirms)


def granted(cast: Cast, organisation: Organisation, item: Item, permission: str = "supply_item") -> ItemGrant:
    """Enter a grant by two hands."""
    grant = grants.ask(
        organisation=organisation, item=item, permission=permission, basis="《市场主体登记管理条例》第三十八条",
        reason="履职需要", by=cast.credit_office,
    )  # fmt: skip
    return grants.confirm(grant.pk, by=cast.credit_office_2)


def make_cast() -> Cast:
    """Enter the cast into the database, and return it; where it is on stage already (conftest.py), find it."""
    return _found() if User.objects.filter(username="bank_clerk").exists() else _entered()


def _entered() -> Cast:
    province = Region.objects.get(pk="350000")

    def organisation(serial: int, name: str, code: str = "", kind: str = "department") -> Organisation:
        return register_organisation(
            uscc=credit_code(serial), name=ORGANISATIONS[name], kind=kind, region=province, code=code
        )

    def staff(username: str, name: str, where: Organisation, *roles: Role) -> User:
        user = User(username=username, name=name, organisation=where, is_staff=True)
        user.set_password(PASSWORD)
        user.save()
        from django.contrib.auth.models import Group

        user.groups.set(Group.objects.filter(name__in=roles))
        return user

    market = organisation(1, "market", "MRKT")
    transport = organisation(2, "transport", "TRAN")
    personnel = organisation(3, "personnel", "HRSS")
    platform = organisation(4, "platform")
    counter = organisation(5, "counter")
    bank = organisation(6, "bank", kind="institution")
    people = {
        "data_officer": staff("data_officer", "报送员甲", market, Role.DATA_OFFICER),
        "legal_reviewer": staff("legal", "法制员戊", market, Role.LEGAL_REVIEWER),
        "credit_office": staff("office", "信用办庚", platform, Role.CREDIT_OFFICE),
        "credit_office_2": staff("office2", "信用办寅", platform, Role.CREDIT_OFFICE),
    }
    hands = Hands(people["data_officer"], people["legal_reviewer"], people["credit_office_2"], people["credit_office"])
    load_starter({"MRKT": market, "TRAN": transport, "HRSS": personnel}, hands, only=ITEMS)
    for code in DUTIES:
        with_duty(people["credit_office"], people["credit_office_2"], market, code, *ITEMS)
        with_duty(people["credit_office"], people["credit_office_2"], transport, code, "FJ1-03-TRAN-0001")
    return Cast(
        market=market, transport=transport, personnel=personnel, platform=platform, counter=counter, bank=bank,
        item=Item.objects.get(code=ITEMS[0]),
        citizen=_citizen("citizen", "陈小满", CITIZEN_NUMBER),
        other_citizen=_citizen("other", "林大雪", OTHER_NUMBER),
        data_reviewer=staff("data_reviewer", "审核员乙", market, Role.DATA_REVIEWER),
        officer_here=staff("officer_here", "经办人丙", market, Role.DECIDER_OFFICER),
        officer_elsewhere=staff("officer_elsewhere", "经办人丁", transport, Role.DECIDER_OFFICER),
        head=staff("head", "负责人己", market, Role.DECIDER_HEAD),
        operator=staff("operator", "运维辛", platform, Role.OPERATOR),
        clerk=staff("clerk", "窗口壬", counter, Role.CLERK),
        auditor=staff("auditor", "审计癸", platform, Role.AUDITOR),
        security_admin=staff("security", "安全子", platform, Role.SECURITY_ADMIN),
        system_admin=staff("system", "系统丑", platform, Role.SYSTEM_ADMIN),
        bank_clerk=institution_user("bank_clerk", "柜员卯", bank),
        **people,
    )  # fmt: skip


def _found() -> Cast:
    """Find the cast, each organisation one object as when it was entered."""
    places = {one.name: one for one in Organisation.objects.filter(name__in=ORGANISATIONS.values())}
    by_pk = {one.pk: one for one in places.values()}
    users = {one.username: one for one in User.objects.select_related("person")}
    for user in users.values():
        if user.organisation_id:
            user.organisation = by_pk[user.organisation_id]
    fields = Cast.__dataclass_fields__.items()
    return Cast(
        item=Item.objects.get(code=ITEMS[0]),
        **{name: places[ORGANISATIONS[name]] for name, field in fields if field.type is Organisation},
        **{name: users[USERNAMES.get(name, name)] for name, field in fields if field.type is User},
    )


@pytest.fixture
def cast(db: None) -> Cast:
    """The cast, in a database of the test's own."""
    return make_cast()


def browser_of(user: User | None) -> Client:
    """A browser in which somebody has signed in with all that their account needs; how is tested in accounts."""
    client = Client()
    if user is not None:
        client.force_login(user, backend=BACKEND)
        session = client.session
        session[MARK] = mark(limits(), Door(agent="测试"), method=Method.TOTP, factor=True)
        session.save()
    return client


@pytest.fixture
def as_user() -> Callable[[User | None], Client]:
    """A browser signed in as somebody, or as nobody."""
    return browser_of
