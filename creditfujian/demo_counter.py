"""Citizens' accounts of the demo, opened as all are: one clerk sees the card, another hands the code over."""

from accounts.actions import activate, confirm_proof, prove_identity
from accounts.models import User
from accounts.sign_in_log import Door
from creditfujian.demo_people import Somebody


def open_account(somebody: Somebody, username: str, password: str) -> User:
    """Open an invented person's account with that user name and password."""
    clerk, colleague = (User.objects.get(username=name) for name in ("clerk", "clerk2"))
    proof = prove_identity(id_number=somebody.id_number, name=somebody.name, by=clerk)
    given = confirm_proof(proof.pk, id_number=somebody.id_number, by=colleague, door=Door())
    return activate(id_number=somebody.id_number, code=given.code, username=username, password=password)
