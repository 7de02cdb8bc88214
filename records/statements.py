"""The person's own words beside a record (Credit Reporting Regulations art 16): made, changed, taken back by the person.

Screened at the door like any other text: what may not be collected about anybody may not be said about somebody else
here either. Nobody else edits them; who shows the record shows them, unless two officials held them back (holds).
"""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from access.actions import Asker
from accounts.models import Person
from catalogue.prohibited import Door
from records import holds
from records.models import Record, Statement
from records.reading import own_file


@transaction.atomic
def state(person: Person, number: str, text: str, *, by: Asker) -> Statement:
    """Put the person's words beside one of their records, in place of earlier ones, which are kept.

    Raises ValidationError with what to change; Record.DoesNotExist when it is no record of theirs.
    """
    words = " ".join(text.split())
    if not words:
        raise ValidationError("请填写声明。不需要声明的，可以撤回。", code="empty")
    if len(words) > Statement.LONGEST:
        raise ValidationError(f"声明不超过 {Statement.LONGEST} 字，现有 {len(words)} 字。", code="long")
    if hit := Door.load().find(words):
        message = f"声明中有“{hit.found}”，属不得公开或归集的内容（{hit.title}）。请删去后重新提交。"
        raise ValidationError(message, code=hit.category)
    record = _own_record(person, number, by=by)
    _end(record)
    assert by.user is not None
    return Statement.objects.create(record=record, person=person, text=words, made_by=by.user)


@transaction.atomic
def take_back(person: Person, number: str, *, by: Asker) -> bool:
    """Take the person's words back; return whether there were any. Raises Record.DoesNotExist."""
    return _end(_own_record(person, number, by=by)) > 0


def _own_record(person: Person, number: str, *, by: Asker) -> Record:
    """Open the person's own file, with its line, and return the record of that number."""
    own_file(person, by=by)
    found = {record.number: record for record in Record.objects.filter(person=person)}
    if number not in found:
        raise Record.DoesNotExist(number)
    return found[number]


def _end(record: Record) -> int:
    standing = list(Statement.objects.filter(record=record, ended_at=None).values_list("pk", flat=True))
    Statement.objects.filter(pk__in=standing).update(ended_at=timezone.now())
    holds.words_ended(standing)
    return len(standing)
