"""Demo data: made through the same actions that people use, so that every line has its history.

All persons are invented; their numbers lie in area 359901, which is assigned to nobody.
"""

import csv
import io
import json
import os
import random
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from access import duties
from access.actions import Asker
from access.models import Purpose, Request
from access.sealing import seal
from access.verifying import verify_and_note
from accounts import reference
from accounts.actions import register_organisation, register_staff
from accounts.models import Organisation, Region, Role, User
from accounts.second_factors import bind_totp
from accounts.sign_in_log import Door
from catalogue.models import Item
from catalogue.starter import Hands, load_starter
from creditfujian import (
    demo_api,
    demo_attestations,
    demo_catalogue,
    demo_consents,
    demo_entry,
    demo_glass,
    demo_grounds,
    demo_life,
    demo_lists,
    demo_mapping,
    demo_persons,
    demo_regions,
    demo_returned,
    demo_reviews,
    demo_rewards,
    demo_rights,
    demo_sanctions,
    demo_ways_out,
)
from creditfujian.demo_counter import open_account
from creditfujian.demo_people import MARKET_CASES, QUALIFICATIONS, TRANSPORT_CASES, Case, Somebody, people
from creditfujian.lib import totp, uscc
from records import actions
from records.models import Batch
from records.reading import File, Registration, file_by_request, own_file, public_records, register

Say = Callable[[str], object]
PENALTIES = "FJ1-03-MRKT-0001"


@dataclass(frozen=True)
class Account:
    """A demo account as `make run` prints it."""

    role: str
    username: str
    password: str
    totp_secret: str | None
    organisation: str
    uscc: str
    note: str


EMPLOYER = "鹭岛虚拟机械有限公司（演示）"
# Beside the departments of accounts/data/organisations.csv: name, region, kind
MORE_ORGANISATIONS = [
    ("福州市市场监督管理局（演示）", "350100", "department"),
    ("厦门市市场监督管理局（演示）", "350200", "department"),
    ("泉州市市场监督管理局（演示）", "350500", "department"),
    ("闽江虚拟银行股份有限公司（演示）", "350100", "institution"),
    (EMPLOYER, "350200", "institution"),
    (demo_regions.CITY, "350400", "department"),
    (demo_regions.COUNTY, "350404", "department"),
]

# role, user name, person, organisation's short code, note
STAFF = [
    (Role.DATA_OFFICER, "data_officer", "黄报送", "MRKT", "上传市场监管行政处罚（FJ1-03-MRKT-0001）"),
    (Role.DATA_REVIEWER, "data_reviewer", "郑审核", "MRKT", "审核并提交本单位批次"),
    (Role.DECIDER_OFFICER, "decider_officer", "吴经办", "MRKT", "登记后可查阅本单位获准的条目"),
    (Role.DECIDER_OFFICER, "decider_officer2", "唐协办", "MRKT", "列入案件的协办人：核对后与主办人一起定稿"),
    (Role.DECIDER_REVIEWER, "decider_reviewer", "刘复核", "MRKT", "认定审核人"),
    (Role.LEGAL_REVIEWER, "legal_reviewer", "许法制", "MRKT", "法制审核员"),
    (Role.DECIDER_HEAD, "decider_head", "谢负责", "MRKT", "认定单位负责人，答复本单位的查询核查"),
    (
        Role.CREDIT_OFFICE,
        "credit_office",
        "苏信用",
        "FGWH",
        "查看目录和各单位报送数量，录入年度日历，提出时限规则，核对人员身份",
    ),
    (
        Role.CREDIT_OFFICE,
        "credit_office2",
        "柯复核",
        "FGWH",
        "确认另一名工作人员录入的年度日历、提出的时限规则，审核人员核对单",
    ),
    (Role.OPERATOR, "operator", "赖运维", "JJXX", "只看数量，不看档案"),
    (
        Role.CLERK,
        "clerk",
        "曾窗口",
        "ZWFW",
        "窗口核验身份，办理出具报告，录入纸质授权书、代理人和近亲属材料",
    ),
    (Role.CLERK, "clerk2", "骆窗口", "ZWFW", "第二名窗口人员：复核身份核验、发放激活码，核对后出具并打印报告"),
    (Role.AUDITOR, "auditor", "何审计", "JJXX", "写明理由后查看查询日志，办结查询核查，查看登录日志和变更日志"),
    (Role.SECURITY_ADMIN, "security_admin", "罗安全", "JJXX", "分配角色、发放绑定码、管理登录安全"),
    (Role.SYSTEM_ADMIN, "system_admin", "高系统", "JJXX", "开通账户、维护机构"),
    (
        Role.DECIDER_OFFICER,
        "transport_officer",
        "叶交通",
        "TRAN",
        "另一部门：未获准查询市场监管处罚，会被拒绝并记入日志",
    ),
    (Role.DATA_OFFICER, "transport_data", "丁运输", "TRAN", "报送道路运输从业人员行政处罚"),
    (Role.DATA_OFFICER, "xiamen_data", "施鹭", "厦门市市场监督管理局（演示）", "提出厦门市补充目录条目（征求意见中）"),
    (Role.DATA_OFFICER, "hrss_data", "潘人社", "HRSS", "报送职业资格证书"),
    (Role.DECIDER_OFFICER, "xiamen_officer", "洪鹭江", demo_regions.OTHER_CITY, "设区市：只能查到厦门市及其下辖的记录"),
    (
        Role.DECIDER_OFFICER,
        "sanming_officer",
        "邓沙溪",
        demo_regions.CITY,
        "设区市：能查到三明市和三元区的记录，查不到厦门市的",
    ),
    (
        Role.DECIDER_OFFICER,
        "sanyuan_officer",
        "范列西",
        demo_regions.COUNTY,
        "县（区）：只能查到三元区（含原梅列区）的记录",
    ),
    (Role.DATA_OFFICER, "sanyuan_data", "罗列东", demo_regions.COUNTY, "县（区）：报送三元区市场监管行政处罚"),
    (Role.DECIDER_OFFICER, demo_rewards.OFFICER, "程推荐", "WMBA", "省委文明办：提出激励项目，推荐激励，兼数据员"),
    (Role.DECIDER_HEAD, demo_rewards.HEAD, "严决定", "WMBA", "省委文明办：查阅核对结果，决定公示、授予，兼数据审核员"),
]
# Who enters the honour that they nominated or granted holds the duty for it as well.
MORE_ROLES = {demo_rewards.OFFICER: Role.DATA_OFFICER, demo_rewards.HEAD: Role.DATA_REVIEWER}


def load(*, say: Say) -> list[Account]:
    """Enter the demo once; a second run only gives the accounts new passwords and seeds to print."""
    organisations = _organisations()
    if User.objects.filter(username="data_officer").exists():
        say("演示数据已在，只重设演示账户的密码和手机验证码密钥。")
        return _reset_passwords(organisations)
    accounts = [_staff(row, organisations) for row in STAFF]
    items = _catalogue(organisations)
    say(f"机构 {len(organisations)} 个，工作人员 {len(accounts)} 名，目录条目 {len(items)} 个")
    people = _batches(organisations, say)
    demo_entry.load(people[520:522], MARKET_CASES, Item.objects.get(code=PENALTIES))
    demo_catalogue.load()
    accounts += _citizens(people)
    accounts += [_institution(organisations["BANK"], "institution", "余银行"),
                 _institution(organisations[EMPLOYER], "institution2", "洪人事")]  # fmt: skip
    _duties(organisations)
    say(demo_regions.load(organisations, Item.objects.get(code=PENALTIES), _of_a_place(people[60:84])))
    _readings(people)
    say("查询登记与查询日志已写入")
    demo_life.load([(one.name, one.id_number) for one in people[10:18]], Item.objects.get(code=PENALTIES))
    demo_life.speak(User.objects.get(username="citizen"))
    say(demo_ways_out.load(item_code=PENALTIES, numbers=[one.id_number for one in people[300:360]]))
    twice = (people[250], replace(_newcomers(2)[-1], name=people[250].name))
    demo_persons.load(people[30:40], twice, lambda some: _deliver_penalties(some, organisations["MRKT"]))
    say(_followed(people, organisations["MRKT"]))
    say(demo_lists.load(Item.objects.get(code=PENALTIES)))
    strangers = [(one.name, one.id_number) for one in people[300:302]]
    bank, employer = organisations["BANK"], organisations[EMPLOYER]
    say(demo_consents.load(bank, employer, others=strangers, item_code=PENALTIES))
    say(demo_attestations.load())
    say(demo_grounds.load((people[34].name, people[34].id_number), Item.objects.get(code=PENALTIES)))
    say(demo_reviews.load(people[0], people[1], Item.objects.get(code=PENALTIES)))
    say(demo_glass.load(people[2], people[3], Item.objects.get(code=PENALTIES)))
    say(demo_rights.load())
    say(demo_sanctions.load(organisations, [one.id_number for one in people[400:406]]))
    say(
        demo_rewards.load(
            _newcomers(11)[2:],
            password=_password(),
            penalise=lambda some: _deliver_road_penalties(some, organisations["TRAN"]),
        )
    )
    market = organisations["MRKT"]
    token = _department_token(market, demo_api.load(market, organisations["TRAN"]))
    say(_sealed())
    return [*accounts, token]


def _department_token(market: Organisation, secret: str) -> Account:
    """Return the token of the department's system beside the accounts: its password is what a call carries."""
    note = "部门业务系统的接口令牌（不能登录）：Authorization: Bearer …，说明见 /api/v1/docs/"
    return Account("department_token", demo_api.NAME, secret, None, market.name, market.uscc, note)


def _sealed() -> str:
    """Seal what was read so far, and verify it: the log begins whole."""
    checkpoint, verification = seal(), verify_and_note()
    lines = checkpoint.size if checkpoint else 0
    return f"查询日志封存 {lines} 条，核验{'完好' if verification.is_whole else '发现问题'}"


def _followed(crowd: list[Somebody], market: Organisation) -> str:
    """Deliver what is held, handed back, answered and cleared."""
    start = timezone.localdate() - timedelta(days=100)
    shifted, late, answered = (
        _penalties(crowd[first:last], MARKET_CASES, market, prefix, start, 60, public=True, spoil=spoil)
        for first, last, prefix, spoil in (
            (440, 600, "厦市监处罚", 1), (520, 560, "漳市监处罚", 8), (560, 600, "莆市监处罚", 15),
        )
    )  # fmt: skip
    return demo_returned.load(
        lambda content, name, committer: _deliver(content, name, PENALTIES, "data_officer", committer),
        shifted=shifted, late=late, answered=answered,
    )  # fmt: skip


def write_credentials(accounts: list[Account], target: Path) -> None:
    """Write the accounts to a file that only its owner reads."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        json.dump([asdict(account) for account in accounts], out, ensure_ascii=False, indent=1)


def _password() -> str:
    return f"Fj-{secrets.token_urlsafe(9)}"


def _credit_code(serial: int, kind: str) -> str:
    first17 = f"{'11350000' if kind == 'department' else '91350100'}MADEM{serial:04d}"
    return first17 + uscc.check_char(first17)


def _organisations() -> dict[str, Organisation]:
    """Enter the province's departments under made-up credit codes, and a few beside them."""
    found: dict[str, Organisation] = {}
    serial = 0
    for serial, department in enumerate(reference.departments(), start=1):
        found[department.code] = _organisation(
            serial, f"{department.name}（演示）", department.region, "department", code=department.code,
            parent=found.get(department.parent or ""), valid_from=department.valid_from,
        )  # fmt: skip
    for number, (name, region, kind) in enumerate(MORE_ORGANISATIONS, start=serial + 1):
        parent = found["MRKT"] if name.endswith("市市场监督管理局（演示）") else None
        if name == demo_regions.COUNTY:
            parent = found[demo_regions.CITY]
        organisation = _organisation(number, name, region, kind, parent=parent)
        found["BANK" if kind == "institution" and name != EMPLOYER else name] = organisation
    for number, former in enumerate(reference.successions(), start=900):
        gone = _organisation(number, f"{former.predecessor}（演示）", "350000", "department", valid_to=former.valid_to)
        found[former.successor].predecessors.add(gone)
    return found


def _organisation(serial: int, name: str, region: str, kind: str, **more: object) -> Organisation:
    number = _credit_code(serial, kind)
    return Organisation.objects.filter(uscc=number).first() or register_organisation(
        uscc=number, name=name, kind=kind, region=Region.objects.get(pk=region), **more
    )


def _catalogue(organisations: dict[str, Organisation]) -> list[Item]:
    """Publish the first edition by four hands, and let departments that need it for a duty read an item."""
    hands = Hands(
        *(
            User.objects.get(username=name)
            for name in ("data_officer", "legal_reviewer", "credit_office2", "credit_office")
        )
    )
    items = load_starter(organisations, hands)
    # The demo lets one hand commit by the command, so that the command can be tried alone.
    Item.objects.filter(code=PENALTIES).update(one_hand_by_command=True)
    return items


def _staff(row: tuple[Role, str, str, str, str], organisations: dict[str, Organisation]) -> Account:
    role, username, name, code, note = row
    password, organisation = _password(), organisations[code]
    roles = [role, MORE_ROLES[username]] if username in MORE_ROLES else [role]
    user = register_staff(username=username, name=name, organisation=organisation, roles=roles, password=password)
    secret = _phone(user)
    return Account(role.value, username, password, secret, organisation.name, organisation.uscc, note)


def _phone(user: User) -> str:
    """Bind a new seed of one-time codes, as if the holder had scanned it; return it as apps write it."""
    secret = totp.new_secret()
    with transaction.atomic():
        user.second_factors.all().delete()
        bind_totp(user, secret, totp.code(secret, totp.step_at(time.time()) - 1), door=Door())
    return totp.as_text(secret)


# What goes wrong in real offices: column and what stands there (None: the last character is lost).
SPOILT: list[tuple[int, str | None]] = [
    (3, None), (4, " "), (8, "行政拘留"), (11, "2027-13-01"), (6, "当事人联系电话13800138000。"), (8, "记过"), (0, "=A1"),
]  # fmt: skip


def _batches(organisations: dict[str, Organisation], say: Say) -> list[Somebody]:
    """Deliver batches through the counter that departments use; return the people, notable ones first."""
    crowd = people(600)
    market, today = organisations["MRKT"], timezone.localdate()
    first = _penalties(crowd[:320], MARKET_CASES, market, "闽市监处罚", today - timedelta(days=150), 140, public=True)
    _deliver(first, "2026年第三季度处罚信息.csv", PENALTIES, "data_officer", "data_reviewer")
    messy = _penalties(
        crowd[320:440], MARKET_CASES, market, "泉市监处罚", today - timedelta(days=60), 40, public=True, spoil=9
    )
    _deliver(messy, "泉州报送9月.csv", PENALTIES, "data_officer", "data_reviewer")
    messy = _penalties(
        crowd[440:520], MARKET_CASES, market, "榕市监处罚", today - timedelta(days=30), 25, public=True, spoil=14
    )
    _deliver(messy, "福州报送10月.csv", PENALTIES, "data_officer", None)
    transport = organisations["TRAN"]
    rows = _penalties(
        crowd[200:360], TRANSPORT_CASES, transport, "闽交执罚", today - timedelta(days=300), 250, public=False
    )
    _deliver(rows, "道路运输处罚.csv", "FJ1-03-TRAN-0001", "transport_data", None)
    rows = _qualifications(crowd[100:500], organisations["HRSS"])
    _deliver(rows, "职业资格证书.csv", "FJ1-03-HRSS-0001", "hrss_data", None)
    for batch in Batch.objects.filter(
        state=Batch.State.CHECKED, item__code__in=["FJ1-03-TRAN-0001", "FJ1-03-HRSS-0001"]
    ):
        _commit_by_second_hand(batch)
    exported, ledger = (
        _penalties(
            crowd[at : at + 30], MARKET_CASES, market, prefix, today - timedelta(days=20), 15, public=True, spoil=spoil
        )
        for at, prefix, spoil in ((520, "漳市监处罚", 13), (550, "莆市监处罚", 0))
    )
    demo_mapping.load(exported, ledger, item_code=PENALTIES, say=say)
    _deliver(b"not,a,table\n1,2,3\n", "说明.csv", PENALTIES, "data_officer", None)
    say(f"批次 {Batch.objects.count()} 个，其中待审核 {Batch.objects.filter(state=Batch.State.CHECKED).count()} 个")
    return crowd


def _penalties(
    crowd: list[Somebody],
    cases: list[Case],
    organisation: Organisation,
    prefix: str,
    start: date,
    days: int,
    *,
    public: bool,
    spoil: int = 0,
) -> bytes:
    dice = random.Random(len(crowd))
    header = [
        "行政相对人名称", "行政相对人类别", "证件类型", "证件号码", "行政处罚决定书文号", "违法行为类型", "违法事实",
        "处罚依据", "处罚类别", "处罚内容", "罚款金额（万元）", "处罚决定日期", "处罚机关", "处罚机关统一社会信用代码",
        *(["公示截止期", "信息使用范围"] if public else []),
    ]  # fmt: skip
    rows = []
    for number, somebody in enumerate(crowd, start=1):
        # The first person's record is serious and public: the demo citizen who has something to see.
        case = cases[4] if number == 1 and len(cases) > 4 else dice.choice(cases)
        decided = start + timedelta(days=days - 20 if number == 1 else dice.randrange(days))
        rows.append(
            [
                somebody.name, "自然人", "身份证", somebody.id_number, f"{prefix}〔{decided.year}〕{1000 + number}号",
                case.behaviour, case.facts, case.basis, case.kinds, case.content, case.fine, decided.isoformat(),
                organisation.name, organisation.uscc,
                *([f"{decided.replace(year=decided.year + 3, day=min(decided.day, 28))}", "公示"] if public else []),
            ]
        )  # fmt: skip
    for number, row in enumerate(rows[spoil::spoil] if spoil else []):
        column, value = SPOILT[number % len(SPOILT)]
        row[column] = value or row[column][:-1]
    return _csv(header, rows)


def _deliver_penalties(crowd: list[Somebody], organisation: Organisation) -> Batch:
    """Deliver a penalty of last week about each of them by two hands."""
    start = timezone.localdate() - timedelta(days=12)
    content = _penalties(crowd, MARKET_CASES, organisation, "岩市监处罚", start, 8, public=True)
    return _deliver(content, "龙岩报送11月.csv", PENALTIES, "data_officer", "data_reviewer")


def _deliver_road_penalties(crowd: list[Somebody], organisation: Organisation) -> Batch:
    """Deliver a penalty of last week about each of them; the market authority's own batches stay too few to be usual or unusual."""
    start = timezone.localdate() - timedelta(days=12)
    content = _penalties(crowd, TRANSPORT_CASES, organisation, "岩交执罚", start, 8, public=False)
    return _deliver(content, "龙岩道路运输处罚.csv", "FJ1-03-TRAN-0001", "transport_data", "transport_data_reviewer")


def _qualifications(crowd: list[Somebody], organisation: Organisation) -> bytes:
    dice = random.Random(11)
    header = [
        "姓名",
        "证件号码",
        "职业资格名称",
        "证书编号",
        "级别",
        "批准日期",
        "发证机关",
        "发证机关统一社会信用代码",
    ]
    rows = [
        [
            somebody.name, somebody.id_number, dice.choice(QUALIFICATIONS), f"FJ{2023000000 + number}", "专业技术",
            (date(2023, 1, 10) + timedelta(days=dice.randrange(900))).isoformat(), organisation.name, organisation.uscc,
        ]
        for number, somebody in enumerate(crowd)
    ]  # fmt: skip
    return _csv(header, rows)


def _csv(header: list[str], rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode("utf-8-sig")


def _deliver(content: bytes, name: str, item_code: str, uploader: str, committer: str | None) -> Batch:
    uploaded_by, item = User.objects.get(username=uploader), Item.objects.get(code=item_code)
    batch, _ = actions.receive(io.BytesIO(content), name=name, item=item, by=uploaded_by, channel=Batch.Channel.PAGE)
    batch = actions.check_batch(batch.pk)
    if committer and batch.state == Batch.State.CHECKED:
        batch = actions.commit_now(batch.pk, by=User.objects.get(username=committer))
    return batch


def _commit_by_second_hand(batch: Batch) -> None:
    """Let a reviewer of the same department commit; opened here because the demo prints only one per role."""
    username = f"{batch.uploaded_by.username}_reviewer"
    reviewer = register_staff(
        username=username,
        name="审核人员",
        organisation=batch.supplier,
        roles=[Role.DATA_REVIEWER],
        password=_password(),
    )
    actions.commit_now(batch.pk, by=reviewer)


def _of_a_place(crowd: list[Somebody]) -> demo_regions.Deliver:
    """Return how an office delivers penalties about people of its place, by two hands."""

    def deliver(office: Organisation, uploader: str, prefix: str) -> Batch:
        start = timezone.localdate() - timedelta(days=40)
        content = _penalties(crowd, MARKET_CASES, office, prefix, start, 30, public=True)
        batch = _deliver(content, f"{prefix}.csv", PENALTIES, uploader, None)
        _commit_by_second_hand(batch)
        return batch

    return deliver


def _citizens(crowd: list[Somebody]) -> list[Account]:
    """Prove identities at the counter and activate: one citizen with a public record, one with little, one with none."""
    newcomer = _newcomers(1)[-1]
    told = [
        (crowd[0], "citizen", "有一条公示中的严重失信记录"),
        (crowd[250], "citizen2", "有多个部门的记录"),
        (newcomer, "citizen3", "没有任何记录"),
    ]
    accounts = []
    for somebody, username, note in told:
        password = _password()
        open_account(somebody, username, password)
        words = f"{somebody.name}，身份证号码 {somebody.id_number}（虚构）；{note}"
        accounts.append(Account("citizen", username, password, None, "", "", words))
    return accounts


def _newcomers(count: int) -> list[Somebody]:
    """Make up people beside the 600."""
    return people(600 + count)[600:]


def _institution(organisation: Organisation, username: str, name: str) -> Account:
    password = _password()
    user = User(username=username, name=name, kind=User.Kind.INSTITUTION, organisation=organisation)
    user.set_password(password)
    user.save()
    note = "机构查询员：申请本人授权，凭授权查询"
    return Account("institution", username, password, _phone(user), organisation.name, organisation.uscc, note)


def _duties(organisations: dict[str, Organisation]) -> None:
    """Register duties by two hands of the credit office; one waits for the second."""
    asks, confirms = (User.objects.get(username=name) for name in ("credit_office", "credit_office2"))
    for unit, code, name, basis, items in (
        ("MRKT", "350000-MRKT-0107", "市场主体日常监督检查", "《市场主体登记管理条例》第三十八条", [PENALTIES]),
        ("MRKT", "350000-MRKT-02", "行政处罚案卷评查", "《行政处罚法》第七十五条", [PENALTIES]),
        ("TRAN", "350000-TRAN-0201", "道路运输从业资格许可", "《道路运输条例》第九条", ["FJ1-03-TRAN-0001"]),
        ("MRKT", "350000-MRKT-0301", "食品生产许可", "《食品安全法》第三十五条", [PENALTIES, "FJ1-03-HRSS-0001"]),
    ):
        duty = duties.propose(
            organisation=organisations[unit], code=code, name=name, basis=basis, valid_from=timezone.localdate(),
            items=list(Item.objects.filter(code__in=items)), by=asks,
        )  # fmt: skip
        if not code.endswith("0301"):
            duties.confirm(duty.pk, by=confirms)


def _readings(crowd: list[Somebody]) -> None:
    """Leave some history: readings by duty, a refused one, a look-up by the public, the person's own."""
    officer, elsewhere = User.objects.get(username="decider_officer"), User.objects.get(username="transport_officer")
    item = Item.objects.get(code=PENALTIES)
    for number, somebody in enumerate([crowd[0], crowd[0], crowd[1], crowd[250]], start=1):
        form = Registration(
            id_number=somebody.id_number, name=somebody.name, items=[item], purpose=Purpose.SUPERVISION,
            purpose_text="双随机检查前核实既往处罚", duty_code="350000-MRKT-0107", case_no=f"闽市监检〔2026〕{number}号",
        )  # fmt: skip
        request = register(form, by=Asker(officer, "工作平台"))
        assert isinstance(request, Request)
        assert isinstance(file_by_request(request, by=Asker(officer, "工作平台")), File)
        register(form, by=Asker(elsewhere, "工作平台"))
    public_records(name=crowd[0].name, id_number=crowd[0].id_number, by=Asker(None, "公示网站"))
    citizen = User.objects.get(username="citizen")
    assert citizen.person is not None
    own_file(citizen.person, by=Asker(citizen, "公示网站"))


@transaction.atomic
def _reset_passwords(organisations: dict[str, Organisation]) -> list[Account]:
    accounts = []
    notes = {row[1]: (row[0].value, row[4]) for row in STAFF}
    notes |= dict.fromkeys(("citizen", "citizen2", "citizen3"), ("citizen", "公民"))
    notes |= dict.fromkeys(("institution", "institution2"), ("institution", "机构查询员"))
    for user in User.objects.filter(username__in=notes).select_related("organisation").order_by("pk"):
        password = _password()
        user.set_password(password)
        user.must_change_password = False
        user.save(update_fields=["password", "must_change_password"])
        role, note = notes[user.username]
        unit = user.organisation
        secret = None if user.is_citizen else _phone(user)
        accounts.append(
            Account(role, user.username, password, secret, unit.name if unit else "", unit.uscc if unit else "", note)
        )
    market = organisations["MRKT"]
    return [*accounts, _department_token(market, demo_api.issue_again(market))]
