"""What a credit report says, for paper and screen alike. Pure: everything is passed in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from django.utils import timezone

from access.models import Kind
from access.reading import Looks
from records.reading import File, View

TITLE = "个人公共信用信息报告"
PUBLISHER = "信用福建"
SHOWN_LOOKS = 40  # lines; what is beyond is summed up in a last one
EXPLANATION = [
    "本报告只列出各单位依征集目录归集的事实及其依据，不评分、不评级、不排序，也不作好坏结论。",
    "没有记录就是没有记录，不代表信用不好，也不需要另行说明。",
]
OMISSIONS = [
    "查询期已满的记录，以及已被提供单位撤回、被认定机关撤销的记录：依法不再提供，本报告不载，也不说明有无。",
    "正在告知您的、已修复的和异议核查期间暂停提供的记录：不向他人提供，本报告不载；您登录后可以看到。",
    "司法、监察、监督机关依法暂不告知本人的查询：本报告不载，也不说明有无；到期自动放出。",
    "正在暂停显示的本人声明：本报告不载；您登录后可以看到理由，修改后照常载明。",
    "征集目录以外的信息：不归集，本报告不会有。目录可在本站“目录”页查看。",
    "存款、贷款、信用卡等金融信用信息：由中国人民银行征信中心依《征信业管理条例》提供，与本报告无关。",
]
REMEDIES = [
    "认为内容错误、遗漏、超期或不应归集的，可以向作出机关或省信用办提出异议；受理后记录会标注“存在异议”，办理不收费。",
    "对异议处理结果不服的，可以向省信用办申请复核。",
    "不服行政处罚等决定的，可以自知道之日起 60 日内申请行政复议，或者 6 个月内提起行政诉讼；法律另有规定的从其规定。",
    "可以修复的记录，履行完义务后可以申请信用修复，不收费，不需要参加培训，也不需要提交信用报告。",
]


@dataclass(frozen=True)
class Mark:
    """A word beside a record, and how it is dressed (plain, public, danger, good)."""

    text: str
    tone: str = "plain"


@dataclass(frozen=True)
class Entry:
    """A record in the report."""

    title: str
    marks: list[Mark]
    facts: list[tuple[str, str]]
    notes: list[str]


@dataclass(frozen=True)
class Category:
    """The records of one category of the catalogue."""

    name: str
    records: list[Entry]
    public: int


@dataclass(frozen=True)
class Content:
    """The body of a report: what it says about the person at one time."""

    name: str
    id_number: str
    at: datetime
    records: int
    public: int
    categories: list[Category]
    empty: list[str]
    looks: str
    look_lines: list[tuple[str, str, str, str]]
    omissions: list[str]
    explanation: list[str] = field(default_factory=lambda: list(EXPLANATION))
    remedies: list[str] = field(default_factory=lambda: list(REMEDIES))

    @property
    def summary(self) -> str:
        """Say in one sentence what there is."""
        moment = f"截至 {clock(self.at)}"
        if not self.records:
            return f"{moment}，系统里没有关于报告主体的公共信用记录。"
        shown = f"其中 {self.public} 条正在依法公示" if self.public else "均不对公众公示"
        return f"{moment}，系统里关于报告主体的公共信用记录共 {self.records} 条，{shown}。"


def content(
    file: File,
    looks: Sequence[Looks],
    *,
    at: datetime,
    since: date,
    names: dict[str, str],
    suspended: Sequence[str] = (),
) -> Content:
    """Put a person's file and who looked at it into the words of a report; `names` are the categories by code."""
    categories = []
    for code, name in names.items():
        views = [view for view in file.records if view.item_code.split("-")[1] == code]
        if views:
            entries = [_entry(view) for view in views]
            categories.append(Category(name, entries, sum(view.is_public for view in views)))
    found = {category.name for category in categories}
    omitted = (
        [
            f"已暂停的目录条目（{'、'.join(suspended)}）：暂停期间不再归集，也不向他人提供；本报告不载，本人登录后可以看到。"
        ]
        if suspended
        else []
    )
    return Content(
        name=file.name, id_number=file.id_number, at=at, records=len(file.records),
        public=sum(view.is_public for view in file.records), categories=categories,
        empty=[name for name in names.values() if name not in found],
        looks=_looks(looks, since), look_lines=_look_lines(looks), omissions=[*OMISSIONS, *omitted],
    )  # fmt: skip


def marks(view: View) -> list[Mark]:
    """Return what stands beside a record: how grave, disputed or not, public or not."""
    found = []
    if view.severity and view.severity != "不适用":
        found.append(Mark(f"失信程度：{view.severity}", "danger" if view.severity == "严重" else "plain"))
    if view.objected:
        found.append(Mark("存在异议", "danger"))
    if view.under_review:
        found.append(Mark("复议、诉讼中", "danger"))
    if view.version > 1:
        found.append(Mark(f"已变更，第 {view.version} 版"))
    found.append(Mark("公示中", "public") if view.is_public else Mark("不对公众公示", "good"))
    return found


def _entry(view: View) -> Entry:
    facts = [("作出机关", view.decider), ("文书号", view.doc_no), ("作出日期", day(view.doc_date))]
    facts += [(fact.label, fact.value) for fact in view.facts]
    if view.public_from and view.public_until:
        facts.append(("公示期", f"{day(view.public_from)} 起，{day(view.public_until)} 当天撤下"))
    facts += [
        ("查询期至", f"{day(view.query_until)}（当天起不再向任何人提供）"),
        ("提供单位", view.provider),
        ("归集依据", "；".join(view.bases) or "见征集目录"),
    ]
    if view.public_basis and view.public_until:
        facts.append(("公开依据", view.public_basis))
    if view.statement and view.statement_on:
        facts.append(("本人声明", f"{view.statement}（{day(view.statement_on)} 由本人作出，本站不作核实）"))
    facts.append(("记录编号", f"{view.number}（第 {view.version} 版）"))
    return Entry(view.item_name, marks(view), facts, _notes(view))


def _notes(view: View) -> list[str]:
    if not view.repairable:
        return []
    since = f"自 {day(view.repair_from)} 起，" if view.repair_from else ""
    return [f"信用修复：{since}履行完义务并作出信用承诺的，可以向作出机关申请，不收费。"]


def _looks(looks: Sequence[Looks], since: date) -> str:
    own = sum(look.times for look in looks if look.kind is Kind.SELF)
    refused = sum(look.times for look in looks if look.refused)
    others = sum(look.times for look in looks if look.kind is not Kind.SELF) - refused
    sentence = f"自 {day(since)} 起，别人查询 {others} 次，本人网上查询 {own} 次（含本次）"
    if not any(look.kind is Kind.SELF for look in looks):
        sentence = f"自 {day(since)} 起，别人查询和窗口查询共 {others} 次（含本次），本人没有网上查询"
    return f"{sentence}；另有 {refused} 次查询因没有依据被拒绝。" if refused else f"{sentence}。"


def _look_lines(looks: Sequence[Looks]) -> list[tuple[str, str, str, str]]:
    lines = [
        (
            look.unit or ("公众" if look.kind is Kind.PUBLIC else "未列明单位"),
            f"{look.kind.label}：{look.purpose}" + ("（已拒绝）" if look.refused else ""),
            str(look.times),
            timezone.localtime(look.last).date().isoformat(),
        )
        for look in looks
        if look.kind is not Kind.SELF
    ]
    if len(lines) > SHOWN_LOOKS:
        rest = sum(int(line[2]) for line in lines[SHOWN_LOOKS:])
        lines = [*lines[:SHOWN_LOOKS], ("其余", "见“谁查了我”", str(rest), lines[SHOWN_LOOKS][3])]
    return lines


@dataclass(frozen=True)
class Cover:
    """What makes a report out of the content: its number, who issued it, how it is checked."""

    number: str
    how: str
    code: str
    verify_url: str
    qr: str


def sheet(body: Content, cover: Cover) -> dict[str, Any]:
    """Return the report as the type-setter takes it."""
    utc = body.at.astimezone(UTC)
    return {
        "title": TITLE, "publisher": PUBLISHER, "number": cover.number,
        "at": [utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second],
        "watermark": f"{PUBLISHER} 免费出具", "footer": "免费出具。持编号和验证码可在线核验；涂改无效。",
        "head": [
            ["报告编号", cover.number], ["报告主体", body.name], ["证件号码", body.id_number],
            ["出具时间", clock(body.at)], ["出具方式", cover.how],
        ],
        "qr": cover.qr, "code": cover.code,
        "verify": f"在 {cover.verify_url} 填写编号和验证码，可知报告是否真实，以及出具后记录有没有新增、变更或终止（只显示条数）。"
        "请只把验证码交给您同意的人。",
        "summary": body.summary, "explanation": body.explanation,
        "counts": [[c.name, str(len(c.records)), str(c.public)] for c in body.categories],
        "categories": [
            {"name": c.name, "records": [
                {"title": e.title, "marks": [{"text": m.text, "tone": m.tone} for m in e.marks],
                 "facts": [list(fact) for fact in e.facts], "notes": e.notes}
                for e in c.records]}
            for c in body.categories
        ],
        "empty": f"{'、'.join(body.empty)}：暂无数据。" if body.empty else "",
        "looks": {"sentence": body.looks, "rows": [list(line) for line in body.look_lines]},
        "omissions": body.omissions, "remedies": body.remedies, "missing": "",
    }  # fmt: skip


def day(when: date) -> str:
    """Return a day as people write it."""
    return f"{when.year}年{when.month}月{when.day}日"


def clock(when: datetime) -> str:
    """Return a moment in local time."""
    local = timezone.localtime(when)
    return f"{day(local)} {local:%H:%M:%S}"
