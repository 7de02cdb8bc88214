"""What happened to a record, as its officer and its person read it."""

from collections.abc import Callable
from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from access.actions import Asker
from access.models import Query
from accounts.models import User
from creditfujian.tests.cast import Cast, make_cast
from records import actions, acts, reports
from records.life_models import RecordAct
from records.models import Batch, record_key
from records.reading import own_file
from records.statements import state, take_back
from records.tests.deliveries import deliver, penalty
from records.tests.life import done, one_record
from records.tests.listings import opened
from records.tests.persons import agreed, merging, moving
from records.timeline import own_file_with_steps

As = Callable[[User | None], Client]
Kind = RecordAct.Kind


def told(cast: Cast, number: str, officer: User, as_user: As) -> list[tuple[str, str, list[str]]]:
    """The steps on the officer's page of a record, newest first."""
    request = opened(cast, officer)
    page = as_user(officer).get(f"/admin/records/record/{record_key(number)}/change/?r={request.pk}")
    return [(step.what, step.by, step.lines) for step in page.context["found"].steps]


def own(cast: Cast) -> list[tuple[str, str, list[str]]]:
    _, [(_, steps)] = own_file_with_steps(cast.citizen.person, by=Asker(cast.citizen, "公示网站"))
    return [(step.what, step.by, step.lines) for step in steps]


def test_the_officer_reads_deliveries_acts_and_marks_in_order_with_their_numbers(cast: Cast, as_user: As) -> None:
    number = one_record(cast)
    day = date(2026, 11, 1)
    mark = acts.mark(Kind.REVIEW, [number], organisation=cast.market, by=cast.data_officer, reason="已申请复议",
                     document_no="闽政行复〔2026〕1号", document_date=day)  # fmt: skip
    state(cast.citizen.person, number, "已整改。", by=Asker(cast.citizen, "公示网站"))
    withdrawn = done(cast, Kind.WITHDRAW, number)
    restored = done(cast, Kind.RESTORE, number)
    asked = acts.ask(Kind.WITHDRAW, [number], by=cast.data_officer, reason="再看一次")
    batch = Batch.objects.get()
    assert told(cast, number, cast.officer_here, as_user) == [
        ("恢复", f"审核员乙，办理单 {restored.number}", ["已撤回 → 有效"]),
        ("撤回", f"审核员乙，办理单 {withdrawn.number}", ["有效 → 已撤回"]),
        ("本人作出声明", "本人", []),  # the words stand beside the record, earlier ones are the person's
        ("加注复议、诉讼标记", f"报送员甲，办理单 {mark.number}", ["依据 闽政行复〔2026〕1号"]),
        ("新增", f"审核员乙，批次 {batch.number}", ["第 1 版"]),
    ]
    mine = (
        told(cast, number, cast.data_reviewer, as_user) if cast.data_reviewer.has_perm("access.list_by_duty") else None
    )
    assert mine is None or mine[0][0] == "申请撤回：待审核"
    assert asked.number not in str(told(cast, number, cast.officer_here, as_user))


def test_the_person_reads_offices_their_own_words_and_their_reports_but_no_official(cast: Cast, as_user: As) -> None:
    number = one_record(cast)
    by = Asker(cast.citizen, "公示网站")
    state(cast.citizen.person, number, "已整改。", by=by)
    take_back(cast.citizen.person, number, by=by)
    act = done(cast, Kind.CANCEL, number)
    acts.ask(Kind.RESTORE, [number], by=cast.data_officer, reason="还没有决定的")
    assert own(cast) == [
        ("撤销（文书被撤销、变更或确认无效）", "省市场监督管理局", ["依据 闽市监撤〔2026〕1号", "有效 → 已撤销"]),
        ("本人更换或撤回声明", "本人", []),
        ("本人作出声明", "本人", ["已整改。"]),
        ("新增", "省市场监督管理局", ["第 1 版"]),
    ]
    page = as_user(cast.citizen).get("/me/file/").content.decode()
    assert "这条记录的经过（4 步）" in page
    for hidden in ("审核员乙", "报送员甲", act.number, Batch.objects.get().number, act.reason):
        assert hidden not in page


def test_the_person_sees_which_reports_named_the_record_and_no_officer_does(cast: Cast, as_user: As) -> None:
    number = one_record(cast)
    report = reports.issue(cast.citizen.person, by=Asker(cast.citizen, "公示网站")).report
    assert ("载入信用报告", "本人网上下载", [f"{report.number}，第 1 版"]) in own(cast)
    assert report.number not in str(told(cast, number, cast.officer_here, as_user))


def test_opening_is_one_line_and_a_constant_number_of_queries(cast: Cast, as_user: As) -> None:
    state(cast.citizen.person, one_record(cast), "已整改。", by=Asker(cast.citizen, "公示网站"))
    citizen = as_user(cast.citizen)
    citizen.get("/me/file/")
    lines = Query.objects.count()
    with CaptureQueriesContext(connection) as few:
        citizen.get("/me/file/")
    assert Query.objects.count() == lines + 1
    deliver(cast, [penalty(cast, 行政处罚决定书文号=f"闽市监处罚〔2026〕{n}号") for n in range(2, 12)])
    for view in own_file(cast.citizen.person, by=Asker(cast.citizen, "公示网站")).records:
        state(cast.citizen.person, view.number, "已整改。", by=Asker(cast.citizen, "公示网站"))
    with CaptureQueriesContext(connection) as many:
        citizen.get("/me/file/")
    assert len(many) == len(few)


def test_a_withdrawn_batch_and_its_return_are_told(cast: Cast, as_user: As) -> None:
    number = one_record(cast)
    first = Batch.objects.get()
    actions.withdraw(first.pk, by=cast.data_officer, reason="报错了")
    deliver(cast, [penalty(cast, 处罚内容="吊销登记证，罚款七万元。", 罚款金额=7)])
    second = Batch.objects.latest("pk")
    assert told(cast, number, cast.officer_here, as_user) == [
        ("重新报送", f"审核员乙，批次 {second.number}", ["第 3 版", "已撤回 → 有效"]),
        ("撤回", f"报送员甲，批次 {first.number}", ["第 2 版", "有效 → 已撤回"]),
        ("新增", f"审核员乙，批次 {first.number}", ["第 1 版"]),
    ]


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_who_gets_a_misfiled_record_reads_that_it_was_moved_and_nothing_of_whom_it_stood_with() -> None:
    cast = make_cast()
    number = one_record(cast)
    state(cast.citizen.person, number, "这不是我。", by=Asker(cast.citizen, "公示网站"))
    reports.issue(cast.citizen.person, by=Asker(cast.citizen, "公示网站"))
    agreed(cast, moving(cast, [number]))
    _, [(_, steps)] = own_file_with_steps(cast.other_citizen.person, by=Asker(cast.other_citizen, "公示网站"))
    assert [step.what for step in steps] == ["记录归属更正", "新增"]
    assert not any("这不是我" in line for step in steps for line in step.lines)


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_after_a_merge_the_person_still_reads_their_own_words() -> None:
    cast = make_cast()
    number = one_record(cast)
    state(cast.citizen.person, number, "已整改。", by=Asker(cast.citizen, "公示网站"))
    agreed(cast, merging(cast))
    _, [(_, steps)] = own_file_with_steps(cast.other_citizen.person, by=Asker(cast.other_citizen, "公示网站"))
    assert ["已整改。"] in [step.lines for step in steps]
