"""The OpenAPI document is the server's truth: every route is in it and nothing else, and every answer is of its shape."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import resolve
from jsonschema import Draft202012Validator

from accounts.api import OwnView
from accounts.models import User
from creditfujian import api_urls
from creditfujian.tests.cast import Cast
from records import actions
from records.tests.api import BATCHES, ITEM, System, as_lines, checked, one_line, system
from records.tests.deliveries import as_csv, penalty

SCHEMA, DOCS = "/api/v1/schema/", "/api/v1/docs/"
ABOUT_ITSELF = {"api_schema", "api_docs", "api_console"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    answer = Client().get(SCHEMA)
    assert answer.status_code == 200
    return answer.json()  # type: ignore[no-any-return]


def conforms(document: dict[str, Any], answer: Any, path: str, method: str) -> None:
    """Hold an answer to what the document says of its status; a status that is not in it fails."""
    responses = document["paths"][path][method]["responses"]
    assert str(answer.status_code) in responses, f"{method} {path} answers {answer.status_code}"
    content = responses[str(answer.status_code)]["content"]
    kind = answer["Content-Type"].partition(";")[0]
    assert kind in content
    if kind.endswith("json"):
        schema = {**content[kind]["schema"], "components": document["components"]}
        Draft202012Validator(_closed(schema)).validate(answer.json())


def _closed(schema: Any) -> Any:
    """Let no object have a member that its shape does not name."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _closed(value) for key, value in schema.items()}
    if isinstance(found.get("properties"), dict) and found.get("type") == "object":
        found.setdefault("additionalProperties", False)
    return found


def test_the_document_is_of_openapi_3_1_and_names_every_route(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    served = {
        f"/api/v1/{pattern.pattern}".replace("<str:", "{").replace(">", "}"): pattern
        for pattern in api_urls.urlpatterns if pattern.name not in ABOUT_ITSELF
    }  # fmt: skip
    assert set(document["paths"]) == set(served)
    for path, pattern in served.items():
        own = issubclass(pattern.callback.cls, OwnView)
        methods = {name for name in ("get", "post", "put", "patch", "delete") if hasattr(pattern.callback.cls, name)}
        assert not own or methods == {"get"}, f"{path}: a session only reads"
        assert set(document["paths"][path]) == methods
        assert own or {name.lower() for name in pattern.callback.cls.scopes} == methods, (
            f"{path}: a method without a scope"
        )


def test_every_operation_takes_a_token_or_its_persons_session_and_every_write_a_key(document: dict[str, Any]) -> None:
    for address, path in document["paths"].items():
        for method, operation in path.items():
            assert operation["security"] == [{"session" if address.startswith("/api/v1/me/") else "token": []}]
            assert operation["summary"]
            headers = {one["name"] for one in operation.get("parameters", []) if one["in"] == "header"}
            assert ("Idempotency-Key" in headers) == (method != "get")


def test_every_answer_is_of_the_shape_the_document_says(cast: Cast, document: dict[str, Any]) -> None:
    us = system(cast)
    one, rows = "/api/v1/batches/{number}/", "/api/v1/batches/{number}/rows/"
    bad = penalty(cast, 行政处罚决定书文号="2号", 处罚类别="记过")
    sent = us.send_lines(as_lines(cast, penalty(cast), bad))
    conforms(document, sent, BATCHES, "post")
    address = sent["Location"]
    conforms(document, us.get(address), one, "get")
    batch = checked(cast, sent)
    for answer, path, method in (
        (us.get(BATCHES), BATCHES, "get"), (us.get(f"{BATCHES}?limit=0"), BATCHES, "get"),
        (us.send_lines(as_lines(cast, penalty(cast), bad)), BATCHES, "post"), (us.send_lines(b"x", item="none"), BATCHES, "post"),
        (us.send_file(io.BytesIO(as_csv([bad]))), BATCHES, "post"), (us.get(address), one, "get"),
        (us.get(f"{BATCHES}nothing/"), one, "get"), (System("").get(address), one, "get"),
        (us.get(f"{address}rows/"), rows, "get"), (us.get(f"{address}rows/?after=x"), rows, "get"),
        (us.get(f"{address}correction/"), f"{one}correction/", "get"),
        (us.get(f"{address}receipt/"), f"{one}receipt/", "get"), (us.post(f"{address}commit/"), f"{one}commit/", "post"),
        (us.post(f"{address}withdraw/", {}), f"{one}withdraw/", "post"),
        (us.post(f"{address}withdraw/", {"reason": "报错"}), f"{one}withdraw/", "post"),
    ):  # fmt: skip
        conforms(document, answer, path, method)
    actions.commit_now(batch.pk, by=cast.data_reviewer)
    conforms(document, us.get(address), one, "get")
    conforms(document, us.get(f"{address}receipt/"), f"{one}receipt/", "get")
    conforms(document, us.post(f"{address}withdraw/", {"reason": "报错"}), f"{one}withdraw/", "post")
    refused = us.send_lines(b"{")
    checked(cast, refused)
    conforms(document, us.get(refused["Location"]), one, "get")
    conforms(document, us.post(f"{refused['Location']}cancel/"), f"{one}cancel/", "post")
    waiting = us.send_lines(one_line(cast, 行政处罚决定书文号="9号"))
    conforms(document, us.post(f"{waiting['Location']}cancel/"), f"{one}cancel/", "post")
    assert resolve(waiting["Location"]).kwargs["number"] == waiting.json()["number"]
    assert cast.item.code == ITEM


def test_anybody_reads_the_page_and_it_loads_nothing_from_elsewhere(
    db: None, as_user: Callable[[User | None], Client], document: dict[str, Any]
) -> None:
    answer, console = as_user(None).get(DOCS), as_user(None).get(f"{DOCS}console/")
    page = answer.content.decode()
    for path in document["paths"]:
        assert path in page
    assert 'id="A10"' in page
    assert 'id="C11"' in page
    for one in (answer, console):
        text = one.content.decode()
        assert "script-src 'self'" in one["Content-Security-Policy"]
        for elsewhere in ("https://", "<style", "<script>"):
            assert elsewhere not in text
    assert "swagger-ui-bundle" in console.content.decode()
