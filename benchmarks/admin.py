"""Measure the administration at 100, 10,000 and 1,000,000 users: time, queries, bytes and memory of each page.

With most users there are ten million audit events and as many emails; with fewer, as many as users.

    python -m benchmarks.admin                          SQLite; a quarter of an hour, most of it to add the rows
    python -m benchmarks.admin --sizes 100 20000 --rows 50000      other numbers of users, and of events and emails
    python -m benchmarks.admin --postgres               the same on PostgreSQL, from the embedded server
    python -m benchmarks.admin --url postgresql://…     the same on this server, in a database that is dropped again

Prints a Markdown table for docs/performance.md. Pages are requested from the WSGI application of production, without a
server, by a logged-in administrator with Chromium's encodings. They take turns in each round; the time is the least,
because on a busy machine all others are those of other programs, too.
"""

import argparse
import os
import re
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from benchmarks.admin_rows import add_rows
from benchmarks.site import BROWSER_HEADERS, CHROME
from development.postgres import postgres_server
from tests.servers import create_postgres_database, start_redis
from tests.servers.redis import free_port
from tests.servers.web import production_environment, session_cookie

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

SIZES = [100, 10_000, 1_000_000]
MILLISECONDS, KILOBYTE = 1000, 1000


@dataclass
class Measured:
    """What one page costs with so many users."""

    milliseconds: float
    queries: int
    bytes: int
    memory_bytes: int
    rows: int


def main() -> None:
    """Print one table."""
    arguments = _parse_arguments()
    with tempfile.TemporaryDirectory() as folder, start_redis(Path(folder) / "redis") as redis_url:
        results = {}
        with _server(arguments) as server_url:
            for size in arguments.sizes:
                with _database(server_url, Path(folder) / f"{size}.sqlite") as url:
                    os.environ.update(production_environment(url, redis_url, free_port()))
                    # The host that test clients send; and no line for each request on the terminal.
                    os.environ.update(BASE_URL="http://localhost", LOG_LEVEL="ERROR")
                    print(f"adding {size:,} users …", flush=True)
                    rows = arguments.rows if size == max(arguments.sizes) else size
                    _in_own_process(_fill, size, rows)
                    results[size] = _in_own_process(_measure, arguments.rounds)
    _report(results)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the administration with many users.")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of users")
    parser.add_argument("--rows", type=int, default=10_000_000, help="audit events and emails with most users")
    parser.add_argument("--rounds", type=int, default=15)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--postgres", action="store_true", help="on the embedded PostgreSQL server")
    where.add_argument("--url", default="", help="on this PostgreSQL server")
    return parser.parse_args()


@contextmanager
def _server(arguments: argparse.Namespace) -> Iterator[str]:
    """Yield the URL of a PostgreSQL server, or an empty text for SQLite."""
    if arguments.postgres:
        with postgres_server() as url:
            yield url
    else:
        yield arguments.url


@contextmanager
def _database(server_url: str, file: Path) -> Iterator[str]:
    if server_url:
        with create_postgres_database(server_url) as url:
            yield url
    else:
        yield f"sqlite:///{file}"


def _in_own_process(function: Callable[..., Any], *numbers: int) -> Any:
    """Run ``function`` where no other size has left objects or memory behind. The application is imported there."""
    with get_context("fork").Pool(1) as pool:
        return pool.apply(function, numbers)


def _fill(size: int, rows: int) -> None:
    from sqlalchemy import text

    from app import assets, create_app, figures
    from app.extensions import db
    from app.fake_data import add_fake_users
    from app.setup import make_administrator, prepare_database

    assets.build_assets()
    with create_app("production").app_context():
        prepare_database()
        make_administrator("admin@example.org", "correct-horse-battery-staple", "Site", "Administrator")
        add_fake_users(size - 1)
        add_rows(db.session.connection(), rows, users=size)
        db.session.commit()
        figures.store()
        db.session.commit()
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            # As the server does by itself: without, it would look at each row that it counts.
            connection.execute(text("VACUUM ANALYZE" if connection.dialect.name == "postgresql" else "ANALYZE"))


def _measure(rounds: int) -> dict[str, Measured]:
    from app import create_app

    app = create_app("production")
    client = _logged_in(app)
    with app.app_context():
        paths = dict(_pages(client))
    for path in paths.values():
        client.get(path, headers=BROWSER_HEADERS)
    times: dict[str, list[float]] = {name: [] for name in paths}
    for _ in range(rounds):
        for name, path in paths.items():
            started = time.perf_counter()
            client.get(path, headers=BROWSER_HEADERS)
            times[name].append(time.perf_counter() - started)
    return {name: Measured(min(times[name]) * MILLISECONDS, *_costs(app, client, path)) for name, path in paths.items()}


def _logged_in(app: "Flask") -> "FlaskClient":
    from app.extensions import db
    from app.models import User, UserSession

    client = app.test_client()
    with app.app_context():
        user = User.query.filter_by(email="admin@example.org").one()
        _row, token = UserSession.start(user, remembered=True, ip_address="127.0.0.1", user_agent=CHROME)
        db.session.commit()
    client.set_cookie("session", session_cookie(token))
    return client


def _pages(client: "FlaskClient") -> Iterator[tuple[str, str]]:
    """Yield the name and path of each page; positions within lists come from the links on their pages."""
    from sqlalchemy import func, select

    from app.extensions import db
    from app.models import USER_SORTS, USER_STATES, Role, User

    middle = db.session.scalar(select(func.max(User.id))) // 2
    user = db.session.get(User, middle)
    yield "hello of the site: /up", "/up"
    for name, path in (("users", "/admin/users"), ("audit log", "/admin/audit"), ("emails", "/admin/emails")):
        yield f"{name}: first page", path
        yield f"{name}: second page", (second := _link(client, path, 'rel="next"'))
        yield f"{name}: last page", (last := _link(client, second, ">Last<"))
        yield f"{name}: deep page", _link(client, _link(client, last, 'rel="prev"'), 'rel="prev"')
    yield "search with many hits", "/admin/users?search=example"
    yield "search with one hit", f"/admin/users?search={user.email}"
    yield "search with no hit", "/admin/users?search=qzxqzx"
    yield "search with a full name", f"/admin/users?search={quote(user.full_name())}"
    yield "search with a first name, only active", f"/admin/users?search={quote(user.first_name)}&state=active"
    for sort in USER_SORTS:
        for direction in ("asc", "desc"):
            yield f"sorted by {sort}, {direction}", f"/admin/users?sort={sort}&direction={direction}"
    yield "only one role", f"/admin/users?role={Role.with_name('User').id}"
    for state in USER_STATES:
        yield f"only {state}", f"/admin/users?state={state}"
    for log in ("audit", "emails"):
        yield f"{log}: search with many hits", f"/admin/{log}?search={quote(user.first_name)}"
        yield f"{log}: search with one person", f"/admin/{log}?search={user.email}"
        yield f"{log}: search with no hit", f"/admin/{log}?search=qzxqzx"
    yield "audit: only a common event", "/admin/audit?event=user.logged_in"
    yield "audit: only a rare event", "/admin/audit?event=user.invited"
    yield "audit: only some days", f"/admin/audit?until={(datetime.now(UTC) - timedelta(days=200)).date()}"
    yield "audit: only about one user", f"/admin/audit?user={middle}"
    for state in ("sent", "pending", "dead"):
        yield f"emails: only {state}", f"/admin/emails?state={state}"
    yield "dashboard", "/admin/"
    yield "one user", f"/admin/user/{middle}"


def _link(client: "FlaskClient", path: str, mark: str) -> str:
    """Return where the link with this mark leads, or ``path`` if a short list has none."""
    response = client.get(path)
    if response.status_code != 200:
        raise RuntimeError(f"{path}: returned {response.status}")
    links = re.findall(r'<a href="([^"]+)"([^<]*<)', response.text)
    return next((unescape(url) for url, rest in links if mark in rest), path)


def _costs(app: "Flask", client: "FlaskClient", path: str) -> tuple[int, int, int, int]:
    """Return the queries of a page, its bytes over the wire, the memory that Python allocated, and rows of tables."""
    from app.extensions import db
    from tests.queries import recorded_queries

    with app.app_context():
        engine = db.engine
    with recorded_queries(engine) as queries:
        length = len(client.get(path, headers=BROWSER_HEADERS).data)
    tracemalloc.start()
    client.get(path, headers=BROWSER_HEADERS)
    memory = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return len(queries), length, memory, client.get(path).text.partition("<tbody>")[2].count("</tr>")


def _report(results: dict[int, dict[str, Measured]]) -> None:
    """Print a row for each page; what does not depend on the number of users is that of the largest site."""
    sizes = sorted(results)
    columns = ["page", *(f"{size:,} (ms)" for size in sizes), "ratio", "rows", "queries", "KB", "memory (KB)"]
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for name, largest in results[sizes[-1]].items():
        times = [results[size][name].milliseconds for size in sizes]
        figures = [
            *(f"{time:.1f}" for time in times),
            f"{times[-1] / times[0]:.2f}",
            f"{results[sizes[0]][name].rows}–{largest.rows}",
            str(largest.queries),
            f"{largest.bytes / KILOBYTE:.1f}",
            f"{largest.memory_bytes / KILOBYTE:.0f}",
        ]
        print(f"| {name} | {' | '.join(figures)} |")


if __name__ == "__main__":
    main()
