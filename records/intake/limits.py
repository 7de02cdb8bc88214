"""What one file may cost, by the way it came: page and form are open to every data officer, the command to operators."""

from django.conf import settings

from records.intake.base import Limits
from records.models import Batch

MIB = 1024 * 1024
UNPACKED = 20  # times the size of the file: a workbook's XML shrinks to a tenth


def limits_of(batch: Batch) -> Limits:
    """Return the limits for a batch's channel."""
    return limits_for(batch.channel)


def limits_for(channel: str) -> Limits:
    """Return the limits for a channel; the settings are explained in .env.example."""
    if channel in Batch.TYPED:  # made by us of what was typed: a header and its rows
        size = settings.INTAKE_FORM_MIB * MIB
        return Limits(max_bytes=size, max_unpacked=UNPACKED * size, max_rows=settings.INTAKE_FORM_ROWS + 1)
    if channel == Batch.Channel.COMMAND:
        size = settings.INTAKE_COMMAND_MIB * MIB
        return Limits(max_bytes=size, max_unpacked=UNPACKED * size, max_rows=settings.INTAKE_COMMAND_ROWS)
    size = settings.INTAKE_PAGE_MIB * MIB
    return Limits(max_bytes=size, max_unpacked=UNPACKED * size, max_rows=settings.INTAKE_PAGE_ROWS)
