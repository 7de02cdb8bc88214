"""`make run`: from a fresh machine to the portal with demo data; Ctrl-C stops everything."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from urllib.error import URLError
from urllib.request import urlopen

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from creditfujian.dev import setup
from creditfujian.dev.postgres import PostgresError, Server
from creditfujian.dev.setup import DATA, say

CREDENTIALS = DATA / "credentials.json"
CHILDREN = DATA / "children.json"
PORT = DATA / "port"  # of the last run: the QR codes on its reports lead there
PARENT_DEATH = 1  # PR_SET_PDEATHSIG


def main() -> int:
    """Set up, serve, and clean up."""
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, _interrupt)
    server: Server | None = None
    children: list[subprocess.Popen[bytes]] = []
    try:
        _end_leftovers()
        port = _port()
        setup.install("requirements.txt")
        setup.fonts()
        server, urls = setup.server("run")
        settings = setup.environment(urls, PORT=str(port))
        _prepare(settings)
        children = [_web(settings, port), _child(settings, "manage.py", "qcluster")]
        CHILDREN.write_text(json.dumps([child.pid for child in children]))
        _wait_for(port, children)
        _tell(port)
        return _watch(children)
    except PostgresError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"\nStopped: {' '.join(map(str, error.cmd[:4]))} … failed.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _stop(children)
        if server is not None:
            server.stop()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _port() -> int:
    """Return the port asked for, or that of the last run, or the first free one from 8000 on, and remember it.

    Exits when the asked one is taken.
    """
    asked = os.environ.get("PORT")
    last = [int(PORT.read_text())] if PORT.exists() else []
    for port in [int(asked)] if asked else [*last, *range(8000, 8100)]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if [port] != (last or [8000]) and not asked:
            say(f"port {(last or [8000])[0]} is taken; serving on {port}: QR codes on earlier reports lead elsewhere")
        PORT.write_text(str(port))
        return port
    sys.exit(f"Port {asked or '8000–8099'} is taken. Choose another: PORT=8123 make run")


def _prepare(settings: dict[str, str]) -> None:
    setup.manage(settings, "migrate", "--verbosity", "0")
    setup.manage(settings, "collectstatic", "--noinput", "--verbosity", "0")
    if settings["DEMO"] == "1" and not CREDENTIALS.exists():
        say("entering the demo data (all invented)")
        setup.manage(settings, "demo", "--credentials", str(CREDENTIALS))


def _web(settings: dict[str, str], port: int) -> "subprocess.Popen[bytes]":
    return _child(
        settings, "-m", "gunicorn", "creditfujian.wsgi:application", "--bind", f"127.0.0.1:{port}", "--workers", "2",
        "--threads", "4", "--worker-class", "gthread", "--timeout", "120", "--log-level", "warning", "--max-requests", "5000",
    )  # fmt: skip


def _child(settings: dict[str, str], *arguments: str) -> "subprocess.Popen[bytes]":
    """Start a process of the virtual environment in a group of its own; on Linux it dies with us."""

    def die_with_parent() -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PARENT_DEATH, signal.SIGTERM)

    return subprocess.Popen(
        [setup.python(), *arguments], cwd=setup.CHECKOUT, env=settings, start_new_session=True,
        preexec_fn=die_with_parent, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def _wait_for(port: int, children: "list[subprocess.Popen[bytes]]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return
        except (URLError, OSError):
            if children[0].poll() is not None:
                break
            time.sleep(0.2)
    sys.exit("The web server did not come up; its messages are above.")


def _tell(port: int) -> None:
    if CREDENTIALS.exists():
        print(f"\n{'role':<18}{'username':<20}{'password':<18}  note")
        for account in json.loads(CREDENTIALS.read_text()):
            print(f"{account['role']:<18}{account['username']:<20}{account['password']:<18}  {account['note']}")
    print(f"\n信用福建  http://127.0.0.1:{port}/   工作平台  http://127.0.0.1:{port}/admin/")
    print(f"账户另存于 {CREDENTIALS}；Ctrl-C 停止。")
    print("工作人员登录分两步：密码之后要验证码。另开一个终端运行  make code USER=用户名  取得验证码；")
    print("或用手机上的验证器应用扫码  make code USER=用户名 QR=1\n", flush=True)


def _watch(children: "list[subprocess.Popen[bytes]]") -> int:
    while True:
        for child in children:
            if child.poll() is not None:
                print(f"A process ended unexpectedly ({child.args[1:4]!r}).", file=sys.stderr)  # type: ignore[index]
                return 1
        time.sleep(0.5)


def _stop(children: "list[subprocess.Popen[bytes]]") -> None:
    for child in children:
        if child.poll() is None:
            child.terminate()
    for child in children:
        try:
            child.wait(timeout=15)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
    CHILDREN.unlink(missing_ok=True)


def _end_leftovers() -> None:
    """End web and worker of an earlier run that was killed, if their numbers are still theirs."""
    DATA.mkdir(exist_ok=True)
    if not CHILDREN.exists():
        return
    for pid in json.loads(CHILDREN.read_text()):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            if str(setup.venv()).encode() in command:
                os.killpg(pid, signal.SIGKILL)
        except OSError:
            continue
    CHILDREN.unlink()


if __name__ == "__main__":
    sys.exit(main())
