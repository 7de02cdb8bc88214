"""The catalogue in the admin, by subject: items, reviews, editions, what they rest on, calendar and deadlines."""

from catalogue import (  # noqa: F401
    deadline_admin,
    edition_admin,
    grant_admin,
    instrument_admin,
    item_admin,
    review_admin,
    supply_admin,
)
