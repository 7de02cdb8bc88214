"""The fact of a reward in the register: entered through the records' own checks by the case's two officials, and ended."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone

from accounts import people
from accounts.models import Person, User
from catalogue.models import Field
from creditfujian.lib.workdays import DAY, add_months
from records import actions, acts, entry
from records.entry import Typed
from records.intake.schema import Schema
from records.life_models import RecordAct
from records.models import Batch
from sanctions.models import RewardCase, RewardStep

NOT_ENTERED = "荣誉信息没有通过入库检查：{}"
NO_DUTY = "推荐经办人须有本单位该条目的报送职责，决定人须有审核入库职责，荣誉信息才能记入。请联系系统管理员。"
Binding = Field.Binding


def enter(case: RewardCase, *, by: User) -> Batch:
    """Enter the honour under the programme's item: handed in for the nominator, committed by who decides.

    Raises ValidationError with what the checks of the register found.
    """
    nominator = case.nominated_by
    item, person = case.programme.item, Person.objects.opened(people.survivor_of(case.person_id))
    try:
        actions.rules_to_deliver(item, nominator)
        typed = _typed(case, person, Schema(item, case.organisation))
        outcome = entry.hand_in([typed], item=item, by=nominator)
        if outcome.batch is None:
            raise ValidationError(NOT_ENTERED.format(outcome.problems[0][0][2]), code="register")
        batch = actions.commit_now(outcome.batch.pk, by=by)
    except PermissionDenied as error:
        raise ValidationError(f"{NO_DUTY}（{error}）", code="duty") from error
    if batch.state != Batch.State.COMMITTED:
        raise ValidationError(NOT_ENTERED.format(f"批次 {batch.number} {batch.get_state_display()}"), code="register")
    return batch


def _typed(case: RewardCase, person: Person, rules: Schema) -> Typed:
    """Return the row: bound fields by what they bind, the others by their codes of the field set of honours."""
    assert case.award_on is not None
    number, last = person.id_number(), add_months(case.award_on, case.programme.term_months) - DAY
    bound = {
        Binding.PERSON_NAME: person.name, Binding.ID_NUMBER: number, Binding.DOC_NO: case.award_no,
        Binding.DOC_DATE: f"{case.award_on:%Y-%m-%d}", Binding.ACT_END: f"{last:%Y-%m-%d}", Binding.DECIDER: case.organisation.name,
        Binding.DECIDER_USCC: case.organisation.uscc, Binding.PUBLIC_MARK: "政务共享",
    }  # fmt: skip
    others = {
        "RYMC": case.honour, "RYLY": case.programme.get_source_display(), "PJND": case.year, "TYSBH": case.number,
    }  # fmt: skip
    values = {
        field.code: bound.get(Binding(field.binds), "") if field.binds else others.get(field.code, "")
        for field in entry.fields_of(rules)
    }
    return Typed(values, compared=number.endswith("000"), named=True)  # the name is the register's own


def end(case: RewardCase, *, reason: str) -> None:
    """Take the fact out of the register at once: by its own batch, else by a mark that holds it back from everybody.

    The mark is for when neither official has the duty any more: the person does not wait for that. What has ended in the
    register by itself stays as it is; the database looks when the transaction ends.
    """
    if not case.record_no or not _stands(case):
        return
    granted = case.steps.filter(deed=RewardStep.Deed.GRANTED).select_related("batch").last()
    for official in (case.nominated_by, case.decided_by):
        if granted is not None and official is not None and _withdrawn(granted, official, reason) and not _stands(case):
            return
    acts.mark(
        RecordAct.Kind.OBJECTION, [case.record_no], organisation=case.organisation, by=case.decided_by or case.nominated_by,
        reason=reason, document_no=case.number, document_date=timezone.localdate(), hides=True,
    )  # fmt: skip


def _withdrawn(granted: RewardStep, official: User, reason: str) -> bool:
    if granted.batch is None or granted.batch.state != Batch.State.COMMITTED:
        return False
    try:
        return actions.withdraw(granted.batch.pk, by=official, reason=reason) is not None
    except PermissionDenied:
        return False


def _stands(case: RewardCase) -> bool:
    """Tell whether the register still gives the fact to others."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sanctions_reward_stands(%s)", [case.record_no])
        return bool(cursor.fetchone()[0])
