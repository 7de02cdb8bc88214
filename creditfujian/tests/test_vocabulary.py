"""No person is scored, ranked or rated: not in a column, not in a name, not on a page."""

import io
import re
import tokenize
from pathlib import Path

from django.apps import apps
from django.db import connection

CHECKOUT = Path(__file__).resolve().parent.parent.parent
OURS = ("accounts", "access", "catalogue", "creditfujian", "publicity", "records", "repair", "sanctions")
WORDS = re.compile(
    r"(?:^|_)(?:score|scores|scoring|rank|ranks|ranking|rating|grade|grades|points|blacklist|whitelist)(?:_|$)", re.I
)
CHINESE = re.compile("黑名单|红名单|信用分|评分|打分|积分|排名|信用等级|评级")
# The pages that say what we do not do, and the lists of what is refused at the door, must use the words.
MAY_SAY = (  # that we do not do it
    "templates/publicity/what_we_do_not_do.html", "templates/publicity/home.html", "records/report_content.py",
)  # fmt: skip


def sources() -> list[Path]:
    return [path for app in OURS for path in (CHECKOUT / app).rglob("*.py") if "tests" not in path.parts]


def test_no_column_holds_a_score(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'")
        columns = cursor.fetchall()
    assert len(columns) > 100
    assert [pair for pair in columns if WORDS.search(pair[1])] == []


def test_no_field_is_called_a_score() -> None:
    fields = [
        (model.__name__, field.name, str(getattr(field, "verbose_name", "")))
        for app in OURS[:-1]
        for model in (apps.get_app_config(app).get_models() if apps.is_installed(app) else [])
        for field in model._meta.get_fields()
    ]
    assert len(fields) > 100
    assert [f for f in fields if WORDS.search(f[1]) or CHINESE.search(f[2])] == []


def test_no_name_in_the_code_scores_anybody() -> None:
    wrong = []
    for path in sources():
        for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
            if token.type == tokenize.NAME and WORDS.search(token.string):
                wrong.append(f"{path.relative_to(CHECKOUT)}:{token.start[0]} {token.string}")
    assert wrong == []


def test_no_page_says_blacklist_or_score() -> None:
    wrong = []
    for path in [*(CHECKOUT / "templates").rglob("*.html"), *sources()]:
        name = str(path.relative_to(CHECKOUT))
        if name not in MAY_SAY and (found := CHINESE.search(path.read_text())):
            wrong.append(f"{name}: {found[0]}")
    assert wrong == []
