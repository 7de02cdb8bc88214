"""Everything that begins, ends or falls due on a day, from every app that has a `nightly` module."""

import logging
from datetime import date

from django.apps import apps
from django.utils import timezone

from accounts import people
from creditfujian.lib import correlation
from creditfujian.lib.parts import parts

log = logging.getLogger("creditfujian.night")


def run(day: date | None = None) -> dict[str, int]:
    """Do the night's work of every app; return what was done, by app and deed. Safe to run twice.

    One app's failure does not stop the others; it is logged and raised at the end.
    """
    done: dict[str, int] = {}
    failures: list[Exception] = []
    token = correlation.begin()
    try:
        for part in parts((config.name for config in apps.get_app_configs()), "nightly"):
            try:
                with people.nobody():
                    counts = part.nightly(day or timezone.localdate())
            except Exception as error:
                log.exception("nightly: %s failed", part.__name__)
                failures.append(error)
            else:
                done |= {f"{part.__name__.split('.')[0]}.{deed}": count for deed, count in counts.items()}
    finally:
        correlation.end(token)
    if failures:
        raise failures[0]
    return done
