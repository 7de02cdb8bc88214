"""Who an identity service's subject is here: only a verified identity number says so, never a name or an address."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.actions import provable_person
from accounts.models import IdentityLink, Person, User
from accounts.oidc import Refused
from accounts.sign_in_log import Door, write
from accounts.sign_in_models import Event, Method

FACE_ONLY = {"face", "fpt", "iris", "vbm"}  # RFC 8176: a likeness alone proves nothing here (domain §2.1, 人脸识别办法)


def account_of(claims: dict[str, Any], *, issuer: str, door: Door) -> User:
    """Return the citizen's account for checked claims; link it, or open it, the first time. Raises Refused."""
    if _methods(claims.get("amr")) <= FACE_ONLY:
        raise Refused("face_only")
    number, name = _identity(claims)
    subject = str(claims["sub"])
    with transaction.atomic():
        person = _person(number, name)
        link = IdentityLink.objects.select_related("user").filter(issuer=issuer, subject=subject).first()
        if link is None:
            return _linked(person, issuer=issuer, subject=subject, door=door)
        if link.user.person_id != person.pk:
            raise Refused("subject_changed")
        return _open(link.user)


def _methods(said: Any) -> set[str]:
    """Return how the service says that it recognised the person; one that says nothing is taken by its `acr`."""
    listed = [said] if isinstance(said, str) else said or ["unsaid"]
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise Refused("token")
    return set(listed)


def _identity(claims: dict[str, Any]) -> tuple[str, str]:
    """Return number and name; the service must say that it has verified them."""
    if claims.get(settings.OIDC_VERIFIED_CLAIM) is not True:
        raise Refused("not_verified")
    number, name = claims.get(settings.OIDC_NUMBER_CLAIM), claims.get(settings.OIDC_NAME_CLAIM)
    if not isinstance(number, str) or not isinstance(name, str) or not name.strip():
        raise Refused("no_number")
    return number, name


def _person(number: str, name: str) -> Person:
    """Return the person by the same rule as at the counter; locked. Raises Refused."""
    try:
        return provable_person(number, name)
    except ValidationError as error:
        raise Refused(f"person_{error.code}") from None


def _linked(person: Person, *, issuer: str, subject: str, door: Door) -> User:
    """Link the subject to the person's account, opening one when there is none yet. Raises Refused."""
    user = User.objects.filter(person=person).first()
    if user is None:
        user = User(username=f"oidc-{person.sid.hex[:12]}", name=person.name, kind=User.Kind.CITIZEN, person=person)
        user.set_unusable_password()
        user.save()
    _open(user)
    try:
        with transaction.atomic():
            IdentityLink.objects.create(user=user, issuer=issuer, subject=subject)
    except IntegrityError:
        raise Refused("other_subject") from None
    write(Event.LINKED, user, door, method=Method.OIDC)
    return user


def _open(user: User) -> User:
    if not user.is_active or user.person_id is None or user.is_closed():
        raise Refused("closed")
    return user
