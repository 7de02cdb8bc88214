"""The person's records to take away, in a form a program reads (PIPL art 45: copy and transfer): all versions, all words."""

from collections import defaultdict
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from access.actions import Asker
from accounts.models import Person
from catalogue.models import Field
from records.life_models import Statement
from records.models import Record, RecordVersion
from records.reading import View, own_file, views_of
from records.timeline import Step, steps


@transaction.atomic
def own_records(person: Person, *, by: Asker) -> dict[str, Any]:
    """Return person and records as data (kind Q1, one line): each version with its fields, what happened, own words."""
    file = own_file(person, by=by)
    numbers = {view.number for view in file.records}
    records = {record.pk: record for record in Record.objects.filter(person=person) if record.number in numbers}
    told = steps(list(records), themselves=person)
    versions, said = defaultdict(list), defaultdict(list)
    for version, view in views_of(_versions(list(records)), Field.Reader.SUBJECT):
        versions[version.record_id].append(_version(version, view))
    for words in Statement.objects.filter(record__in=records, person__in=person.family()).order_by("id"):
        said[words.record_id].append(
            {"text": words.text, "made_at": moment(words.made_at), "ended_at": moment(words.ended_at)}
        )
    keys = {record.number: pk for pk, record in records.items()}
    return {
        "person": {"name": file.name, "former_names": list(file.former_names), "id_number": file.id_number},
        "records": [
            _record(view) | {
                "versions": versions[keys[view.number]], "statements": said[keys[view.number]],
                "events": [_event(step) for step in told[keys[view.number]]],
            }
            for view in file.records
        ],
    }  # fmt: skip


def _versions(record_ids: list[int]) -> list[RecordVersion]:
    found = RecordVersion.objects.filter(record__in=record_ids).order_by("record", "version")
    return list(found.select_related("record__item", "record__provider"))


def _record(view: View) -> dict[str, Any]:
    return {
        "number": view.number, "item": {"code": view.item_code, "name": view.item_name}, "state": view.state.label,
        "decider": view.decider, "provider": view.provider, "doc_no": view.doc_no, "doc_date": _day(view.doc_date),
        "severity": view.severity, "public_from": _day(view.public_from), "public_until": _day(view.public_until),
        "query_until": _day(view.query_until), "bases": view.bases, "objected": view.objected,
        "under_review": view.under_review,
    }  # fmt: skip


def _version(version: RecordVersion, view: View) -> dict[str, Any]:
    return {
        "version": version.version, "deed": version.get_deed_display(), "at": moment(version.at),
        "fields": [{"code": fact.code, "label": fact.label, "value": fact.value} for fact in view.facts],
    }  # fmt: skip


def _event(step: Step) -> dict[str, Any]:
    return {"at": moment(step.at), "what": step.what, "by": step.by, "lines": step.lines}


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def moment(at: datetime | None) -> str | None:
    """Return a time as JSON holds it, with Shanghai's offset."""
    return timezone.localtime(at).isoformat(timespec="seconds") if at else None
