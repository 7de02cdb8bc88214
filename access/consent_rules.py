"""Decisions about consent: what an institution may ask for, and whether a consent opens anything. Nothing is written."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from access.actions import Use
from access.models import Consent, ConsentPurpose, Institution, Refusal
from accounts.models import Organisation, Person, User
from catalogue.models import Item, ItemVersion

MAX_DAYS, ANSWER_DAYS, CHECK_DAYS, USUAL_DAYS = "D51", "D52", "D53", "D32"  # deadlines: domain §12, §7.2, §7.3


@dataclass(frozen=True)
class Choice:
    """An item as institution and person choose it: by name; adverse ones stand apart."""

    item: Item
    name: str

    @property
    def is_adverse(self) -> bool:
        return self.item.polarity == Item.Polarity.NEGATIVE


def items_for(purpose: ConsentPurpose) -> "QuerySet[Item]":
    """Return the items that may be asked for under a purpose today; the database's function says the same."""
    return Item.objects.filter(pk__in=RawSQL("SELECT unnest(access_items_for(%s))", [purpose.pk]))


def adverse_items_for(purpose: ConsentPurpose) -> "QuerySet[Item]":
    """Return the adverse items that may be asked for under a purpose today: what an answer over years is about."""
    return items_for(purpose).filter(polarity=Item.Polarity.NEGATIVE)


def items_over_years(consent: Consent) -> list[int]:
    """Return the keys of the items that an answer over years is about today: all that were asked for and may still be."""
    return sorted(items_for(consent.purpose).filter(pk__in=consent.asked_items).values_list("pk", flat=True))


def is_wider(form: Consent.Form, allowed: Consent.Form) -> bool:
    """Tell whether an answer in that form says more than was allowed; the answer over years is allowed as itself alone."""
    if Consent.Form.YEARS in (form, allowed):
        return form is not allowed
    return Consent.WIDTH.index(form) > Consent.WIDTH.index(allowed)


def items_for_any() -> "QuerySet[Item]":
    """Return the items that may be asked for under at least one purpose today."""
    return Item.objects.filter(pk__in=RawSQL("SELECT unnest(access_items_for(code)) FROM access_consentpurpose", []))


def choices_of(items: "QuerySet[Item] | list[int]") -> list[Choice]:
    """Return items with their names, the adverse ones last; an item no longer in force keeps its latest name."""
    keys = items if isinstance(items, list) else list(items.values_list("pk", flat=True))
    versions = ItemVersion.objects.filter(item__in=keys).select_related("item").order_by("item", "version")
    latest = {v.item_id: Choice(v.item, v.name) for v in versions.exclude(state__in=ItemVersion.UNDER_WAY)}
    return sorted(latest.values(), key=lambda one: (one.is_adverse, one.item.code))


def registration_of(organisation: Organisation | None, purpose: ConsentPurpose | None = None) -> Institution | None:
    """Return the registration under which the organisation may ask and read today, for that purpose if one is given."""
    found = Institution.objects.in_force().filter(organisation=organisation)
    if purpose is not None:
        found = found.filter(purposes__contains=[purpose.pk])
    return found.select_related("organisation").first()


def is_operator(user: User | None) -> bool:
    """Tell whether the account is one of an institution's operators."""
    return (
        user is not None and user.is_active
        and user.kind == User.Kind.INSTITUTION and user.organisation_id is not None
    )  # fmt: skip


def refusal_of_use(
    consent: Consent, user: User, *, person: Person | None, use: Use, wanted: set[int] | None
) -> Refusal | None:
    """Return why the consent does not open the person's records for this use, or None (domain §7.1 Q4, §7.2).

    Three equalities come first: caller and grantee, subject and person, purpose with items and form. `wanted` holds
    item keys, None for all that the consent holds.
    """
    if not is_operator(user) or consent.organisation_id != user.organisation_id:
        return Refusal.NOT_GRANTEE
    if consent.valid_from is None:  # never granted: whether the register knows the person is told to nobody
        return Refusal.NO_CONSENT
    if consent.person is None or person is None or person.pk != consent.person.survivor().pk:
        return Refusal.OTHER_PERSON
    if consent.state in (Consent.State.GRANTED, Consent.State.USED):
        within = wanted is None or bool(wanted) and wanted <= set(consent.items)
        if use.purpose != consent.purpose or not within or is_wider(use.form, Consent.Form(consent.form)):
            return Refusal.OUT_OF_SCOPE
    return _ended(consent) or _stopped(consent)


def _ended(consent: Consent) -> Refusal | None:
    """Return in which way a consent is not in force by itself, or None."""
    by_state = {
        Consent.State.WITHDRAWN: Refusal.WITHDRAWN, Consent.State.USED: Refusal.SPENT,
        Consent.State.EXPIRED: Refusal.OVER, Consent.State.GRANTED: None,
    }  # fmt: skip
    refusal = by_state.get(Consent.State(consent.state), Refusal.NO_CONSENT)
    if refusal is None and consent.valid_to is not None and consent.valid_to < timezone.localdate():
        return Refusal.OVER
    return refusal


def _stopped(consent: Consent) -> Refusal | None:
    """Return what outside of a consent keeps it from being used today, or None."""
    if consent.person is None or not consent.person.may_act:
        return Refusal.PERSON_GONE
    if registration_of(consent.organisation, consent.purpose) is None:
        return Refusal.LICENCE
    return None
