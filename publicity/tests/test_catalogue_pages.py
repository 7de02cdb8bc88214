"""Anybody reads in plain words what may be collected, why, who sees it, until when, and what one can do."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import User
from catalogue import actions
from catalogue.models import Comment, Instrument, Item, ItemVersion, Retirement
from catalogue.tests.consulting import consulted
from catalogue.tests.editions import approved, assessed, publish, retire, submitted
from catalogue.tests.many import many_items
from creditfujian.tests.cast import Cast
from creditfujian.tests.query_counts import counted

COUNTS = Path(__file__).parent / "query_counts.json"
PENALTIES, TRANSPORT, LICENCES = "FJ1-03-MRKT-0001", "FJ1-03-TRAN-0001", "FJ1-03-HRSS-0001"
As = Callable[[User | None], Client]


def read(client: Client, path: str, status: int = 200) -> str:
    """What the page's main part says, without tags."""
    answer = client.get(path)
    assert answer.status_code == status, path
    main = answer.content.decode().split("<main")[1].split("</main>")[0]
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", main)))


def codes(client: Client, query: str) -> list[str]:
    """The items that the list shows for a query."""
    return re.findall(r"FJ1-\d\d-[A-Z]{4}-\d{4}", read(client, f"/catalogue/?{query}"))


# --- one item -----------------------------------------------------------------------------------------------


def test_a_newcomer_learns_why_who_until_when_and_what_to_do(cast: Cast, client: Client) -> None:
    page = read(client, f"/catalogue/{PENALTIES}/")
    for why in (
        "违反市场监督管理法律法规",
        "行政处罚法》第四十八条",
        "具有一定社会影响的行政处罚决定应当依法公开",
        "法律 ·",
        "已核对",
    ):
        assert why in page
    for who in (
        "省市场监督管理局",
        "逐件标明“依法公开”",
        "陈*",
        "3599************1X",
        "须有您本人的授权",
        "随时可以看到全部内容",
    ):
        assert who in page
    for until in (
        "不公示",
        "最短公示 3 个月，最长公示 1 年",
        "最短公示 1 年，最长公示 3 年",
        "5 年内可以查",
        "到期当天自动撤下",
    ):
        assert until in page
    for what in (
        "申请信用修复",
        "起满 3 个月后",
        "不收费",
        "提出异议",
        "5 个工作日内答复",
        "60 日内申请行政复议",
        "6 个月内提起行政诉讼",
    ):
        assert what in page
    assert "行政拘留：治安管理违法记录依法封存" in page
    assert "认定文书送达您时" in page


def test_the_formal_table_has_all_columns(cast: Cast, client: Client) -> None:
    page = read(client, f"/catalogue/{PENALTIES}/").split("目录原文")[1]
    for title in ("条目编码", "脱敏规则", "修订说明", "征求意见情况"):
        assert title in page


def test_what_a_third_person_may_not_see_is_said_too(cast: Cast, client: Client) -> None:
    page = read(client, f"/catalogue/{TRANSPORT}/")
    assert "任何时候都不公开" in page
    table = page.split("归集哪些内容")[2].split("不归集什么")[0]
    assert "有权部门" in table
    assert "公众" not in table  # whatever the fields say, the item is not public
    assert "经授权的机构" not in table
    assert "公示期（自" not in page


def test_the_departments_and_their_duties_are_named(cast: Cast, client: Client) -> None:
    draft = actions.start_draft(cast.item, by=cast.data_officer)
    scope = draft.scopes.model(organisation=cast.transport, duty_code="350000-JT-1", duty_name="道路运输经营许可")
    actions.write_draft(draft, by=cast.data_officer, scopes=[scope])
    _through(cast, draft)
    publish(cast)
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        actions.nightly()
        page = read(client, f"/catalogue/{PENALTIES}/")
    assert "省交通运输厅" in page
    assert "道路运输经营许可" in page


def _through(cast: Cast, draft: ItemVersion) -> None:
    actions.submit(draft, by=cast.data_officer)
    actions.take_up(draft, by=cast.legal_reviewer)
    actions.pass_review(draft, by=cast.legal_reviewer, note="依据充分")
    actions.approve(draft, by=cast.credit_office)


def test_an_unknown_code_is_not_found(cast: Cast, client: Client) -> None:
    assert client.get("/catalogue/FJ1-03-MRKT-9999/").status_code == 404
    assert client.get("/catalogue/editions/FJ-1999-01/").status_code == 404
    assert client.get("/catalogue/consultations/12345/").status_code == 404
    assert client.get("/catalogue/catalogue.exe").status_code == 404


def test_a_new_version_is_announced_compared_and_then_in_force(cast: Cast, client: Client) -> None:
    approved(cast, query_retention_months=36, change_note="缩短查询期限")
    edition = publish(cast)
    before = read(client, f"/catalogue/{PENALTIES}/")
    assert "第 2 版已经发布" in before
    assert "5 年内可以查" in before
    assert "缩短查询期限" in before
    assert "查询披露期限（月）原来60现在36" in before.replace(" ", "")
    assert edition.number in before
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        actions.nightly()
        after = read(client, f"/catalogue/{PENALTIES}/")
    assert "3 年内可以查" in after
    assert "已被新版替代" in after


def test_a_suspended_item_says_so_since_when_and_why(cast: Cast, client: Client) -> None:
    actions.suspend(cast.item.versions.get(), by=cast.credit_office, note="依据正在修订")
    page = read(client, f"/catalogue/{PENALTIES}/")
    assert "这一项已暂停" in page
    assert f"{timezone.localdate():%Y}年" in page.split("这一项已暂停")[1][:20]
    assert "依据正在修订" in page
    assert PENALTIES not in codes(client, "")
    assert codes(client, "standing=suspended") == [PENALTIES]


def test_an_item_whose_basis_ended_today_is_shown_as_suspended_before_the_night_job(cast: Cast, client: Client) -> None:
    for basis in cast.item.versions.get().legal_bases.select_related("instrument"):
        Instrument.objects.filter(pk=basis.instrument_id).update(repealed_on=timezone.localdate())
    assert "这一项已暂停" in read(client, f"/catalogue/{PENALTIES}/")
    assert PENALTIES in codes(client, "standing=suspended")


def test_a_retired_item_says_so_and_what_becomes_of_its_records(cast: Cast, client: Client) -> None:
    edition = retire(cast, cast.item, Retirement.OldRecords.WITHDRAW)
    page = read(client, f"/catalogue/{PENALTIES}/")
    assert "这一项已停用" in page
    assert "主管部门不再认定" in page
    assert "停用之日起全部不再提供" in page
    assert codes(client, "standing=retired") == [PENALTIES]
    changed = read(client, f"/catalogue/editions/{edition.number}/")
    assert "停用 1 项" in changed
    assert "停用之日起全部不再提供" in changed


# --- drafts stay inside ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["draft", "submitted", "assessed", "approved"])
def test_a_draft_under_way_is_never_shown(cast: Cast, client: Client, way: str) -> None:
    name = "尚未公布的新名称"
    if way == "draft":
        draft = actions.start_draft(cast.item, by=cast.data_officer)
        actions.write_draft(draft, by=cast.data_officer, values={"name": name})
    else:
        {"submitted": submitted, "assessed": assessed, "approved": approved}[way](cast, name=name)
    for path in ("/", "/catalogue/", f"/catalogue/?words={name}", f"/catalogue/{PENALTIES}/", "/catalogue/editions/",
                 "/catalogue/editions/FJ-2021-01/", "/catalogue/consultations/"):  # fmt: skip
        text = client.get(path).content.decode().replace(f'value="{name}"', "")
        assert name not in text, path
    for kind in ("csv", "json"):
        assert name not in client.get(f"/catalogue/catalogue.{kind}").content.decode()


def test_an_item_that_is_only_a_draft_does_not_exist_for_the_public(cast: Cast, client: Client) -> None:
    consultation = consulted(cast)
    assert client.get("/catalogue/FJ1-03-MRKT-0900/").status_code == 404
    assert "餐饮服务食品安全处罚" not in read(client, "/catalogue/")
    assert "餐饮服务食品安全处罚" in read(client, f"/catalogue/consultations/{consultation.pk}/")


# --- the list ---------------------------------------------------------------------------------------------------


def test_the_list_says_what_who_and_until_when(cast: Cast, client: Client) -> None:
    page = read(client, "/catalogue/")
    for words in (
        "违反市场监督管理法律法规",
        "省市场监督管理局",
        "公开：公众可以查到",
        "公示最长 3 年，查询 5 年",
        f"共 {Item.objects.count()} 项",
    ):
        assert words in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("disclosure=PUBLIC", [PENALTIES]),
        ("disclosure=SHARE", [TRANSPORT]),
        ("polarity=B", [LICENCES]),
        ("category=03", [LICENCES, PENALTIES, TRANSPORT]),
        ("category=06", []),
        ("words=道路运输", [TRANSPORT]),
        ("words=处罚+市场", [PENALTIES]),
        ("words=mrkt-0001", [PENALTIES]),
        ("words=处罚&disclosure=SHARE", [TRANSPORT]),
        ("words=没有这样的词", []),
        ("standing=coming", []),
    ],
)
def test_filters_and_words(cast: Cast, client: Client, query: str, found: list[str]) -> None:
    assert {PENALTIES, TRANSPORT, LICENCES} & set(codes(client, query)) == set(found)


def test_one_provider(cast: Cast, client: Client) -> None:
    assert codes(client, f"provider={cast.transport.uscc}") == [TRANSPORT]


def test_a_choice_that_does_not_exist_is_explained_and_changes_nothing(cast: Cast, client: Client) -> None:
    page = client.get("/catalogue/?category=99").content.decode()
    assert "99" in page
    assert 'class="wrong"' in page
    assert codes(client, "category=99") == codes(client, "")


def test_the_number_of_queries_does_not_grow_with_the_catalogue(cast: Cast, client: Client) -> None:
    first = many_items(cast, 5)
    pages = {"list": "/catalogue/", "filtered list": "/catalogue/?words=处罚&disclosure=PUBLIC", "item": f"/catalogue/{PENALTIES}/",
             "editions": "/catalogue/editions/", "edition": f"/catalogue/editions/{first.number}/",
             "csv": "/catalogue/catalogue.csv", "json": "/catalogue/catalogue.json", "home": "/"}  # fmt: skip
    for name, path in pages.items():
        with counted(name, COUNTS):
            assert client.get(path).status_code == 200
    more = many_items(cast, 120, first=2000)  # a query per item would show as 120 more
    pages["edition"] = f"/catalogue/editions/{more.number}/"
    for name, path in pages.items():
        with counted(name, COUNTS):
            assert client.get(path).status_code == 200
    page = read(client, "/catalogue/?words=处罚")
    assert "第 1 页，共 3 页" in page
    assert page.count("FJ1-") == 50
    link = re.search(r'href="\?([^"]+page=2)"', client.get("/catalogue/?words=处罚").content.decode())
    assert link is not None
    assert "第 2 页" in read(client, f"/catalogue/?{unescape(link[1])}")
    assert "words=" in link[1]


# --- consultations ------------------------------------------------------------------------------------------------


def test_anybody_may_say_something_and_reads_the_answer(cast: Cast, client: Client) -> None:
    consultation = consulted(cast)
    path = f"/catalogue/consultations/{consultation.pk}/"
    assert "正在征求意见" in read(client, "/catalogue/consultations/")
    page = read(client, path)
    for words in ("本省餐饮行业治理需要", "违反餐饮食品安全规定受到处罚", "福建省社会信用条例", "当天仍可提", "未核实"):
        assert words in page
    answer = client.post(path, {"text": "建议缩短查询期限"}, follow=True)
    assert "已收到您的意见" in answer.content.decode()
    said = Comment.objects.get()
    page = read(client, path)
    assert "1 条意见等待答复" in page
    actions.answer(said, by=cast.credit_office, text="采纳，改为三年")
    page = read(client, path)
    assert "建议缩短查询期限" in page
    assert "采纳，改为三年" in page


def test_numbers_are_refused_and_nothing_typed_is_lost(cast: Cast, client: Client) -> None:
    path = f"/catalogue/consultations/{consulted(cast).pk}/"
    answer = client.post(path, {"text": "请致电 13800138000 联系我"})
    assert answer.status_code == 422
    assert "手机号码" in answer.content.decode()
    assert "请致电 13800138000 联系我" in answer.content.decode()
    assert client.post(path, {"text": " "}).status_code == 422
    assert Comment.objects.count() == 0


def test_an_address_may_comment_so_often_in_an_hour(cast: Cast, client: Client, settings: Any) -> None:
    settings.COMMENTS_PER_HOUR = 2
    path = f"/catalogue/consultations/{consulted(cast).pk}/"
    for n in range(2):
        assert client.post(path, {"text": f"第 {n} 条意见"}).status_code == 302
    answer = client.post(path, {"text": "第三条意见"})
    assert answer.status_code == 429
    assert answer.headers["Retry-After"]
    assert "第三条意见" in answer.content.decode()
    assert client.post(path, {"text": "别处的意见"}, REMOTE_ADDR="192.0.2.77").status_code == 302
    assert Comment.objects.count() == 3


def test_a_closed_consultation_shows_its_outcome_and_takes_no_more(cast: Cast, client: Client) -> None:
    with time_machine.travel(timezone.now() - timedelta(days=40)):
        consultation = consulted(cast)
    path = f"/catalogue/consultations/{consultation.pk}/"
    assert "正在逐条答复" in read(client, path)
    actions.close_consultation(consultation, by=cast.credit_office_2, outcome="没有收到不同意见")
    page = read(client, path)
    assert "没有收到不同意见" in page
    assert "提交意见" not in page
    assert "已结束" in read(client, "/catalogue/consultations/")
    late = client.post(path, {"text": "来晚了的意见"})
    assert late.status_code == 422
    assert "征求意见已经结束" in late.content.decode()
    assert "来晚了的意见" in late.content.decode()


def test_a_draft_sent_back_is_hidden_again_and_people_get_the_whole_time_for_the_new_text(
    cast: Cast, client: Client
) -> None:
    consultation = consulted(cast)
    path = f"/catalogue/consultations/{consultation.pk}/"
    with time_machine.travel(timezone.now() + timedelta(days=20)):
        draft = actions.send_back(consultation.item_version, by=cast.credit_office_2, note="按意见修改")
        actions.write_draft(draft, by=cast.data_officer, values={"name": "改到一半的名称"})
        assert "改到一半的名称" not in read(client, path) + read(client, "/catalogue/consultations/")
        assert "征求意见中止" in read(client, path)
        assert client.post(path, {"text": "还能说吗"}).status_code == 422
        actions.submit(draft, by=cast.data_officer)
        actions.take_up(draft, by=cast.legal_reviewer)
        actions.pass_review(draft, by=cast.legal_reviewer, note="依据充分")
        again = actions.open_consultation(draft, by=cast.credit_office_2, explanation="修改后再次征求")
        assert again.pk == consultation.pk
        assert again.closes_on == timezone.localdate() + timedelta(days=30)
        assert "改到一半的名称" in read(client, path)


# --- rules ----------------------------------------------------------------------------------------------------------


def test_the_rules_name_their_sources_and_how_sure_we_are(cast: Cast, client: Client) -> None:
    old, new = Instrument.objects.get(code="XZXKF"), Instrument.objects.get(code="XZCFF")
    Instrument.objects.filter(pk=old.pk).update(repealed_on=date(2025, 1, 1), superseded_by=new)
    page = read(client, "/rules/")
    for words in ("2025年1月1日起废止，由《中华人民共和国行政处罚法》替代", "已废止", "已核对", "待核对", "未核实", "本站设定",
                  "10 个工作日，可延长一次", "《行政复议法》第二十条", "2026 年 官方", "2027 年及以后 暂定"):  # fmt: skip
        assert words in page


def test_what_is_never_collected_has_one_home(client: Client, db: None) -> None:
    page = read(client, "/rules/prohibited/")
    for words in ("宗教信仰", "征信业管理条例第十四条", "整行退回", "血型"):
        assert words in page
    other = client.get("/about/what-we-do-not-do/").content.decode()
    assert 'href="/rules/prohibited/"' in other
    assert "<table" not in other


# --- everybody's pages -------------------------------------------------------------------------------------------------


def test_the_home_page_leads_to_the_items(cast: Cast, client: Client) -> None:
    page = client.get("/").content.decode()
    assert f'href="/catalogue/{PENALTIES}/"' in page
    assert 'href="/rules/"' in page


def test_search_engines_and_caches_are_welcome_but_not_to_the_pages_of_those_signed_in(cast: Cast, as_user: As) -> None:
    for path in ("/catalogue/", f"/catalogue/{PENALTIES}/", "/catalogue/editions/", "/rules/", "/rules/prohibited/",
                 "/catalogue/catalogue.csv", "/catalogue/schema.json"):  # fmt: skip
        answer = as_user(None).get(path)
        assert "public" in answer.headers["Cache-Control"], path
        assert "Cookie" in answer.headers["Vary"]
        assert not answer.cookies, path
        assert b"noindex" not in answer.content
        assert "no-store" in as_user(cast.citizen).get(path).headers["Cache-Control"], path
    assert "no-store" in as_user(None).get("/lookup/").headers["Cache-Control"]
    assert b"noindex" in as_user(None).get("/lookup/").content


def test_a_page_kept_for_everybody_never_holds_a_message_for_one(cast: Cast, client: Client) -> None:
    path = f"/catalogue/consultations/{consulted(cast).pk}/"
    client.post(path, {"text": "同意"})  # the message waits for the next page, whichever it is
    answer = client.get("/catalogue/")
    assert "已收到您的意见" in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
