"""A form with a file that was cut off on its way is refused whole, by every page that takes files."""

from io import BytesIO
from typing import Any

import pytest
from django.http import HttpResponse
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from creditfujian.tests.cast import Cast, browser_of
from records.models import Batch, SealedFile
from records.tests.deliveries import as_csv, penalty

UPLOAD = "/admin/records/batch/add/"


def sent(cast: Cast, cut: int) -> HttpResponse:
    """Upload penalties from the page; the last bytes do not arrive."""
    rows = [penalty(cast, 行政处罚决定书文号=f"文{number}号") for number in range(30)]
    file = BytesIO(as_csv(rows))
    file.name = "处罚.csv"
    version = cast.item.versions.get()
    body = encode_multipart(BOUNDARY, {"item": version.pk, "mode": "good_rows", "file": file})
    arrived: dict[str, Any] = {"wsgi.input": BytesIO(body[: len(body) - cut])}
    return browser_of(cast.data_officer).generic("POST", UPLOAD, body, MULTIPART_CONTENT, **arrived)


@pytest.mark.parametrize("cut", [1, 200, 2000])
def test_an_upload_cut_off_is_refused_in_plain_words_and_nothing_is_kept(cast: Cast, cut: int) -> None:
    answer = sent(cast, cut)
    assert answer.status_code == 400
    assert "上传没有传完" in answer.content.decode()
    assert "没有收下任何内容" in answer.content.decode()
    assert not Batch.objects.exists()
    assert not SealedFile.objects.exists()


def test_the_same_upload_whole_goes_in(cast: Cast) -> None:
    assert sent(cast, 0).status_code == 302
    assert Batch.objects.get().state == Batch.State.RECEIVED
