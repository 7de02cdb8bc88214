"""Cases on persons, for tests: conflicts met by deliveries, asked by one official of the credit office, decided by another."""

from datetime import date

from accounts.models import User
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, Cast
from records import persons
from records.models import Batch
from records.person_models import PersonCase
from records.person_reading import names_of, subjects_of
from records.tests.deliveries import as_csv, check, decided, penalty
from records.tests.life import asker

# Days before today, as the rows of deliveries are (`decided`): the one is before the other however late it gets.
DAY = decided(6)
CERTIFICATE = {"document": "death", "document_no": "闽死证2026-0099", "document_date": decided(5)}
Answer = PersonCase.Answer
BOOK = {"document": "book", "document_no": "第0123号第4页", "document_date": decided(10)}
OTHER_NAME = "陈小曼"


def delivered(cast: Cast, name: str = OTHER_NAME, **changes: object) -> Batch:
    """Send a row in which the citizen (陈小满) is called otherwise."""
    return check(cast, as_csv([penalty(cast, 行政相对人名称=name, **changes)]))


def conflict(cast: Cast, name: str = OTHER_NAME, **changes: object) -> PersonCase:
    """The case of such a row."""
    delivered(cast, name, **changes)
    return PersonCase.objects.latest("pk")


def looked(case: PersonCase, by: User) -> None:
    """Open whom the case is about, as its page does."""
    (names_of if case.kind == PersonCase.Kind.NAME else subjects_of)(case, by=asker(by))


def answered(
    cast: Cast, case: PersonCase, answer: PersonCase.Answer = Answer.RENAMED, name: str = OTHER_NAME
) -> PersonCase:
    """Propose an answer by the first official."""
    paper = {} if answer == Answer.SUPPLIER else {"new_name": name, **BOOK}
    looked(case, cast.credit_office)
    return persons.answer_name(case.pk, by=cast.credit_office, answer=answer, reason="已与户口簿核对", **paper)  # type: ignore[arg-type]


def settled(
    cast: Cast, case: PersonCase, answer: PersonCase.Answer = Answer.RENAMED, name: str = OTHER_NAME
) -> PersonCase:
    """Propose and decide by the two officials."""
    return agreed(cast, answered(cast, case, answer, name))


def dying(cast: Cast, day: date = DAY, **changes: object) -> PersonCase:
    """Ask for the citizen's death to be registered."""
    asked = {
        "id_number": CITIZEN_NUMBER,
        "name": "陈小满",
        "day": day,
        "reason": "家属持死亡证明办理",
        **CERTIFICATE,
        **changes,
    }
    return persons.ask_death(**asked, by=asker(cast.credit_office))  # type: ignore[arg-type]


def agreed(cast: Cast, case: PersonCase) -> PersonCase:
    """Look and decide by the second official."""
    looked(case, cast.credit_office_2)
    return persons.decide(case.pk, by=cast.credit_office_2, agree=True)


def undone(cast: Cast, case: PersonCase) -> PersonCase:
    """Ask for the undoing and decide it."""
    paper = {"document": "police", "document_no": "闽公户〔2026〕7号", "document_date": decided(4)}
    return agreed(
        cast, persons.ask_undoing(case.pk, **paper, reason="本人到场，登记有误", by=asker(cast.credit_office))
    )  # type: ignore[arg-type]


POLICE = {"document": "police", "document_no": "闽公户〔2026〕12号", "document_date": decided(10)}


def merging(cast: Cast, **changes: object) -> PersonCase:
    """Ask for the citizen's number to be merged into the other citizen's."""
    asked = {"id_number": CITIZEN_NUMBER, "name": "陈小满", "other_number": OTHER_NUMBER, "other_name": "林大雪",
             "reason": "公安机关证明两个号码为同一人", **POLICE, **changes}  # fmt: skip
    return persons.ask_merge(**asked, by=asker(cast.credit_office))  # type: ignore[arg-type]


def moving(cast: Cast, numbers: list[str], **changes: object) -> PersonCase:
    """Ask for records of the citizen to go to the other citizen."""
    asked = {"id_number": CITIZEN_NUMBER, "name": "陈小满", "other_number": OTHER_NUMBER, "other_name": "林大雪",
             "reason": "信源单位证件号码录入有误", **POLICE, **changes}  # fmt: skip
    return persons.ask_move(numbers=numbers, **asked, by=asker(cast.credit_office))  # type: ignore[arg-type]
