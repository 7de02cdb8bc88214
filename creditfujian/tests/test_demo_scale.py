"""The generator of a large register: every row within the rules, nobody real anywhere near it."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from creditfujian.lib import identity
from creditfujian.tests.cast import make_cast
from records.listing import Filters, Page, page
from records.models import Batch
from records.tests.listings import asks, opened

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])


def made(*options: str) -> str:
    out = StringIO()
    call_command("demo_scale", "--persons", "60", "--records", "300", *options, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("options", [(), ("--rebuild-indexes",)])
def test_it_makes_records_that_officers_list_like_any_other(options: tuple[str, ...]) -> None:
    cast = make_cast()
    assert "记录 300 条" in made(*options)
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT count(*), count(DISTINCT person_id) FROM records_record")
        records, persons = cursor.fetchone()
        cursor.execute(
            "SELECT count(*) FROM records_recordversion v LEFT JOIN records_batch b ON b.id = v.batch_id WHERE b.id IS NULL"
        )
        assert cursor.fetchone() == (0,)
        cursor.execute(
            "SELECT count(*) FROM pg_indexes WHERE indexname IN ('record_list', 'record_by_document', 'person_name_bigrams')"
        )
        assert cursor.fetchone() == (3,)
        cursor.execute("SELECT count(*) FROM pg_constraint WHERE conname = 'record_once_per_person_and_document'")
        assert cursor.fetchone() == (1,)
    assert records == 300
    assert persons > 40
    assert sum(Batch.objects.values_list("rows", flat=True)) == 300
    shown = page(opened(cast), Filters(), None, by=asks(cast.officer_here))
    assert isinstance(shown, Page)
    assert len(shown.lines) == 50
    assert {line.id_number[:6] for line in shown.lines} == {identity.DEMO_AREA}


def test_it_refuses_beside_anybody_outside_the_demo_area(monkeypatch: pytest.MonkeyPatch) -> None:
    make_cast()
    monkeypatch.setattr(identity, "DEMO_AREA", "999999")  # so that the cast stands outside it
    with pytest.raises(CommandError, match="以外的自然人"):
        made()


def test_it_refuses_where_no_demo_is(settings: pytest.FixtureRequest) -> None:
    make_cast()
    settings.DEMO = False  # type: ignore[attr-defined]
    with pytest.raises(CommandError, match="正式环境"):
        made()
