"""A transaction that never ended leaves no sealed file behind for longer than a night."""

import io
import os
import time
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from django.db import connection, transaction
from django.utils import timezone

from access.actions import Asker
from creditfujian.tests.cast import Cast, make_cast
from records import actions, clearing, life, reports
from records.intake import store
from records.models import Batch, SealedFile
from records.sweeping import destroy_ended, sweep_files
from records.tests.deliveries import as_csv, check, penalty
from records.tests.life import one_record

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(transactional_db: None, settings: object, tmp_path: Path) -> Cast:
    settings.MEDIA_ROOT = str(tmp_path)  # type: ignore[attr-defined]
    made = make_cast()
    one_record(made)
    return made


def files(root: Path) -> set[str]:
    return {path.name for path in (root / "sealed").rglob("*") if path.is_file()}


def rest(root: Path) -> None:
    """Let two days pass over everything on the disk."""
    for path in (root / "sealed").rglob("*"):
        os.utime(path, (time.time() - 2 * 86_400,) * 2)


def test_a_report_that_was_rolled_back_leaves_nothing(cast: Cast, tmp_path: Path) -> None:
    before = files(tmp_path)
    with transaction.atomic():
        lost = reports.issue(cast.citizen.person, by=Asker(cast.citizen, "公示网站")).report.sha256
        transaction.set_rollback(True)
    kept = reports.issue(cast.citizen.person, by=Asker(cast.citizen, "公示网站")).report.sha256
    assert files(tmp_path) == before | {lost, kept}
    assert sweep_files() == 0  # what is fresh may belong to a transaction under way
    rest(tmp_path)
    assert sweep_files() == 1
    assert files(tmp_path) == before | {kept}


@pytest.mark.parametrize("end", ["cancelled", "refused"])
def test_the_file_of_a_batch_that_never_went_in_goes_when_it_is_cleared(cast: Cast, tmp_path: Path, end: str) -> None:
    before, row = files(tmp_path), penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕9号")
    batch = check(cast, as_csv([row]) if end == "cancelled" else b"not,a,table\n1,2,3\n")
    if end == "cancelled":
        assert destroy_ended() == 0, "it waits to be committed"
        actions.cancel(batch.pk, by=cast.data_officer)
    assert (batch.file.sha256 in files(tmp_path), destroy_ended()) == (True, 0), "its rows are not cleared yet"
    clearing.clear(timezone.localdate())
    assert (destroy_ended(), destroy_ended()) == (1, 0)
    assert files(tmp_path) == before
    batch.file.refresh_from_db()
    assert batch.file.destroyed_at is not None
    again = check(cast, as_csv([row]))  # sent again, it is here again
    assert (files(tmp_path) > before, destroy_ended()) == (True, 0)
    assert actions.commit_now(again.pk, by=cast.data_reviewer).new == 1


def test_a_file_that_another_batch_rests_on_stays(cast: Cast, tmp_path: Path) -> None:
    content = as_csv([penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕9号")])
    actions.cancel(check(cast, content).pk, by=cast.data_officer)
    clearing.clear(timezone.localdate())
    actions.commit_now(check(cast, content).pk, by=cast.data_reviewer)
    clearing.clear(timezone.localdate() + timedelta(days=1))
    assert destroy_ended() == 0
    assert Batch.objects.latest("pk").file.sha256 in files(tmp_path)


def test_what_was_half_written_and_what_nothing_uses_goes_and_what_is_in_use_stays(cast: Cast, tmp_path: Path) -> None:
    batch = check(cast, as_csv([penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕9号")]))
    (tmp_path / "sealed" / "tmpabc").write_bytes(b"half")
    nobodys = store.keep(io.BytesIO(b"a worker died before the batch was made"), "x.csv")
    SealedFile.objects.update(created_at="2026-01-01T00:00Z")
    rest(tmp_path)
    before = files(tmp_path)
    assert sweep_files() == 2
    assert before - files(tmp_path) == {"tmpabc", nobodys.sha256}
    assert not SealedFile.objects.filter(pk=nobodys.pk).exists()
    assert batch.file.sha256 in files(tmp_path)


def test_content_that_is_kept_again_is_not_destroyed_by_whoever_forgot_it(cast: Cast, tmp_path: Path) -> None:
    old = store.keep(io.BytesIO(b"the same content"), "x.csv")
    with transaction.atomic():
        store.forget(old)
    assert old.sha256 not in files(tmp_path)
    store.keep(io.BytesIO(b"the same content"), "x.csv")
    store.destroy(old.sha256)  # comes late
    assert old.sha256 in files(tmp_path)


def test_a_file_sent_again_after_its_records_were_disposed_of_is_kept_for_its_new_batch(
    cast: Cast, tmp_path: Path
) -> None:
    content = as_csv([penalty(cast, 行政处罚决定书文号="")])
    first = check(cast, content)
    SealedFile.objects.filter(pk=first.file_id).update(destroyed_at="2026-01-01T00:00Z")
    type(first).objects.filter(pk=first.pk).update(state="cancelled")
    again = check(cast, content)
    assert again.pk != first.pk
    rest(tmp_path)
    assert sweep_files() == 0
    assert again.file.sha256 in files(tmp_path)


def test_a_folder_of_another_database_is_left_alone(cast: Cast, tmp_path: Path) -> None:
    folder = tmp_path / "sealed" / "ab"
    folder.mkdir(exist_ok=True)
    for number in range(150):
        (folder / f"{number:064x}").write_bytes(b"theirs")
    rest(tmp_path)
    assert sweep_files() == 0
    assert len([path for path in folder.iterdir() if path.read_bytes() == b"theirs"]) == 150


def test_the_night_waits_for_an_upload_of_content_that_nothing_used(cast: Cast, tmp_path: Path) -> None:
    content = as_csv([penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕12号")])
    store.keep(io.BytesIO(content), "x.csv")
    SealedFile.objects.update(created_at="2026-01-01T00:00Z")
    found: list[object] = []

    def night() -> None:
        try:
            found.append(sweep_files())
        except Exception as error:
            found.append(error)
        finally:
            connection.close()

    thread = Thread(target=night)
    with transaction.atomic():
        batch, _ = actions.receive(
            io.BytesIO(content), name="x.csv", item=cast.item, by=cast.data_officer, channel=Batch.Channel.PAGE
        )
        thread.start()
        time.sleep(1)
    thread.join()
    assert not isinstance(found[0], Exception), found[0]
    assert batch.file.sha256 in files(tmp_path)


def test_disposal_waits_for_an_upload_of_the_same_file_and_leaves_it_then(cast: Cast, tmp_path: Path) -> None:
    """Without waiting, the file of a batch just received would be gone before it is read."""
    content = as_csv([penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕13号")])
    spent = check(cast, content)
    actions.cancel(spent.pk, by=cast.data_officer)
    found: list[object] = []

    def night() -> None:
        try:
            found.append(life.destroy_spent([spent.pk]))
        except Exception as error:
            found.append(error)
        finally:
            connection.close()

    thread = Thread(target=night)
    with transaction.atomic():
        again, _ = actions.receive(
            io.BytesIO(content), name="x.csv", item=cast.item, by=cast.data_officer, channel=Batch.Channel.PAGE
        )
        thread.start()
        time.sleep(1)
    thread.join()
    assert found == [None]
    assert again.file.sha256 in files(tmp_path)
    assert SealedFile.objects.get(pk=again.file_id).destroyed_at is None
    actions.check_batch(again.pk)
    actions.cancel(again.pk, by=cast.data_officer)
    life.destroy_spent([again.pk])
    assert again.file.sha256 not in files(tmp_path)
