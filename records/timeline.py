"""What happened to a record, in order: deliveries, acts, marks, days that ended something, words, reports.

Read in the transaction that has written the query line of the record; nothing here opens anything. What each reader
is told: officers see who did it and under which number, officers of the supplying office also what was asked and not
done; the person sees which office did it, their own words and the reports that named the record.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from access.actions import Asker
from accounts.models import Person, User
from records.hold_models import StatementHold
from records.life_models import ActRecord, RecordAct, RecordEvent, Statement
from records.models import Batch, Record, RecordVersion
from records.reading import File, View, own_file
from records.report_models import ReportEntry

State, Deed = Record.State, RecordVersion.Deed
BY_THE_DAY = "到期自动"  # what ends a record's life is told to nobody: it is over


@dataclass
class Step:
    """One thing that happened to a record; `lines` say what it changed."""

    at: datetime
    what: str
    by: str
    lines: list[str] = field(default_factory=list)
    order: int = 0  # of what happened in one transaction


@transaction.atomic
def own_file_with_steps(person: Person, *, by: Asker) -> tuple[File, list[tuple[View, list[Step]]]]:
    """Return the person's own file (kind Q1, one line) and each record with what happened to it."""
    file = own_file(person, by=by)
    keys = {record.number: record.pk for record in Record.objects.filter(person=person)}
    told = steps([keys[view.number] for view in file.records], themselves=person)
    return file, [(view, told[keys[view.number]]) for view in file.records]


def steps(
    record_ids: Sequence[int], *, officer: User | None = None, themselves: Person | None = None
) -> dict[int, list[Step]]:
    """Return what happened to records that this transaction may read, newest first, in a constant number of queries.

    For the officer who reads, or, without one, for the person whom the records are about. What whoever a record was
    once misfiled under said or took with them is not told to the person it went to.
    """
    own = themselves.family() if themselves else []
    told: dict[int, list[Step]] = {pk: [] for pk in record_ids}
    done: dict[tuple[int, object], Step] = {}
    for record, key, step in (*_versions(record_ids, officer), *_events(record_ids, officer)):
        known = done.get((record, key))
        if known is None:
            done[record, key] = step
            told[record].append(step)
        else:  # a deed writes a version, then an event, which says more: one step
            known.what, known.lines = step.what, list(dict.fromkeys([*known.lines, *step.lines]))
    for record, step in (
        *_unfinished(record_ids, officer),
        *_words(record_ids, officer, own),
        *_reports(record_ids, officer, own),
    ):
        told[record].append(step)
    for found in told.values():
        found.sort(key=lambda step: (step.at, step.order), reverse=True)
    return told


Keyed = tuple[int, object, Step]


def _versions(ids: Sequence[int], officer: User | None) -> Iterable[Keyed]:
    versions = RecordVersion.objects.filter(record__in=ids).order_by("record", "version")
    for version in versions.select_related("by", "batch__supplier", "act__organisation").defer("content"):
        if version.act is not None:
            yield version.record_id, version.act_id, _step_of_act(version.act, version.at, version.by, officer)
            continue
        assert version.batch is not None
        step = _step_of_batch(version.batch, version.get_deed_display(), version.at, version.by, officer)
        step.lines.append(f"第 {version.version} 版")
        gone = version.deed in (Deed.WITHDRAWN, Deed.RESTORED)
        yield version.record_id, ("batch", version.batch_id, gone), step


def _events(ids: Sequence[int], officer: User | None) -> Iterable[Keyed]:
    events = RecordEvent.objects.filter(record__in=ids).order_by("id")
    for event in events.select_related("by__organisation", "batch__supplier", "act__organisation"):
        line = _line(event)
        if event.is_by_calendar:
            what = {State.EXPIRED: "查询期满", State.IN_FORCE: "告知期满，开始使用"}.get(
                State(event.to_state), "期限变化"
            )
            yield event.record_id, ("event", event.pk), Step(event.at, what, BY_THE_DAY, line)
        elif event.act is not None:
            step = _step_of_act(event.act, event.at, event.by, officer)
            step.lines += line
            yield event.record_id, event.act_id, step
        elif event.kind == RecordEvent.Kind.PERSON:
            yield event.record_id, ("event", event.pk), _step_of_case(event, officer)
        else:
            assert event.batch is not None
            gone = event.to_state == State.WITHDRAWN
            step = _step_of_batch(event.batch, "撤回" if gone else "重新报送", event.at, event.by, officer)
            step.lines += line
            yield event.record_id, ("batch", event.batch_id, gone), step


def _line(event: RecordEvent) -> list[str]:
    """Say what an event changed: states by name, periods by the day they ended on before and end on now."""
    if event.kind == RecordEvent.Kind.STATE:
        return [f"{event.get_from_state_display()} → {event.get_to_state_display()}"]
    lines = []
    for key, label in (("publication", "公示期止日"), ("query_until", "查询期至")):
        if pair := (event.detail or {}).get(key):
            lines.append(f"{label}：{_end(pair[0])} → {_end(pair[1])}")
    return lines


def _end(period: str | None) -> str:
    """Return the last day of a date range as the database writes it, or the day itself."""
    return period.rstrip(")").split(",")[-1] if period else "不公示"


def _step_of_batch(batch: Batch, what: str, at: datetime, by: User | None, officer: User | None) -> Step:
    if officer is None:
        return Step(at, what, batch.supplier.name)
    return Step(at, what, f"{by.name if by else batch.supplier.name}，批次 {batch.number}")


def _step_of_act(act: RecordAct, at: datetime, by: User | None, officer: User | None) -> Step:
    lines = [f"依据 {act.document_no}"] if act.document_no else []
    if act.hides:
        lines.append("核查期间除本人外不提供")
    doer = act.organisation.name if officer is None or by is None else by.name
    return Step(at, act.get_kind_display(), doer if officer is None else f"{doer}，办理单 {act.number}", lines)


def _step_of_case(event: RecordEvent, officer: User | None) -> Step:
    """Say that a case on persons moved the record; whose it was before is nobody's matter here."""
    assert event.by is not None
    office = event.by.organisation.name if event.by.organisation else ""
    number = (event.detail or {})["case"]
    if officer is None:
        return Step(event.at, "记录归属更正", office, [f"核对单 {number}"])
    return Step(event.at, "记录归属更正", f"{event.by.name}，核对单 {number}")


def _unfinished(ids: Sequence[int], officer: User | None) -> Iterable[tuple[int, Step]]:
    """Return what was asked and is not done, to those who may see the acts themselves."""
    if officer is None:
        return
    visible = RecordAct.objects.visible_to(officer).exclude(state__in=[RecordAct.State.DONE, RecordAct.State.DRAFT])
    named = ActRecord.objects.filter(record__in=ids, act__in=visible).select_related("act__asked_by", "act__decided_by")
    for one in named:
        act = one.act
        who = act.decided_by or act.asked_by
        by = f"{who.name if who else BY_THE_DAY}，办理单 {act.number}"
        lines = [act.decision_note] if act.decision_note else []
        yield (
            one.record_id,
            Step(act.decided_at or act.asked_at, f"申请{act.get_kind_display()}：{act.get_state_display()}", by, lines),
        )


def _words(ids: Sequence[int], officer: User | None, own: Sequence[int]) -> Iterable[tuple[int, Step]]:
    """Return when the person said something; earlier wordings are shown to the person alone."""
    words = Statement.objects.filter(record__in=ids).order_by("id")
    for said in words if officer else words.filter(person__in=own):
        yield said.record_id, Step(said.made_at, "本人作出声明", "本人", [] if officer else [said.text], order=1)
        if said.ended_at is not None:
            yield said.record_id, Step(said.ended_at, "本人更换或撤回声明", "本人")
    was_held = StatementHold.objects.filter(record__in=ids).exclude(decided_at=None).exclude(state="refused")
    for hold in (was_held if officer else was_held.filter(person__in=own)).select_related("organisation"):
        assert hold.decided_at is not None
        told = [] if officer else [hold.get_ground_display(), hold.told]
        yield hold.record_id, Step(hold.decided_at, "本人声明暂停显示", hold.organisation.name, told)
        if hold.state == StatementHold.State.LIFTED and hold.ended_at is not None:
            yield hold.record_id, Step(hold.ended_at, "本人声明恢复显示", hold.organisation.name)


def _reports(ids: Sequence[int], officer: User | None, own: Sequence[int]) -> Iterable[tuple[int, Step]]:
    """Return the reports that named a record, to the person: to whom they gave one is nobody else's matter."""
    if officer is not None:
        return
    found = defaultdict(list)
    for entry in ReportEntry.objects.filter(record__in=ids, report__person__in=own).select_related(
        "report__organisation"
    ):
        found[entry.record_id].append(entry)
    for record, entries in found.items():
        for entry in entries:
            report = entry.report
            by = report.organisation.name if report.organisation else "本人网上下载"
            yield record, Step(report.issued_at, "载入信用报告", by, [f"{report.number}，第 {entry.version} 版"])
