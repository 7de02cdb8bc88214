"""What `make run` and `make test` share: the virtual environment, the packages, the server, the settings."""

import hashlib
import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

from creditfujian.dev.postgres import PostgresError, Server, Urls, find_binaries, real_server

CHECKOUT = Path(__file__).resolve().parent.parent.parent
DATA = CHECKOUT / ".data"


def say(line: str) -> None:
    """Tell the person what goes on."""
    print(f"» {line}", flush=True)


def venv() -> Path:
    """Return the folder of the virtual environment."""
    return Path(os.environ.get("CF_VENV", CHECKOUT / ".venv"))


def python() -> str:
    """Return the virtual environment's interpreter."""
    return str(venv() / "bin" / "python")


def install(*locks: str) -> None:
    """Make the virtual environment and install the locked packages when a lock has changed since."""
    texts = [(CHECKOUT / lock).read_bytes() for lock in locks]
    digest = hashlib.sha256(b"\0".join([sys.version.encode(), *texts])).hexdigest()
    stamp = venv() / f".installed-{'-'.join(Path(lock).stem for lock in locks)}"
    if stamp.exists() and stamp.read_text() == digest and Path(python()).exists():
        return
    if not Path(python()).exists():
        say(f"making a virtual environment with {sys.executable}")
        shutil.rmtree(venv(), ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(venv())], check=True)
    say("installing the locked packages")
    arguments = [argument for lock in locks for argument in ("-r", lock)]
    # A lock names every package: with dependencies, pip asks the index anew and trips over a newer coverage[toml].
    pip = [python(), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes", "--no-deps",
           *arguments]  # fmt: skip
    subprocess.run(pip, check=True, cwd=CHECKOUT)
    stamp.write_text(digest)


def server(purpose: str) -> tuple[Server | None, Urls]:
    """Start the embedded server, or take the one that DATABASE_URL names. Raises PostgresError."""
    if url := os.environ.get("DATABASE_URL"):
        return None, real_server(url, dict(os.environ), python())
    binaries = find_binaries() or wheel_binaries()
    embedded = Server(CHECKOUT, purpose, binaries)
    say(f"PostgreSQL {embedded.version} ({purpose}) from {embedded.binaries}")
    return embedded, embedded.start()


def wheel_binaries() -> Path:
    """Install PostgreSQL from its wheel and return the folder of its binaries. Raises PostgresError."""
    say("no PostgreSQL found: installing it from a wheel")
    lock = CHECKOUT / "requirements-postgres.txt"
    target = DATA / "postgres-wheel"
    if not list(target.rglob("initdb")):
        pip = [python(), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes", "--no-deps",
               "--target", str(target), "-r", str(lock)]  # fmt: skip
        if subprocess.run(pip, check=False).returncode:
            raise PostgresError(
                "PostgreSQL could not be installed. Install it (Debian: apt-get install postgresql) or set DATABASE_URL."
            )
    found = next((p.parent for p in target.rglob("initdb") if (p.parent / "psql").exists()), None)
    if found is None:
        raise PostgresError("The PostgreSQL wheel has no psql. Install PostgreSQL or set DATABASE_URL.")
    for program in found.iterdir():
        program.chmod(program.stat().st_mode | 0o755)
    return found


def fonts() -> None:
    """Install the report's Chinese fonts from their wheels; without them the portal runs and says what is missing."""
    lock = CHECKOUT / "requirements-fonts.txt"
    target = DATA / "fonts"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = target / ".installed"
    if stamp.exists() and stamp.read_text() == digest:
        return
    say("installing the fonts of the credit report (33 MB, SIL Open Font License)")
    shutil.rmtree(target, ignore_errors=True)
    pip = [python(), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes", "--no-deps",
           "--target", str(target), "-r", str(lock)]  # fmt: skip
    if subprocess.run(pip, check=False).returncode:
        say("the fonts could not be installed: no report as PDF; its print view works (docs/report.md)")
        return
    stamp.write_text(digest)


def environment(urls: Urls, **more: str) -> dict[str, str]:
    """Return the settings of this checkout for a child process; secrets are made once and kept to ourselves."""
    return {
        "DEMO": "1", "DEBUG": "0", **_secrets(), **os.environ,
        "DATABASE_URL": urls.application, "DATABASE_OWNER_URL": urls.owner, "PYTHONUNBUFFERED": "1", **more,
    }  # fmt: skip


def _secrets() -> dict[str, str]:
    """Return the development secrets, made on the first run, readable by their owner only."""
    DATA.mkdir(exist_ok=True)
    path = DATA / "secrets.env"
    if not path.exists():
        words = {
            "SECRET_KEY": secrets.token_urlsafe(50),
            "FIELD_KEYS": f"1:aes:{secrets.token_hex(32)}",
            "LOG_SIGNING_KEY": secrets.token_hex(32),
        }
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as out:
            out.writelines(f"{name}={value}\n" for name, value in words.items())
    pairs = (line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
    return dict(pairs)


def manage(settings: dict[str, str], *arguments: str) -> None:
    """Run a command of Django's; stop when it fails."""
    subprocess.run([python(), "manage.py", *arguments], check=True, cwd=CHECKOUT, env=settings)
