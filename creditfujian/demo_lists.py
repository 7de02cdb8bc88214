"""Demo of what officers keep for themselves and for each other: saved views, a work list half done, words held back."""

from datetime import timedelta

from django.utils import timezone

from access.actions import Asker
from access.models import Purpose, Reach, Request
from accounts.models import User
from catalogue.models import Item, PublicationPeriod
from records import bulk, holds, listing, work_lists
from records.listing import Filters, ListRegistration
from records.models import WorkListEntry
from records.reading import own_file
from records.statements import state

Severity, Finding = PublicationPeriod.Severity, WorkListEntry.Finding
VIEWS = {
    "严重且公示中": Filters(severity=Severity.SERIOUS, public=True),
    "30 天内结束公示": Filters(ends_within=30),
}


def load(item: Item) -> str:
    """Save views, hand records out and hold words back as people would; return what was done in words."""
    officer, colleague = (User.objects.get(username=name) for name in ("decider_officer", "decider_reviewer"))
    for owner in (officer, User.objects.get(username="data_officer")):
        for name, filters in VIEWS.items():
            listing.save_view(owner, name=name, is_default=False, filters=filters)
    made = _work_list(item, officer, colleague)
    hold = _held_words()
    return f"已存视图 {len(VIEWS)} 个，核对名单“{made}”，声明复核 {hold}"


def _work_list(item: Item, officer: User, colleague: User) -> str:
    """Put a page of records on a colleague's list, who has compared some with the papers."""
    by = Asker(officer, "工作平台")
    wish = ListRegistration(
        reach=Reach.BY_DUTY, items=[item], purpose=Purpose.SUPERVISION, purpose_text="第三季度案卷核对",
        duty_code="350000-MRKT-0107", case_no="闽市监核〔2026〕9号",
    )  # fmt: skip
    request = listing.register(wish, by=by)
    assert isinstance(request, Request)
    keys = listing.ids_for_a_job(request, Filters(severity=Severity.SERIOUS), None, most=30, by=by)
    assert isinstance(keys, list)
    job = bulk.start("work_list", request=request, record_ids=keys, params={}, by=officer)
    due = timezone.localdate() + timedelta(days=14)
    made = work_lists.make(job, title="三季度严重失信案卷核对", assigned_to=colleague, due_on=due, by=officer)
    bulk.run(job.pk)
    findings = [(Finding.AGREES, ""), (Finding.AGREES, ""), (Finding.DIFFERS, "罚款金额与决定书不一致")]
    for entry, (finding, note) in zip(made.entries.all(), findings, strict=False):
        work_lists.note_finding(entry.pk, finding, note, by=colleague)
    return made.title


def _held_words() -> str:
    """Let a citizen write about somebody else beside a record; two officials of the credit office hold it back."""
    citizen = User.objects.get(username="citizen2")
    asks, decides = (User.objects.get(username=name) for name in ("credit_office", "credit_office2"))
    assert citizen.person is not None
    by = Asker(citizen, "公示网站")
    number = own_file(citizen.person, by=by).records[0].number
    state(citizen.person, number, "已按期整改。隔壁店主王某住在同一栋楼，他也没有办证。", by=by)
    hold = holds.look(number, why="接到反映：声明写有他人住处", by=asks)
    holds.words_of(hold, by=Asker(asks, "工作平台"))
    holds.propose(hold.pk, ground="others", told="第二句写了别人的姓和住处，请删去这一句。", by=asks)
    holds.words_of(hold, by=Asker(decides, "工作平台"))
    return holds.decide(hold.pk, agree=True, by=decides).number
