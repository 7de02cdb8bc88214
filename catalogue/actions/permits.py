"""Who may do which deed in which state, and the one way a version moves."""

from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import User
from catalogue.models import (
    ItemVersion,
)
from catalogue.rules import may_propose

State = ItemVersion.State


def locked(version: ItemVersion) -> ItemVersion:
    return ItemVersion.objects.select_for_update(of=("self",)).select_related("item").get(pk=version.pk)


_AFTER_REVIEW = (
    State.PIA, State.CONSULTATION, State.APPROVED, State.PUBLISHED, State.IN_FORCE, State.SUSPENDED,
)  # fmt: skip
# Which deed is open in which state, and to whom. The two hands and everything else: `why_not`.
_OPEN: dict[str, dict[str, str]] = {
    "write": {State.DRAFT: "propose_item"},
    "submit": {State.DRAFT: "propose_item"},
    "discard": {State.DRAFT: "propose_item"},
    "take_back": {State.SUBMITTED: "propose_item"},
    "take_up": {State.SUBMITTED: "review_item"},
    "pass_review": {State.LEGAL_REVIEW: "review_item"},
    "assess": dict.fromkeys(_AFTER_REVIEW, "assess_item"),
    "renew": dict.fromkeys(_AFTER_REVIEW, "assess_item"),
    "consult": {State.PIA: "assess_item"},
    "approve": {State.PIA: "approve_item", State.CONSULTATION: "approve_item"},
    "send_back": {
        State.SUBMITTED: "review_item", State.LEGAL_REVIEW: "review_item", State.PIA: "assess_item",
        State.CONSULTATION: "assess_item", State.APPROVED: "approve_item",
    },
    "suspend": {State.PUBLISHED: "approve_item", State.IN_FORCE: "approve_item"},
    "resume": {State.SUSPENDED: "approve_item"},
}  # fmt: skip
DUTIES = {
    "propose_item": "您的单位未获准提出该条目的修订。",
    "review_item": "您没有法制审核的职责，或者不是该条目所在单位的人员。",
    "assess_item": "您没有影响评估和征求意见的职责。",
    "approve_item": "您没有批准条目的职责。",
}
_TOO_LATE = {
    "write": "只有草案可以修改。需要修改请先退回。",
    "discard": "只有从未提交的草案可以删除。",
    "assess": "法制审核通过后才能登记影响评估。",
}


def deeds_for(version: ItemVersion, user: User) -> dict[str, str]:
    """Return the deeds that are open in the version's state and within the user's duty.

    Each with the sentence that keeps this person from it, or an empty string: then it is theirs to do.
    """
    ours = [deed for deed, states in _OPEN.items() if _may(user, states.get(version.state, ""), version)]
    return {deed: why_not(deed, version, user) for deed in ours if not _out_of_place(deed, version)}


def why_not(deed: str, version: ItemVersion, user: User) -> str:
    """Return why somebody with the duty may still not do the deed: the same pair of hands did another part."""
    hands = {version.created_by_id, *_hands(version, State.SUBMITTED)}
    if deed in ("take_up", "pass_review") and user.pk in hands:
        return "起草或提交的人不能审核自己的条目，须由另一人办理。"
    if deed == "approve" and user.pk in hands | _hands(version, State.PIA):
        return "起草、提交或法制审核的人不能批准，须由另一人办理。"
    return ""


def _hands(version: ItemVersion, state: str) -> set[int | None]:
    return set(version.steps.filter(to_state=state).values_list("by_id", flat=True))


def _out_of_place(deed: str, version: ItemVersion) -> str:
    """Return why the deed does not fit this version although its state allows it."""
    if deed == "discard" and version.steps.exists():
        return _TOO_LATE["discard"]
    if deed == "consult" and not version.is_local:
        return "只有地方补充目录的条目需要公开征求意见。"
    return ""


def _may(user: User, permission: str, version: ItemVersion) -> bool:
    if permission == "propose_item":
        return may_propose(user, version.item)
    if not permission or not user.has_perm(f"catalogue.{permission}"):
        return False
    # A department's legal reviewer reviews its own items; the credit office's people all.
    at_home = user.organisation_id == version.item.provider_id
    return permission != "review_item" or at_home or user.has_perm("catalogue.approve_item")


def allow(deed: str, version: ItemVersion, by: User) -> None:
    """Refuse a deed to who has not the duty, in the wrong state, or by the wrong hand.

    Raises PermissionDenied, ValidationError.
    """
    states = _OPEN[deed]
    permissions = [states[version.state]] if version.state in states else sorted(set(states.values()))
    if not any(_may(by, permission, version) for permission in permissions):
        raise PermissionDenied(DUTIES[permissions[0]])
    if version.state not in states:
        words = "、".join(State(state).label for state in states)
        told = f"当前状态为“{version.get_state_display()}”，须为“{words}”才能办理。"
        raise ValidationError(_TOO_LATE.get(deed, told), code="state")
    if reason := _out_of_place(deed, version):
        raise ValidationError(reason, code="out_of_place")
    if reason := why_not(deed, version, by):
        raise PermissionDenied(reason)


def move(version: ItemVersion, state: str, by: User | None, note: str) -> ItemVersion:
    """Move along one arrow; the database refuses any other and writes the step."""
    version.state, version.moved_by, version.move_note = state, by, note[:500]
    version.save(update_fields=["state", "moved_by", "move_note"])
    return version
