"""docs/authorisation.md: the decisions as a page that an auditor reads."""

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from accounts.models import Role
from accounts.token_models import Scope
from creditfujian.tests.walk.decisions import CITIZEN, GROUPS, INSTITUTION, NOBODY, Decisions, Rule
from creditfujian.tests.walk.routes import all_routes

FILE = Path(__file__).parents[3] / "docs" / "authorisation.md"
TITLES = {
    NOBODY: "无账户的人", CITIZEN: "公民", INSTITUTION: "机构查询员", **{role.value: str(role.label) for role in Role},
    **{scope.value: f"接口 {scope.value}" for scope in Scope},
    "everybody": "所有人", "accounts": "所有账户", "staff": "所有工作人员", "systems": "所有接口",
}  # fmt: skip
HEAD = """# Who may do what

Written by `creditfujian/tests/walk/page.py` from `creditfujian/tests/walk/matrix.toml`, which decides it; the tests ask every
address as everybody and fail on any other answer. How to decide a new address: [development.md](development.md).

- **Shown**: the page or file itself. **Led**: taken to another page (to the thing itself, to registering first). **May**: what
  is sent is dealt with, that is done, or answered with what is wrong with it. Whoever is not named is refused (403, 404, or the
  way to sign in) or, where they may look, sent back to what they see; what they send changes nothing.
- **Own**: of one's own person, office or institution, or what one's own hand entered. **Others'**: of another person, office,
  institution, or what another hand of the same office entered. Who holds a role for the whole province (auditor, operator,
  administrators) stands under own alone; 同左 where whose it is does not matter.
- **In time**: may in another state of the thing than on the stage of the walk; the tests named there try it.
- About what does not exist everybody is refused as for what they may not see.

"""


def written(decisions: Decisions) -> str:
    """Return the page."""
    patterns = {route.name: f"/{route.pattern}" for route in all_routes()}
    parts = [_part(part, list(rules), patterns) for part, rules in groupby(decisions.rules, key=lambda rule: rule.part)]
    return HEAD + "\n".join(parts) + _unlogged(decisions, patterns)


def _part(part: str, rules: list[Rule], patterns: dict[str, str]) -> str:
    head = "| What | Shown: own | Others' | Led: own | Others' | May: own | Others' | Remarks |\n" + "| --- " * 8 + "|"
    return f"## {part}\n\n{head}\n" + "\n".join(_row(rule, patterns) for rule in rules) + "\n"


def _row(rule: Rule, patterns: dict[str, str]) -> str:
    what = f"**{rule.title}**<br>" + "<br>".join(f"`{_shown(patterns.get(name, name))}`" for name in rule.routes)
    pairs = ((rule.see, rule.see_others), (rule.led, rule.led_others), (rule.do, rule.do_others))
    same = rule.anyones or not (rule.differs or any("<" in patterns.get(name, "") for name in rule.routes))
    cells = [cell for own, others in pairs for cell in (_names(own), "同左" if same else _names(others))]
    return "| " + " | ".join([what, *cells, _remarks(rule)]) + " |"


def _shown(pattern: str) -> str:
    return pattern.replace("|", "\\|")


def _remarks(rule: Rule) -> str:
    said = [rule.why]
    if rule.not_now:
        said.append(f"In time: {_names(rule.not_now)} (`{rule.tried}`).")
    if rule.elsewhere:
        said.append("On the stage it is the other office's.")
    return " ".join(one for one in said if one)


def _names(roles: Iterable[str]) -> str:
    """Name roles in the order of the list, whole groups by their name."""
    left, said = set(roles), []
    for group, members in GROUPS.items():
        if left >= set(members):
            said.append(TITLES[group])
            left -= set(members)
    return "、".join([*said, *(title for name, title in TITLES.items() if name in left)]) or "–"


def _unlogged(decisions: Decisions, patterns: dict[str, str]) -> str:
    rows = "".join(
        f"| {'<br>'.join(f'`{_shown(patterns[name])}`' for name in one.routes)} | {_names(one.roles)} | {one.why} |\n"
        for one in decisions.unlogged
    )
    return f"""
## What is shown of a person without a line of the query log

Everything else that shows a name, a masked number or what a record says has written a line about that person in the same
request, and shows nothing when the line cannot be written.

| Address | To | Why it is no reading |
| --- | --- | --- |
{rows}"""
