"""The deeds of the public site."""

from django.conf import settings
from django.db import connection

_COUNT = """
INSERT INTO publicity_lookupcount (address_hash, hour, count)
VALUES (%s, date_trunc('hour', now()), 1)
ON CONFLICT (address_hash, hour) DO UPDATE SET count = publicity_lookupcount.count + 1
RETURNING count
"""


def count_lookup(address: str) -> bool:
    """Count a look-up and tell whether the address is within its hourly limit; exact under concurrency."""
    return _count("lookup", address) <= settings.LOOKUPS_PER_HOUR


def count_comment(address: str) -> bool:
    """Count what an address says in consultations and tell whether it is within its hourly limit."""
    return _count("comment", address) <= settings.COMMENTS_PER_HOUR


def count_verification(address: str) -> bool:
    """Count what an address checks and tell whether it is within its hourly limit."""
    return _count("verify", address) <= settings.VERIFICATIONS_PER_HOUR


def _count(deed: str, address: str) -> int:
    key = settings.FIELD_KEYRING.index(f"{deed}:{address}".encode())
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [key])
        return cursor.fetchone()[0]


def forget_lookup_counts() -> int:
    """Delete counts of hours that are over; return how many."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM publicity_lookupcount WHERE hour < date_trunc('hour', now())")
        return cursor.rowcount
