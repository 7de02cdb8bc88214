"""What the database refuses, turned into the sentence for people."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError

from catalogue.refusals import rule_of


class InWords:
    """Raise ValidationError with the sentence of the constraint or trigger that refused; others pass through."""

    def __init__(self, sentences: dict[str, str]) -> None:
        self.sentences = sentences

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, IntegrityError):
            name = rule_of(error)
            if sentence := self.sentences.get(name):
                raise ValidationError(sentence, code=name) from error
