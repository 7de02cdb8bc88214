"""The deeds of accounts. Nothing else writes."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from accounts import people
from accounts.models import IdentityProof, Organisation, Person, Region, Role, User
from accounts.sessions import sessions_of
from accounts.sign_in_log import Door, write
from accounts.sign_in_models import Event
from creditfujian.lib import identity
from creditfujian.lib.text import normalise_name

CODE_LIFE = timedelta(days=7)
MAX_ATTEMPTS = 5


def register_organisation(*, uscc: str, name: str, kind: str, region: Region, **more: object) -> Organisation:
    """Enter an organisation together with the group that object permissions are given to."""
    with transaction.atomic():
        organisation = Organisation(uscc=uscc, name=name, kind=kind, region=region, **more)
        organisation.full_clean()
        organisation.group = Group.objects.create(name=f"机构 {uscc}")
        organisation.save()
        return organisation


def register_staff(*, username: str, name: str, organisation: Organisation, roles: list[Role], password: str) -> User:
    """Open a staff account with its roles. Raises IntegrityError when roles exclude each other."""
    with transaction.atomic():
        user = User(username=username, name=name, organisation=organisation, kind=User.Kind.STAFF, is_staff=True)
        validate_password(password, user)
        user.set_password(password)
        user.save()
        user.groups.set(Group.objects.filter(name__in=[role.value for role in roles]))
        return user


def check_identity(id_number: str) -> str:
    """Return the normalised number. Raises ValidationError with the reason and what to do."""
    number = identity.normalise(id_number)
    if problem := identity.problem(number, today=timezone.localdate(), allow_demo=settings.DEMO):
        raise ValidationError(identity.PROBLEMS[problem], code=problem)
    return number


def provable_person(id_number: str, name: str) -> Person:
    """Return the person whom a proof of identity is about, locked; entered when nobody has the number yet.

    Raises ValidationError when the number is wrong, the name is not the one known for it, the holder is under eighteen
    or dead. Within a transaction.
    """
    number, name = check_identity(id_number), normalise_name(name)
    if not identity.is_adult(number, timezone.localdate()):
        raise ValidationError("持证人未满 18 周岁，不能开通账户。", code="minor")
    person = Person.objects.holder_of(number)
    if person is None:
        person = Person.seal(number, name)
        person.save()
    elif normalise_name(person.name) != name:
        raise ValidationError(
            "姓名与系统登记的不一致。请核对证件；证件无误的，请联系省信用办核对改名或更正登记。", code="name_conflict"
        )
    person = Person.objects.select_for_update().get(pk=person.pk)
    if person.deceased_on is not None:
        raise ValidationError("系统登记此人已经死亡，不能开通账户。如登记有误，请联系省信用办撤销。", code="deceased")
    return person


@dataclass(frozen=True)
class Proof:
    """A proof of identity and the code to hand over: shown once, kept only as a keyed hash."""

    proof: IdentityProof
    code: str


@transaction.atomic
def prove_identity(*, id_number: str, name: str, by: User, lifts_factors: bool = False) -> IdentityProof:
    """Note that the clerk saw the person with their card; it waits for another official of the counter.

    `lifts_factors`: the person has lost the phone and the recovery codes, so that these end with the old password.
    Raises PermissionDenied without the right, ValidationError when the number is wrong, the name is not the
    one known for it, or the holder is under eighteen.
    """
    if not by.has_perm("accounts.add_identityproof") or by.organisation is None:
        raise PermissionDenied
    person = provable_person(id_number, name)
    IdentityProof.objects.filter(person=person, used_at=None, refusal="").delete()
    now = timezone.now()
    return IdentityProof.objects.create(
        person=person, clerk=by, organisation=by.organisation, checked_at=now, expires_at=now + CODE_LIFE,
        lifts_factors=lifts_factors,
    )  # fmt: skip


def why_not_decide(proof: IdentityProof, user: User) -> str:
    """Return why this official may not confirm or send back a proof of identity, or nothing."""
    if not user.has_perm("accounts.confirm_identityproof") or user.organisation_id != proof.organisation_id:
        return "您没有复核本窗口身份核验的职责。"
    if proof.standing != "待复核":
        return f"这次核验{proof.standing}，不需要复核。"
    if proof.attempts >= MAX_ATTEMPTS:
        return "证件号码多次核对不符。请重新核验身份。"
    return "须由另一名工作人员当面复核，查验人不能自己复核。" if proof.clerk_id == user.pk else ""


def confirm_proof(pk: int, *, id_number: str, by: User, door: Door) -> Proof:
    """Confirm what another official saw, with the card in hand once more, and make the code.

    The number is read off the card anew: whoever has not seen it cannot confirm. Nobody at the counter is told whether
    there is an account; whoever has one finds the code in its sign-in log and messages (the database writes these).
    Raises PermissionDenied, ValidationError; numbers that differ are counted.
    """
    with transaction.atomic():
        proof, person = _to_decide(pk, by)
        if hmac.compare_digest(person.id_number(), identity.normalise(id_number)):
            code = identity.activation_code()
            proof.decided_by, proof.code_hash, proof.attempts = by, _code_hash(code), 0
            proof.save(update_fields=["decided_by", "code_hash", "attempts"])
            if account := User.objects.filter(person=person).first():
                write(
                    Event.RESET_ISSUED,
                    account,
                    door,
                    by=by,
                    note=f"{proof.organisation.name}，查验人{proof.clerk.name}",
                )
            return Proof(proof, code)
        proof.attempts += 1
        proof.save(update_fields=["attempts"])
    raise ValidationError("与查验人登记的证件号码不符。请对照证件原件重新输入；确实不符的，请退回。", code="number")


@transaction.atomic
def refuse_proof(pk: int, *, reason: str, by: User) -> IdentityProof:
    """Send a proof back: no code comes of it. Raises PermissionDenied, ValidationError."""
    if not reason.strip():
        raise ValidationError("请写明退回理由。", code="reason")
    proof, _ = _to_decide(pk, by)
    proof.decided_by, proof.refusal = by, reason.strip()[:200]
    proof.save(update_fields=["decided_by", "refusal"])
    return proof


def _to_decide(pk: int, by: User) -> tuple[IdentityProof, Person]:
    """Return a proof that this official may decide on, locked, and whom it is about. Within a transaction."""
    mine = IdentityProof.objects.select_for_update(of=("self",)).filter(organisation=by.organisation_id)
    proof = mine.select_related("clerk", "organisation").filter(pk=pk).first()
    if proof is None:
        raise PermissionDenied("您没有复核本窗口身份核验的职责。")
    if reason := why_not_decide(proof, by):
        raise PermissionDenied(reason)
    person = people.opened(proof)
    assert person is not None
    return proof, person


def activate(*, id_number: str, code: str, username: str, password: str) -> User:
    """Open a citizen's account with the code from the counter.

    Raises ValidationError: one sentence for every failure, so that it tells nothing about who exists.
    """

    def opened(person: Person, proof: IdentityProof) -> User | None:
        if User.objects.filter(person=person).exists():
            return None
        user = User(username=username, name=person.name, kind=User.Kind.CITIZEN, person=person)
        validate_password(password, user)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save()
        proof.used_for = IdentityProof.Use.OPENED
        return user

    return _by_code(id_number, code, opened)


def reset_password(*, id_number: str, code: str, password: str, door: Door) -> User:
    """Set a citizen's forgotten password anew with the code from the counter; all sessions end.

    A second factor stays, unless the two at the counter noted that the phone and the recovery codes are lost.

    Raises ValidationError: one sentence for every failure, so that it tells nothing about who has an account.
    """

    def reset(person: Person, proof: IdentityProof) -> User | None:
        user = User.objects.select_for_update().filter(person=person, is_active=True).first()
        if user is None:
            return None
        validate_password(password, user)
        user.set_password(password)
        user.must_change_password = False
        user.save(update_fields=["password", "must_change_password"])
        sessions_of(user).delete()
        write(Event.PASSWORD_RESET, user, door, by=user, note="窗口核验身份后本人重设")
        if proof.lifts_factors:
            _lift_factors(user, door)
        proof.used_for = IdentityProof.Use.RESET
        return user

    return _by_code(id_number, code, reset)


def _lift_factors(user: User, door: Door) -> None:
    """Unbind what a citizen has lost: the counter looked at the card for it, twice."""
    for factor in user.second_factors.all():
        write(Event.FACTOR_REMOVED, user, door, method=factor.kind, note="窗口核验身份后解除")
    user.second_factors.all().delete()
    user.recovery_codes.all().delete()


def _by_code(id_number: str, code: str, deed: Callable[[Person, IdentityProof], User | None]) -> User:
    """Use the code from the counter up for a deed that it opens. Raises ValidationError; wrong codes are counted."""
    with transaction.atomic():
        person = Person.objects.holder_of(identity.normalise(id_number))
        proof = (
            IdentityProof.objects.select_for_update(of=("self",))
            .filter(person=person, used_at=None, code_hash__isnull=False, expires_at__gt=timezone.now())
            .first()
        )
        right = proof is not None and person is not None and person.may_act and _opens(proof, code)
        if proof is not None and person is not None and right and (user := deed(person, proof)):
            proof.used_at = timezone.now()
            proof.save(update_fields=["used_at", "used_for"])
            return user
        if proof is not None and not right:
            proof.attempts += 1
            proof.save(update_fields=["attempts"])
    raise ValidationError("证件号码或激活码不对，或激活码已过期。请核对，或到窗口重新办理。", code="activation")


def _opens(proof: IdentityProof, code: str) -> bool:
    same = hmac.compare_digest(bytes(proof.code_hash or b""), _code_hash(code.strip().upper()))
    return same and proof.attempts < MAX_ATTEMPTS


def _code_hash(code: str) -> bytes:
    return settings.FIELD_KEYRING.index(b"activation:" + code.encode())
