"""A developer who copies the examples of docs/api.md one after the other gets a first record in."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django_q.models import OrmQ

from accounts.tests.tokens import issue
from catalogue.models import Item
from creditfujian.lib.problems import ADVICE, TITLES
from creditfujian.tests.cast import make_cast
from records import jobs
from records.models import Batch
from records.tests.api import as_lines
from records.tests.deliveries import as_csv, penalty

DOCS = Path(__file__).parents[2] / "docs" / "api.md"
EXAMPLE = re.compile(r"```sh\n(.*?)```", re.S)
CODES = re.compile(r"(<!-- codes -->\n).*?(<!-- /codes -->)", re.S)


def work() -> None:
    """Do what the worker would: check or commit whatever waits."""
    for batch in Batch.objects.filter(state__in=[Batch.State.RECEIVED, Batch.State.COMMITTING]):
        (jobs.check_batch if batch.state == Batch.State.RECEIVED else jobs.commit_batch)(batch.pk)
    OrmQ.objects.all().delete()


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.django_db(transaction=True)
def test_the_examples_do_what_the_page_says(live_server: Any, tmp_path: Path) -> None:
    cast = make_cast()
    Item.objects.filter(pk=cast.item.pk).update(one_hand_by_command=True)
    bad = penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕2号", 处罚类别="记过")
    (tmp_path / "penalties.jsonl").write_bytes(as_lines(cast, penalty(cast), bad))
    (tmp_path / "penalties.csv").write_bytes(as_csv([penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕3号")]))
    env = {**os.environ, "BASE": live_server.url, "TOKEN": issue(cast).secret, "NO_PROXY": "*", "no_proxy": "*"}
    script = ""
    examples = EXAMPLE.findall(DOCS.read_text(encoding="utf-8"))
    assert len(examples) == 6
    for example in examples:
        script = "\n".join(line for line in script.splitlines() if line.startswith("BATCH=")) + "\n" + example
        subprocess.run(["bash", "-euc", script], cwd=tmp_path, env=env, check=True, timeout=120)
        work()
    told = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in tmp_path.glob("*.json")}
    assert told["sent"]["state"] == "received"
    assert told["batch"]["next"]["action"] == "commit"
    assert [row["row"] for row in told["rows"]["rows"]] == [2]
    assert told["committed"]["state"] == "committing"
    assert told["receipt"]["content"]["counts"]["new"] == 1
    assert told["file"]["mode"] == "all_or_none"
    assert openpyxl.load_workbook(tmp_path / "correction.xlsx")["待更正"].max_row == 2


def test_the_codes_in_docs_are_those_of_the_interface() -> None:
    rows = "".join(f"| {code} | {title} | {ADVICE[code]} |\n" for code, title in TITLES.items())
    table = f"| 代码 | 原因 | 怎么办 |\n| --- | --- | --- |\n{rows}"
    text = DOCS.read_text(encoding="utf-8")
    if os.environ.get("CF_WRITE_RECEIPTS"):
        DOCS.write_text(CODES.sub(lambda found: f"{found[1]}\n{table}\n{found[2]}", text), encoding="utf-8")
    assert table in DOCS.read_text(encoding="utf-8")
