"""Rewards are in the copy of one's own data, each with its consents and steps."""

import json
from collections.abc import Callable

from django.test import Client
from jsonschema import Draft202012Validator

from accounts.models import User
from creditfujian.tests.cast import Cast
from publicity.copy import SCHEMA
from sanctions.tests.rewarding import awarders, granted


def test_the_copy_holds_the_rewards(cast: Cast, as_user: Callable[[User | None], Client]) -> None:
    case = granted(cast, awarders(cast))
    body = json.loads(b"".join(as_user(cast.citizen).get("/me/rights/copy.json")))
    Draft202012Validator(SCHEMA).validate(body)
    assert [(one["number"], one["standing"]) for one in body["rewards"]] == [(case.number, "已授予并公开")]
    assert {one["what"]: one["given"] for one in body["rewards"][0]["consents"]}["授予前公示"] is False
    assert json.loads(b"".join(as_user(cast.other_citizen).get("/me/rights/copy.json")))["rewards"] == []
