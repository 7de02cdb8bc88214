"""Publishing an edition of many items beside merely reading the same items and writing them out.

Run: `make bench ARGS="publish --items 500 --rounds 3"`. Each round has a fresh copy of one database. Measured: the
preview (what would change, column by column), the publication of new items, of none changed but one, and, for
comparison, loading the same items completely and rendering every column. Ratios are within the run.
"""

import argparse
import statistics
import time
from collections.abc import Callable

from benchmarks.intake import TEMPLATE, WORKING, fresh, make_template, point_to, statements

Figures = dict[str, list[float]]


def timed(figures: Figures, what: str, deed: Callable[[], object]) -> None:
    """Do something and note how long it took."""
    began = time.perf_counter()
    deed()
    figures.setdefault(what, []).append(time.perf_counter() - began)


def one_round(figures: Figures, items: int) -> None:
    """Publish many new items, then read them, then publish one change among them."""
    from catalogue import publishing
    from catalogue.columns import complete, labels, texts
    from catalogue.models import ItemVersion
    from catalogue.tests.editions import approved, publish
    from catalogue.tests.many import many_approved
    from creditfujian.tests.cast import make_cast

    cast = make_cast()
    many_approved(cast, items)
    timed(figures, "preview", publishing.preview)
    timed(figures, "publish new", lambda: publish(cast))
    standing = ItemVersion.objects.filter(state=ItemVersion.State.IN_FORCE)
    timed(figures, "read and render", lambda: [texts(v, known) for known in [labels()] for v in complete(standing)])
    approved(cast, behaviour="修订后的行为")
    timed(figures, "publish one change", lambda: publish(cast))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    make_template(with_cast=False)
    figures: Figures = {}
    for _ in range(options.rounds):
        fresh()
        point_to(WORKING)
        one_round(figures, options.items)
    base = statistics.median(figures["read and render"])
    print(f"{options.items} items, {options.rounds} rounds")
    print(f"{'what':<22}{'median s':>10}{'min':>8}{'max':>8}{'of read and render':>20}")
    for what, runs in figures.items():
        middle = statistics.median(runs)
        print(f"{what:<22}{middle:>10.2f}{min(runs):>8.2f}{max(runs):>8.2f}{middle / base:>20.2f}")
    fresh()
    statements(f"DROP DATABASE IF EXISTS {WORKING} WITH (FORCE)", f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)")


if __name__ == "__main__":
    main()
