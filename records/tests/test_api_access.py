"""Who gets in, and how a refusal looks: always a problem with a code, never a page, never a hint of what others have."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.db.models.signals import pre_save
from django.test import Client

from access.actions import Asker
from accounts import tokens
from accounts.api_errors import CONTENT_TYPE
from accounts.models import User
from accounts.tests.tokens import expired, issue, wish
from accounts.token_models import Scope, TokenUse
from creditfujian.lib.problems import TITLES
from creditfujian.tests.cast import PASSWORD, Cast
from records.api_reading import own_batches
from records.models import Batch
from records.tests.api import BATCHES, LINES, System, one_line, system

NOBODY = {
    "no token": (lambda cast: "", 401, "A01"),
    "a password": (lambda cast: "Basic ZGF0YV9vZmZpY2VyOng=", 401, "A02"),
    "an unknown token": (lambda cast: f"Bearer {tokens._make()}", 401, "A02"),
    "a cut token": (lambda cast: f"Bearer {issue(cast).secret[:-1]}", 401, "A02"),
    "an expired token": (lambda cast: f"Bearer {expired(cast).secret}", 401, "A03"),
    "a revoked token": (lambda cast: f"Bearer {revoked(cast)}", 401, "A04"),
    "an unconfirmed token": (lambda cast: f"Bearer {tokens.ask(wish(cast), by=cast.system_admin).secret}", 401, "A05"),
    "another network": (lambda cast: f"Bearer {issue(cast, networks=['10.35.8.0/24']).secret}", 403, "A06"),
}


def revoked(cast: Cast) -> str:
    issued = issue(cast)
    tokens.revoke(issued.token.pk, by=cast.security_admin, reason="密钥外泄")
    return issued.secret


def is_problem(answer: Any, status: int, code: str) -> None:
    told = answer.json()
    assert answer["Content-Type"] == CONTENT_TYPE
    assert (answer.status_code, told["status"], told["code"]) == (status, status, code)
    assert told["title"] == TITLES[code]
    assert told["type"].endswith(f"#{code}")
    assert told["request_id"] == answer["X-Request-Id"]
    assert told["detail"].endswith("。")
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("who", NOBODY)
def test_who_may_not_is_told_why_and_nothing_is_done(cast: Cast, who: str) -> None:
    header, status, code = NOBODY[who]
    headers = {"Authorization": header(cast), "Idempotency-Key": "k"}
    client = Client()
    for answer in (
        client.get(BATCHES, headers=headers),
        client.post(f"{BATCHES}?item={cast.item.code}", one_line(cast), content_type=LINES, headers=headers),
    ):
        is_problem(answer, status, code)
        assert ("Bearer" in answer.get("WWW-Authenticate", "")) == (status == 401)
    assert not Batch.objects.exists()
    assert not TokenUse.objects.exists()


def test_a_session_opens_nothing_here(cast: Cast, as_user: Callable[[User], Client]) -> None:
    for name in ("data_officer", "data_reviewer", "system_admin", "citizen"):
        is_problem(as_user(cast.everyone()[name]).get(BATCHES), 401, "A01")  # type: ignore[arg-type]
    is_problem(Client().get(BATCHES, headers={"Authorization": f"Bearer {PASSWORD.encode().hex()}"}), 401, "A02")


def test_revoking_works_from_the_next_call_on(cast: Cast) -> None:
    issued = issue(cast)
    us = System(issued.secret)
    assert us.get(BATCHES).status_code == 200
    tokens.revoke(issued.token.pk, by=cast.system_admin, reason="系统下线")
    is_problem(us.get(BATCHES), 401, "A04")


@pytest.mark.parametrize(("scope", "reads", "sends", "commits", "withdraws"), [
    (Scope.READ_BATCHES, True, False, False, False), (Scope.WRITE_BATCHES, False, True, False, False),
    (Scope.COMMIT_BATCHES, False, False, True, False), (Scope.WITHDRAW_BATCHES, False, False, False, True),
])  # fmt: skip
def test_a_token_does_what_its_scope_says_and_no_more(
    cast: Cast, scope: Scope, reads: bool, sends: bool, commits: bool, withdraws: bool
) -> None:
    number = system(cast).send_lines(one_line(cast)).json()["number"]
    us, address = system(cast, scopes=[scope]), f"{BATCHES}{number}/"
    refused = {
        "reads": [us.get(BATCHES), us.get(address), us.get(f"{address}rows/"), us.get(f"{address}correction/"),
                  us.get(f"{address}receipt/")],
        "sends": [us.send_lines(one_line(cast, 行政处罚决定书文号="2号")), us.post(f"{address}cancel/")],
        "commits": [us.post(f"{address}commit/")],
        "withdraws": [us.post(f"{address}withdraw/", {"reason": "报错"})],
    }  # fmt: skip
    allowed = {"reads": reads, "sends": sends, "commits": commits, "withdraws": withdraws}
    for kind, answers in refused.items():
        for answer in answers:
            out_of_scope = answer.status_code == 403 and answer.json()["code"] == "A07"
            assert out_of_scope is not allowed[kind], (kind, answer.status_code)


def test_headers_say_what_is_left_until_nothing_is(cast: Cast) -> None:
    us = system(cast, quota=2)
    for left in ("1", "0"):
        answer = us.get(BATCHES)
        assert (answer["RateLimit-Limit"], answer["RateLimit-Remaining"]) == ("2", left)
        assert 0 < int(answer["RateLimit-Reset"]) <= 3600
    over = us.send_lines(one_line(cast))
    is_problem(over, 429, "A08")
    assert over["Retry-After"] == over["RateLimit-Reset"]
    assert over["RateLimit-Remaining"] == "0"
    assert not Batch.objects.exists()


def test_what_is_asked_wrongly_is_told(cast: Cast) -> None:
    us = system(cast)
    is_problem(us.get("/api/v1/nothing/"), 404, "A12")
    is_problem(us.get(f"{BATCHES}B20260101-000001/"), 404, "A12")
    is_problem(us.post(f"{BATCHES}B20260101-000001/"), 405, "A13")
    is_problem(us.browser.options(BATCHES, headers={"Authorization": f"Bearer {us.secret}"}), 405, "A13")
    is_problem(us.post(BATCHES, b"x", content_type="text/csv"), 415, "A14")
    is_problem(us.post(BATCHES, {"item": cast.item.code}), 415, "A14")
    is_problem(us.post(BATCHES, b"x", content_type="multipart/form-data"), 400, "A11")
    is_problem(us.send_file(""), 422, "A19")
    number = us.send_lines(one_line(cast)).json()["number"]
    is_problem(us.post(f"{BATCHES}{number}/withdraw/", b"{", content_type="application/json"), 400, "A11")
    is_problem(us.post(f"{BATCHES}{number}/withdraw/", {"reason": "报错"}), 409, "A17")
    is_problem(us.post(f"{BATCHES}{number}/withdraw/", {"reason": "错" * 70_000}), 413, "A21")
    is_problem(us.get(f"{BATCHES}{number}/rows/?after=-1"), 422, "A19")
    is_problem(us.get(f"{BATCHES}{number}/rows/?outcome=all"), 422, "A19")
    is_problem(us.get(f"{BATCHES}{number}/correction/"), 409, "A17")


def test_an_answer_is_json_whatever_is_asked_for(cast: Cast) -> None:
    us = system(cast)
    for accepted in ("text/html", "application/xml", "*/*"):
        headers = {"Authorization": f"Bearer {us.secret}", "Accept": accepted}
        assert us.browser.get(BATCHES, headers=headers)["Content-Type"] == "application/json"


def test_a_body_of_no_length_is_refused_and_one_in_chunks_is_taken(cast: Cast) -> None:
    us = system(cast)

    def call(content_type: str, **more: Any) -> Any:
        headers = {
            "HTTP_AUTHORIZATION": f"Bearer {us.secret}",
            "HTTP_IDEMPOTENCY_KEY": "k",
            "CONTENT_TYPE": content_type,
        }
        return us.browser.generic("POST", f"{BATCHES}?item={cast.item.code}", b"", **headers, **more)

    def chunks(body: bytes) -> dict[str, Any]:
        return {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}

    is_problem(call(LINES), 411, "A15")
    is_problem(call("multipart/form-data; boundary=x", **chunks(b"--x--")), 411, "A15")
    assert call(LINES, **chunks(one_line(cast))).status_code == 202


def test_what_nobody_foresaw_is_a_problem_too(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    us = system(cast)
    us.browser.raise_request_exception = False

    def breaks(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr("records.actions.receive", breaks)
    answer = us.send_lines(one_line(cast), key="again")
    is_problem(answer, 500, "A99")
    assert "disk" not in answer.content.decode()
    monkeypatch.undo()
    assert us.send_lines(one_line(cast), key="again").status_code == 202


def test_the_trail_and_the_batch_name_the_system(cast: Cast) -> None:
    issued = issue(cast)
    us = System(issued.secret)
    number = us.send_lines(one_line(cast)).json()["number"]
    batch = Batch.objects.get()
    assert (batch.number, batch.uploaded_by, batch.supplier) == (number, issued.token.user, cast.market)
    made = LogEntry.objects.filter(content_type__model="servicetoken", object_pk=str(issued.token.pk))
    assert made.exists()
    assert "key_hash" not in str([entry.changes for entry in made])


def test_changes_made_by_a_call_are_the_systems_whatever_session_comes_along(
    cast: Cast, as_user: Callable[[User | None], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    us = System(issue(cast).secret, as_user(cast.system_admin))

    def touches(*args: Any, **kwargs: Any) -> Any:
        cast.market.name += "。"
        cast.market.save()
        return own_batches(*args, **kwargs)

    monkeypatch.setattr("records.api.own_batches", touches)
    us.get(BATCHES)
    before = len(pre_save.receivers)
    us.get(BATCHES)
    assert len(pre_save.receivers) == before
    changed = LogEntry.objects.filter(content_type__model="organisation", object_pk=str(cast.market.pk), action=1)
    assert [entry.actor.kind for entry in changed if entry.actor] == [User.Kind.SERVICE] * 2


def test_the_query_log_says_what_a_system_may_do(cast: Cast) -> None:
    system_account = issue(cast, scopes=[Scope.READ_BATCHES, Scope.WITHDRAW_BATCHES]).token.user
    assert Asker(system_account, "接口").roles == "查看批次、退回行、更正件和回执、撤回批次"
    assert Asker(cast.data_officer, "工作平台").roles == "信源单位数据员"


@pytest.mark.parametrize("body", ["[" * 60_000, '{"reason":' * 6_000, '{"reason": NaN}', "\ufeff{}"])
def test_what_is_no_json_is_refused_and_no_error_of_ours(cast: Cast, body: str) -> None:
    one = system(cast)
    number = one.send_lines(one_line(cast)).json()["number"]
    address = f"{BATCHES}{number}/withdraw/"
    is_problem(one.post(address, body.encode(), content_type="application/json"), 400, "A11")
