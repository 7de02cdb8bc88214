"""An app imports only what stands above it (design §3), in functions too."""

import ast
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent
ORDER = ["accounts", "catalogue", "access", "records", "sanctions", "repair", "publicity"]
# The project's own modules that put the apps together, and what the tests share.
ABOVE_ALL = {"urls", "demo", "demo_people", "admin_site", "management", "tests", "dev"}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _modules(folder: str) -> list[Path]:
    return [path for path in (CHECKOUT / folder).rglob("*.py") if "tests" not in path.parts]


def test_an_app_imports_only_what_stands_above_it() -> None:
    wrong = [
        f"{path.relative_to(CHECKOUT)} imports {module}"
        for level, app in enumerate(ORDER)
        for path in _modules(app)
        for module in _imports(path)
        if module.split(".")[0] in ORDER[level + 1 :]
    ]
    assert wrong == []


def test_the_plain_functions_know_no_app_and_no_framework() -> None:
    wrong = [
        f"{path.name} imports {module}"
        for path in _modules("creditfujian/lib")
        for module in _imports(path)
        if module.split(".")[0] in {*ORDER, "django"}
    ]
    assert wrong == []


def test_the_apps_use_the_projects_plain_functions_and_little_else() -> None:
    allowed = {"creditfujian.lib", "creditfujian.errors", "creditfujian.context", "creditfujian.compiled"}
    wrong = [
        f"{path.relative_to(CHECKOUT)} imports {module}"
        for app in ORDER
        for path in _modules(app)
        for module in _imports(path)
        if module.startswith("creditfujian.") and ".".join(module.split(".")[:2]) not in allowed
    ]
    assert wrong == []


def test_only_the_gateway_reads_records() -> None:
    """Pages, forms and commands get a person's records from a gateway that writes the query line, never from the tables."""
    gateways = {"records/reading.py", "records/act_reading.py", "records/listing.py", "records/timeline.py"}
    gateways |= {"records/explained.py", "records/portability.py"}  # the person's own, in the transaction of their line
    words = {
        "records/list_admin.py",
        "records/person_reading.py",
    }  # the list's place in the admin; what a state is called
    deeds = {
        "records/acts.py",
        "records/statements.py",
        "records/rights.py",
    }  # read what they are about to change, after their line
    models = {
        "records/life_models.py",
        "records/hold_models.py",
        "records/person_models.py",
        "sanctions/listing_models.py",
    }
    tables = {"Record", "RecordVersion"}
    users = {
        str(path.relative_to(CHECKOUT))
        for app in (*ORDER, "creditfujian")
        for path in _modules(app)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "records.models"
        and tables & {name.name for name in node.names}
    }  # fmt: skip
    assert users <= gateways | deeds | models | words


def test_the_layers_of_the_linter_are_these() -> None:
    settings = (CHECKOUT / "pyproject.toml").read_text()
    listed = [line.strip(' ",') for line in settings.split("layers = [")[1].split("]")[0].splitlines() if line.strip()]
    assert [name for name in reversed(listed) if name in ORDER] == ORDER
