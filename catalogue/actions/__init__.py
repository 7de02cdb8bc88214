"""The deeds of the catalogue by subject. Publishing: `catalogue.publishing`.

Each locks the row, asks who may, moves one arrow and leaves the rest to the database: its triggers refuse a wrong
arrow, a wrong hand or a version with faults, and write the line of the step.
"""

from catalogue.actions.clock import begin_due, nightly, retire_due, suspend_without_basis
from catalogue.actions.drafts import (
    begin_item,
    discard_draft,
    propose_item,
    refuse_prohibited_fields,
    start_draft,
    write_draft,
)
from catalogue.actions.instruments import (
    refuse_fewer_words,
    repeal,
    verify_instrument,
    write_instrument,
    write_prohibited,
)
from catalogue.actions.permits import allow, deeds_for, why_not
from catalogue.actions.reviews import (
    answer,
    assess,
    close_consultation,
    comment,
    open_consultation,
    renew_assessment,
    review_assessment,
)
from catalogue.actions.steps import approve, pass_review, resume, send_back, submit, suspend, take_up

__all__ = [
    "allow",
    "answer",
    "approve",
    "assess",
    "begin_due",
    "begin_item",
    "close_consultation",
    "comment",
    "deeds_for",
    "discard_draft",
    "nightly",
    "open_consultation",
    "pass_review",
    "propose_item",
    "refuse_fewer_words",
    "refuse_prohibited_fields",
    "renew_assessment",
    "repeal",
    "resume",
    "retire_due",
    "review_assessment",
    "send_back",
    "start_draft",
    "submit",
    "suspend",
    "suspend_without_basis",
    "take_up",
    "verify_instrument",
    "why_not",
    "write_draft",
    "write_instrument",
    "write_prohibited",
]
