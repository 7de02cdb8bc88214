"""What counts as somebody's data in an answer.

A person's name, their number masked by any profile, and what a record, a statement or a request says of them: each is
looked for word by word, since all of it is known. Not counted, because it says nothing of a person's file:

- the number of a record, a batch or a case: without a ground a number opens nothing;
- for what an official registered a reading: whom it was about is not beside it;
- the names of officials, who act for their office;
- one's own name and masked number, shown to oneself (the head of a page, one's own account). What a record says is a reading
  and leaves a line to oneself, too.
"""

from dataclasses import dataclass

from creditfujian.lib import masking
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, Cast
from creditfujian.tests.walk.stage import Actor
from records.tests.grounds import AGENT, AGENT_NUMBER

WHOLE = (CITIZEN_NUMBER, OTHER_NUMBER, AGENT_NUMBER)
# What is said of the citizen, on the stage and nowhere else (creditfujian.tests.walk.stage).
SAID = ("菌落总数超过标准限量", "罚款六万元", "罚款五万元", "闽市监处罚〔2026〕1号", "罚款已缴清", "不是我")


@dataclass(frozen=True)
class Somebody:
    """A person on the stage, the words that name them, and the words that say something of them."""

    pk: int
    named: tuple[str, ...]
    said: tuple[str, ...] = ()

    def words_in(self, text: str, reader: Actor) -> list[str]:
        """Return what an answer shows of them to this reader."""
        own = reader.user is not None and reader.user.person_id == self.pk
        return [word for word in (*(() if own else self.named), *self.said) if word in text]


def everybody(cast: Cast) -> list[Somebody]:
    """Return the persons of the stage. Who acts for the citizen is in no register: their name is part of the citizen's papers."""
    agent = (AGENT, *_masked(AGENT_NUMBER))
    return [
        Somebody(_key(cast.citizen.person_id), ("陈小满", "陈小曼", *_masked(CITIZEN_NUMBER)), (*SAID, *agent)),
        Somebody(_key(cast.other_citizen.person_id), ("林大雪", *_masked(OTHER_NUMBER))),
    ]


def _key(person: int | None) -> int:
    assert person is not None
    return person


def _masked(number: str) -> set[str]:
    return {masking.id_number(number, profile) for profile in masking.Profile}
