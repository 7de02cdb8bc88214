"""What the API answers when it does not do what was asked: one shape (RFC 9457) and one list of codes.

What is wrong with a file, a cell or a row keeps the codes of the pages (docs/reasons.md); these are the interface's own.
"""

from typing import Any

ABOUT = "/api/v1/docs/"  # where the codes are explained

TITLES = {
    "A01": "没有令牌",
    "A02": "令牌无效",
    "A03": "令牌已到期",
    "A04": "令牌已撤销",
    "A05": "令牌尚未启用",
    "A06": "来源地址不在允许范围",
    "A07": "令牌没有这项权限",
    "A08": "本小时调用次数已用完",
    "A09": "缺少 Idempotency-Key",
    "A10": "Idempotency-Key 已用于另一项内容",
    "A11": "请求格式不对",
    "A12": "没有这个资源",
    "A13": "不支持这个方法",
    "A14": "不支持这种内容类型",
    "A15": "缺少内容长度",
    "A16": "内容没有传完",
    "A17": "当前状态不允许",
    "A18": "没有办理的职责",
    "A19": "参数不对",
    "A20": "内容已按期清除",
    "A21": "内容过大",
    "A22": "没有登录",
    "A99": "系统出错",
}
ADVICE = {
    "A01": "每次调用带上 `Authorization: Bearer cf_…`。",
    "A02": "核对令牌有没有抄全；遗失的请重新申请。",
    "A03": "请系统管理员申请新令牌，旧令牌不能续期。",
    "A04": "请系统管理员申请新令牌。",
    "A05": "由安全管理员确认后启用。",
    "A06": "从登记的网段调用，或申请登记了该网段的新令牌。",
    "A07": "申请带有所需权限的令牌。",
    "A08": "等到 `Retry-After` 所说的秒数以后；长期不够的，申请更高的次数。",
    "A09": "为每次报送、提交、取消、撤回生成一个新的值（如 UUID），重试时用同一个值。",
    "A10": "重试须原样发送；内容不同的，换一个新的值。",
    "A11": "对照接口说明核对请求。",
    "A12": "核对地址和批次号；其他单位的批次同样这样答复。",
    "A13": "对照接口说明核对方法。",
    "A14": "报送用 `multipart/form-data` 或 `application/x-ndjson`，其余用 `application/json`。",
    "A15": "带上 `Content-Length`；JSON 行也可以分块传输。",
    "A16": "没有收下任何内容，用同一个 Idempotency-Key 重发即可。",
    "A17": "查询批次的 `next`，按其中所说办理。",
    "A18": "按提示由有职责的单位或人员办理。",
    "A19": "按 `errors` 所列逐项改正。",
    "A20": "暂存行按期清除后不再提供；行数和原因汇总仍在批次里。",
    "A21": "除报送外，请求内容不超过 64 KB。",
    "A22": "在本站登录后，用同一个浏览器打开；程序不能代替本人登录。",
    "A99": "稍后用同一个 Idempotency-Key 重试；再次出错请把请求编号告诉平台运维。",
}
assert set(ADVICE) == set(TITLES)


def problem(
    status: int, code: str, detail: str, *, request_id: str, title: str = "", errors: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    """Return the body of an answer of type application/problem+json; `title` is that of one of our codes by default."""
    body: dict[str, Any] = {
        "type": f"{ABOUT}#{code}", "title": title or TITLES[code], "status": status, "detail": detail, "code": code,
        "request_id": request_id,
    }  # fmt: skip
    return {**body, "errors": errors} if errors else body
