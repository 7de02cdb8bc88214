"""What one file may cost depends on the way it came."""

import io
from typing import Any

import pytest

from creditfujian.tests.cast import Cast
from records import actions
from records.models import Batch
from records.tests.deliveries import as_csv, penalty


def state_of(cast: Cast, channel: Batch.Channel, rows: int) -> tuple[str, str | None]:
    content = as_csv([penalty(cast, 行政处罚决定书文号=f"{channel}{rows}-{number}号") for number in range(rows)])
    batch, _ = actions.receive(
        io.BytesIO(content), name="处罚.csv", item=cast.item, by=cast.data_officer, channel=channel
    )
    batch = actions.check_batch(batch.pk)
    return batch.state, batch.failure and batch.failure["code"]


def test_the_page_takes_fewer_rows_than_the_command(cast: Cast, settings: Any) -> None:
    settings.INTAKE_PAGE_ROWS, settings.INTAKE_COMMAND_ROWS = 5, 9  # the header counts as a row
    assert state_of(cast, Batch.Channel.PAGE, 4) == ("checked", None)
    assert state_of(cast, Batch.Channel.PAGE, 5) == ("refused", "F11")
    assert state_of(cast, Batch.Channel.COMMAND, 8) == ("checked", None)
    assert state_of(cast, Batch.Channel.COMMAND, 9) == ("refused", "F11")


@pytest.mark.parametrize(("channel", "code"), [(Batch.Channel.PAGE, "F02"), (Batch.Channel.COMMAND, None)])
def test_the_page_takes_smaller_files_than_the_command(
    cast: Cast, settings: Any, channel: Batch.Channel, code: str | None
) -> None:
    settings.INTAKE_PAGE_MIB, settings.INTAKE_COMMAND_MIB = 0, 1
    assert state_of(cast, channel, 3)[1] == code
