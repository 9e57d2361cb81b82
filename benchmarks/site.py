"""The kit as in production, with users, and the requests for its pages."""

import os
import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks.load import Request, ask
from tests.servers import start_redis
from tests.servers.redis import free_port
from tests.servers.web import WebServer, production_environment, session_cookie, start_gunicorn

USER_EMAIL = "ada@example.org"
# Logs in thousands of times. It must be nobody of the list's first page, which would read all of the sessions.
LOGIN_EMAIL = "zoe@example.org"
PASSWORD = "correct-horse-battery-staple"  # noqa: S105
FAKE_USERS = 500
ONE_SYNC_WORKER = ("--config", str(Path(__file__).with_name("sync_worker.py")))
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
# The encodings of Chromium, and of Safari, which has no Zstandard.
CHROME_ENCODINGS, SAFARI_ENCODINGS = "gzip, deflate, br, zstd", "gzip, deflate, br"
BROWSER_HEADERS = {"User-Agent": CHROME, "Accept-Encoding": CHROME_ENCODINGS}


@dataclass(frozen=True)
class Visit:
    """A page of the comparison; ``bar`` is the least ratio to the "hello" page, or None."""

    name: str
    server: WebServer
    request: Request
    status: int = 200
    bar: float | None = None

    @property
    def for_safari(self) -> Request:
        """The same request from a browser whose best encoding is Brotli."""
        return replace(self.request, headers={**self.request.headers, "Accept-Encoding": SAFARI_ENCODINGS})


@dataclass(frozen=True)
class Cookies:
    """The cookie headers of two users who are logged in."""

    user: str
    administrator: str


@contextmanager
def prepared_site(folder: Path) -> Iterator[tuple[dict[str, str], Cookies]]:
    """Prepare a production site with assets, tables and users, and yield its environment variables and cookies."""
    with start_redis(folder / "redis") as redis_url:
        variables = production_environment(f"sqlite:///{folder / 'site.sqlite'}", redis_url, free_port())
        os.environ.update(variables)
        yield variables, _fill()


def _fill() -> Cookies:
    # Imported here because config.py reads the environment, which is complete only now.
    from app import assets, create_app
    from app.extensions import db
    from app.fake_data import add_fake_users
    from app.main.views.pages import SHOWN_LOGINS
    from app.models import AuditEvent, User
    from app.setup import make_administrator, prepare_database

    assets.build_assets()
    app = create_app("production")
    with app.app_context():
        prepare_database()
        user = User(email=USER_EMAIL, password=PASSWORD, first_name="Ada", last_name="Wren", confirmed=True)
        zoe = User(email=LOGIN_EMAIL, password=PASSWORD, first_name="Zoe", last_name="Wren", confirmed=True)
        db.session.add_all([user, zoe])
        for _ in range(SHOWN_LOGINS):
            AuditEvent.record("user.logged_in", subject=user, actor=user, browser="Chrome on Linux", ways="password")
        administrator = make_administrator("admin@example.org", PASSWORD, "Site", "Administrator")
        add_fake_users(FAKE_USERS)
        cookies = Cookies(_log_in(user), _log_in(administrator))
        db.engine.dispose()
    return cookies


def _log_in(user: Any) -> str:
    from app.extensions import db
    from app.models import UserSession

    _row, token = UserSession.start(user, remembered=True, ip_address="127.0.0.1", user_agent=CHROME)
    db.session.commit()
    return f"session={session_cookie(token)}"


@contextmanager
def running_visits(variables: dict[str, str], cookies: Cookies) -> Iterator[list[Visit]]:
    """Start bare Flask, the kit, and the kit without a password hash. Yield the visits, each tested once."""
    port = int(variables["BASE_URL"].rpartition(":")[2])
    with (
        start_gunicorn("benchmarks.bare:app", {}, *ONE_SYNC_WORKER) as bare,
        start_gunicorn("app:create_app()", variables, *ONE_SYNC_WORKER, port=port) as kit,
        start_gunicorn("benchmarks.without_hash:create()", variables, *ONE_SYNC_WORKER) as without_hash,
    ):
        visits = [*_bare_visits(bare), *_kit_visits(kit, cookies), _login(without_hash)]
        for visit in visits:
            status = ask(visit.request)
            if status != visit.status:
                raise RuntimeError(f"{visit.name}: returned {status} instead of {visit.status}")
        yield visits


def _bare_visits(server: WebServer) -> list[Visit]:
    hello = Request(f"{server.address}/", BROWSER_HEADERS)
    page = Request(f"{server.address}/page", BROWSER_HEADERS)
    return [Visit("hello", server, hello), Visit("bare page", server, page)]


def _kit_visits(server: WebServer, cookies: Cookies) -> list[Visit]:
    def visit(name: str, path: str, bar: float | None = None, cookie: str = "") -> Visit:
        headers = {**BROWSER_HEADERS, "Cookie": cookie} if cookie else BROWSER_HEADERS
        return Visit(name, server, Request(server.address + path, headers), bar=bar)

    user, administrator = (_after_first_page(server, cookie) for cookie in (cookies.user, cookies.administrator))
    return [
        visit("home", "/", 0.60),
        visit("login page", "/account/login", 0.26),
        visit("logged-in home", "/", 0.20, user),
        visit("account page", "/account/manage", None, user),
        visit("admin list, 25 rows", "/admin/users", 0.09, administrator),
        visit("static file", _style_sheet(server)),
    ]


def _after_first_page(server: WebServer, cookie: str) -> str:
    """Return the cookie after a first request, which adds the CSRF token to the session."""
    page = urllib.request.Request(f"{server.address}/", headers={"Cookie": cookie})  # noqa: S310
    return str(urllib.request.urlopen(page).headers["Set-Cookie"].partition(";")[0])  # noqa: S310


def _style_sheet(server: WebServer) -> str:
    found = re.search(r'<link[^>]+href="(/static/[^"]+\.css)"', _get(f"{server.address}/"))
    if found is None:
        raise RuntimeError("the home page has no style sheet")
    return found[1]


def _login(server: WebServer) -> Visit:
    """Return a visit that logs in successfully, which includes the session's row, the known device and the cookie."""
    form = urllib.request.urlopen(f"{server.address}/account/login")  # noqa: S310
    cookie = form.headers["Set-Cookie"].partition(";")[0]
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form.read().decode())
    if token is None:
        raise RuntimeError("the login form has no token")
    body = urlencode({"csrf_token": token[1], "email": LOGIN_EMAIL, "password": PASSWORD})
    request = Request(f"{server.address}/account/login", {**BROWSER_HEADERS, "Cookie": cookie}, body)
    return Visit("POST login, hash aside", server, request, status=302)


def _get(url: str) -> str:
    return str(urllib.request.urlopen(url).read().decode())  # noqa: S310
