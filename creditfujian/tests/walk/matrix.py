"""One walk: which questions are asked of whom, and what is wrong with an answer."""

from collections.abc import Iterator
from dataclasses import dataclass

from creditfujian.tests.walk.asking import BODY, Answer, Asker, Outcome
from creditfujian.tests.walk.decisions import REFUSED, Decisions, Rule
from creditfujian.tests.walk.openings import Opening, body
from creditfujian.tests.walk.person_data import WHOLE, everybody
from creditfujian.tests.walk.routes import NOT_WALKED, Route, address, address_of_nothing, all_routes
from creditfujian.tests.walk.stage import Actor, Stage

PROBES = {"healthz", "readyz"}
# What a refused attempt may leave: its own line, the moment a session was last used, the count of a token's calls.
TRACES = (
    "access_query_",
    "access_queryperson_",
    "access_queryanswer_",
    "accounts_session",
    "accounts_signinline",
    "accounts_tokenuse",
)


def questions(actor: Actor, routes: list[Route]) -> Iterator[tuple[Route, str]]:
    """Yield each address with its methods: what systems call, what people open.

    Left out is what tells nothing: a system on pages it cannot sign in to, and a twin from elsewhere who sends a form that
    is about no one thing (its page, with the lists on it, is asked for all the same).
    """
    for route in routes:
        if route.name in NOT_WALKED or (actor.token and not route.is_api):
            continue
        yield route, "GET"
        if actor.is_here or route.has_object:
            yield route, "POST"


@dataclass
class Walk:
    """An actor goes by every address; `showed` are those that showed somebody's data."""

    stage: Stage
    actor: Actor
    decisions: Decisions

    def __post_init__(self) -> None:
        self.asker = Asker(self.actor)
        self.persons = everybody(self.stage.cast)
        self.said = BODY | {"person": str(self.stage.cast.citizen.person_id)}
        self.showed: set[str] = set()

    def faults(self) -> list[str]:
        """Ask everything once; return what is not as decided, in sentences."""
        found = []
        for route, method in questions(self.actor, all_routes()):
            rule = self.decisions.by_route[route.name]
            at = f"{method} {route.name} as {self.actor.name}"
            found += [f"{at}: {fault}" for fault in self.faults_of(route, method, rule)]
        return found

    def faults_of(self, route: Route, method: str, rule: Rule) -> Iterator[str]:
        """Ask one address once; yield what is not as it should be."""
        where, said = address(route, self.stage.keys), self.said if method == "POST" else {}
        answer = self.asker.ask(method, where, said)
        yield from broken(answer, route)
        expected = rule.expected(self.actor, route, method)
        if answer.outcome not in expected:
            yield f"{answer.outcome} ({answer.status}), decided: {' or '.join(sorted(expected))}"
        if expected & REFUSED:
            yield from written_though_refused(answer)
        if not self.decisions.may_go_unlogged(route, self.actor):
            yield from self._unlogged(route, (method, where, said), answer)
        if route.has_object and method == "GET" and answer.outcome is Outcome.PAGE:
            yield from self._of_nothing(route)

    def opens(self, opening: Opening) -> list[str]:
        """Ask with something said; return what is wrong with what was shown."""
        route = next(route for route in all_routes() if route.name == opening.route)
        where, said = address(route, self.stage.keys), body(opening, self.stage)
        answer = self.asker.ask(opening.method, where, said)
        unlogged = self._unlogged(route, (opening.method, where, said), answer)
        return [*broken(answer, route), *unlogged]

    def _unlogged(self, route: Route, asked: tuple[str, str, dict[str, str]], answer: Answer) -> Iterator[str]:
        """Hold what is shown of persons against the lines written; and without the log, against nothing at all."""
        shown = {one.pk: words for one in self.persons if (words := one.words_in(answer.text, self.actor))}
        if not shown:
            return
        self.showed.add(route.name)
        for person, words in shown.items():
            if person not in answer.named:
                yield f"shows {'、'.join(words)} and writes no line about them"
        without = self.asker.ask(*asked, log=False)
        left = [word for one in self.persons for word in one.words_in(without.text, self.actor)]
        if left or without.status < 500:
            yield f"without the log it answers {without.status} and shows {left}"

    def _of_nothing(self, route: Route) -> Iterator[str]:
        outcome = self.asker.ask("GET", address_of_nothing(route), {}).outcome
        if outcome is not Outcome.REFUSED:
            yield f"{outcome} about what does not exist"


def broken(answer: Answer, route: Route) -> Iterator[str]:
    """Yield what no answer to anybody may be: an error, a page for others' caches, a whole identity number."""
    if answer.status >= 500:
        yield f"answers {answer.status} {answer.error}"
    if not answer.cached and route.name not in PROBES:
        yield "says nothing of caching"
    if any(number in answer.text for number in WHOLE):
        yield "shows a whole identity number"


def written_though_refused(answer: Answer) -> Iterator[str]:
    """Yield the tables that a refused question has changed, but for the traces that it is to leave."""
    changed = sorted(name for name in answer.written if not name.startswith(TRACES))
    if changed:
        yield f"refused, and yet it has written to {', '.join(changed)}"
