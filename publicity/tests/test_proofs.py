"""A person takes the proof of a line away and checks it without us; anybody follows the checkpoints."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from auditlog.models import LogEntry
from django.core.management import CommandError, call_command
from django.test import Client

from access.models import Checkpoint, Query
from access.sealing import seal
from accounts.models import User
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, Cast
from records.reading import File, file_by_request, register
from records.tests.deliveries import deliver, penalty
from records.tests.listings import opened
from records.tests.test_gateway import registration, staff
from tools import verify_log as outside

As = Callable[[User | None], Client]


@pytest.fixture
def read(cast: Cast) -> Cast:
    """The citizen's file, opened once by the officer; another person stands on the same list."""
    other = penalty(cast, 行政相对人名称="林大雪", 证件号码=OTHER_NUMBER, 行政处罚决定书文号="闽市监处罚〔2026〕2号")
    deliver(cast, [penalty(cast), other])
    request = register(registration(cast), by=staff(cast.officer_here))
    for _ in range(2):
        assert isinstance(file_by_request(request, by=staff(cast.officer_here)), File)  # type: ignore[arg-type]
    return cast


def keys_of(tmp_path: Path) -> str:
    path = tmp_path / "keys.txt"
    path.write_bytes(Client().get("/transparency/keys.txt").content)
    return str(path)


def proof_in(text: str) -> str:
    return text.split('proof.json"')[0].rsplit('href="', 1)[1] + "proof.json"


def test_a_person_downloads_the_proof_of_a_line_and_checks_it(read: Cast, as_user: As, tmp_path: Path) -> None:
    me = as_user(read.citizen)
    page = me.get("/me/access/").content.decode()
    assert "一分钟内封存" in page
    assert "proof.json" not in page
    seal()
    page = me.get("/me/access/").content.decode()
    assert "一分钟内封存" not in page.split('class="looks"')[1].split("</ul>")[0]
    answer = me.get(proof_in(page))
    assert answer["Content-Disposition"].startswith("attachment")
    (tmp_path / "proof.json").write_bytes(answer.content)
    assert outside.main(["proof", str(tmp_path / "proof.json"), "--keys", keys_of(tmp_path)]) == 0
    for hidden in ("经办人丙", "陈小满", CITIZEN_NUMBER, "192.0.2"):
        assert hidden not in answer.content.decode()


@pytest.mark.parametrize("change", [
    ("line", "purpose", "别的事由"), ("line", "organisation_name", "别的单位"), ("line", "at", "2026-01-01T00:00:00+00:00"),
    ("line", "decision", "refused"), ("person", 0, {}), ("leaf", None, 7), ("sealed", None, "00" * 32), ("path", 0, "00" * 32),
])  # fmt: skip
def test_a_proof_with_anything_changed_does_not_hold(
    read: Cast, as_user: As, tmp_path: Path, change: tuple[str, object, object]
) -> None:
    seal()
    me = as_user(read.citizen)
    proof = me.get(proof_in(me.get("/me/access/").content.decode()))
    told = proof.json()
    where, key, value = change
    if key is None:
        told[where] = value
    elif where == "person":
        told["person"][0]["person_id"] += 1
    else:
        told[where][key] = value
    (tmp_path / "proof.json").write_text(json.dumps(told))
    assert outside.main(["proof", str(tmp_path / "proof.json"), "--keys", keys_of(tmp_path)]) == 1


def test_only_ones_own_lines(read: Cast, as_user: As) -> None:
    seal()
    mine = proof_in(as_user(read.citizen).get("/me/access/").content.decode())
    assert as_user(read.citizen).get(mine).status_code == 200
    assert as_user(read.other_citizen).get(mine).status_code == 404
    assert as_user(read.citizen).get("/me/access/999999/proof.json").status_code == 404
    assert as_user(read.officer_here).get(mine).status_code == 403
    assert as_user(None).get(mine).status_code == 302


def test_a_line_not_sealed_yet_says_when(read: Cast, as_user: As) -> None:
    seq = Query.objects.latest("seq").seq
    answer = as_user(read.citizen).get(f"/me/access/{seq}/proof.json", follow=True)
    assert "一分钟内封存，封存后就能下载凭证" in answer.content.decode()


def test_the_proof_of_a_list_names_nobody_else_on_it(read: Cast, as_user: As, tmp_path: Path) -> None:
    from records.listing import Filters, page

    page(opened(read), Filters(), None, by=staff(read.officer_here))
    seal()
    seq = Query.objects.latest("seq").seq
    for user in (read.citizen, read.other_citizen):
        proof = as_user(user).get(f"/me/access/{seq}/proof.json").json()
        assert len(proof["persons"]) == 2
        assert [person["person_id"] for person in proof["person"]] == [user.person_id]
        assert "record_ids" not in json.dumps(proof)
        (tmp_path / "proof.json").write_text(json.dumps(proof))
        assert outside.main(["proof", str(tmp_path / "proof.json"), "--keys", keys_of(tmp_path)]) == 0


def test_anybody_follows_the_checkpoints(read: Cast, client: Client, tmp_path: Path) -> None:
    assert "还没有检查点" in client.get("/transparency/").content.decode()
    seal()
    old = tmp_path / "old.jsonl"
    old.write_bytes(b"".join(client.get("/transparency/checkpoints.jsonl")))
    size = Checkpoint.objects.get().size
    request = register(registration(read), by=staff(read.officer_here))
    file_by_request(request, by=staff(read.officer_here))  # type: ignore[arg-type]
    seal()
    text = client.get("/transparency/").content.decode()
    assert "第 2 个" in text
    assert bytes(Checkpoint.objects.get(number=2).root).hex() in text
    proof = tmp_path / "consistency.json"
    proof.write_bytes(client.get(f"/transparency/consistency.json?before={size}").content)
    keys = keys_of(tmp_path)
    assert outside.main(["consistent", str(proof), "--keys", keys, "--old", str(old)]) == 0
    told = json.loads(proof.read_text())
    told["path"] = told["path"][1:]
    proof.write_text(json.dumps(told))
    assert outside.main(["consistent", str(proof), "--keys", keys, "--old", str(old)]) == 1
    assert client.get("/transparency/consistency.json?before=999").status_code == 404
    after = b"".join(client.get("/transparency/checkpoints.jsonl?after=1")).decode().splitlines()
    assert [json.loads(line)["number"] for line in after] == [2]
    program = b"".join(client.get("/transparency/verify_log.py"))
    assert program == (Path(outside.__file__)).read_bytes()


def test_the_auditor_takes_the_lines_away_and_that_is_written_down(read: Cast, tmp_path: Path) -> None:
    seal()
    for by in (None, "officer_here", "nobody"):
        with pytest.raises(CommandError, match="审计员"):
            call_command("ship_log", str(tmp_path), lines=True, by=by)
    call_command("ship_log", str(tmp_path), lines=True, by="auditor", verbosity=0)
    file = tmp_path / "lines.jsonl"
    assert file.stat().st_mode & 0o077 == 0
    assert LogEntry.objects.filter(action=LogEntry.Action.ACCESS, actor=read.auditor).count() == 1
    check = ["checkpoints", str(tmp_path), "--lines", str(file)]
    assert outside.main(check) == 0
    file.write_text(file.read_text().replace("经办人丙", "经办人丁"))
    assert outside.main(check) == 1
