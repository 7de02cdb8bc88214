"""An embedded PostgreSQL server: found, made, started, stopped; usable as root and as an ordinary user.

Rules learned the hard way: root may not run the server, so it runs as another user and its data lie where that user
can reach them; a killed postmaster may look alive for a second, so only a real connection means ready; the socket's
path has to be short.
"""

import fcntl
import grp
import hashlib
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

OWNER, APPLICATION, DATABASE = "cf_owner", "cf_app", "creditfujian"
START_SECONDS = 60
SETTINGS = {
    "listen_addresses": "''", "shared_buffers": "256MB", "work_mem": "32MB", "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB", "jit": "off", "max_connections": "100", "timezone": "UTC",
}  # fmt: skip
THROW_AWAY = {
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
    "max_connections": "300",  # as many tests at a time as there are cores, some with twenty callers at once
}  # fmt: skip


class PostgresError(Exception):
    """The server cannot be had; the message says why and what to do."""


@dataclass(frozen=True)
class Urls:
    """Where to connect: the application's address and the owner's."""

    application: str
    owner: str


def find_binaries() -> Path | None:
    """Return the folder of the newest PostgreSQL found: CF_PGBIN, Debian, Homebrew."""
    if chosen := os.environ.get("CF_PGBIN"):
        return Path(chosen)
    places = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/opt/homebrew/opt").glob("postgresql*/bin"),
              *Path("/usr/local/opt").glob("postgresql*/bin")]  # fmt: skip
    whole = [p for p in places if (p / "initdb").exists() and (p / "postgres").exists() and (p / "psql").exists()]
    return max(whole, key=major, default=None)


def major(binaries: Path) -> int:
    """Return the major version of the server in a folder."""
    said = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    match = re.search(r"(\d+)", said)
    if match is None or int(match.group(1)) < 15:
        raise PostgresError(f"{binaries} holds {said.strip()}; PostgreSQL 15 or newer is needed.")
    return int(match.group(1))


def server_user() -> pwd.struct_passwd | None:
    """Return whom the server runs as when we are root; None when it runs as ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresError("There is neither a user postgres nor nobody to run the server as.")


class Server:
    """One cluster of a checkout: `run` keeps its data, `test` trades safety for speed."""

    def __init__(self, checkout: Path, purpose: str, binaries: Path) -> None:
        self.user = server_user()
        self.version = major(binaries)
        mark = hashlib.sha256(f"{checkout}:{purpose}:{os.geteuid()}".encode()).hexdigest()[:12]
        root = Path("/var/lib/creditfujian") / mark if self.user else checkout / ".data" / "postgres" / purpose
        self.home = root / str(self.version)
        self.binaries = self._reachable(binaries, root)
        self.data = self.home / "data"
        self.log = self.home / "server.log"
        self.sockets = Path(tempfile.gettempdir()) / f"cf-{mark}"
        self.secrets = self.home / "passwords.json"
        self.settings = {**SETTINGS, **(THROW_AWAY if purpose == "test" else {})}

    def start(self) -> Urls:
        """Start the server if it does not run, and return its addresses. Raises PostgresError."""
        self._make_folders()
        with self._locked():
            if not (self.data / "PG_VERSION").exists():
                self._make_cluster()
            if not self._answers():
                self._launch()
            return self._roles()

    def stop(self) -> None:
        """Stop the server; quiet when it does not run."""
        if (self.data / "postmaster.pid").exists():
            self._run(["pg_ctl", "-D", str(self.data), "-m", "fast", "-w", "-t", "30", "stop"], check=False)

    # --- making -------------------------------------------------------------------------------------

    def _reachable(self, binaries: Path, root: Path) -> Path:
        """Copy a wheel's binaries to where the server's user can reach them."""
        if self.user is None or binaries.is_relative_to("/usr") or binaries.is_relative_to("/opt"):
            return binaries
        # The wheel's programs look for their libraries two folders above the installation: the whole tree goes along.
        beside = binaries.parent.parent.parent
        tree = beside if list(beside.glob("*.libs")) else binaries.parent
        copy = root / "pg"
        there = copy / binaries.relative_to(tree)
        if not (there / "postgres").exists():
            shutil.copytree(tree, copy, dirs_exist_ok=True, symlinks=True)
        return there

    def _make_folders(self) -> None:
        for folder in (self.home, self.sockets):
            folder.mkdir(parents=True, exist_ok=True)
            if self.user:
                os.chown(folder, self.user.pw_uid, self.user.pw_gid)
            if folder.stat().st_uid != (self.user.pw_uid if self.user else os.geteuid()):
                raise PostgresError(f"{folder} belongs to somebody else; remove it and try again.")
        self.sockets.chmod(0o700)
        self.home.chmod(0o700)
        if self.user:
            for parent in (self.home.parent, self.home.parent.parent):
                parent.chmod(0o755)

    def _make_cluster(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        password = secrets.token_urlsafe(24)
        with tempfile.NamedTemporaryFile("w", dir=self.home, delete=False) as handle:
            handle.write(password)
        try:
            self._own(Path(handle.name))
            self._run(["initdb", "-D", str(self.data), "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-k",
                       "--auth=scram-sha-256", f"--pwfile={handle.name}"])  # fmt: skip
        finally:
            os.unlink(handle.name)
        self._keep({"postgres": password, OWNER: secrets.token_urlsafe(24), APPLICATION: secrets.token_urlsafe(24)})

    def _roles(self) -> Urls:
        """Make the two roles and the database; safe to repeat. The application owns nothing and bypasses nothing."""
        words = self._passwords()
        self._sql(f"""
            SELECT 'CREATE ROLE {OWNER}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{OWNER}') \\gexec
            SELECT 'CREATE ROLE {APPLICATION}' WHERE NOT EXISTS
                (SELECT FROM pg_roles WHERE rolname = '{APPLICATION}') \\gexec
            ALTER ROLE {OWNER} LOGIN NOSUPERUSER CREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD '{words[OWNER]}';
            ALTER ROLE {APPLICATION} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS
                PASSWORD '{words[APPLICATION]}';
            SELECT 'CREATE DATABASE {DATABASE} OWNER {OWNER}' WHERE NOT EXISTS
                (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec
        """)
        return Urls(self._url(APPLICATION, words[APPLICATION]), self._url(OWNER, words[OWNER]))

    def _url(self, role: str, password: str) -> str:
        return f"postgres://{role}:{quote(password)}@/{DATABASE}?host={quote(str(self.sockets), safe='/')}"

    def _keep(self, words: dict[str, str]) -> None:
        handle = os.open(self.secrets, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as out:
            json.dump(words, out)

    def _passwords(self) -> dict[str, str]:
        return json.loads(self.secrets.read_text())

    # --- starting -----------------------------------------------------------------------------------

    def _launch(self) -> None:
        """Start and wait for a real connection, over stale files, zombies and children of a killed server."""
        self._forget_stranger()
        options = " ".join(f"-c {name}={value}" for name, value in self.settings.items())
        options += f" -c unix_socket_directories={self.sockets}"
        deadline, tried = time.monotonic() + START_SECONDS, 0.0
        while time.monotonic() < deadline:
            if self._answers():
                return
            if time.monotonic() - tried > 5:
                tried = time.monotonic()
                self._run(
                    ["pg_ctl", "-D", str(self.data), "-o", options, "-l", str(self.log), "-W", "start"], check=False
                )
            time.sleep(0.1)
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:]) if self.log.exists() else ""
        raise PostgresError(f"The server did not start within {START_SECONDS} s. Its log ends:\n{tail}")

    def _forget_stranger(self) -> None:
        """Remove a stale pid file whose number now belongs to a process that is no server of ours."""
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return
        if command and str(self.data).encode() not in command:
            pid_file.unlink(missing_ok=True)

    def _answers(self) -> bool:
        return self._psql("SELECT 1").returncode == 0

    def _sql(self, script: str) -> None:
        done = self._psql(script)
        if done.returncode:
            raise PostgresError(f"The server refused its set-up: {done.stderr.strip()}")

    def _psql(self, script: str) -> "subprocess.CompletedProcess[str]":
        if not self.secrets.exists():
            return subprocess.CompletedProcess([], 1, "", "no cluster")
        environment = {
            "PGPASSWORD": self._passwords()["postgres"],
            "PATH": os.environ.get("PATH", ""),
            "PGCONNECT_TIMEOUT": "5",
        }
        command = [
            str(self.binaries / "psql"),
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            str(self.sockets),
            "-U",
            "postgres",
            "postgres",
        ]
        return subprocess.run(command, input=script, env=environment, capture_output=True, text=True, check=False)

    def _run(self, command: list[str], *, check: bool = True) -> None:
        # pg_ctl's server would keep a pipe open for ever, so nothing is captured but to a file.
        with (self.home / "tool.log").open("w+b") as said:
            done = subprocess.run(
                [str(self.binaries / command[0]), *command[1:]], stdin=subprocess.DEVNULL, stdout=said,
                stderr=subprocess.STDOUT, cwd="/", preexec_fn=self._become(), check=False, timeout=120,
                env={**os.environ, "LC_ALL": "C.UTF-8"},
            )  # fmt: skip
            said.seek(0)
            if check and done.returncode:
                raise PostgresError(f"{command[0]} failed:\n{said.read().decode(errors='replace')}")

    def _become(self) -> Callable[[], None] | None:
        if self.user is None:
            return None
        uid, gid = self.user.pw_uid, self.user.pw_gid
        groups = [g.gr_gid for g in grp.getgrall() if self.user.pw_name in g.gr_mem]

        def become() -> None:
            os.setgroups([*groups, gid])
            os.setgid(gid)
            os.setuid(uid)

        return become

    def _own(self, path: Path) -> None:
        path.chmod(0o600)
        if self.user:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.home / "lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def kill(self) -> None:
        """Kill the server without mercy (for tests)."""
        os.kill(int((self.data / "postmaster.pid").read_text().split("\n", 1)[0]), signal.SIGKILL)


def real_server(owner_url: str, environment: dict[str, str], psql_python: str) -> Urls:
    """Return the addresses of somebody's own server: both as given, or the application's role made by the owner's."""
    if given := environment.get("DATABASE_OWNER_URL"):
        return Urls(owner_url, given)
    script = Path(__file__).with_name("provision.py")
    done = subprocess.run([psql_python, str(script)], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PostgresError(done.stderr.strip())
    return Urls(done.stdout.strip(), owner_url)


if __name__ == "__main__":
    sys.exit("This module is called by run.py and test.py.")
