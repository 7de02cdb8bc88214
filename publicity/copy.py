"""Everything the register holds about a person as one JSON file (PIPL art 45): written piece by piece, with its schema."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import transaction
from django.utils import timezone

from access.actions import Asker
from access.consents import chosen
from access.models import Consent, Message, Question
from access.questions import story_of
from access.reading import Which, access_history
from accounts import people
from accounts.models import Person
from publicity.pages import with_item_names
from publicity.usage import usage_of
from records.portability import moment, own_records
from records.rights_models import RightsRequest
from sanctions.attestation import Standing, standings_of
from sanctions.models import RewardCase

FORMAT = "creditfujian/own-copy/1"
AT_ONCE = 1000


def own_copy(person: Person, *, by: Asker) -> Iterator[str]:
    """Return the file in pieces; the records are read, under their line, before the first piece leaves.

    Raises PermissionDenied for the dead and the merged.
    """
    with transaction.atomic():
        held = own_records(person, by=by)
        held["attestations"] = [attestation_of(one) for one in standings_of(person)]  # under the same line
    return _pieces(person, held)


def _pieces(person: Person, held: dict[str, Any]) -> Iterator[str]:
    with people.while_open(*person.family()):  # pieces leave after the page has ended and closed what it opened
        yield from _each_piece(person, held)


def _each_piece(person: Person, held: dict[str, Any]) -> Iterator[str]:
    head = {"format": FORMAT, "at": moment(timezone.now()), "person": held["person"]}
    yield "{" + _text(head)[1:-1]
    for name, rows in (
        ("records", held["records"]), ("attestations", held["attestations"]), ("consents", _consents(person)),
        ("messages", _messages(person)),
        ("questions", _questions(person)), ("requests", _requests(person)),
        ("rewards", _rewards(person)), ("usages", _usages(person, own=False)), ("own_usages", _usages(person, own=True)),
    ):  # fmt: skip
        yield f',\n"{name}": ['
        for n, row in enumerate(rows):
            yield ("," if n else "") + "\n" + _text(row)
        yield "]"
    yield "}\n"


def attestation_of(one: Standing) -> dict[str, Any]:
    """Return an attestation about the person as their copy and the API say it."""
    made = one.attestation
    return {
        "number": made.number, "way": made.get_way_display(), "years": made.years, "since": made.since.isoformat(),
        "institution": made.organisation.name if made.organisation else "", "as_of": made.as_of.isoformat(),
        "valid_until": made.valid_until.isoformat(), "rule": str(made.rule), "issued_at": moment(made.issued_at),
        "holds": one.holds, "standing": one.stands, "verified": one.verified,
    }  # fmt: skip


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _consents(person: Person) -> Iterable[dict[str, Any]]:
    for one in Consent.objects.about(person).select_related("organisation", "purpose"):
        yield {
            "number": one.number, "institution": one.organisation.name, "purpose": one.purpose.name,
            "purpose_text": one.purpose_text, "standing": one.standing, "asked_at": moment(one.asked_at),
            "decided_at": moment(one.decided_at), "ended_at": moment(one.ended_at), "text": one.text,
            "items": [choice.name for choice in chosen(one)], "uses": one.uses, "max_uses": one.max_uses,
        }  # fmt: skip


def _messages(person: Person) -> Iterable[dict[str, Any]]:
    for one in Message.objects.to(person).iterator(AT_ONCE):
        yield {
            "at": moment(one.at),
            "subject": one.subject,
            "text": one.text,
            "about": one.about,
            "read_at": moment(one.read_at),
        }


def _questions(person: Person) -> Iterable[dict[str, Any]]:
    for one in Question.objects.of(person):
        story = story_of(one)
        yield {
            "number": one.number, "at": moment(one.at), "usage": one.query_seq, "doubt": one.get_doubt_display(),
            "standing": story.standing, "verdict": story.verdict.label if story.verdict else None,
            "answer": story.answer.told if story.answer else None,
            "steps": [{"at": moment(s.at), "what": s.get_deed_display(), "text": s.text} for s in story.steps.values()],
        }  # fmt: skip


def _requests(person: Person) -> Iterable[dict[str, Any]]:
    for one in RightsRequest.objects.of(person).prefetch_related("steps"):
        told = [s for s in one.steps.all() if s.deed != "returned"] if one.is_over else []
        yield {
            "number": one.number, "at": moment(one.at), "right": one.get_kind_display(), "record": one.record_no,
            "text": one.text, "standing": one.get_state_display(),
            "answers": [{"at": moment(s.at), "what": s.get_deed_display(), "text": s.text} for s in told],
        }  # fmt: skip


def _rewards(person: Person) -> Iterable[dict[str, Any]]:
    for one in RewardCase.objects.of(person).prefetch_related("steps", "consents"):
        yield {
            "number": one.number, "at": moment(one.nominated_at), "unit": one.organisation.name, "programme": one.programme.name,
            "honour": one.honour, "year": one.year, "standing": one.standing, "record": one.record_no,
            "consents": [{"at": moment(c.at), "what": c.get_scope_display(), "given": c.given} for c in one.consents.all()],
            "steps": [{"at": moment(s.at), "what": s.get_deed_display(), "text": s.text} for s in one.steps.all()],
        }  # fmt: skip


def _usages(person: Person, *, own: bool) -> Iterable[dict[str, Any]]:
    before = None
    while lines := access_history(person, which=Which(own=own), before=before, limit=AT_ONCE):
        yield from (usage_of(line) for line in with_item_names(lines))
        before = lines[-1].seq


_T: dict[str, Any] = {"type": "string"}
_TIME: dict[str, Any] = {"type": ["string", "null"], "format": "date-time"}
_DAY: dict[str, Any] = {"type": ["string", "null"], "format": "date"}
_N: dict[str, Any] = {"type": "integer"}
_B: dict[str, Any] = {"type": "boolean"}


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(properties),
        "additionalProperties": False,
    }


def _list(of: dict[str, Any], says: str = "") -> dict[str, Any]:
    return {"type": "array", "items": of} | ({"description": says} if says else {})


_STEP = _object(at=_TIME, what=_T, text=_T)
_ITEM = _object(code=_T, name=_T)
_USAGE = _object(
    logtime=_TIME, action=_T, receiverCode=_T, receiverName=_T, receiverSystem=_T, number=_N, kind=_T, kind_text=_T, ground=_T,
    ground_text=_T, duty=_T, purpose=_T, case_no=_T, consent_no=_T, decision=_T, refusal=_T, items=_list(_ITEM), records=_N,
    listed=_B, proof={"type": ["string", "null"]}, question={"type": ["string", "null"]}, review=_T,
)  # fmt: skip
_RECORD = _object(
    number=_T, item=_ITEM, state=_T, decider=_T, provider=_T, doc_no=_T, doc_date=_DAY, severity=_T, public_from=_DAY,
    public_until=_DAY, query_until=_DAY, bases=_list(_T), objected=_B, under_review=_B,
    versions=_list(_object(version=_N, deed=_T, at=_TIME, fields=_list(_object(code=_T, label=_T, value=_T)))),
    statements=_list(_object(text=_T, made_at=_TIME, ended_at=_TIME)),
    events=_list(_object(at=_TIME, what=_T, by=_T, lines=_list(_T))),
)  # fmt: skip
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "本人全部资料",
    "description": "信用福建按《个人信息保护法》第四十五条向本人提供的全部资料。",
    **_object(
        format={"const": FORMAT}, at=_TIME, person=_object(name=_T, former_names=_list(_T), id_number=_T),
        records=_list(_RECORD, "关于您的每条记录，含每一版、您的声明和经过"),
        attestations=_list(
            _object(number=_T, way=_T, institution=_T, years=_N, since=_DAY, as_of=_DAY, valid_until=_DAY, rule=_T, issued_at=_TIME,
                    holds={"type": ["boolean", "null"]}, standing=_T, verified=_N), "关于您的无失信记录证明"),
        consents=_list(
            _object(number=_T, institution=_T, purpose=_T, purpose_text=_T, standing=_T, asked_at=_TIME, decided_at=_TIME,
                    ended_at=_TIME, text=_T, items=_list(_T), uses=_N, max_uses={"type": ["integer", "null"]}),
            "机构的授权申请和您的答复"),
        messages=_list(_object(at=_TIME, subject=_T, text=_T, about=_T, read_at=_TIME), "消息"),
        questions=_list(
            _object(number=_T, at=_TIME, usage=_N, doubt=_T, standing=_T, verdict={"type": ["string", "null"]},
                    answer={"type": ["string", "null"]}, steps=_list(_STEP)), "您对查询提出的疑问"),
        requests=_list(
            _object(number=_T, at=_TIME, right=_T, record=_T, text=_T, standing=_T, answers=_list(_STEP)), "您的权利请求"),
        rewards=_list(
            _object(number=_T, at=_TIME, unit=_T, programme=_T, honour=_T, year=_T, standing=_T, record=_T,
                    consents=_list(_object(at=_TIME, what=_T, given=_B)), steps=_list(_STEP)), "推荐、授予您的激励和您的同意"),
        usages=_list(_USAGE, "谁查了您，与 /api/v1/me/usage/ 相同"), own_usages=_list(_USAGE, "您自己的查询"),
    ),
}  # fmt: skip
