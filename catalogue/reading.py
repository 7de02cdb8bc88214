"""What anybody may read of the catalogue: items in force, one item with its history, editions, consultations.

A draft under way never leaves here, except in its own consultation.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, TextChoices

from accounts.models import Organisation
from catalogue.columns import complete
from catalogue.models import (
    CalendarEdition,
    Comment,
    Consultation,
    DeadlineRule,
    Edition,
    EditionEntry,
    Instrument,
    Item,
    ItemVersion,
    Level,
    Retirement,
    VersionStep,
)
from catalogue.publishing import Change, changes
from catalogue.words import Vocabulary, Words, in_words

State = ItemVersion.State
CATEGORIES = ("02", "03", "04", "06", "08", "10", "11", "13")  # of the thirteen, those used for persons


class Standing(TextChoices):
    """How a published version stands on a day."""

    IN_FORCE = "in_force", "现行"
    COMING = "coming", "即将生效"
    SUSPENDED = "suspended", "暂停"
    RETIRED = "retired", "停用"
    ENDED = "ended", "已被新版替代"


# --- the list --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wanted:
    """What a reader of the list looks for; empty means all."""

    words: str = ""
    category: str = ""
    polarity: str = ""
    disclosure: str = ""
    provider: str = ""
    standing: str = Standing.IN_FORCE


def published() -> "QuerySet[ItemVersion]":
    """Return the versions that an edition made public, in force or not."""
    return ItemVersion.objects.exclude(state__in=ItemVersion.UNDER_WAY)


def standing_on(standing: str, day: date) -> "QuerySet[ItemVersion]":
    """Return the published versions that stand so on a day."""
    if standing == Standing.COMING:
        return published().filter(state=State.PUBLISHED, effective__startswith__gt=day)
    if standing == Standing.SUSPENDED:
        now = published().filter(effective__contains=day).exclude(state=State.RETIRED)
        return now.exclude(pk__in=ItemVersion.objects.in_force(day).values("pk"))
    if standing == Standing.RETIRED:
        later = ItemVersion.objects.filter(item=OuterRef("item"), version__gt=OuterRef("version"), state=State.RETIRED)
        return published().filter(~Exists(later), state=State.RETIRED)
    return ItemVersion.objects.in_force(day)


def browse(wanted: Wanted, day: date) -> "QuerySet[ItemVersion]":
    """Return the versions that a reader looks for, in the catalogue's order, with what a list shows of them."""
    found = standing_on(wanted.standing or Standing.IN_FORCE, day)
    exactly = {
        "item__category": wanted.category, "item__polarity": wanted.polarity, "disclosure": wanted.disclosure,
        "item__provider__uscc": wanted.provider,
    }  # fmt: skip
    found = found.filter(**{column: value for column, value in exactly.items() if value})
    for word in wanted.words.split():
        found = found.filter(
            Q(name__icontains=word) | Q(behaviour__icontains=word) | Q(item__code__icontains=word)
            | Q(item__provider__name__icontains=word)
        )  # fmt: skip
    return found.select_related("item__provider").prefetch_related("periods").order_by("item__code")


def providers() -> "QuerySet[Organisation]":
    """Return the units that provide a published item."""
    return Organisation.objects.filter(Exists(published().filter(item__provider=OuterRef("pk")))).order_by("name")


# --- one item ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chapter:
    """One version in the history of an item: how it stands, the edition that brought it, what it changed."""

    version: ItemVersion
    standing: Standing
    edition: Edition | None
    changes: list[Change]


@dataclass(frozen=True)
class Account:
    """An item as anybody may read it: in words, how it stands and since when, and its history."""

    item: Item
    words: Words
    standing: Standing
    since: datetime | None
    reason: str
    coming: ItemVersion | None
    retirement: Retirement | None
    history: list[Chapter]


def account_of(code: str, day: date) -> Account | None:
    """Return the account of an item; None when no edition ever held one with that code."""
    steps = Prefetch("steps", VersionStep.objects.order_by("id"))
    entries = Prefetch("entries", EditionEntry.objects.select_related("edition").order_by("edition_id"))
    versions = list(complete(published().filter(item__code=code)).prefetch_related(steps, entries).order_by("version"))
    if not versions:
        return None
    in_force = set(ItemVersion.objects.in_force(day).filter(item__code=code).values_list("pk", flat=True))
    vocabulary = Vocabulary.load(day)
    history = _history(versions, in_force, day, vocabulary)
    main = _main(history)
    since, reason = _since(main)
    coming = next((c.version for c in history if c.standing == Standing.COMING and c is not main), None)
    retirement = Retirement.objects.select_related("edition").filter(item__code=code).first()
    return Account(
        item=main.version.item, words=in_words(main.version, vocabulary), standing=main.standing, since=since,
        reason=reason, coming=coming, retirement=retirement, history=history[::-1],
    )  # fmt: skip


def _history(versions: list[ItemVersion], in_force: set[int], day: date, vocabulary: Vocabulary) -> list[Chapter]:
    chapters, before = [], None
    for version in versions:
        entries = version.entries.all()
        chapters.append(
            Chapter(
                version=version,
                standing=_standing(version, versions, in_force, day),
                edition=entries[0].edition if entries else None,
                changes=changes(before, version, vocabulary.known) if before else [],
            )
        )
        before = version
    return chapters


def _standing(version: ItemVersion, versions: list[ItemVersion], in_force: set[int], day: date) -> Standing:
    last = version.effective.upper
    if (
        last
        and last <= day
        and (version.state != State.RETIRED or any(other.effective.lower == last for other in versions))
    ):
        return Standing.ENDED
    if version.state == State.RETIRED:
        return Standing.RETIRED
    if version.state == State.SUSPENDED:
        return Standing.SUSPENDED
    if version.effective.lower > day:
        return Standing.COMING
    return Standing.IN_FORCE if version.pk in in_force else Standing.SUSPENDED


def _main(history: list[Chapter]) -> Chapter:
    """Choose the version that the page is about: what stands today, else what comes, else the last there was."""
    for standing in (Standing.IN_FORCE, Standing.SUSPENDED, Standing.COMING):
        for chapter in reversed(history):
            if chapter.standing == standing:
                return chapter
    return history[-1]


def _since(chapter: Chapter) -> tuple[datetime | None, str]:
    """Return when and why a version was stopped; without a step the night that takes it is still to come."""
    state = {Standing.SUSPENDED: State.SUSPENDED, Standing.RETIRED: State.RETIRED}.get(chapter.standing)
    if state is None:
        return None, ""
    taken = [step for step in chapter.version.steps.all() if step.to_state == state]
    if taken:
        return taken[-1].at, taken[-1].note
    return None, "依据已失效或者影响评估已到期"


# --- editions -------------------------------------------------------------------------------------------------


def editions() -> "QuerySet[Edition]":
    """Return the editions, the latest first, with the unit that published each."""
    return Edition.objects.select_related("published_by__organisation", "previous", "next").order_by("-id")


def edition_called(number: str) -> Edition | None:
    """Return an edition by its number."""
    return editions().filter(number=number).first()


# --- consultations ---------------------------------------------------------------------------------------------

# Where the text that people were asked about stands fixed. Sent back to its drafter it is a draft like any other.
_ASKED = (State.CONSULTATION, State.APPROVED, State.PUBLISHED, State.IN_FORCE, State.SUSPENDED, State.RETIRED)


@dataclass(frozen=True)
class Asked:
    """A consultation as anybody may read it; no words while the draft is back with its drafter."""

    consultation: Consultation
    is_open: bool
    words: Words | None
    changes: list[Change]
    answered: "QuerySet[Comment]"
    waiting: int


def consultations() -> "QuerySet[Consultation]":
    """Return all consultations, the latest first."""
    return Consultation.objects.select_related("item_version__item__provider").order_by("-opened_on", "-id")


def is_open(consultation: Consultation, day: date) -> bool:
    """Tell whether the public can say something: in its days, not closed, and the draft not withdrawn from it."""
    on_time = consultation.opened_on <= day <= consultation.closes_on and consultation.closed_at is None
    return on_time and consultation.item_version.state == State.CONSULTATION


def asked_about(pk: int, day: date) -> Asked | None:
    """Return a consultation with the draft in plain words and what was said and answered."""
    consultation = consultations().filter(pk=pk).first()
    if consultation is None:
        return None
    words, changed = None, []
    if consultation.item_version.state in _ASKED:
        vocabulary = Vocabulary.load(day)
        version = complete(ItemVersion.objects.filter(pk=consultation.item_version_id)).get()
        words = in_words(version, vocabulary)
        before = (
            complete(published().filter(item=version.item_id, version__lt=version.version)).order_by("version").last()
        )
        changed = changes(before, version, vocabulary.known) if before else []
    said = consultation.comments.order_by("-id")
    return Asked(
        consultation=consultation, is_open=is_open(consultation, day), words=words, changes=changed,
        answered=said.exclude(answer=""), waiting=said.filter(answer="").count(),
    )  # fmt: skip


# --- rules -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shelf:
    """Instruments of one level."""

    level: str
    instruments: list[Instrument]


def instruments_by_level() -> list[Shelf]:
    """Return all instruments with their articles, the highest level first."""
    rows = Instrument.objects.select_related("superseded_by", "territory").prefetch_related("articles")
    return _shelves(rows.order_by("level", "-effective_on", "code"))


def _shelves(rows: Iterable[Instrument]) -> list[Shelf]:
    shelves: list[Shelf] = []
    for row in rows:
        label = Level(row.level).label
        if not shelves or shelves[-1].level != label:
            shelves.append(Shelf(label, []))
        shelves[-1].instruments.append(row)
    return shelves


def deadlines_in_force(day: date) -> "QuerySet[DeadlineRule]":
    """Return the deadline rules that answer for a day, in the order of the table."""
    return DeadlineRule.objects.in_force(day).order_by("code")


def official_years() -> "QuerySet[CalendarEdition]":
    """Return the years whose working days come from the State Council's notice, the latest first."""
    return CalendarEdition.objects.filter(state="in_force").prefetch_related("days").order_by("-year")
