"""The counter, where two officials look at a card one after the other."""

from accounts.actions import Proof, confirm_proof, prove_identity, register_staff
from accounts.models import Role, User
from accounts.sign_in_log import Door
from creditfujian.tests.cast import PASSWORD, Cast


def colleague(cast: Cast) -> User:
    """The second clerk at the counter."""
    found = User.objects.filter(username="clerk2").first()
    return found or register_staff(
        username="clerk2", name="窗口卯", organisation=cast.counter, roles=[Role.CLERK], password=PASSWORD
    )


def code_from(cast: Cast, id_number: str, name: str, *, lifts_factors: bool = False) -> Proof:
    """Let a person go to the counter and come back with a code."""
    proof = prove_identity(id_number=id_number, name=name, by=cast.clerk, lifts_factors=lifts_factors)
    return confirm_proof(proof.pk, id_number=id_number, by=colleague(cast), door=Door())
