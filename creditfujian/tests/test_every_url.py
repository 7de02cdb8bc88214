"""Every address of the site, asked by everybody: nothing breaks, no number leaks, no reading goes unlogged."""

from collections.abc import Callable, Iterator

import pytest
from auditlog.models import LogEntry
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from access import questions, reviews
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
from accounts.models import (
    IdentityProof,
    Organisation,
    Region,
    RegionSuccession,
    RoleConflict,
    ServiceToken,
    SignInLine,
    SignInRule,
    User,
)
from accounts.tests.signing import Phone
from accounts.tests.tokens import issue
from catalogue.deadline_actions import start
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
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, Cast, make_cast
from records import acts, bulk, exports, holds, mappings, reports, rights, work_lists
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
from sanctions.models import AttestationRule, Measure, Roster, RosterGrant, RosterVersion
from sanctions.tests.rewarding import on_stage
from sanctions.tests.stage import make_stage

EVERYONE = [*(name for name in Cast.__dataclass_fields__ if Cast.__dataclass_fields__[name].type is User), "nobody"]
DEEDS = (
    "mapping", "commit", "withdraw", "cancel", "resume", "add", "delete", "type", "item", "back", "hold", "explain", "confirm",
)  # fmt: skip
FACTS = "菌落总数超过标准限量"  # a sentence that stands only in the record
OPEN_TO_NOBODY = {
    "home", "lookup", "sign_in", "activate", "reset", "what_we_do_not_do", "accessibility", "healthz", "readyz", "admin:jsi18n",
    "catalogue", "item", "editions", "edition", "edition_download", "catalogue_download", "catalogue_schema", "consultations",
    "consultation", "rules", "prohibited", "verify", "api_schema", "api_docs", "api_console", "institutions", "transparency",
    "transparency_checkpoints", "transparency_keys", "transparency_consistency", "transparency_verifier", "rewards", "reward",
}  # fmt: skip


def _walk(patterns: list[URLPattern | URLResolver], prefix: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from _walk(pattern.url_patterns, route, inner)
        else:
            yield route, f"{space}{pattern.name or ''}"


URLS = sorted({pair for pair in _walk(get_resolver().url_patterns) if "(?P" not in pair[0]})


@pytest.fixture
def stage(db: None) -> tuple[Cast, dict[str, str]]:
    """One committed batch about the citizen, one waiting, one registered reading, one clock, one consultation."""
    cast = make_cast()
    deliver(cast, [penalty(cast)])
    number = numbers_of(cast.citizen)[0]
    acts.ask(RecordAct.Kind.CORRECT, [number], by=cast.data_officer, reason="金额录入有误")
    waiting = check(cast, as_csv([penalty(cast, 处罚内容="吊销登记证，罚款五万元。"), penalty(cast, 证件号码="1")]))
    assert waiting.state == Batch.State.CHECKED
    check(cast, as_csv([penalty(cast, 行政相对人名称="陈小曼")]))  # a name conflict
    start("D13", on=timezone.localdate(), subject=cast.item, label="异议〔2026〕1号")
    consultation = consulted(cast)
    request = register(registration(cast), by=staff(cast.officer_here))
    assert isinstance(request, Request)
    listed = opened(cast)  # the officer's list, one of its records, and a work list made from it
    shown = page(listed, Filters(), None, by=staff(cast.officer_here))
    assert isinstance(shown, Page)
    record_ids = [line.pk for line in shown.lines]
    job = bulk.start("work_list", request=listed, record_ids=record_ids, params={}, by=cast.officer_here)
    due = timezone.localdate()
    work_list = work_lists.make(job, title="核对", assigned_to=cast.officer_here, due_on=due, by=cast.officer_here)
    bulk.run(job.pk)
    state(cast.citizen.person, number, "罚款已缴清。", by=staff(cast.citizen))
    hold = holds.look(number, why="接到反映", by=cast.credit_office)
    export = exports.run(ask(cast).pk)
    at_counter = reports.ask_at_counter(id_number=CITIZEN_NUMBER, name="陈小满", by=staff(cast.clerk))
    assert at_counter is not None
    issued = reports.issue(cast.citizen.person, by=staff(cast.citizen))
    unmapped = waiting_for_mapping(cast)
    mappings.save(unmapped.pk, mappings.look(unmapped).place, codes(cast), name="导出", by=cast.data_officer)
    attested = attestation.issue(cast.other_citizen.person, 3, by=staff(cast.other_citizen))
    assert isinstance(attested, attestation.Issued)
    consent, paper = granted(cast, uses=9), entered(cast)
    reviews.sample_each_reader(timezone.localdate())
    reviews.lines_of(Anomaly.objects.get(), by=cast.auditor)
    look = QueryPerson.objects.filter(person=cast.citizen.person_id, kind="Q5").latest("at")
    question = questions.ask(cast.citizen.person, look.query_id, by=staff(cast.citizen))
    right = rights.ask(cast.citizen.person, RightsRequest.Kind.DELETE, number, "不是我", by=staff(cast.citizen))
    approved(cast)
    agreed(cast)
    sheet = take_file(
        "条目编码,条目名称\nFJ1-03-MRKT-0001,新名称\n无,\n".encode(), name="修订.csv", by=cast.data_officer
    )
    Phone(cast.data_officer)
    issue(cast)
    urgent = broken(cast)
    case = make_stage(cast).drafted()
    reward, answer_on_paper = on_stage(cast)
    seal()
    verify_and_note()
    one = {
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
        "access_reviewrule": ReviewRule, "access_logreading": LogReading, "access_anomaly": Anomaly,
        "access_dutyitem": DutyItem, "records_visibility": Visibility, "records_rightsrequest": RightsRequest,
        "access_authority": Authority, "access_officialletter": OfficialLetter,
        "sanctions_roster": Roster, "sanctions_rosterversion": RosterVersion, "sanctions_measure": Measure,
        "sanctions_rostergrant": RosterGrant, "sanctions_attestationrule": AttestationRule,
        "catalogue_itemgrant": ItemGrant, "accounts_regionsuccession": RegionSuccession,
    }  # fmt: skip
    looked_at = QueryPerson.objects.filter(person=cast.citizen.person_id).first()
    assert looked_at is not None
    keys = {name: str(getattr(model.objects.first(), "pk", 1)) for name, model in one.items()}
    return cast, keys | {
        "sanctions_listingcase": str(case.pk), "sanctions_listing": "1", "<str:step>": "notice",
        "records_record": str(record_ids[0]), "records_worklist": str(work_list.pk),
        "records_columnmapping": str(ColumnMapping.objects.get().pk),
        "access": str(looked_at.query_id), "access_urgentreading": str(urgent.pk),
        "records_batch": str(waiting.pk), "access_request": str(request.pk), "accounts_user": str(cast.data_officer.pk),
        "<str:record_no>": number, "<str:consent_no>": consent.number,
        "<str:question_no>": question.number, "<str:right>": "delete", "<str:right_no>": right.number,
        "catalogue_itemimport": str(sheet.pk), "records_export": str(export.pk), "records_counterrequest": str(at_counter.pk),
        "<str:report>": issued.report.number, "<str:attestation>": attested.attestation.number,
        "records_statementhold": str(hold.pk), "records_consentpaper": str(paper.pk),
        "factors": str(cast.data_officer.second_factors.get().pk),
        "sanctions_rewardcase": str(reward.pk), "sanctions_rewardprogramme": str(reward.programme_id),
        "sanctions_rewardpaper": str(answer_on_paper.pk), "<str:reward_no>": reward.number,
        "<str:code>": cast.item.code, "<str:number>": "FJ-2021-01", "<str:kind>": "xlsx", "consultations": str(consultation.pk),
    }  # fmt: skip


def address(route: str, name: str, keys: dict[str, str]) -> str:
    """Fill an address in. A new kind of object must be added to `stage`: that is the point."""
    if "<" not in route:
        return f"/{route}"
    if name == "admin:view_on_site":
        return "/admin/r/1/1/"
    for part in (
        "<str:code>",
        "<str:number>",
        "<str:kind>",
        "<str:record_no>",
        "<str:report>",
        "<str:attestation>",
        "<str:consent_no>",
        "<str:question_no>",
        "<str:right>",
        "<str:right_no>",
        "<str:step>",
        "<str:reward_no>",
    ):
        route = route.replace(part, keys[part])
    if "<" not in route:
        return f"/{route}"
    model = "_".join(route.split("/")[1:3]) if name.startswith("admin:") else route.split("/")[1]
    assert model in keys, f"{name or route} has nothing to show: add it to stage()"
    for part in ("<path:object_id>", "<int:pk>", "<int:hold>", "<id>"):
        route = route.replace(part, keys[model])
    assert "<" not in route, route
    return f"/{route}"


@pytest.mark.parametrize("who", EVERYONE)
def test_nothing_breaks_leaks_or_goes_unlogged(
    stage: tuple[Cast, dict[str, str]], as_user: Callable[[User | None], Client], who: str
) -> None:
    cast, keys = stage
    user = cast.everyone()[who]
    client = as_user(user)
    assert len(URLS) > 60
    for route, name in URLS:
        if name in ("admin:logout", "sign_out"):
            continue
        lines = QueryPerson.objects.count()
        answer = client.get(address(route, name, keys))
        content = b"".join(answer) if answer.streaming else answer.content
        assert answer.status_code < 500, (who, name)
        assert answer["Cache-Control"] if name not in ("healthz", "readyz") else True
        text = content.decode(errors="replace")
        for number in (CITIZEN_NUMBER, OTHER_NUMBER):
            assert number not in text, f"{name} shows {who} a whole number"
        if FACTS in text:
            assert QueryPerson.objects.count() > lines, f"{name} shows {who} a record and writes no line"
        if user is None:
            allowed = answer.status_code in (301, 302, 401, 403, 404, 405) or name in OPEN_TO_NOBODY
            assert allowed, f"{name} is open to nobody in particular: {answer.status_code}"
        elif not user.is_staff and name.startswith("admin:") and name not in OPEN_TO_NOBODY:
            assert answer.status_code in (302, 403, 404), f"{name} is open to {who}"


@pytest.mark.parametrize("who", ["nobody", "citizen", "auditor", "operator", "officer_elsewhere"])
def test_no_deed_is_done_by_those_who_may_not(
    stage: tuple[Cast, dict[str, str]], as_user: Callable[[User | None], Client], who: str
) -> None:
    cast, keys = stage
    before = list(Batch.objects.order_by("pk").values_list("pk", "state"))
    for route, name in URLS:
        if name.startswith("admin:records_batch_") and name.rsplit("_", 1)[1] in DEEDS:
            answer = as_user(cast.everyone()[who]).post(address(route, name, keys), {"reason": "试试"})
            assert answer.status_code in (301, 302, 403, 404), (who, name)
    assert list(Batch.objects.order_by("pk").values_list("pk", "state")) == before


def test_the_page_of_an_own_file_is_the_only_one_that_shows_a_record_to_its_person(
    stage: tuple[Cast, dict[str, str]], as_user: Callable[[User | None], Client]
) -> None:
    cast, _ = stage
    assert FACTS in as_user(cast.citizen).get("/me/file/").content.decode()
    assert FACTS not in as_user(cast.other_citizen).get("/me/file/").content.decode()
    assert as_user(cast.officer_here).get("/me/file/").status_code == 403


def test_an_officer_without_the_registration_of_another_gets_nothing(
    stage: tuple[Cast, dict[str, str]], as_user: Callable[[User | None], Client]
) -> None:
    cast, keys = stage
    page = f"/admin/access/request/{keys['access_request']}/file/"
    assert FACTS in as_user(cast.officer_here).get(page).content.decode()
    for who in (
        "officer_elsewhere",
        "data_officer",
        "auditor",
        "system_admin",
        "security_admin",
        "operator",
        "citizen",
    ):
        assert FACTS not in as_user(cast.everyone()[who]).get(page).content.decode()
