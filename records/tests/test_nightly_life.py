"""What the calendar does: use begins, records end and are disposed of with proof; everything derived agrees at 00:00."""

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from access.actions import Asker
from catalogue.rules import items_for
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, Cast, browser_of, granted
from records import acts, life
from records.life_models import AnonymousCount, ArchivedRecord, Disposal, RecordAct, RecordEvent, Statement
from records.models import BatchRow, Record, SealedFile
from records.nightly import nightly
from records.reading import File, file_by_request, own_file, public_records, register
from records.statements import state as say
from records.tests.deliveries import decided, deliver, penalty
from records.tests.life import asker, at, done, one_record, owner_sql, states
from records.tests.test_gateway import registration
from records.timeline import own_file_with_steps

SHANGHAI = ZoneInfo("Asia/Shanghai")
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])


def midnight(day: date, seconds: int) -> datetime:
    """So many seconds after (or before) the day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI) + timedelta(seconds=seconds)


def row(number: str) -> dict[str, object]:
    keys = ("state", "publication", "query_until", "usable_from", "expired_on")
    found = owner_sql(f"SELECT {', '.join(keys)} FROM records_record WHERE id = %s", int(number[9:19]))
    return dict(zip(keys, found[0], strict=True)) if found else {}


def seen(cast: Cast) -> dict[str, int]:
    """How many records each way of looking shows right now."""
    if not items_for(cast.market, "query_item").filter(pk=cast.item.pk).exists():
        granted(cast, cast.market, cast.item, "query_item")  # by then a grant of today has run out
    with transaction.atomic():
        request = register(registration(cast), by=asker(cast.officer_here))
    duty = file_by_request(request, by=asker(cast.officer_here))  # type: ignore[arg-type]
    assert isinstance(duty, File)
    client = browser_of(cast.citizen)
    nobody = Asker(None, "公示网站")
    posted = Client().post("/lookup/", {"name": "陈小满", "number": CITIZEN_NUMBER})
    with transaction.atomic(), connection.cursor() as cursor:
        own_file(cast.citizen.person, by=Asker(cast.citizen, "公示网站"))
        cursor.execute("SELECT count(*) FROM records_record")
        by_sql = cursor.fetchone()[0]
    return {
        "own": len(own_file(cast.citizen.person, by=Asker(cast.citizen, "公示网站")).records),
        "own page": client.get("/me/file/").content.decode().count('class="record"'),
        "own sql": by_sql,
        "duty": len(duty.records),
        "public by number": len(public_records(name="陈小满", id_number=CITIZEN_NUMBER, by=nobody).records),
        "public by document": len(public_records(name="陈小满", doc_no="闽市监处罚〔2026〕1号", by=nobody).records),
        "public page": posted.content.decode().count('class="record"'),
    }


PUBLIC = ("public by number", "public by document", "public page")


def test_publication_ends_at_midnight_everywhere_at_once_before_any_job_ran(cast: Cast) -> None:
    last = row(one_record(cast))["publication"].upper  # type: ignore[attr-defined]
    with at(midnight(last, -1)):
        assert set(seen(cast).values()) == {1}
    with at(midnight(last, 1)):
        shown = seen(cast)
    assert {shown[way] for way in PUBLIC} == {0}
    assert {count for way, count in shown.items() if way not in PUBLIC} == {1}


def test_the_query_period_ends_at_midnight_everywhere_at_once_before_any_job_ran(cast: Cast) -> None:
    last = row(one_record(cast))["query_until"]
    assert isinstance(last, date)
    with at(midnight(last, -1)):
        shown = seen(cast)
        assert {shown["own"], shown["own page"], shown["own sql"]} == {1}
        # By then the item's impact assessment has run out, so that departments are shown nothing any more.
        assert shown["duty"] == 0
    with at(midnight(last, 1)):
        assert set(seen(cast).values()) == {0}


# --- notice before use ---------------------------------------------------------------------------------


@pytest.fixture
def noticed(cast: Cast) -> Cast:
    """The cast, with an item whose records wait for a notice of five working days."""
    owner_sql("ALTER TABLE catalogue_itemversion DISABLE TRIGGER USER")
    owner_sql("UPDATE catalogue_itemversion SET notice_mode = 'PRE' WHERE item_id = %s", cast.item.pk)
    owner_sql("ALTER TABLE catalogue_itemversion ENABLE TRIGGER USER")
    return cast


def test_a_record_under_notice_is_seen_by_the_person_alone_until_the_window_is_over(noticed: Cast) -> None:
    number = one_record(noticed)
    first = row(number)["usable_from"]
    assert isinstance(first, date)
    assert row(number)["state"] == Record.State.NOTICE_PENDING
    shown = seen(noticed)
    assert (shown["own"], shown["own page"], shown["duty"], shown["public by number"]) == (1, 1, 0, 0)
    with at(midnight(first, -1)):
        assert seen(noticed)["duty"] == 0
        assert life.begin_use() == 0
    with at(midnight(first, 1)):  # before the job of that night
        assert set(seen(noticed).values()) == {1}
        assert (life.begin_use(), life.begin_use()) == (1, 0)
        assert set(seen(noticed).values()) == {1}
        _, [(_, steps)] = own_file_with_steps(noticed.citizen.person, by=Asker(noticed.citizen, "公示网站"))
    assert states(number) == [(3, 1)]
    assert [step.what for step in steps] == ["告知期满，开始使用", "新增"]


def test_the_application_cannot_begin_use_early(noticed: Cast) -> None:
    number = one_record(noticed)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT records_begin_use(%s)", [[int(number[9:19])]])
    assert row(number)["state"] == Record.State.NOTICE_PENDING


# --- the end -------------------------------------------------------------------------------------------


def ended(cast: Cast, **changes: object) -> str:
    """A record with a statement; return its number."""
    number = one_record(cast, **changes)
    say(cast.citizen.person, number, "已按要求整改完毕，罚款已缴清。", by=Asker(cast.citizen, "公示网站"))
    return number


def keep_as(cast: Cast, rule: str) -> None:
    owner_sql("ALTER TABLE catalogue_itemversion DISABLE TRIGGER USER")
    owner_sql("UPDATE catalogue_itemversion SET storage_rule = %s WHERE item_id = %s", rule, cast.item.pk)
    owner_sql("ALTER TABLE catalogue_itemversion ENABLE TRIGGER USER")


def held() -> tuple[int, int, int, int]:
    return tuple(
        owner_sql(f"SELECT count(*) FROM {table}")[0][0]
        for table in ("records_record", "records_recordversion", "records_statement", "records_batchrow")
    )  # type: ignore[return-value]


def test_a_record_expires_on_its_day_and_is_deleted_with_proof_thirty_days_later(cast: Cast) -> None:
    number = ended(cast)
    last = row(number)["query_until"]
    assert isinstance(last, date)
    digest = owner_digest(number)
    with at(midnight(last - timedelta(days=1), 60)):
        assert nightly(last)["expired"] == 0
    with at(midnight(last, 600)):
        assert nightly(last)["expired"] == 1
        assert nightly(last)["expired"] == 0
    with at(midnight(last + timedelta(days=29), 600)):
        assert nightly(last)["disposed"] == 0
        assert held() == (1, 1, 1, 0)  # what was staged went long ago (D39)
    with at(midnight(last + timedelta(days=30), 600)):
        assert nightly(last)["disposed"] == 1
        assert nightly(last)["disposed"] == 0
    assert held() == (0, 0, 0, 0)
    proof = Disposal.objects.get()
    assert (proof.record_no, proof.rule, proof.versions, proof.statements) == (number, "DEL", 1, 1)
    assert (proof.expired_on, proof.disposed_on) == (last, last + timedelta(days=30))
    assert "个人信息保护法第四十七条" in proof.basis
    assert digest is not None
    assert proof.key_id == settings.FIELD_KEYRING.indexing
    assert len(bytes(proof.proof)) == 32
    assert states(number) == [(1, 6)]


def owner_digest(number: str) -> bytes | None:
    return owner_sql("SELECT content_hash FROM records_record WHERE id = %s", int(number[9:19]))[0][0]


def test_the_proof_holds_no_personal_data_and_cannot_be_made_without_the_key(cast: Cast) -> None:
    number = ended(cast)
    dispose_of(cast, number)
    line = owner_sql("SELECT row_to_json(d)::text FROM records_disposal d")[0][0]
    for private in (CITIZEN_NUMBER, "陈小满", "菌落", "闽市监处罚", "整改"):
        assert private not in line
    everything = owner_sql("SELECT coalesce(string_agg(row_to_json(e)::text, ''), '') FROM records_recordevent e")[0][0]
    assert "陈小满" not in everything and "菌落" not in everything


def dispose_of(cast: Cast, number: str) -> None:
    last = row(number)["query_until"]
    assert isinstance(last, date)
    with at(midnight(last, 600)):
        life.expire()
    with at(midnight(last + timedelta(days=30), 600)):
        life.dispose()


def test_the_sealed_file_goes_with_its_last_record(cast: Cast) -> None:
    other = penalty(cast, 行政相对人名称="林大雪", 证件号码=OTHER_NUMBER, 行政处罚决定书文号="闽市监处罚〔2026〕2号",
                    处罚决定日期=decided(20))  # fmt: skip
    deliver(cast, [penalty(cast), other])
    file = SealedFile.objects.get()
    path = Path(settings.MEDIA_ROOT) / "sealed" / file.sha256[:2] / file.sha256
    rows = owner_sql("SELECT query_until FROM records_record ORDER BY query_until")
    for (last,), left in zip(rows, (1, 0), strict=True):
        with at(midnight(last, 600)):
            life.expire()
        with at(midnight(last + timedelta(days=30), 600)):
            life.dispose()
        assert path.exists() == bool(left)
        assert BatchRow.objects.count() == left
    assert SealedFile.objects.get().destroyed_at is not None


def test_anonymised_records_leave_a_number(cast: Cast) -> None:
    number = ended(cast)
    keep_as(cast, "ANON")
    dispose_of(cast, number)
    assert held() == (0, 0, 0, 0)
    assert list(AnonymousCount.objects.values_list("year", "severity", "records")) == [(decided().year, 3, 1)]


def test_archived_records_are_out_of_the_applications_reach(cast: Cast) -> None:
    number = ended(cast)
    keep_as(cast, "ARC")
    dispose_of(cast, number)
    assert held() == (0, 0, 0, 0)
    assert ArchivedRecord.objects.count() == 0
    assert owner_sql("SELECT record_no FROM records_archivedrecord") == [(number,)]


@pytest.mark.parametrize("kind", [RecordAct.Kind.WITHDRAW, RecordAct.Kind.CANCEL])
def test_what_was_withdrawn_or_annulled_ends_with_the_rest(cast: Cast, kind: RecordAct.Kind) -> None:
    number = one_record(cast)
    done(cast, kind, number)
    dispose_of(cast, number)
    assert held()[:2] == (0, 0)
    assert states(number)[-1] == (2 if kind == "withdraw" else 4, 6)


def test_what_is_disputed_is_not_deleted_under_the_dispute(cast: Cast) -> None:
    number = one_record(cast)
    acts.mark(RecordAct.Kind.OBJECTION, [number], organisation=cast.market, by=cast.credit_office,
              reason="异议〔2026〕1号", document_no="异议〔2026〕1号", document_date=date(2026, 11, 1))  # fmt: skip
    dispose_of(cast, number)
    assert held()[:2] == (1, 1)
    assert row(number)["state"] == Record.State.EXPIRED


def test_the_application_cannot_expire_or_dispose_of_a_living_record(cast: Cast) -> None:
    number = one_record(cast)
    pk = int(number[9:19])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT records_expire(%s)", [[pk]])
        cursor.execute("SELECT count(*) FROM records_dispose(%s::bigint[], %s::bytea[], 1::smallint)", [[pk], [b"x"]])
    assert row(number)["state"] == Record.State.IN_FORCE
    assert not Disposal.objects.exists()


def test_a_killed_night_goes_on_where_it_stopped(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [penalty(cast, 行政处罚决定书文号=f"闽市监处罚〔2026〕{number}号") for number in range(1, 8)]
    deliver(cast, rows)
    last = owner_sql("SELECT max(query_until) FROM records_record")[0][0]
    monkeypatch.setattr(life, "AT_ONCE", 2)
    parts: list[int] = []
    count = life._count

    def killed(sql: str, ids: list[int]) -> int:
        parts.append(len(ids))
        if len(parts) == 3:
            raise KeyboardInterrupt
        return count(sql, ids)

    with at(midnight(last, 600)):
        monkeypatch.setattr(life, "_count", killed)
        with pytest.raises(KeyboardInterrupt):
            life.expire()
        monkeypatch.setattr(life, "_count", count)
        assert owner_sql("SELECT count(*) FROM records_record WHERE state = 6") == [(4,)]
        assert life.expire() == 3
    assert RecordEvent.objects.filter(to_state=6).count() == 7  # one line each, none twice


def test_every_bulk_path_leaves_one_line_per_record(cast: Cast) -> None:
    rows = [penalty(cast, 行政处罚决定书文号=f"闽市监处罚〔2026〕{number}号") for number in range(1, 6)]
    batch = deliver(cast, rows)
    from records import actions

    assert actions.withdraw(batch.pk, by=cast.data_officer, reason="整批重报") == 5
    assert RecordEvent.objects.filter(from_state=1, to_state=2, batch=batch).count() == 5
    again = deliver(cast, [row | {"处罚内容": "吊销登记证。"} for row in rows])
    assert RecordEvent.objects.filter(from_state=2, to_state=1, batch=again).count() == 5
    last = owner_sql("SELECT max(query_until) FROM records_record")[0][0]
    with at(midnight(last, 600)):
        assert life.expire() == 5
    assert RecordEvent.objects.filter(to_state=6).count() == 5
    with at(midnight(last + timedelta(days=30), 600)):
        assert life.dispose() == 5
    assert Disposal.objects.count() == 5
    assert owner_sql("SELECT count(*) FROM records_recordversion") == [(0,)]


def test_a_locked_record_is_left_for_the_next_night_and_blocks_nothing(cast: Cast) -> None:
    rows = [penalty(cast, 行政处罚决定书文号=f"闽市监处罚〔2026〕{number}号") for number in range(1, 4)]
    deliver(cast, rows)
    last = owner_sql("SELECT max(query_until) FROM records_record")[0][0]
    from django.db import connections

    with at(midnight(last, 600)):
        with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
            cursor.execute("SELECT id FROM records_record ORDER BY id LIMIT 1 FOR UPDATE")
            assert life.expire() == 2
        assert life.expire() == 1


def test_record_numbers_are_the_same_in_python_and_in_the_database(cast: Cast) -> None:
    number = one_record(cast)
    for pk in (int(number[9:19]), 1, 999_999_999, 12_345_678_901 % 10**10):
        moment = timezone.now()
        in_database = owner_sql("SELECT records_number(%s, %s)", pk, moment)[0][0]
        assert in_database == Record(pk=pk, created_at=moment).number


def test_the_statement_is_gone_with_its_record_but_earlier_words_are_kept_until_then(cast: Cast) -> None:
    number = ended(cast)
    say(cast.citizen.person, number, "罚款已缴清，作坊已关闭。", by=Asker(cast.citizen, "公示网站"))
    assert held()[2] == 2
    assert Statement.objects.count() == 0  # without a line nobody reads what a person said
    with time_machine.travel(timezone.now()):
        shown = public_records(name="陈小满", id_number=CITIZEN_NUMBER, by=Asker(None, "公示网站")).records
    assert [record.statement for record in shown] == ["罚款已缴清，作坊已关闭。"]
