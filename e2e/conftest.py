"""A real portal for the browser tests: its own database with the demo, web server, worker, Chromium."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import urlopen

import psycopg2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from creditfujian.lib import totp

CHECKOUT = Path(__file__).resolve().parent.parent
DATABASE = f"e2e_credit_fujian_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
SHOTS = CHECKOUT / ".data" / "screenshots"
DESKTOP, PHONE = {"width": 1366, "height": 900}, {"width": 390, "height": 844}
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Chromium looks for its maker's servers at every start; here it may only see the portal.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "e2e/" in item.nodeid:
            item.add_marker("browser")
            if not os.environ.get("CF_BROWSER"):
                item.add_marker(pytest.mark.skip(reason="no Chromium"))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if any("no Chromium" in str(report.longrepr) for report in terminalreporter.getreports("skipped")):
        terminalreporter.write_line("browser tests were skipped: no Chromium (install it or set CF_BROWSER)")


def _elsewhere(url: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{DATABASE}"))


def _owner(*statements: str) -> None:
    connection = psycopg2.connect(os.environ["DATABASE_OWNER_URL"])
    connection.autocommit = True
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    connection.close()


@dataclass
class Site:
    """The running portal: its address and who can sign in."""

    base: str
    accounts: dict[str, dict[str, str]]
    settings: dict[str, str]
    sessions: dict[str, Any] = field(default_factory=dict)  # cookies of those who have signed in, by user name
    steps: dict[str, int] = field(default_factory=dict)  # the last code's step of each: a code opens once

    def is_staff(self, username: str) -> bool:
        """Tell whether the account works on the staff site."""
        return self.accounts.get(username, {}).get("role", "citizen") not in ("citizen", "institution")

    def code(self, username: str) -> str:
        """Return the next code that the account's phone shows, waiting for it when the last ones are used up."""
        secret = totp.from_text(self.accounts[username]["totp_secret"])
        step = max(totp.step_at(time.time()), self.steps.get(username, 0) + 1)
        while step > totp.step_at(time.time()) + totp.DRIFT:
            time.sleep(0.5)
        self.steps[username] = step
        return totp.code(secret, step)

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run one of the portal's commands."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=CHECKOUT,
            env=self.settings,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """Start the portal with the demo data, as `make run` does, in a database of its own."""
    with tempfile.TemporaryDirectory(prefix="cf-e2e-") as folder:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        settings = {
            **os.environ, "DATABASE_URL": _elsewhere(os.environ["DATABASE_URL"]), "MEDIA_ROOT": f"{folder}/media",
            "DATABASE_OWNER_URL": _elsewhere(os.environ["DATABASE_OWNER_URL"]), "STATIC_ROOT": f"{folder}/static",
            "DEMO": "1", "DEBUG": "0", "LOOKUPS_PER_HOUR": "500", "PORT": str(port),
        }  # fmt: skip
        _drop()
        _owner(f"CREATE DATABASE {DATABASE}")
        started = Site(f"http://127.0.0.1:{port}", {}, settings)
        credentials = Path(folder) / "credentials.json"
        for arguments in (
            ("migrate", "-v0"),
            ("collectstatic", "--noinput", "-v0"),
            ("demo", "--credentials", str(credentials)),
        ):
            done = started.command(*arguments)
            assert done.returncode == 0, done.stderr
        started.accounts = {one["username"]: one for one in json.loads(credentials.read_text())}
        web = ["-m", "gunicorn", "creditfujian.wsgi:application", "--bind", f"127.0.0.1:{port}", "--threads", "4",
               "--worker-class", "gthread", "--log-level", "warning"]  # fmt: skip
        children = [
            subprocess.Popen([sys.executable, *arguments], cwd=CHECKOUT, env=settings, start_new_session=True)
            for arguments in (web, ["manage.py", "qcluster"])
        ]
        try:
            _wait_for(f"{started.base}/readyz")
            yield started
        finally:
            for child in children:
                child.terminate()
            for child in children:
                child.wait(timeout=30)
            _drop()


def _drop() -> None:
    """Drop the database once the last connection has gone (the owner may not end the application's)."""
    for attempt in range(50):
        try:
            return _owner(f"DROP DATABASE IF EXISTS {DATABASE}")
        except psycopg2.errors.ObjectInUse:
            if attempt == 49:
                raise
            time.sleep(0.2)


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urlopen(url, timeout=5):
                return
        except (URLError, OSError):
            assert time.monotonic() < deadline, "the web server did not come up"
            time.sleep(0.2)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's loop runs in the tests' own thread
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=os.environ["CF_BROWSER"], args=FLAGS)
        yield chromium
        chromium.close()


@dataclass
class Visitor:
    """Somebody at a browser of their own."""

    site: Site
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        self.page.goto(path if ":" in path else self.site.base + path)

    @property
    def text(self) -> str:
        """What the page says, without layout."""
        return self.page.locator("body").inner_text()

    def sign_in(self, username: str, password: str = "") -> None:
        """Come signed in: by the session of an earlier visit while it lasts, else by the real pages."""
        kept = self.site.sessions.get(username)
        if kept and not password:
            self.context.add_cookies(kept)
            self.go("/account/")
            if "/account/" in self.page.url:
                self.go("/admin/" if self.site.is_staff(username) else "/me/")
                return
        self.sign_in_by_hand(username, password)
        self.page.wait_for_url(lambda url: "/sign-in/" not in url)
        kinds = ("sessionid", "known_browser")
        self.site.sessions[username] = [one for one in self.context.cookies() if one["name"] in kinds]

    def sign_in_by_hand(self, username: str, password: str = "") -> None:
        """Sign in as the citizen or member of staff would: password, then the code of the phone."""
        self.go("/admin/" if self.site.is_staff(username) else "/sign-in/")
        self.page.get_by_label("用户名").fill(username)
        self.page.get_by_label("密码").fill(password or self.site.accounts[username]["password"])
        self.page.get_by_role("button", name="登录", exact=True).click()
        if self.site.accounts.get(username, {}).get("totp_secret"):
            self.page.get_by_label("验证码").fill(self.site.code(username))
            self.page.get_by_role("button", name="验证", exact=True).click()

    def wait_until(self, state: str) -> None:
        """Wait until the batch on the page has reached a state."""
        self.page.locator(".state .tag", has_text=state).wait_for(timeout=60_000)

    def look(self, name: str) -> None:
        """Check the page at both widths: WCAG 2.2 A/AA by axe-core, nothing cut off; keep a screenshot of each.

        What is found fails the test at its end, so that one run shows everything.
        """
        SHOTS.mkdir(parents=True, exist_ok=True)
        for size, mark in ((DESKTOP, 1366), (PHONE, 390)):
            self.page.set_viewport_size(size)
            shown = re.sub(r"[^\w一-鿿-]+", "-", name).strip("-")
            self.page.screenshot(path=SHOTS / f"{shown}-{mark}.png", full_page=True, caret="initial")
            # axe would copy imported style sheets into the page, which our policy refuses: hence no preload.
            found = Axe().run(self.page, options={"runOnly": WCAG, "preload": False}).response["violations"]
            for one in found:
                nodes = [node["html"][:160] for node in one["nodes"][:3]]
                self.complaints.append(f"{name} at {mark}: {one['id']}: {nodes}")
            wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if wide > 0:
                self.complaints.append(f"{name} at {mark} is {wide} px too wide")
        self.page.set_viewport_size(DESKTOP)


@pytest.fixture
def visitor(site: Site, browser: Browser) -> Iterator[Callable[[], Visitor]]:
    """Let somebody come with a browser of their own; nobody's console may complain (policy, scripts, lost files)."""
    came: list[Visitor] = []

    def come() -> Visitor:
        context = browser.new_context(
            viewport=DESKTOP, locale="zh-CN", timezone_id="Asia/Shanghai", accept_downloads=True
        )
        one = Visitor(site, context, context.new_page())
        one.page.on("console", lambda said: said.type == "error" and one.complaints.append(said.text))
        one.page.on("pageerror", lambda error: one.complaints.append(str(error)))
        came.append(one)
        return one

    yield come
    for one in came:
        one.context.close()
        # Chromium reports every 4xx answer as an error; those are what the tests ask for.
        real = [text for text in one.complaints if "the server responded with a status of 4" not in text]
        assert not real, "\n".join(real)
