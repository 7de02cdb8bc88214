"""谁查了我 as page, as findUsage-shaped JSON (domain §7.5), as a file: the person's own lines and nobody else's."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from access.actions import Ask, Asker, write_query
from access.models import Kind
from access.reading import Which, access_history
from access.sealing import seal
from accounts.models import User
from accounts.tests.tokens import issue
from creditfujian.tests.cast import Cast
from creditfujian.tests.registrations import registration_of
from creditfujian.tests.test_api_schema import SCHEMA, conforms

As = Callable[[User | None], Client]
USAGE = "/api/v1/me/usage/"


def look(cast: Cast, by: User, purpose: str, **changes: Any) -> int:
    values = {
        "kind": Kind.DUTY, "ground": "履行法定职责", "purpose": purpose, "fields_class": "部门可见", "items": [cast.item],
        "case_no": "闽市监检〔2026〕7号", "duty_code": "350000-MRKT-01", "request_no": 1, "person": cast.citizen.person,
    }  # fmt: skip
    made = values | changes
    if made["kind"] is Kind.DUTY and made["person"] and not made.get("refusal"):
        names = {name: made[name] for name in ("case_no", "duty_code")}
        made["request_no"] = registration_of(by, made["person"], made["items"], **names).pk
    return write_query(Ask(**made), by=Asker(by, "工作平台", "192.0.2.0/24"))  # type: ignore[arg-type]


@pytest.fixture
def looked(cast: Cast) -> list[int]:
    """Two departments looked at the citizen, one was refused, the citizen looked too; another citizen was looked at."""
    seqs = [
        look(cast, cast.officer_here, "日常监督检查：双随机"), look(cast, cast.officer_here, "办理行政许可：核查申请人"),
        look(cast, cast.officer_elsewhere, "日常监督检查：路检", refusal="no_right", ground="未取得查询依据"),
    ]  # fmt: skip
    look(cast, cast.citizen, "本人查看自己的信用记录", kind=Kind.SELF, ground="本人查询", case_no="", duty_code="")
    look(cast, cast.officer_here, "日常监督检查：旁人", person=cast.other_citizen.person)
    return seqs


def test_find_usage_has_the_models_five_members_newest_first(cast: Cast, looked: list[int], as_user: As) -> None:
    seal()
    answer = as_user(cast.citizen).get(USAGE)
    body = answer.json()
    assert (body["totalUsages"], [one["number"] for one in body["usages"]]) == (3, looked[::-1])
    first = body["usages"][1]
    assert first["receiverCode"] == cast.market.uscc
    assert first["receiverName"] == "省市场监督管理局"
    assert first["receiverSystem"] == "工作平台"
    assert first["action"] == "部门依职责查询：办理行政许可：核查申请人"
    assert datetime.fromisoformat(first["logtime"]).utcoffset() is not None
    assert (first["items"], first["proof"]) == (
        [{"code": cast.item.code, "name": cast.item.version_on(timezone.localdate()).name}],
        f"/me/access/{looked[1]}/proof.json",
    )  # fmt: skip
    assert "经办人丙" not in answer.content.decode()
    assert as_user(cast.citizen).get(first["proof"]).status_code == 200
    document = as_user(None).get(SCHEMA).json()
    for address in (USAGE, f"{USAGE}period/", f"{USAGE}heartbeat/"):
        for client in (as_user(cast.citizen), as_user(cast.auditor), as_user(None)):
            conforms(document, client.get(address), address, "get")


def test_offset_and_limit(cast: Cast, looked: list[int], as_user: As) -> None:
    citizen = as_user(cast.citizen)
    part = citizen.get(f"{USAGE}?offset=1&limit=1").json()
    assert (part["totalUsages"], [one["number"] for one in part["usages"]]) == (3, [looked[1]])
    assert citizen.get(f"{USAGE}?offset=9").json()["usages"] == []
    assert citizen.get(f"{USAGE}?limit=1000").status_code == 200
    for wrong in ("limit=1001", "limit=0", "offset=-1", "offset=x", "limit=99999999999999999999"):
        refused = citizen.get(f"{USAGE}?{wrong}")
        assert (refused.status_code, refused.json()["code"]) == (422, "A19")
    assert [one["kind"] for one in citizen.get(f"{USAGE}?own=true").json()["usages"]] == ["Q1"]


def test_period_and_heartbeat(cast: Cast, looked: list[int], as_user: As) -> None:
    citizen = as_user(cast.citizen)
    period = citizen.get(f"{USAGE}period/").json()
    assert period["totalUsages"] == 3
    assert period["first"] <= period["last"]
    assert as_user(cast.other_citizen).get(f"{USAGE}period/").json()["totalUsages"] == 1
    seal()
    assert citizen.get(f"{USAGE}heartbeat/").json() == {"status": "ok"}


def test_nobody_gets_anybody_elses_usage(cast: Cast, looked: list[int], as_user: As) -> None:
    other = as_user(cast.other_citizen)
    me = cast.citizen.person
    for more in ("", f"?person={me.pk}", f"?userCode={me.sid}", f"?unit={cast.market.pk}"):
        found = other.get(USAGE + more).json()
        assert (found["totalUsages"], [one["purpose"] for one in found["usages"]]) == (1, ["日常监督检查：旁人"])
    assert "没有查询记录" in other.get(f"/me/access/?before={looked[2]}").content.decode()
    secret = issue(cast).secret
    for address in (USAGE, f"{USAGE}period/", f"{USAGE}heartbeat/"):
        assert (as_user(None).get(address).status_code, as_user(None).get(address).json()["code"]) == (401, "A22")
        for user in (cast.officer_here, cast.auditor, cast.bank_clerk, cast.system_admin):
            assert as_user(user).get(address).status_code == 403
        assert as_user(None).get(address, headers={"Authorization": f"Bearer {secret}"}).status_code == 401
        assert as_user(cast.citizen).post(address).status_code == 405


def test_the_file_holds_all_lines_in_the_same_shape(cast: Cast, looked: list[int], as_user: As) -> None:
    answer = as_user(cast.citizen).get("/me/access/usage.json")
    assert "attachment" in answer["Content-Disposition"]
    body = json.loads(b"".join(answer))
    assert body == as_user(cast.citizen).get(USAGE).json()
    narrowed = json.loads(b"".join(as_user(cast.citizen).get("/me/access/usage.json?purpose=licensing")))
    assert [one["number"] for one in narrowed["usages"]] == [looked[1]]


def test_the_page_is_narrowed_by_unit_purpose_and_year(cast: Cast, looked: list[int], as_user: As) -> None:
    citizen, year = as_user(cast.citizen), timezone.localdate().year
    whole = citizen.get("/me/access/").content.decode()
    for words in ("共 3 次", "省交通运输厅", "为履行法定职责所必需", "日常监督检查", f"{year} 年"):
        assert words in whole
    unit = citizen.get(f"/me/access/?unit={cast.transport.pk}").content.decode()
    assert "共 1 次" in unit
    assert "双随机" not in unit
    licensing = citizen.get("/me/access/?purpose=licensing").content.decode()
    assert "核查申请人" in licensing
    assert "双随机" not in licensing
    assert "共 3 次" in citizen.get(f"/me/access/?year={year}").content.decode()
    assert "共 3 次" in citizen.get(f"/me/access/?unit={cast.bank.pk}&year=1900").content.decode(), (
        "no choice of theirs"
    )
    assert "陈小满" not in whole.split('<form method="get"')[1].split("</form>")[0]


def test_pages_lose_no_line(cast: Cast, as_user: As) -> None:
    seqs = [look(cast, cast.officer_here, f"日常监督检查：第{n}次") for n in range(7)]
    found, before = [], None
    while lines := access_history(cast.citizen.person, before=before, limit=3):
        found += [line.seq for line in lines]
        before = lines[-1].seq
    assert found == seqs[::-1]
    one = access_history(cast.citizen.person, which=Which(line=seqs[2]))
    assert [line.purpose for line in one] == ["日常监督检查：第2次"]
