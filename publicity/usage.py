"""A line of the access history in the shape of Estonia's findUsage (domain §7.5), with what ours says more."""

from typing import Any

from django.urls import reverse
from django.utils import timezone

from access.reading import Access


def usage_of(line: Access) -> dict[str, Any]:
    """Return a line as publicity.usage_api.UsageShape says; the items' names come with it (`with_item_names`)."""
    return {
        "logtime": timezone.localtime(line.at).isoformat(timespec="seconds"), "action": line.action,
        "receiverCode": line.uscc, "receiverName": line.who, "receiverSystem": line.channel,
        "number": line.seq, "kind": line.kind.value, "kind_text": line.kind.label, "ground": line.ground,
        "ground_text": line.words.ground, "duty": line.duty, "purpose": line.purpose, "case_no": line.case_no,
        "consent_no": line.consent_no, "decision": line.decision.value, "refusal": line.refusal,
        "items": [{"code": code, "name": name} for code, name in zip(line.items, line.item_names, strict=True)],
        "records": line.count, "listed": line.listed,
        "proof": reverse("me_access_proof", args=[line.seq]) if line.sealed else None,
        "question": line.question.number if line.question else None, "review": line.reviewed.verdict,
    }  # fmt: skip
