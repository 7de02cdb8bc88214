"""The deeds of credit reports: issue, print, verify, forget. Each that shows something writes its query line first."""

import hashlib
import io
import secrets
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.utils import timezone

from access.actions import Ask, Asker, write_answer, write_query
from access.models import Kind, Refusal
from access.reading import looks_by_case, looks_since
from accounts import people
from accounts.actions import check_identity
from accounts.models import Person, User
from catalogue.columns import labels
from catalogue.models import ItemVersion
from catalogue.reading import CATEGORIES, standing_on
from catalogue.reading import Standing as ItemStanding
from creditfujian.lib import masking
from creditfujian.lib.masking import Profile
from creditfujian.lib.text import normalise_name
from creditfujian.lib.workdays import add_months
from records import report_pdf
from records.intake import store
from records.reading import (
    COUNTER_GROUND,
    NOT_IN_THEIR_NAME,
    PUBLIC_FLOOR_SECONDS,
    File,
    check_may_act,
    file_at_counter,
    held_in,
    own_file_to_hand_on,
)
from records.report_content import Content, Cover, content, sheet
from records.report_models import CounterRequest, Report, ReportEntry, ReportFile, ReportPrint, report_number

ALPHABET = "23456789ABCDEFGHJKMNPQRTUVWXY"  # nothing that is misread; 16 of them are 77 bits
MONTHS_OF_LOOKS = 12
SHOWN_REPORTS = 100  # the latest of one's own
ONLINE, PRINT_VIEW = "本人下载信用报告", "本人打开信用报告打印页"
State = CounterRequest.State


@dataclass(frozen=True)
class Issued:
    """A report and its PDF; the code is nowhere else in clear."""

    report: Report
    pdf: bytes


class TooMany(Exception):
    """The person has had as many reports today as the site gives out in a day."""


def issue(person: Person, *, by: Asker) -> Issued:
    """Issue a report to the person online (Q1). Raises NoFonts, PermissionDenied, TooMany."""
    check_may_act(person, by=by, purpose=ONLINE)
    with transaction.atomic():
        return _issue_online(person, by=by)


def _issue_online(person: Person, *, by: Asker) -> Issued:
    assert by.user is not None
    Person.objects.select_for_update(no_key=True).get(pk=person.pk)  # one after the other, so that the count is right
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    if (
        Report.objects.filter(person=person, kind=Report.Kind.ONLINE, issued_at__gte=today).count()
        >= settings.REPORTS_PER_DAY
    ):
        raise TooMany
    report_pdf.characters()
    file = own_file_to_hand_on(person, by=by, purpose=ONLINE)
    return _issue(person, file, by.user, how="本人网上下载", kind=Report.Kind.ONLINE)


def preview(person: Person, *, by: Asker) -> Content:
    """Return the content for the print view: the same words, without number and code (Q1). Raises PermissionDenied."""
    check_may_act(person, by=by, purpose=PRINT_VIEW)
    with transaction.atomic():
        file = own_file_to_hand_on(person, by=by, purpose=PRINT_VIEW)
        return _content(person, file, timezone.now())


@transaction.atomic
def fetch_again(report: Report, *, by: Asker) -> bytes | None:
    """Return the kept PDF to its person, or None when its time is over (Q1)."""
    if by.user is None or by.user.person_id != people.survivor_of(report.person_id):
        raise PermissionDenied("只能下载本人的报告。")
    seq = write_query(
        Ask(kind=Kind.SELF, ground="本人查询（个人信息保护法第四十五条）", purpose="本人再次下载信用报告",
            fields_class="本人可见", case_no=report.number, person=people.opened(report)),
        by=by,
    )  # fmt: skip
    return _kept(report, seq)


@dataclass(frozen=True)
class Standing:
    """A report of one's own, and what has become of it."""

    report: Report
    changes: "Changes"
    verified: int
    verified_last: datetime | None
    kept_until: date | None


@transaction.atomic
def own_reports(person: Person, *, by: Asker) -> list[Standing]:
    """Return the reports issued to the person: whether anything changed since, and how often they were checked (Q1)."""
    seq = write_query(
        Ask(kind=Kind.SELF, ground="本人查询（个人信息保护法第四十五条）", purpose="本人查看已出具的信用报告",
            fields_class="报告编号、时间和变动条数", person=person),
        by=by,
    )  # fmt: skip
    write_answer(seq, record_ids=[], items=[])
    mine = Report.objects.filter(person__in=person.family())
    reports = list(mine.select_related("kept", "organisation")[:SHOWN_REPORTS])
    checked = looks_by_case(person, [report.number for report in reports])
    standings = []
    for report in reports:
        times, last = checked.get(report.number, (0, None))
        until = report.kept.keep_until if hasattr(report, "kept") else None
        standings.append(Standing(report, _changes(report.number, [bytes(report.code_hash)]), times, last, until))
    return standings


# --- at the counter --------------------------------------------------------------------------------


def ask_at_counter(*, id_number: str, name: str, by: Asker) -> CounterRequest | None:
    """Note that the person stands at the counter with their card and wants their report; another officer confirms.

    None when the name is not the one known for the number: that is written down and the person sees it. Whether
    there is a file stays unsaid. Raises PermissionDenied, ValidationError.
    """
    user = _clerk(by, "records.add_counterrequest")
    assert user.organisation is not None
    number, name = check_identity(id_number), normalise_name(name)
    with transaction.atomic():
        person = Person.objects.holder_of(number)
        if person is None:
            person = Person.seal(number, name)
            person.save()
        elif normalise_name(person.name) != name:
            _write_refusal(person, "姓名与证件号码不符，未出具", by=by)
            return None
        if person.deceased_on is None:
            now = timezone.now()
            return CounterRequest.objects.create(
                person=person, asked_by=user, organisation=user.organisation, asked_at=now,
                expires_at=now + timedelta(minutes=settings.COUNTER_MINUTES),
            )  # fmt: skip
        _write_refusal(person, "系统登记此人已经死亡，未出具", by=by)
    # Said when the line is kept: an error inside the transaction would take it back.
    raise ValidationError("系统登记此人已经死亡，不能出具报告。如登记有误，请联系省信用办撤销。", code="deceased")


def _write_refusal(person: Person, purpose: str, *, by: Asker, case_no: str = "") -> None:
    """Write the line of a report that is not made out, or not printed."""
    ask = Ask(kind=Kind.COUNTER, ground="窗口申请出具信用报告", purpose=purpose, case_no=case_no,
              fields_class="无", refusal=Refusal.NO_GROUND.value, person=person)  # fmt: skip
    write_query(ask, by=by)


def confirm_at_counter(request_id: int, *, by: Asker) -> Issued:
    """Confirm, as the second officer, that card and person agree; the report is issued (Q2).

    Whoever has died or was merged since the first officer asked gets none, and a line says so.
    Raises PermissionDenied with the reason, NoFonts.
    """
    user = _clerk(by, "records.print_report")
    with transaction.atomic():
        request = CounterRequest.objects.select_for_update().visible_to(user).get(pk=request_id)
        if reason := why_not_confirm(request, user):
            raise PermissionDenied(reason)
        people.open_persons(request.person_id)
        if request.person.may_act:
            return _issue_at_counter(request, user, by=by)
        _write_refusal(request.person, "系统登记此人已经死亡，或号码已并入他人，未出具", by=by)
    raise PermissionDenied(NOT_IN_THEIR_NAME)  # said when the line is kept


def _issue_at_counter(request: CounterRequest, user: User, *, by: Asker) -> Issued:
    report_pdf.characters()
    request.state, request.decided_by, request.decided_at = State.ISSUED, user, timezone.now()
    request.save(update_fields=["state", "decided_by", "decided_at"])
    file = file_at_counter(request.person, by=by, case_no=f"窗口申请 {request.pk}")
    how = f"窗口出具（{user.organisation}）"
    return _issue(request.person, file, user, how=how, kind=Report.Kind.COUNTER, request=request)


def why_not_confirm(request: CounterRequest, user: User) -> str:
    """Return why this officer may not confirm the request, or nothing."""
    if request.state != State.WAITING:
        return f"这份申请{request.get_state_display()}，不能再核对。"
    if not request.is_open:
        return "申请已超过有效时间，请重新办理。"
    if request.asked_by_id == user.pk:
        return "须由另一名窗口人员当面核对，经办人不能自己核对。"
    return ""


@transaction.atomic
def whose_at_counter(request: CounterRequest, *, by: Asker) -> str:
    """Say, masked, whose request it is, to who holds it against the card: under a line that opens no record (Q2).

    Raises PermissionDenied for everybody else: the first officer has seen the card, and later nobody needs to know.
    """
    user = _clerk(by, "records.print_report")
    current = CounterRequest.objects.visible_to(user).get(pk=request.pk)
    if reason := why_not_confirm(current, user):
        raise PermissionDenied(reason)
    person = people.opened(current)
    assert person is not None
    seq = write_query(
        Ask(kind=Kind.COUNTER, ground=COUNTER_GROUND, purpose="第二名窗口人员核对证件", fields_class="脱敏的姓名和证件号码，不含记录",
            items=[], case_no=str(current), person=person),
        by=by,
    )  # fmt: skip
    write_answer(seq, record_ids=[], items=[])
    return f"{masking.name(person.name, Profile.PUBLIC)}（{person.masked_id(Profile.PUBLIC)}）"


@transaction.atomic
def refuse_at_counter(request_id: int, *, by: User, reason: str) -> CounterRequest:
    """Send the request back with a reason. Raises PermissionDenied, ValidationError."""
    if not by.has_perm("records.print_report"):
        raise PermissionDenied("您没有窗口出具报告的职责。")
    if not reason.strip():
        raise ValidationError("请写明退回理由。", code="reason")
    request = CounterRequest.objects.select_for_update().visible_to(by).get(pk=request_id)
    if request.state != State.WAITING:
        raise ValidationError("这份申请已经办结。", code="state")
    request.state, request.decided_by, request.decided_at = State.REFUSED, by, timezone.now()
    request.reason = reason.strip()[:200]
    request.save(update_fields=["state", "decided_by", "decided_at", "reason"])
    return request


def print_copy(report_id: int, *, by: Asker, reason: str = "") -> bytes | None:
    """Return the PDF for printing and count the copy; a further one needs a reason (Q2). None once it is deleted.

    Whoever has died since it was issued gets none, and a line says so. Raises PermissionDenied, ValidationError.
    """
    user = _clerk(by, "records.print_report")
    with transaction.atomic():
        mine = CounterRequest.objects.select_for_update(of=("self",)).filter(organisation=user.organisation)
        mine.get(report=report_id)  # one print at a time
        report = Report.objects.get(pk=report_id)
        people.open_persons(report.person_id)
        if report.person.survivor().may_act:  # a merged number is the same person, who has the report already
            return _print(report, user, by=by, reason=reason)
        _write_refusal(report.person, "系统登记此人已经死亡，未打印", by=by, case_no=report.number)
    raise PermissionDenied(NOT_IN_THEIR_NAME)  # said when the line is kept


def _print(report: Report, user: User, *, by: Asker, reason: str) -> bytes | None:
    copy = report.prints.count() + 1
    if copy > 1 and not reason.strip():
        raise ValidationError("这份报告已打印过。重印须写明理由。", code="reason")
    purpose = "窗口打印信用报告" if copy == 1 else f"窗口重印信用报告（第 {copy} 份）：{reason.strip()}"
    seq = write_query(
        Ask(kind=Kind.COUNTER, ground=COUNTER_GROUND, purpose=purpose[:200], fields_class="本人可见",
            case_no=report.number, person=report.person),
        by=by,
    )  # fmt: skip
    pdf = _kept(report, seq)
    if pdf is not None:
        ReportPrint.objects.create(report=report, copy=copy, reason=reason.strip()[:200], by=user, query_seq=seq)
    return pdf


def _clerk(by: Asker, permission: str) -> User:
    if by.user is None or by.user.organisation is None or not by.user.has_perm(permission):
        raise PermissionDenied("您没有窗口出具报告的职责。")
    return by.user


# --- verification ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Changes:
    """How many records came, changed or ended since a report was issued; nothing of what they say."""

    added: int
    changed: int
    ended: int

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.ended)


@dataclass(frozen=True)
class Verified:
    """What a holder learns of a genuine report: nothing of its content."""

    number: str
    issued_at: datetime
    how: str
    name: str
    sha256: str
    changes: Changes
    same_file: bool | None


def verify(*, number: str, code: str, sha256: str = "", by: Asker) -> Verified | None:
    """Tell whether a report is genuine and how much has changed since (Q6); None for unknown and wrong alike.

    A right code writes a line that the person sees: numbers about their file went out. A wrong one writes a refused
    line without a person: it told nothing, and nobody's history fills up with strangers' guesses.
    """
    began = time.monotonic()
    try:
        with transaction.atomic():
            report = _held(number, code)
            ask = Ask(
                kind=Kind.PUBLIC, ground="持报告编号和验证码核验（报告由本人出示）", purpose="核验信用报告真伪",
                fields_class="出具时间、脱敏姓名和变动条数，不含内容", items=[], case_no=report.number if report else "",
                refusal="" if report else Refusal.NO_GROUND.value, person=people.opened(report) if report else None,
            )  # fmt: skip
            seq = write_query(ask, by=by)
            if report is None:
                return None
            write_answer(seq, record_ids=[], items=[])
            return _verified(report, code, sha256)
    finally:
        if (left := PUBLIC_FLOOR_SECONDS - (time.monotonic() - began)) > 0:
            time.sleep(left)


def _held(number: str, code: str) -> Report | None:
    """Return the report with that number and code, for whoever holds it."""
    found = Report.objects.raw("SELECT * FROM records_report_held(%s, %s)", [number, code_hashes(number, code)])
    return next(iter(found), None)


def _verified(report: Report, code: str, sha256: str) -> Verified:
    return Verified(
        number=report.number, issued_at=report.issued_at, how=report.get_kind_display(),
        name=masking.name(report.person.name, Profile.PUBLIC), sha256=report.sha256,
        changes=_changes(report.number, code_hashes(report.number, code)),
        same_file=sha256 == report.sha256 if sha256 else None,
    )  # fmt: skip


def _changes(number: str, hashes: list[bytes]) -> Changes:
    with connection.cursor() as cursor:
        cursor.execute("SELECT added, changed, ended FROM records_report_changes(%s, %s)", [number, hashes])
        return Changes(*cursor.fetchone())


def forget_files(day: date) -> int:
    """Delete the sealed PDFs whose time is over; the facts of their issue stay. Returns how many."""
    count = 0
    for kept in ReportFile.objects.filter(keep_until__lte=day).select_related("file")[:10_000]:
        with transaction.atomic():
            kept.delete()
            store.forget(kept.file)
        count += 1
    return count


# --- how it is made --------------------------------------------------------------------------------


def _issue(
    person: Person, file: File, user: User, *, how: str, kind: Report.Kind, request: CounterRequest | None = None
) -> Issued:
    """Make the report, in the transaction that has read the file."""
    at, pk = _moment_and_key()
    number, code = report_number(pk, f"{timezone.localtime(at):%Y%m%d}"), new_code()
    url = f"{settings.PUBLIC_URL}/verify/"
    cover = Cover(number, how, code, url, report_pdf.qr_code(f"{url}?{urlencode({'no': number})}"))
    pdf = report_pdf.set_report(sheet(_content(person, file, at), cover))
    kept = store.keep(io.BytesIO(pdf), name=f"{number}.pdf")
    today = timezone.localdate(at)
    entries = held_in(file, person)
    report = Report.objects.create(
        id=pk, number=number, person=person, kind=kind, counter_request=request, query_seq=file.seq, issued_at=at,
        by=user, organisation=user.organisation if request else None, records=len(entries), sha256=kept.sha256,
        code_hash=code_hashes(number, code)[0], snapshot=hashlib.sha256(repr(entries).encode()).digest(),
    )  # fmt: skip
    ReportEntry.objects.bulk_create(
        ReportEntry(report=report, record_id=record, version=version, public=public)
        for record, version, public in entries
    )
    ReportFile.objects.create(report=report, file=kept, keep_until=today + timedelta(days=settings.REPORT_KEEP_DAYS))
    return Issued(report, pdf)


def _content(person: Person, file: File, at: datetime) -> Content:
    today = timezone.localdate(at)
    since = add_months(today, -MONTHS_OF_LOOKS)
    known = labels()
    begin = timezone.make_aware(datetime(since.year, since.month, since.day))
    suspended: list[ItemVersion] = list(standing_on(ItemStanding.SUSPENDED, today))
    return content(
        file, looks_since(person, begin), at=at, since=since,
        names={code: known.get(("CAT", code), code) for code in CATEGORIES},
        suspended=sorted({version.name for version in suspended}),
    )  # fmt: skip


def _kept(report: Report, seq: int) -> bytes | None:
    """Return the sealed PDF and write what was returned."""
    kept = ReportFile.objects.filter(report=report).select_related("file").first()
    write_answer(seq, record_ids=[e.record_id for e in report.entries.all()] if kept else [], items=[])
    if kept is None:
        return None
    with store.open_sealed(kept.file) as stream:
        return stream.read()


def _moment_and_key() -> tuple[datetime, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT transaction_timestamp(), nextval(pg_get_serial_sequence('records_report', 'id'))")
        return cursor.fetchone()


def new_code() -> str:
    """Return a new verification code, for the paper alone."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(16))
    return "-".join(letters[start : start + 4] for start in range(0, 16, 4))


def code_hashes(number: str, code: str) -> list[bytes]:
    """Return the keyed hashes of a paper's code, one for each key that the site reads with, the one in use first."""
    plain = "".join(character for character in code.upper() if character.isalnum())
    return settings.FIELD_KEYRING.indexes(f"report:{number}:{plain}".encode())
