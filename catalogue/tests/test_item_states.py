"""The way of an item into force, and every way round it: by deed, by another's hand, by raw SQL."""

import re
from datetime import timedelta

import pytest
from auditlog.models import LogEntry
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from accounts.models import Region
from catalogue import actions, grants, publishing
from catalogue.models import (
    Article,
    Edition,
    Field,
    ImpactAssessment,
    Instrument,
    Item,
    ItemGrant,
    ItemVersion,
    ProhibitedCategory,
    PublicationPeriod,
    SupplyAssignment,
    VersionStep,
)
from catalogue.rules import FAULTS, faults, may_supply
from catalogue.tests.editions import approved, assess, assessed, publish, retire, submitted
from catalogue.tests.many import many_items
from catalogue.tests.office import refused_by_database
from creditfujian.tests.cast import Cast

State = ItemVersion.State


def in_force(item: Item) -> ItemVersion:
    version = item.version_on(timezone.localdate())
    assert version is not None
    return version


def codes(version: ItemVersion) -> set[str]:
    return {fault.code for fault in faults(version.pk)}


def sql(statement: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values))


def instrument(level: int, **more: object) -> Article:
    """An invented instrument with one article."""
    today = timezone.localdate()
    values = {"code": f"T{level}{Instrument.objects.count()}", "title": "某规定", "issuer": "某机关", "level": level,
              "effective_on": today - timedelta(days=3000), **more}  # fmt: skip
    return Article.objects.create(instrument=Instrument.objects.create(**values), number="第一条", summary="……")


# --- the whole way -------------------------------------------------------------------------------------


def test_a_revision_goes_from_draft_to_force_through_every_hand(cast: Cast) -> None:
    old = in_force(cast.item)
    version = approved(cast, behaviour="违反市场监督管理法律法规，被依法作出行政处罚决定（修订）")
    assert version.state == State.APPROVED
    assert in_force(cast.item) == old
    publish(cast)
    version.refresh_from_db()
    old.refresh_from_db()
    tomorrow = timezone.localdate() + timedelta(days=1)
    assert (version.state, version.effective.lower) == (State.PUBLISHED, tomorrow)
    assert old.effective.upper == tomorrow
    assert in_force(cast.item) == old, "the new version begins on its day, not before"
    assert cast.item.version_on(tomorrow) == version
    assert [(step.to_state, step.by) for step in version.steps.all()] == [
        ("submitted", cast.data_officer), ("legal_review", cast.legal_reviewer), ("pia", cast.legal_reviewer),
        ("approved", cast.credit_office), ("published", cast.credit_office),
    ]  # fmt: skip


@pytest.mark.django_db
def test_every_fault_has_a_sentence() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_viewdef('catalogue_fault')")
        view = cursor.fetchone()[0]
    assert set(re.findall(r"'(\w+)'::text AS code", view)) == set(FAULTS)


# --- hands -----------------------------------------------------------------------------------------------


def test_who_proposes_neither_reviews_nor_approves(cast: Cast) -> None:
    version = submitted(cast)
    for role in ("review_item", "assess_item", "approve_item"):
        cast.data_officer.user_permissions.add(_permission(role))
    officer = type(cast.data_officer).objects.get(pk=cast.data_officer.pk)
    with pytest.raises(PermissionDenied, match="另一人"):
        actions.take_up(version, by=officer)
    refused_by_database(
        "itemversion_approved_by_another",
        "UPDATE catalogue_itemversion SET state = 'legal_review', moved_by_id = %s WHERE id = %s",
        [officer.pk, version.pk],
    )
    actions.take_up(version, by=cast.legal_reviewer)
    version = actions.pass_review(version, by=cast.legal_reviewer, note="可以")
    assess(cast, version)
    with pytest.raises(PermissionDenied, match="另一人"):
        actions.approve(version, by=officer)
    refused_by_database(
        "itemversion_approved_by_another",
        "UPDATE catalogue_itemversion SET state = 'approved', moved_by_id = %s WHERE id = %s",
        [officer.pk, version.pk],
    )


def test_legal_review_and_approval_are_two_people(cast: Cast) -> None:
    version = assessed(cast)
    cast.legal_reviewer.user_permissions.add(_permission("approve_item"))
    reviewer = type(cast.legal_reviewer).objects.get(pk=cast.legal_reviewer.pk)
    with pytest.raises(PermissionDenied, match="另一人"):
        actions.approve(version, by=reviewer)
    refused_by_database(
        "itemversion_approved_by_another",
        "UPDATE catalogue_itemversion SET state = 'approved', moved_by_id = %s WHERE id = %s",
        [reviewer.pk, version.pk],
    )


def test_a_step_needs_somebody_and_its_line_cannot_be_forged(cast: Cast) -> None:
    version = submitted(cast)
    refused_by_database(
        "itemversion_is_moved_by_somebody",
        "UPDATE catalogue_itemversion SET state = 'legal_review', moved_by_id = NULL WHERE id = %s",
        [version.pk],
    )
    forge = """INSERT INTO catalogue_versionstep (item_version_id, from_state, to_state, by_id, by_name, note)
               VALUES (%s, 'draft', 'submitted', %s, 'x', '')"""
    for statement in (forge, "UPDATE catalogue_versionstep SET by_id = %s", "DELETE FROM catalogue_versionstep"):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            sql(statement, *[version.pk, cast.clerk.pk][: statement.count("%s")])
    assert VersionStep.objects.filter(item_version=version).count() == 1


@pytest.mark.parametrize("who", ["officer_elsewhere", "clerk", "auditor", "operator", "system_admin", "security_admin"])
def test_those_without_the_duty_do_nothing(cast: Cast, who: str) -> None:
    user = cast.everyone()[who]
    assert user is not None
    version = submitted(cast)
    for deed in (
        lambda: actions.start_draft(cast.item, by=user),
        lambda: actions.write_draft(version, by=user, values={"name": "x"}),
        lambda: actions.take_up(version, by=user),
        lambda: actions.send_back(version, by=user, note="x"),
        lambda: actions.assess(version, by=user, values={}),
        lambda: actions.approve(version, by=user),
        lambda: actions.suspend(in_force(cast.item), by=user, note="x"),
        lambda: publishing.publish(number="X", title="x", by=user),
        lambda: actions.verify_instrument(Instrument.objects.all()[0], by=user),
        lambda: actions.repeal(Instrument.objects.all()[0], on=timezone.localdate(), by=user),
    ):
        with pytest.raises(PermissionDenied):
            deed()


def test_a_department_proposes_its_own_items_only(cast: Cast) -> None:
    other = Item.objects.get(code="FJ1-03-TRAN-0001")
    with pytest.raises(PermissionDenied):
        actions.start_draft(other, by=cast.data_officer)
    with pytest.raises(PermissionDenied, match="本单位"):
        actions.propose_item(
            code="FJ1-03-TRAN-0009", category="03", polarity="N", provider=cast.transport, by=cast.data_officer
        )


def _permission(codename: str):  # type: ignore[no-untyped-def]
    from django.contrib.auth.models import Permission

    return Permission.objects.get(content_type__app_label="catalogue", codename=codename)


# --- arrows ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [s.value for s in State if s not in (State.DRAFT, State.SUBMITTED)])
def test_a_draft_cannot_jump(cast: Cast, state: str) -> None:
    draft = actions.start_draft(cast.item, by=cast.data_officer)
    with pytest.raises(IntegrityError, match="may not go"), transaction.atomic():
        ItemVersion.objects.filter(pk=draft.pk).update(state=state, moved_by=cast.credit_office)


@pytest.mark.parametrize("state", [s.value for s in State if s is not State.DRAFT])
def test_a_version_is_born_a_draft(cast: Cast, state: str) -> None:
    version = in_force(cast.item)
    version.pk, version.version, version._state.adding = None, 9, True
    version.state, version.effective = state, DateRange(timezone.localdate() + timedelta(days=900), None)
    with pytest.raises(IntegrityError, match="begins as a draft"), transaction.atomic():
        version.save(force_insert=True)


def test_approved_is_not_in_force_without_an_edition(cast: Cast) -> None:
    version = approved(cast)
    old = in_force(cast.item)
    ItemVersion.objects.filter(pk=old.pk).update(effective=DateRange(old.effective.lower, version.effective.lower))
    with pytest.raises(IntegrityError, match="published by an edition"), transaction.atomic():
        ItemVersion.objects.filter(pk=version.pk).update(state="published", moved_by=cast.credit_office)


def test_what_was_handed_in_is_not_rewritten(cast: Cast) -> None:
    version = submitted(cast)
    with pytest.raises(ValidationError, match="只有草案"):
        actions.write_draft(version, by=cast.data_officer, values={"name": "改名"})
    for statement in (
        "UPDATE catalogue_itemversion SET name = 'x' WHERE id = %s",
        "UPDATE catalogue_itemversion SET disclosure = 'SELF', disclosure_basis_id = NULL WHERE id = %s",
        "DELETE FROM catalogue_field WHERE item_version_id = %s",
        "UPDATE catalogue_field SET visible_to = '{PUBLIC}' WHERE item_version_id = %s",
        "UPDATE catalogue_publicationperiod SET max_months = 36 WHERE item_version_id = %s",
        "DELETE FROM catalogue_itemversion_legal_bases WHERE itemversion_id = %s",
    ):
        refused_by_database("itemversion_is_written_as_a_draft_only", statement, [version.pk])
    refused_by_database("itemversion_is_kept", "DELETE FROM catalogue_itemversion WHERE id = %s", [version.pk])


def test_a_version_in_force_may_end_earlier_and_never_later(cast: Cast) -> None:
    version = in_force(cast.item)
    first = version.effective.lower
    sql("UPDATE catalogue_itemversion SET effective = daterange(%s, %s) WHERE id = %s", first, "2030-01-01", version.pk)
    for dates in (("2013-01-01", "2030-01-01"), (first, "2031-01-01")):
        refused_by_database(
            "itemversion_may_only_end_earlier",
            "UPDATE catalogue_itemversion SET effective = daterange(%s, %s) WHERE id = %s",
            [*dates, version.pk],
        )


def test_two_versions_under_way_are_refused(cast: Cast) -> None:
    submitted(cast)
    with pytest.raises(ValidationError, match="办理中"):
        actions.start_draft(cast.item, by=cast.data_officer)


def test_a_version_sent_back_can_be_mended_and_handed_in_again(cast: Cast) -> None:
    version = submitted(cast)
    actions.take_up(version, by=cast.legal_reviewer)
    with pytest.raises(ValidationError, match="理由"):
        actions.send_back(version, by=cast.legal_reviewer, note=" ")
    version = actions.send_back(version, by=cast.legal_reviewer, note="请补充行为描述")
    assert version.state == State.DRAFT
    actions.write_draft(version, by=cast.data_officer, values={"behaviour": "写明行为"})
    assert actions.submit(version, by=cast.data_officer).state == State.SUBMITTED
    with pytest.raises(ValidationError, match="从未提交"):
        actions.discard_draft(actions.send_back(version, by=cast.data_officer, note="收回"), by=cast.data_officer)


# --- bases: the level rule ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "enough"),
    [(10, True), (20, True), (30, True), (35, False), (40, False), (50, False), (60, False), (70, False)],
)
def test_a_national_item_about_failings_needs_law_regulation_or_central_policy(
    cast: Cast, level: int, enough: bool
) -> None:
    draft = actions.start_draft(cast.item, by=cast.data_officer)
    actions.write_draft(draft, by=cast.data_officer, legal_bases=[instrument(level)])
    assert ("basis_level" not in codes(draft)) is enough
    if not enough:
        with pytest.raises(ValidationError, match="层级不够"):
            actions.submit(draft, by=cast.data_officer)
        with pytest.raises(IntegrityError, match="basis_level"), transaction.atomic():
            ItemVersion.objects.filter(pk=draft.pk).update(state="submitted", moved_by=cast.data_officer)


def test_an_item_without_any_basis_goes_nowhere(cast: Cast) -> None:
    draft = actions.start_draft(cast.item, by=cast.data_officer)
    actions.write_draft(draft, by=cast.data_officer, legal_bases=[])
    with pytest.raises(ValidationError, match="没有依据不归集"):
        actions.submit(draft, by=cast.data_officer)


def test_a_serious_list_may_rest_on_a_ministry_rule_only_with_a_reason(cast: Cast) -> None:
    draft = new_item(cast, "FJ1-06-MRKT-0009", "06", severity_rule="3")
    actions.write_draft(draft, by=cast.data_officer, legal_bases=[instrument(50)])
    assert "basis_level" in codes(draft)
    actions.write_draft(draft, by=cast.data_officer, values={"ministry_rule_reason": "该领域没有更高层级的规定"})
    assert "basis_level" not in codes(draft)


def test_the_public_needs_a_basis_of_its_own_rank(cast: Cast) -> None:
    draft = actions.start_draft(cast.item, by=cast.data_officer)
    for level, enough in ((30, False), (50, False), (20, True)):
        actions.write_draft(draft, by=cast.data_officer, values={"disclosure_basis": instrument(level)})
        assert ("public_basis" not in codes(draft)) is enough, level
    actions.write_draft(
        draft, by=cast.data_officer, values={"disclosure_basis": instrument(30, state_council_order=True)}
    )
    assert "public_basis" not in codes(draft)
    with pytest.raises(ValidationError, match="公开依据"):
        actions.write_draft(draft, by=cast.data_officer, values={"disclosure_basis": None})
    refused_by_database(
        "itemversion_public_needs_a_basis_of_its_own",
        "UPDATE catalogue_itemversion SET disclosure_basis_id = NULL WHERE id = %s",
        [draft.pk],
    )


def test_the_rank_of_an_instrument_in_use_is_fixed(cast: Cast) -> None:
    basis = instrument(50)
    draft = actions.start_draft(cast.item, by=cast.data_officer)
    actions.write_draft(draft, by=cast.data_officer, legal_bases=[basis, *in_force(cast.item).legal_bases.all()])
    actions.submit(draft, by=cast.data_officer)
    refused_by_database(
        "instrument_in_use_keeps_its_rank",
        "UPDATE catalogue_instrument SET level = 10 WHERE id = %s",
        [basis.instrument_id],
    )


# --- local items -------------------------------------------------------------------------------------------


def new_item(
    cast: Cast, code: str, category: str, *, origin: str = "N", territory: str = "350000", **values: object
) -> ItemVersion:
    """A new item of the market authority with the penalty fields of the one in force."""
    like = in_force(cast.item)
    item = actions.propose_item(
        code=code, category=category, polarity="N", provider=cast.market, origin=origin, by=cast.data_officer
    )
    first = {"name": "测试条目", "behaviour": "某行为", "territory": Region.objects.get(pk=territory), "severity_rule": "2",
             "document_type": "P", "query_retention_months": 60, "disclosure": "QUERY_AUTH",
             "repair_conditions": ["DONE"], **values}  # fmt: skip
    draft = actions.start_draft(item, by=cast.data_officer, first=first)
    fields = list(like.fields.all())
    for field in fields:
        field.visible_to = [reader for reader in field.visible_to if reader != Field.Reader.PUBLIC]
    return actions.write_draft(draft, by=cast.data_officer, fields=fields)


def local_item(cast: Cast, territory: str = "350200") -> ItemVersion:
    draft = new_item(cast, "FJ1-03-MRKT-0008", "03", origin="L", territory=territory)
    regulation = instrument(40, territory=Region.objects.get(pk="350200"))
    return actions.write_draft(draft, by=cast.data_officer, legal_bases=[regulation])


def test_a_local_item_stays_inside_the_territory_of_its_regulation(cast: Cast) -> None:
    draft = local_item(cast)
    assert "basis_level" not in codes(draft)
    for outside in ("350100", "350000", "350500"):
        actions.write_draft(draft, by=cast.data_officer, values={"territory": Region.objects.get(pk=outside)})
        assert "basis_level" in codes(draft), outside
    actions.write_draft(draft, by=cast.data_officer, values={"territory": Region.objects.get(pk="350203")})
    assert "basis_level" not in codes(draft), "a district of the city is inside"


def test_a_local_item_is_not_what_the_national_catalogue_has(cast: Cast) -> None:
    draft = local_item(cast)
    actions.write_draft(draft, by=cast.data_officer, values={"national_ref": "03-017"})
    with pytest.raises(ValidationError, match="重复"):
        actions.submit(draft, by=cast.data_officer)


def test_a_local_item_is_not_approved_before_the_public_was_heard_and_answered(cast: Cast) -> None:
    version = actions.submit(local_item(cast), by=cast.data_officer)
    actions.take_up(version, by=cast.legal_reviewer)
    version = actions.pass_review(version, by=cast.legal_reviewer, note="可以")
    assess(cast, version)
    with pytest.raises(ValidationError, match="征求意见"):
        actions.approve(version, by=cast.credit_office)
    consultation = actions.open_consultation(version, by=cast.credit_office_2, explanation="为何增设")
    assert (consultation.closes_on - consultation.opened_on).days == 30
    said = actions.comment(consultation, text="  建议缩短查询期限。 ")
    with pytest.raises(ValidationError, match="手机号码"):
        actions.comment(consultation, text="请打我电话13800138000")
    with pytest.raises(ValidationError, match="截止"):
        actions.close_consultation(consultation, by=cast.credit_office_2, outcome="采纳")
    refused_by_database(
        "consultation_is_long_enough",
        "UPDATE catalogue_consultation SET closes_on = opened_on + 29 WHERE id = %s",
        [consultation.pk],
    )
    refused_by_database(
        "consultation_keeps_its_first_day",
        "UPDATE catalogue_consultation SET opened_on = opened_on - 40 WHERE id = %s",
        [consultation.pk],
    )
    refused_by_database(
        "consultation_is_long_enough",
        "UPDATE catalogue_consultation SET closed_at = now(), closed_by_id = %s, outcome = 'x' WHERE id = %s",
        [cast.credit_office_2.pk, consultation.pk],
    )
    refused_by_database("comment_is_kept", "UPDATE catalogue_comment SET text = '赞成' WHERE id = %s", [said.pk])
    refused_by_database("comment_is_kept", "DELETE FROM catalogue_comment WHERE id = %s", [said.pk])
    with pytest.raises(IntegrityError, match="consultation"), transaction.atomic():
        ItemVersion.objects.filter(pk=version.pk).update(state="approved", moved_by=cast.credit_office)


# --- fields: what is never collected ------------------------------------------------------------------------


@pytest.mark.parametrize("label", ["宗教信仰", "血型", "指纹编号", "病史", "信用评分", "婚姻状况"])
def test_a_field_of_a_prohibited_kind_cannot_be_written_down(cast: Cast, label: str) -> None:
    draft = actions.start_draft(cast.item, by=cast.data_officer)
    field = Field(code="X", label=label, datatype="text")
    with pytest.raises(ValidationError, match="禁止归集"):
        actions.write_draft(draft, by=cast.data_officer, fields=[field])
    with pytest.raises(IntegrityError, match="prohibited"), transaction.atomic():
        Field.objects.create(item_version=draft, position=99, code="X", label=label, datatype="text")
    with pytest.raises(IntegrityError, match="prohibited"), transaction.atomic():
        Field.objects.create(item_version=draft, position=99, code="X", label="备注", aliases=[label], datatype="text")


def test_nor_can_a_field_of_a_prohibited_class(cast: Cast) -> None:
    draft = actions.start_draft(cast.item, by=cast.data_officer)
    with pytest.raises(ValidationError, match="禁止归集"):
        actions.write_draft(
            draft, by=cast.data_officer, fields=[Field(code="X", label="编号", datatype="text", pii_class="X03")]
        )
    with pytest.raises(IntegrityError, match="prohibited"), transaction.atomic():
        Field.objects.create(item_version=draft, position=99, code="X", label="编号", datatype="text", pii_class="X03")


def test_an_item_named_after_something_prohibited_goes_nowhere(cast: Cast) -> None:
    draft = actions.start_draft(cast.item, by=cast.data_officer)
    actions.write_draft(draft, by=cast.data_officer, values={"name": "个人宗教信仰信息"})
    with pytest.raises(ValidationError, match="禁止归集"):
        actions.submit(draft, by=cast.data_officer)


def test_a_category_that_is_never_collected_cannot_be_struck_out(cast: Cast) -> None:
    with pytest.raises((IntegrityError, ProgrammingError)), transaction.atomic():
        ProhibitedCategory.objects.filter(code="X01").delete()


def test_nor_can_a_word_of_it(cast: Cast) -> None:
    refused_by_database(
        "prohibited_words_only_grow",
        "UPDATE catalogue_prohibitedcategory SET header_keywords = '{}' WHERE code = 'X01'",
    )
    refused_by_database(
        "prohibited_words_only_grow",
        "UPDATE catalogue_prohibitedcategory SET keywords = keywords[2:] WHERE code = 'X01'",
    )


def test_a_word_added_later_stops_what_is_on_its_way(cast: Cast) -> None:
    version = approved(cast)
    category = ProhibitedCategory.objects.get(code="X20")
    category.header_keywords.append("违法行为类型")
    category.save()
    with pytest.raises(IntegrityError, match="prohibited"), transaction.atomic():
        publish(cast)
    version.refresh_from_db()
    assert version.state == State.APPROVED


# --- assessment ---------------------------------------------------------------------------------------------


def test_a_public_item_is_not_approved_without_an_assessment_signed_by_two(cast: Cast) -> None:
    version = submitted(cast)
    ItemVersion.objects.filter(pk=version.pk).update(assessment=None)
    actions.take_up(version, by=cast.legal_reviewer)
    version = actions.pass_review(version, by=cast.legal_reviewer, note="可以")
    with pytest.raises(ValidationError, match="影响评估"):
        actions.approve(version, by=cast.credit_office)
    assess(cast, version)
    mine = ItemVersion.objects.get(pk=version.pk).assessment
    assert mine is not None
    unsigned = ImpactAssessment.objects.create(
        number="PIA-X", title="x", purpose="x", risks="x", safeguards="x", passed=True, assessed_by=cast.credit_office_2,
        assessed_on=mine.assessed_on, valid_until=mine.valid_until,
    )  # fmt: skip
    ItemVersion.objects.filter(pk=version.pk).update(assessment=unsigned)
    with pytest.raises(ValidationError, match="影响评估"):
        actions.approve(version, by=cast.credit_office)
    with pytest.raises(IntegrityError, match="assessment"), transaction.atomic():
        ItemVersion.objects.filter(pk=version.pk).update(state="approved", moved_by=cast.credit_office)
    with pytest.raises(PermissionDenied, match="自己"):
        actions.review_assessment(unsigned, by=cast.credit_office_2, passed=True)
    refused_by_database(
        "impactassessment_reviewed_by_another",
        "UPDATE catalogue_impactassessment SET reviewed_by_id = assessed_by_id, reviewed_on = assessed_on WHERE id = %s",
        [unsigned.pk],
    )


def test_a_reviewed_assessment_is_neither_changed_nor_deleted(cast: Cast) -> None:
    signed = in_force(cast.item).assessment
    assert signed is not None
    for statement in (
        "UPDATE catalogue_impactassessment SET valid_until = valid_until + 1 WHERE id = %s",
        "DELETE FROM catalogue_impactassessment WHERE id = %s",
    ):
        refused_by_database("impactassessment_is_kept", statement, [signed.pk])


# --- periods -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("severity", "least", "most", "fine"),
    [
        (1, 0, 3, True),
        (1, 0, 4, False),
        (2, 3, 12, True),
        (2, 0, 12, False),
        (2, 3, 13, False),
        (3, 12, 36, True),
        (3, 6, 36, False),
    ],
)
def test_publication_periods_stay_within_the_deadline_rules(
    cast: Cast, severity: int, least: int, most: int, fine: bool
) -> None:
    draft = actions.start_draft(cast.item, by=cast.data_officer)
    basis = in_force(cast.item).legal_bases.all()[0]
    period = PublicationPeriod(severity=severity, min_months=least, max_months=most, basis=basis)
    actions.write_draft(draft, by=cast.data_officer, periods=[period])
    assert ("period_too_long" not in codes(draft)) is fine


def test_a_positive_item_lets_people_refuse(cast: Cast) -> None:
    item = actions.propose_item(
        code="FJ1-11-MRKT-0001", category="11", polarity="P", provider=cast.market, by=cast.data_officer
    )
    draft = actions.start_draft(
        item, by=cast.data_officer, first={"name": "守信示范", "behaviour": "获评", "query_retention_months": 60,
                                           "territory": Region.objects.get(pk="350000")},
    )  # fmt: skip
    assert {"opt_out", "positive_retention", "basis"} <= codes(draft)


# --- editions ------------------------------------------------------------------------------------------------


def test_an_edition_is_never_changed_and_never_back_dated_in_silence(cast: Cast) -> None:
    edition = Edition.objects.get()
    for statement in (
        "UPDATE catalogue_edition SET title = 'x'",
        "DELETE FROM catalogue_editionentry",
        "DELETE FROM catalogue_retirement",
    ):
        with pytest.raises(ProgrammingError), transaction.atomic():
            sql(statement)
    approved(cast)
    with pytest.raises(IntegrityError, match="published today"), transaction.atomic():
        publish(cast, published_on=edition.published_on)


def test_a_version_that_would_begin_before_its_edition_is_not_published(cast: Cast) -> None:
    yesterday = timezone.localdate() - timedelta(days=1)
    approved(cast, effective=DateRange(yesterday, None))
    with pytest.raises(ValidationError, match="早于发布日期"):
        publish(cast)


def test_an_empty_edition_is_not_published(cast: Cast) -> None:
    with pytest.raises(ValidationError, match="不需要发布"):
        publish(cast)


def test_a_retired_item_needs_a_decision_about_its_records(cast: Cast) -> None:
    version = in_force(cast.item)
    refused_by_database(
        "itemversion_is_retired_by_an_edition",
        "UPDATE catalogue_itemversion SET state = 'retired', moved_by_id = %s WHERE id = %s",
        [cast.credit_office.pk, version.pk],
    )
    retire(cast, cast.item)
    version.refresh_from_db()
    assert version.state == State.RETIRED
    assert cast.item.version_on(timezone.localdate()) is None
    with pytest.raises(ValidationError, match="已停用"):
        actions.start_draft(cast.item, by=cast.data_officer)
    assert not Edition.objects.order_by("-id")[0].entries.filter(item=cast.item).exists()


def test_an_item_to_be_retired_later_stays_in_force_until_its_day(cast: Cast) -> None:
    retire(cast, cast.item, on=timezone.localdate() + timedelta(days=10))
    assert cast.item.version_on(timezone.localdate()) is not None


# --- the day an instrument goes ------------------------------------------------------------------------------


def collecting_instruments(version: ItemVersion) -> list[Instrument]:
    return [a.instrument for a in version.legal_bases.select_related("instrument") if a.instrument.level <= 30]


def test_a_repealed_instrument_suspends_its_items_that_day_in_view_and_job_alike(cast: Cast) -> None:
    version, today = in_force(cast.item), timezone.localdate()
    tomorrow = today + timedelta(days=1)
    for law in collecting_instruments(version):
        Instrument.objects.filter(pk=law.pk).update(repealed_on=tomorrow)
    assert cast.item.version_on(today) == version
    assert cast.item.version_on(tomorrow) is None, "the view knows before the job has run"
    assert actions.nightly()["suspended"] == 0, "and the job does nothing before the day"


def test_entering_a_repeal_suspends_at_once_what_rests_on_it(cast: Cast) -> None:
    version = in_force(cast.item)
    basis = version.disclosure_basis
    assert basis is not None
    resting = ItemVersion.objects.filter(state=State.IN_FORCE, disclosure_basis__instrument=basis.instrument_id).count()
    assert actions.repeal(basis.instrument, on=timezone.localdate(), by=cast.credit_office) == resting == 2
    version.refresh_from_db()
    assert version.state == State.SUSPENDED


def test_what_the_view_says_the_job_writes_down(cast: Cast) -> None:
    version, today = in_force(cast.item), timezone.localdate()
    basis = version.disclosure_basis
    assert basis is not None
    Instrument.objects.filter(pk=basis.instrument_id).update(repealed_on=today)
    assert cast.item.version_on(today) is None
    assert actions.nightly()["suspended"] >= 1
    version.refresh_from_db()
    assert version.state == State.SUSPENDED
    assert version.steps.last().by_name == "系统"  # type: ignore[union-attr]
    assert set(actions.nightly().values()) == {0}, "a second run does nothing"
    with pytest.raises(ValidationError, match="公开依据"):
        actions.resume(version, by=cast.credit_office, note="试试")
    with pytest.raises(IntegrityError, match="public_basis"), transaction.atomic():
        ItemVersion.objects.filter(pk=version.pk).update(state="in_force", moved_by=cast.credit_office)
    Instrument.objects.filter(pk=basis.instrument_id).update(repealed_on=None)
    assert actions.resume(version, by=cast.credit_office, note="废止系误录").state == State.IN_FORCE


def test_duties_entered_in_bulk_leave_a_line_of_change_each(cast: Cast) -> None:
    many_items(cast, 3)
    assignments = SupplyAssignment.objects.all()
    assert assignments.count() == Item.objects.count()
    lines = LogEntry.objects.get_for_objects(assignments)
    assert lines.count() == assignments.count()
    assert {line.actor for line in lines} == {cast.credit_office}
    waiting = list(ItemGrant.objects.to_confirm_by(cast.credit_office_2).select_related("organisation", "item"))
    assert grants.confirm_together(waiting, by=cast.credit_office_2) == len(waiting) == 6
    lines = LogEntry.objects.get_for_objects(ItemGrant.objects.filter(pk__in=[one.pk for one in waiting]))
    assert lines.filter(actor=cast.credit_office_2).count() == len(waiting)
    assert all(may_supply(one.supplier, one.item) for one in assignments)
