"""`make test`, `make lint` and `make bench`: the same set-up with a server of their own, then the tool."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from creditfujian.dev import setup
from creditfujian.dev.postgres import PostgresError, Server
from creditfujian.dev.setup import CHECKOUT, python, say

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DEBIAN = ("chromium", "fonts-noto-cjk")


def main(what: str, arguments: list[str]) -> int:
    """Set up and run one tool; return its exit code."""
    setup.install("requirements.txt", "requirements-dev.txt")
    if what == "lock":
        return lock()
    server: Server | None = None
    try:
        server, urls = setup.server("test")
        settings = setup.environment(urls)
        if what == "lint":
            return lint(settings)
        if what == "bench":
            which, *rest = arguments if arguments and not arguments[0].startswith("-") else ["intake", *arguments]
            return _run(settings, "-m", f"benchmarks.{which}", *rest)
        setup.fonts()
        settings["CF_BROWSER"] = browser() or ""
        return _run(settings, "-m", "pytest", *processes(arguments), *arguments)
    except PostgresError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    finally:
        if server is not None:
            server.stop()


def processes(arguments: list[str]) -> list[str]:
    """Return pytest's options for as many processes as there are cores, or as CF_WORKERS says.

    One process where a second would only cost its start: a single file, a debugger, counts written anew.
    """
    own = ("-n", "--dist", "--pdb", "--trace", "--collect-only")
    alone = any(one.startswith(own) or one in ("-s", "--co", "no:xdist") for one in arguments)
    files = {
        one.split("::")[0] for one in arguments if not one.startswith("-") and (CHECKOUT / one.split("::")[0]).exists()
    }
    single = len(files) == 1 and all((CHECKOUT / one).is_file() for one in files)
    if alone or single or os.environ.get("UPDATE_QUERY_COUNTS"):
        return []
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = int(os.environ.get("CF_WORKERS") or cores)
    return ["-n", str(workers), "--dist", "loadgroup"] if workers > 1 else []


def browser() -> str | None:
    """Return a Chromium, installing Debian's (and a Chinese font) where that is possible."""
    if os.environ.get("CF_BROWSER"):
        return os.environ["CF_BROWSER"]
    if _found() is None or not _has_chinese_font():
        _install_debian()
    found = _found()
    if found is None:
        say("no Chromium found: the browser tests will be skipped (install chromium or set CF_BROWSER)")
    return found


def _found() -> str | None:
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def _has_chinese_font() -> bool:
    if not shutil.which("fc-list"):
        return False
    return bool(subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=False).stdout.strip())


def _install_debian() -> None:
    if not shutil.which("apt-get"):
        return
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if sudo and subprocess.run([*sudo, "true"], capture_output=True, check=False).returncode:
        return
    say(f"installing {' and '.join(DEBIAN)} for the browser tests")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *DEBIAN],
    ):
        subprocess.run([*sudo, *command], env=quiet, stdout=subprocess.DEVNULL, check=False)


def lint(settings: dict[str, str]) -> int:
    """Run every linter; return 1 when any of them complains."""
    tools = [
        ("-m", "ruff", "check", "."),
        ("-m", "ruff", "format", "--check", "."),
        ("-m", "mypy", "."),
        ("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-logo"),
        ("manage.py", "makemigrations", "--check", "--dry-run"),
    ]
    failed = [tool for tool in tools if _run(settings, *tool)]
    if any(line.startswith("psycopg==") for name in LOCKS for line in (CHECKOUT / name).read_text().splitlines()):
        print("psycopg 3 is locked; Django would quietly leave psycopg2 (docs/development.md)", file=sys.stderr)
        failed.append(("psycopg",))
    for tool in failed:
        print(f"failed: {' '.join(tool)}", file=sys.stderr)
    return 1 if failed else 0


LOCKS = ("requirements.txt", "requirements-dev.txt")


def lock() -> int:
    """Compile the lock files anew from what we ask for."""
    base = [
        python(),
        "-m",
        "uv",
        "pip",
        "compile",
        "--universal",
        "--python-version",
        "3.11",
        "--generate-hashes",
        "-q",
    ]
    for source, target, more in (
        ("requirements.in", "requirements.txt", []),
        ("requirements-dev.in", "requirements-dev.txt", ["-c", "requirements.txt"]),
        ("requirements-postgres.in", "requirements-postgres.txt", []),
        ("requirements-fonts.in", "requirements-fonts.txt", []),
    ):
        subprocess.run([*base, source, "-o", target, *more], cwd=CHECKOUT, check=True)
    return 0


def _run(settings: dict[str, str], *arguments: str) -> int:
    return subprocess.run([python(), *arguments], cwd=CHECKOUT, env=settings, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
