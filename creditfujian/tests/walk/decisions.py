"""Who may do what, as decided in matrix.toml: one home for the tests and for docs/authorisation.md."""

import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from accounts.models import Role
from accounts.token_models import Scope
from creditfujian.tests.walk.asking import Outcome
from creditfujian.tests.walk.routes import Route
from creditfujian.tests.walk.stage import Actor

FILE = Path(__file__).with_name("matrix.toml")
NOBODY, CITIZEN, INSTITUTION = OUTSIDE = ("nobody", "citizen", "institution")
STAFF = tuple(role.value for role in Role)
SYSTEMS = tuple(scope.value for scope in Scope)
GROUPS = {
    "everybody": (*OUTSIDE, *STAFF), "accounts": (CITIZEN, INSTITUTION, *STAFF), "staff": STAFF, "systems": SYSTEMS,
}  # fmt: skip
REFUSED, SHOWN = frozenset({Outcome.REFUSED, Outcome.DOOR}), frozenset({Outcome.PAGE})
DEALT_WITH = frozenset({Outcome.PAGE, Outcome.LED, Outcome.TOLD})
SENT_BACK = frozenset({Outcome.LED, Outcome.TOLD})  # to a page that they may see, with nothing changed
WHO = ("see", "see_others", "led", "led_others", "do", "do_others", "not_now")


@dataclass(frozen=True)
class Rule:
    """One decision about some addresses. What is not allowed is refused.

    `see` a page is shown, `led` they are taken to another page, `do` what is sent is dealt with: done, or answered with what
    is wrong with it. Whoever may look and not do is refused, or sent back to what they see, and nothing is changed. `_others`:
    the same of what is not one's own; of pages about no one thing only where that differs. `not_now`: they may when the thing
    is in another state than on the stage, which the tests `tried` show. `closed`: methods that nobody has here. `anyones`: the
    thing is no office's own, whoever may with one may with all. `elsewhere`: on the stage the thing is the other office's.
    """

    part: str
    title: str
    routes: tuple[str, ...]
    see: frozenset[str] = frozenset()
    see_others: frozenset[str] = frozenset()
    led: frozenset[str] = frozenset()
    led_others: frozenset[str] = frozenset()
    do: frozenset[str] = frozenset()
    do_others: frozenset[str] = frozenset()
    not_now: frozenset[str] = frozenset()
    tried: str = ""
    closed: tuple[str, ...] = ()
    anyones: bool = False
    elsewhere: bool = False
    why: str = ""

    @property
    def differs(self) -> bool:
        """Whether what one has of one's own matters even for a page about no one thing."""
        return bool(self.see_others or self.led_others or self.do_others)

    def expected(self, actor: Actor, route: Route, method: str) -> frozenset[Outcome]:
        """Return what this actor is to be answered."""
        own = self.anyones or actor.is_here != self.elsewhere or not (route.has_object or self.differs)
        if method in self.closed:
            return REFUSED | {Outcome.NO_METHOD}
        see, led, do = (self.see, self.led, self.do) if own else (self.see_others, self.led_others, self.do_others)
        if method == "POST" and actor.role in do:
            return DEALT_WITH
        if method == "POST":
            return REFUSED | SENT_BACK if actor.role in see | led else REFUSED
        return SHOWN if actor.role in see else frozenset({Outcome.LED}) if actor.role in led else REFUSED


@dataclass(frozen=True)
class Unlogged:
    """Addresses that show somebody's data without a line of the query log, to whom, and why that is no reading."""

    routes: tuple[str, ...]
    roles: frozenset[str]
    why: str


class Decisions:
    """The whole file, read and looked through: no unknown word, no address decided twice."""

    def __init__(self, text: str = "") -> None:
        self.file = tomllib.loads(text or FILE.read_text(encoding="utf-8"))
        self.rules = [_rule(one) for one in self.file["rule"]]
        self.unlogged = [
            Unlogged(tuple(one["routes"]), _roles(one["roles"]), one["why"]) for one in self.file["unlogged"]
        ]

    @cached_property
    def by_route(self) -> dict[str, Rule]:
        """The decision of each address."""
        return {route: rule for rule in self.rules for route in rule.routes}

    def faults(self, routes: Iterable[Route]) -> list[str]:
        """Return what is wrong between the file and the addresses there are: nothing is left open, nothing made up."""
        there, decided = {route.name for route in routes}, Counter(name for rule in self.rules for name in rule.routes)
        named = set(decided) | {name for one in self.unlogged for name in one.routes}
        return [
            *(f"{name} has no decision: add it to matrix.toml" for name in sorted(there - set(decided))),
            *(f"{name} is decided, but there is no such address" for name in sorted(named - there)),
            *(f"{name} is decided {count} times" for name, count in decided.items() if count > 1),
            *(f"{rule.title}: not_now without the tests that show it" for rule in self.rules if rule.not_now and not rule.tried),
        ]  # fmt: skip

    def may_go_unlogged(self, route: Route, actor: Actor) -> bool:
        """Whether this address shows this role somebody's data without a line, for a reason in the file."""
        return any(route.name in one.routes and actor.role in one.roles for one in self.unlogged)


def _rule(stated: dict[str, Any]) -> Rule:
    unknown = set(stated) - {one.name for one in fields(Rule)}
    assert not unknown, f"matrix.toml: {stated.get('title')}: {', '.join(sorted(unknown))}?"
    lists = {key: _roles(stated[key]) for key in WHO if key in stated}
    return Rule(**{**stated, **lists, "routes": tuple(stated["routes"]), "closed": tuple(stated.get("closed", ()))})


def _roles(names: Iterable[str]) -> frozenset[str]:
    """Return the roles that a list names, groups taken apart. Raises KeyError for a word that is neither."""
    known = {**{role: (role,) for role in (*OUTSIDE, *STAFF, *SYSTEMS)}, **GROUPS}
    return frozenset(role for name in names for role in known[name])
