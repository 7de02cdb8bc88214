"""The OpenAPI document's part that every endpoint shares: how a refusal looks, and what is left of the quota."""

from typing import Any

from creditfujian.lib.problems import TITLES

PROBLEM = {
    "type": "object",
    "description": "RFC 9457。code：A 开头的是接口的，其余与页面相同（见 docs/reasons.md）。",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "哪里不对，怎么办"},
        "code": {"type": "string", "examples": sorted(TITLES)[:3]},
        "request_id": {"type": "string", "description": "与 X-Request-Id 相同，报障时请提供"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
REFUSED = {
    "description": "没有办成，什么也没有改变",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
HEADERS = {
    "RateLimit-Limit": "本小时的次数",
    "RateLimit-Remaining": "还剩的次数",
    "RateLimit-Reset": "多少秒后重新计数",
    "X-Request-Id": "请求编号",
}
_STATUS = {
    "get": ("401", "403", "404", "409", "410", "422", "429"),
    "post": ("400", "401", "403", "404", "409", "411", "413", "415", "422", "429"),
}


def with_problems(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Add to every operation how it refuses, and to every answer the headers of the quota."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    for path in result["paths"].values():
        for method, operation in path.items():
            responses = operation["responses"]
            counted = operation["security"] == [{"token": []}]  # a person's own calls have no quota
            for answer in responses.values():
                answer["headers"] = {
                    name: {"schema": {"type": "string"}, "description": text}
                    for name, text in HEADERS.items()
                    if counted or name == "X-Request-Id"
                }
            responses |= dict.fromkeys(_STATUS[method], REFUSED)
            responses["default"] = REFUSED
    return result
