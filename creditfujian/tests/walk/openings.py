"""Questions that open somebody's data because something is said with them: what a bare address does not show."""

from dataclasses import dataclass, field

from creditfujian.tests.cast import CITIZEN_NUMBER
from creditfujian.tests.walk.stage import Stage


@dataclass(frozen=True)
class Opening:
    """Who asks which address, and what they say with it."""

    who: str
    method: str
    route: str
    said: dict[str, str] = field(default_factory=dict)


OPENINGS = (
    Opening("data_officer", "GET", "admin:records_batch_change", {"differences": "1"}),
    Opening("data_officer", "GET", "admin:records_rightsrequest_change", {"record": "1"}),
    Opening("data_reviewer", "GET", "admin:records_recordact_change", {"records": "1"}),
    Opening("credit_office", "GET", "admin:records_personcase_change", {"names": "1"}),
    Opening("credit_office", "GET", "admin:records_statementhold_change", {"words": "1"}),
    Opening("credit_office", "POST", "admin:access_officialletter_answer", {"person": "{citizen}"}),
    Opening("nobody", "POST", "lookup", {"name": "陈小满", "number": CITIZEN_NUMBER}),
    Opening("bank_clerk", "POST", "institution_consent", {"id_number": CITIZEN_NUMBER, "purpose": "loan"}),
)  # fmt: skip


def body(opening: Opening, stage: Stage) -> dict[str, str]:
    """Return what is said, filled in with what is on the stage."""
    known = {"{citizen}": str(stage.cast.citizen.person_id)}
    return {key: known.get(value, value) for key, value in opening.said.items()}
