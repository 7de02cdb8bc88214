"""The commands that other systems rely on (design §7): exit codes, the one JSON object, the correction file."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.utils import timezone

from access.actions import Asker
from accounts.tests.tokens import issue
from accounts.token_models import Scope
from catalogue.models import Item
from creditfujian.tests.cast import OTHER_NUMBER, Cast
from records import actions, clearing
from records.models import Batch
from records.reading import own_file
from records.tests.deliveries import as_csv, penalty

ALL_TAKEN, SOME_REFUSED, FILE_REFUSED = 0, 1, 2


def intake(capsys: pytest.CaptureFixture[str], cast: Cast, file: Path, *more: str, by: str = "data_officer") -> Any:
    """Run the command; return its exit code and the object it printed."""
    with pytest.raises(SystemExit) as ended:
        call_command(
            "intake", str(file), "--item", cast.item.code, "--supplier", cast.market.uscc, "--by", by, "--json", *more
        )
    return ended.value.code, json.loads(capsys.readouterr().out)


@pytest.fixture
def one_hand(cast: Cast) -> Cast:
    """An item whose rules let one hand commit by the command, as in the demo."""
    Item.objects.filter(pk=cast.item.pk).update(one_hand_by_command=True)
    return cast


def rows(cast: Cast, **spoilt: str) -> bytes:
    good = penalty(cast)
    other = penalty(cast, 行政相对人名称="林大雪", 证件号码=OTHER_NUMBER, 行政处罚决定书文号="闽市监处罚〔2026〕2号")
    return as_csv([good, {**other, **spoilt}])


def test_a_clean_file_is_checked_and_committed(
    one_hand: Cast, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "处罚.csv"
    file.write_bytes(rows(one_hand))
    code, told = intake(capsys, one_hand, file, "--commit")
    assert code == ALL_TAKEN
    assert {name: told[name] for name in ("rows", "new", "changed", "unchanged", "refused", "reasons")} == {
        "rows": 2, "new": 2, "changed": 0, "unchanged": 0, "refused": 0, "reasons": {},
    }  # fmt: skip
    assert told["correction_file"] is None
    assert told["seconds"] >= 0
    assert Batch.objects.get().state == Batch.State.COMMITTED
    again, same = intake(capsys, one_hand, file, "--commit")
    assert (again, same["batch"]) == (ALL_TAKEN, told["batch"])
    assert Batch.objects.count() == 1


def test_bad_rows_come_back_in_a_file_beside_the_one_sent(
    one_hand: Cast, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "处罚.csv"
    file.write_bytes(rows(one_hand, 行政处罚决定书文号=""))
    code, told = intake(capsys, one_hand, file, "--commit")
    assert (code, told["new"], told["refused"], told["reasons"]) == (SOME_REFUSED, 1, 1, {"C01": 1})
    sheet = openpyxl.load_workbook(told["correction_file"])["待更正"]
    assert [cell.comment.text for row in sheet.iter_rows() for cell in row if cell.comment] == [
        "“行政处罚决定书文号”为必填项，现为空。请补填。"
    ]


def test_all_or_none_takes_nothing_when_a_row_is_bad(
    one_hand: Cast, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "处罚.csv"
    file.write_bytes(rows(one_hand, 处罚决定日期="2099-01-01"))
    code, told = intake(capsys, one_hand, file, "--commit", "--all-or-none")
    assert (code, told["state"], told["refused"]) == (SOME_REFUSED, "checked", 1)
    assert own_file(one_hand.citizen.person, by=Asker(one_hand.citizen, "公示网站")).records == []


def test_a_file_that_cannot_be_read_ends_with_two(
    cast: Cast, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "空.csv"
    file.write_bytes(b"")
    code, told = intake(capsys, cast, file)
    assert (code, told["rows"]) == (FILE_REFUSED, 0)
    assert "空" in told["failure"]["message"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"--item": "FJ1-03-MRKT-9999"}, "没有目录条目"),
        ({"--by": "officer_elsewhere"}, "不属于该单位"),
        ({"--by": "auditor"}, "不属于该单位"),
        ({"--by": "officer_here"}, "没有报送职责"),
    ],
)
def test_those_who_may_not_supply_are_told_so(cast: Cast, tmp_path: Path, change: dict[str, str], words: str) -> None:
    file = tmp_path / "处罚.csv"
    file.write_bytes(rows(cast))
    who = {"--item": cast.item.code, "--supplier": cast.market.uscc, "--by": "data_officer"} | change
    with pytest.raises(CommandError, match=words) as refused:
        call_command("intake", str(file), *(word for pair in who.items() for word in pair))
    assert refused.value.returncode == FILE_REFUSED
    assert not Batch.objects.exists()


def test_one_hand_is_not_enough_where_the_item_does_not_say_so(cast: Cast, tmp_path: Path) -> None:
    file = tmp_path / "处罚.csv"
    file.write_bytes(rows(cast))
    with pytest.raises(CommandError, match="另一名审核员"):
        call_command(
            "intake", str(file), "--item", cast.item.code, "--supplier", cast.market.uscc, "--by", "data_officer", "--commit"
        )  # fmt: skip
    assert Batch.objects.get().state == Batch.State.CHECKED


def test_a_system_does_not_come_by_the_command(one_hand: Cast, tmp_path: Path) -> None:
    """Its token carries networks, quota and scopes; the command knows none of them."""
    system = issue(one_hand, scopes=[Scope.READ_BATCHES, Scope.WRITE_BATCHES]).token.user
    file = tmp_path / "处罚.csv"
    file.write_bytes(rows(one_hand))
    with pytest.raises(CommandError, match="只能凭令牌经接口报送"):
        call_command(
            "intake", str(file), "--item", one_hand.item.code, "--supplier", one_hand.market.uscc, "--by", system.username,
            "--commit",
        )  # fmt: skip
    assert not Batch.objects.exists()
    with (
        pytest.raises(DatabaseError, match="systems deliver by the API"),
        transaction.atomic(),
        file.open("rb") as stream,
    ):
        actions.receive(stream, name="处罚.csv", item=one_hand.item, by=system, channel=Batch.Channel.COMMAND)
    with (
        pytest.raises(DatabaseError, match="systems deliver by the API"),
        transaction.atomic(),
        file.open("rb") as stream,
    ):
        actions.receive(
            stream, name="处罚.csv", item=one_hand.item, by=one_hand.data_officer, channel=Batch.Channel.API
        )


def test_a_batch_is_withdrawn_by_its_number(one_hand: Cast, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "处罚.csv"
    file.write_bytes(rows(one_hand))
    _, told = intake(capsys, one_hand, file, "--commit")
    with pytest.raises(CommandError, match="只有报送单位"):
        call_command("withdraw_batch", told["batch"], "--by", "operator", "--reason", "试试")
    call_command("withdraw_batch", told["batch"], "--by", "data_officer", "--reason", "整批报错")
    assert "2 条记录恢复" in capsys.readouterr().out
    assert own_file(one_hand.citizen.person, by=Asker(one_hand.citizen, "公示网站")).records == []


def test_a_file_sent_again_after_the_clearing_is_answered_and_the_old_workbook_is_left_alone(
    one_hand: Cast, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "处罚.csv"
    file.write_bytes(rows(one_hand, 证件号码="1"))
    code, told = intake(capsys, one_hand, file, "--commit")
    assert code == SOME_REFUSED
    workbook = Path(told["correction_file"]).read_bytes()
    clearing.clear(timezone.localdate() + timedelta(days=91))
    code, again = intake(capsys, one_hand, file, "--commit")
    assert (code, again["batch"], again["refused"], again["correction_file"]) == (SOME_REFUSED, told["batch"], 1, None)
    assert Path(told["correction_file"]).read_bytes() == workbook
