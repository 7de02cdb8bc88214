"""What came of a case that somebody read files for: the register holds its document, or nothing."""

from decimal import Decimal

from django.db import connection

from access import reviews
from access.tests.test_reviews import Day, only, quiet, read, rule, somebody
from creditfujian.tests.cast import Cast
from records.tests.deliveries import deliver, penalty


def test_a_case_of_which_nothing_came(cast: Cast) -> None:
    quiet(cast)
    rule(cast, "unresolved", hours=0, share=Decimal(100))
    row = penalty(cast)
    deliver(cast, [row])
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_case_is_known(%s, %s)", [row["行政处罚决定书文号"], cast.market.pk])
        assert cursor.fetchone() == (True,)
    read(cast.officer_here, somebody(1), case_no=row["行政处罚决定书文号"])
    read(cast.officer_here, somebody(2), case_no="闽市监检〔2026〕8号")
    read(cast.officer_here, somebody(3), case_no="闽市监检〔2026〕8号")
    reviews.look_at(Day())
    assert only("unresolved").key.endswith("闽市监检〔2026〕8号")
