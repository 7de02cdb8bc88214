"""Something of every kind to show, and everybody who may ask for it: all committed, as when the portal is in use."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from auditlog.models import LogEntry
from django.contrib.auth.models import Group
from django.utils import timezone

from access import duties, institutions, questions, reviews
from access.models import (
    Anomaly,
    Authority,
    Checkpoint,
    DutyItem,
    Institution,
    LogReading,
    OfficialLetter,
    Query,
    QueryPerson,
    Request,
    ReviewRule,
    Verification,
)
from access.sealing import seal
from access.verifying import verify_and_note
from accounts import tokens
from accounts.actions import prove_identity, register_organisation
from accounts.models import (
    IdentityProof,
    Organisation,
    Region,
    RegionSuccession,
    Role,
    RoleConflict,
    ServiceToken,
    SignInLine,
    SignInRule,
    User,
)
from accounts.tests.signing import Phone
from accounts.tests.tokens import issue, wish
from accounts.token_models import Scope
from catalogue import grants
from catalogue.actions import start_draft, submit
from catalogue.deadline_actions import propose_edition, propose_rule, start
from catalogue.exchange_actions import take_file
from catalogue.models import (
    CalendarEdition,
    CodeSet,
    Consultation,
    Deadline,
    DeadlineRule,
    Edition,
    ImpactAssessment,
    Instrument,
    Item,
    ItemGrant,
    ItemVersion,
    ProhibitedCategory,
    SupplyAssignment,
)
from catalogue.tests.consulting import consulted
from creditfujian.lib.day_list import Day
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, Cast, credit_code, institution_user, make_cast
from records import acts, bulk, exports, holds, mappings, reports, rights, volume, work_lists
from records.life_models import Disposal, RecordAct
from records.listing import Filters, Page, page
from records.models import Batch, ColumnMapping, SupplyDuty, Visibility, VolumeRule
from records.person_models import PersonCase
from records.reading import register
from records.rights_models import RightsRequest
from records.statements import state
from records.tests.consenting import entered, granted
from records.tests.deliveries import as_csv, check, deliver, penalty
from records.tests.grounds import agreed, approved
from records.tests.life import numbers_of
from records.tests.listings import opened
from records.tests.test_exports import ask
from records.tests.test_gateway import registration, staff
from records.tests.test_mapping import codes
from records.tests.test_mapping import waiting as waiting_for_mapping
from records.tests.test_urgent import broken
from sanctions import attestation
from sanctions.models import AttestationRule, Measure, RewardCase, Roster, RosterGrant, RosterVersion
from sanctions.tests.rewarding import on_stage
from sanctions.tests.stage import make_stage

FIRST_OF = {  # kinds of which any one will do
    "access_checkpoint": Checkpoint, "access_verification": Verification,
    "accounts_identityproof": IdentityProof, "accounts_organisation": Organisation, "accounts_region": Region,
    "accounts_roleconflict": RoleConflict, "accounts_signinline": SignInLine, "accounts_signinrule": SignInRule,
    "auditlog_logentry": LogEntry, "catalogue_codeset": CodeSet,
    "catalogue_instrument": Instrument, "catalogue_item": Item, "catalogue_itemversion": ItemVersion,
    "catalogue_prohibitedcategory": ProhibitedCategory, "access_query": Query,
    "catalogue_calendaredition": CalendarEdition, "catalogue_deadlinerule": DeadlineRule, "catalogue_deadline": Deadline,
    "catalogue_edition": Edition, "catalogue_impactassessment": ImpactAssessment,
    "catalogue_consultation": Consultation,
    "catalogue_supplyassignment": SupplyAssignment, "records_supplyduty": SupplyDuty,
    "records_recordact": RecordAct, "records_disposal": Disposal, "records_personcase": PersonCase,
    "records_volumerule": VolumeRule, "accounts_servicetoken": ServiceToken, "access_institution": Institution,
    "access_reviewrule": ReviewRule, "access_logreading": LogReading,
    "access_dutyitem": DutyItem, "records_visibility": Visibility, "records_rightsrequest": RightsRequest,
    "access_authority": Authority, "access_officialletter": OfficialLetter,
    "catalogue_itemgrant": ItemGrant, "accounts_regionsuccession": RegionSuccession,
    "sanctions_roster": Roster, "sanctions_rosterversion": RosterVersion, "sanctions_measure": Measure,
    "sanctions_rostergrant": RosterGrant, "sanctions_attestationrule": AttestationRule,
}  # fmt: skip
MISSING = 987654321
TWINS = {  # the same roles in another office, beside those of the cast
    "data_officer_elsewhere": Role.DATA_OFFICER, "data_reviewer_elsewhere": Role.DATA_REVIEWER,
    "decider_reviewer_elsewhere": Role.DECIDER_REVIEWER, "legal_reviewer_elsewhere": Role.LEGAL_REVIEWER,
    "head_elsewhere": Role.DECIDER_HEAD,
}  # fmt: skip
OTHERS = ("other_citizen", "credit_office_2")  # the second hand of the credit office did not enter what the first did

SYSTEMS = [f"token {scope}{elsewhere}" for elsewhere in ("", " elsewhere") for scope in Scope]
PEOPLE = [name for name, field in Cast.__dataclass_fields__.items() if field.type is User]
NAMES = [*PEOPLE, "decider_reviewer", *TWINS, "clerk_elsewhere", "bank_clerk_elsewhere", "nobody", *SYSTEMS]


@dataclass(frozen=True)
class Actor:
    """Somebody who asks: an account in a browser, a system with its token, or nobody."""

    name: str
    role: str
    user: User | None = None
    token: str = ""

    @property
    def is_here(self) -> bool:
        """Whether what is on the stage is theirs, or their office's; whoever holds a role alone is of every office."""
        return self.name not in OTHERS and not self.name.endswith("elsewhere")


@dataclass(frozen=True)
class Stage:
    """What there is, and who asks."""

    cast: Cast
    keys: dict[str, str]
    actors: dict[str, Actor]


def build() -> Stage:
    """One committed batch about the citizen, one waiting, one registered reading, one clock, one consultation."""
    cast = make_cast()
    keys = _set(cast)
    return Stage(cast, keys, {one.name: one for one in (*_people(cast), *_systems(cast))})


def _set(cast: Cast) -> dict[str, str]:
    """Put the objects on the stage; return what stands for each part of an address."""
    batch = deliver(cast, [penalty(cast)])
    Phone(cast.data_officer)
    prepared = [
        {"admin:records_batch_receipt<int:pk>": str(batch.pk), "api_batch_receipt<str:number>": batch.number},
        *(
            put(cast)
            for put in (_registers, _readings, _of_the_person, _at_the_counter, _waiting, _proposed, _on_rosters)
        ),
    ]
    prepared.append(_papers_and_seals(cast))
    first = {name: str(getattr(model.objects.first(), "pk", MISSING)) for name, model in FIRST_OF.items()}
    return first | {key: value for keys in prepared for key, value in keys.items()}


def _registers(cast: Cast) -> dict[str, str]:
    """Batches in several states, a correction asked for, an item under consultation, a spreadsheet of items."""
    acts.ask(RecordAct.Kind.CORRECT, numbers_of(cast.citizen), by=cast.data_officer, reason="金额录入有误")
    waiting = check(cast, as_csv([penalty(cast, 处罚内容="吊销登记证，罚款五万元。"), penalty(cast, 证件号码="1")]))
    assert waiting.state == Batch.State.CHECKED
    check(cast, as_csv([penalty(cast, 行政相对人名称="陈小曼")]))  # a name conflict
    start("D13", on=timezone.localdate(), subject=cast.item, label="异议〔2026〕1号")
    consultation = consulted(cast)
    draft = start_draft(Item.objects.get(code="FJ1-06-MRKT-0003"), by=cast.data_officer)
    submitted = start_draft(cast.item, by=cast.data_officer)
    submit(submitted, by=cast.data_officer)
    unmapped = waiting_for_mapping(cast)
    mappings.save(unmapped.pk, mappings.look(unmapped).place, codes(cast), name="导出", by=cast.data_officer)
    rows = "条目编码,条目名称\nFJ1-03-MRKT-0001,新名称\n无,\n".encode()
    sheet = take_file(rows, name="修订.csv", by=cast.data_officer)
    return {
        "records_batch": str(waiting.pk), "api/v1": waiting.number, "records_columnmapping": str(ColumnMapping.objects.get().pk),
        "consultations": str(consultation.pk), "catalogue_itemimport": str(sheet.pk), "<str:code>": cast.item.code,
        "catalogue_item": str(cast.item.pk), "catalogue_itemversion": str(draft.pk),
        **{_version(deed): str(submitted.pk) for deed in ("take_up", "take_back")},
        **{_version(deed): str(consultation.item_version_id) for deed in ("approve", "send_back")},
        **{_version(deed): str(cast.item.versions.get(version=1).pk) for deed in ("suspend", "assess", "renew")},
        "<str:number>": "FJ-2021-01", "<str:kind>": "xlsx", "factors": str(cast.data_officer.second_factors.get().pk),
    }  # fmt: skip


def _version(deed: str) -> str:
    """Return what stands for the version of an item whose state lets it be dealt with so."""
    return f"admin:catalogue_itemversion_{deed}<int:pk>"


def _readings(cast: Cast) -> dict[str, str]:
    """A registered file, a list with a work list and an export made of it, an emergency."""
    request = register(registration(cast), by=staff(cast.officer_here))
    assert isinstance(request, Request)
    listed = opened(cast)
    shown = page(listed, Filters(), None, by=staff(cast.officer_here))
    assert isinstance(shown, Page)
    records = [line.pk for line in shown.lines]
    job = bulk.start("work_list", request=listed, record_ids=records, params={}, by=cast.officer_here)
    today = timezone.localdate()
    work_list = work_lists.make(job, title="核对", assigned_to=cast.officer_here, due_on=today, by=cast.officer_here)
    bulk.run(job.pk)
    export = exports.run(ask(cast).pk)
    exports.open_link(export.pk, by=staff(cast.officer_here))
    urgent = broken(cast)
    return {
        "access_request": str(request.pk), "records_record": str(records[0]), "records_worklist": str(work_list.pk),
        "records_export": str(export.pk), "accounts_user": str(cast.data_officer.pk), "access_urgentreading": str(urgent.pk),
    }  # fmt: skip


def _of_the_person(cast: Cast) -> dict[str, str]:
    """What the citizen has said, asked, agreed to and been given."""
    citizen, person, number = staff(cast.citizen), cast.citizen.person, numbers_of(cast.citizen)[0]
    assert person is not None
    state(person, number, "罚款已缴清。", by=citizen)
    hold = holds.look(number, why="接到反映", by=cast.credit_office)
    issued = reports.issue(person, by=citizen)
    consent = granted(cast, uses=9)
    look = QueryPerson.objects.filter(person=person.pk, kind="Q5").latest("at")
    question = questions.ask(person, look.query_id, by=citizen)
    right = rights.ask(person, RightsRequest.Kind.DELETE, number, "不是我", by=citizen)
    return {
        "<str:record_no>": number, "<str:consent_no>": consent.number, "<str:question_no>": question.number,
        "<str:right>": "delete", "<str:right_no>": right.number, "<str:report>": issued.report.number,
        "records_statementhold": str(hold.pk), "access": str(look.query_id),
    }  # fmt: skip


def _at_the_counter(cast: Cast) -> dict[str, str]:
    """A proof of identity, a report asked for on the spot, a consent on paper."""
    prove_identity(id_number=OTHER_NUMBER, name="林大雪", by=cast.clerk)
    asked = reports.ask_at_counter(id_number=CITIZEN_NUMBER, name="陈小满", by=staff(cast.clerk))
    assert asked is not None
    return {"records_counterrequest": str(asked.pk), "records_consentpaper": str(entered(cast).pk)}


def _waiting(cast: Cast) -> dict[str, str]:
    """What one hand has entered and another is to confirm: a duty, an institution, a grant, a token."""
    transport_item, today = Item.objects.get(code="FJ1-03-TRAN-0001"), timezone.localdate()
    duty = duties.propose(
        organisation=cast.market, code="350000-MRKT-09", name="市场监督管理", basis="《市场主体登记管理条例》第三十八条",
        valid_from=today, items=[cast.item], by=cast.credit_office,
    )  # fmt: skip
    guild = register_organisation(
        uscc=credit_code(43, "91350000"), name="晋江虚拟商会", kind="institution", region=cast.bank.region
    )
    institution = institutions.register(
        guild, kind=Institution.Kind.EMPLOYER, licence="营业执照", licence_no="350000000000043", valid_from=today,
        purposes=["hire"], contact="0591-0000001", by=cast.credit_office,
    )  # fmt: skip
    grant = grants.ask(
        organisation=cast.market, item=transport_item, permission="query_item", basis="《市场主体登记管理条例》第三十八条",
        reason="履职需要", by=cast.credit_office,
    )  # fmt: skip
    return {
        "access_dutyitem": str(duty.pk), "access_institution": str(institution.pk), "catalogue_itemgrant": str(grant.pk),
        "accounts_servicetoken": str(tokens.ask(wish(cast), by=cast.system_admin).token.pk),
    }  # fmt: skip


def _proposed(cast: Cast) -> dict[str, str]:
    """Rules that one hand of the credit office has drafted."""
    by, today = cast.credit_office, timezone.localdate()
    review = reviews.propose(by=by, sign="refused", threshold=3, hours=24, basis="试验", valid_from=today)
    size = volume.propose(by=by, measure="rows", item=cast.item, high=Decimal(5), basis="试验", valid_from=today)
    deadline = propose_rule("D13", by=by, valid_from=date(today.year + 1, 1, 1), n=3, source="新令")
    weekday = next(day for day in (date(today.year + 2, 10, n) for n in (1, 2, 3)) if day.weekday() < 5)
    calendar = propose_edition(
        year=weekday.year, days=[Day(weekday, False, "国庆节")], notice_no="国办发明电〔2027〕99号", by=by
    )
    return {
        "access_reviewrule": str(review.pk), "records_volumerule": str(size.pk), "catalogue_deadlinerule": str(deadline.pk),
        "catalogue_calendaredition": str(calendar.pk),
    }  # fmt: skip


def _on_rosters(cast: Cast) -> dict[str, str]:
    """An attestation, a listing case that two officers have drafted, a reward under check with an answer on paper."""
    assert cast.other_citizen.person is not None
    attested = attestation.issue(cast.other_citizen.person, 3, by=staff(cast.other_citizen))
    assert isinstance(attested, attestation.Issued)
    case = make_stage(cast).drafted()
    reward, answer = on_stage(cast)
    return {
        "<str:attestation>": attested.attestation.number, "sanctions_listingcase": str(case.pk), "sanctions_listing": "1",
        "<str:step>": "notice", "sanctions_rewardcase": str(reward.pk), "sanctions_rewardprogramme": str(reward.programme_id),
        "sanctions_rewardpaper": str(answer.pk), "<str:reward_no>": reward.number,
        "reward<str:reward_no>": RewardCase.objects.public().get().number,
    }  # fmt: skip


def _papers_and_seals(cast: Cast) -> dict[str, str]:
    """A sampled line under review, an agent, a court's letter, a second factor, a sealed and verified log."""
    reviews.sample_each_reader(timezone.localdate())
    sampled = Anomaly.objects.filter(actor=cast.officer_here).earliest(
        "pk"
    )  # a head does not answer for their own readings
    reviews.lines_of(sampled, by=cast.auditor)
    approved(cast)
    agreed(cast)
    seal()
    verify_and_note()
    return {"access_anomaly": str(sampled.pk)}


def _people(cast: Cast) -> list[Actor]:
    """The cast, each role's twin elsewhere, and nobody."""
    found = {name: user for name, user in cast.everyone().items() if user is not None}
    found["decider_reviewer"] = _official("decider_reviewer", cast.market, Role.DECIDER_REVIEWER)
    found |= {name: _official(name, cast.transport, role) for name, role in TWINS.items()}
    hall = register_organisation(
        uscc=credit_code(41), name="市政务服务中心", kind="department", region=cast.counter.region
    )
    found["clerk_elsewhere"] = _official("clerk_elsewhere", hall, Role.CLERK)
    lender = register_organisation(
        uscc=credit_code(42, "91350000"), name="木兰溪虚拟小贷", kind="institution", region=cast.bank.region
    )
    found["bank_clerk_elsewhere"] = institution_user("bank_clerk_elsewhere", "柜员戌", lender)
    return [*(Actor(name, _role(user), user) for name, user in found.items()), Actor("nobody", "nobody")]


def _official(name: str, where: Organisation, role: Role) -> User:
    user = User.objects.create(username=f"walk_{name}", name=f"{role.label}戌", organisation=where, is_staff=True)
    user.groups.set(Group.objects.filter(name=role))
    return User.objects.get(pk=user.pk)


def _role(user: User) -> str:
    return user.roles()[0].value if user.is_staff else str(user.kind)


def _systems(cast: Cast) -> list[Actor]:
    """A token for each scope, and one of another department."""
    return [
        Actor(f"token {scope}{elsewhere}", scope, token=issue(cast, scopes=[scope], name=scope, organisation=where).secret)
        for elsewhere, where in (("", cast.market), (" elsewhere", cast.transport)) for scope in Scope
    ]  # fmt: skip
