"""Tests that each list of the administration reads an index in its order, however long it is."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from itertools import product
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, event, insert

from app.kit.db.database import utc_now
from app.kit.pages import found
from app.models import USER_SORTS, USER_STATES, AuditEvent, Role, User
from tests.queries import recorded_queries

FOLLOWING = re.compile(r'href="([^"]+)" rel="next"')


@contextmanager
def plans(engine: Engine, without: tuple[str, ...] = ()) -> Iterator[list[str]]:
    """Yield a list that grows by the plan of each SELECT within the block."""
    found: list[str] = []
    is_sqlite = engine.dialect.name == "sqlite"
    if not is_sqlite:
        # Else the plans depend on when the server last looked at the tables by itself.
        with engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")

    def explain(_connection: object, cursor: Any, statement: str, parameters: Any, *_rest: object) -> None:
        if not statement.startswith(("SELECT", "WITH")):
            return
        if not is_sqlite:
            # With a handful of rows a scan is quickest; a list of a million has no such choice.
            for kind in ("seqscan", *without):
                cursor.execute(f"SET LOCAL enable_{kind} = off")
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if is_sqlite else ''}{statement}", parameters)
        found.append(statement + "\n" + "\n".join(str(row[-1]) for row in cursor.fetchall()))

    event.listen(engine, "before_cursor_execute", explain)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", explain)


def scans(plan: str) -> bool:
    """Return whether a plan reads a whole table of users."""
    lines = [line.strip(" ->") for line in plan.splitlines()]
    return any(line.startswith(("Seq Scan on users", "SCAN users")) and "INDEX" not in line for line in lines)


def sorts(plan: str) -> bool:
    """Return whether a plan sorts what it has read. "Incremental" sorts only rows that tie."""
    return "TEMP B-TREE" in plan or any(line.strip(" ->").startswith("Sort  ") for line in plan.splitlines())


@pytest.fixture
def people(db: SQLAlchemy) -> None:
    """Store more users than a page shows, of each state."""
    role = Role.with_name("User").id
    states = [{"confirmed": True}, {}, {"is_invited": True}, {"disabled_at": utc_now()}]
    rows = [
        {
            "uid": f"u{number}",
            "email": f"u{number}@example.org",
            "role_id": role,
            "password_hash": "x",
            "confirmed": False,
        }
        | {"disabled_at": None, "is_invited": False, "search_text": f"  u{number}@example.org"}
        | states[number % 4]
        for number in range(120)
    ]
    db.session.execute(insert(User), rows)
    db.session.commit()


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("sort", USER_SORTS)
def test_each_order_and_filter_of_users_has_an_index(
    sort: str, client: FlaskClient, db: SQLAlchemy, admin: User
) -> None:
    filters = ["", f"role={Role.with_name('User').id}", *(f"state={name}" for name in USER_STATES)]
    with plans(db.engine, without=("sort", "bitmapscan")) as seen:
        for narrowed, direction in product(filters, ["asc", "desc"]):
            page = client.get(f"/admin/users?sort={sort}&direction={direction}&{narrowed}").text
            following = FOLLOWING.search(page)
            assert following, "a second page is needed to look at its plan"
            client.get(unescape(following.group(1)))
    slow = [plan for plan in seen if scans(plan) or sorts(plan)]
    assert seen
    assert not slow, slow[0]


@pytest.mark.usefixtures("people", "admin")
def test_a_search_reads_the_index_of_its_words(client: FlaskClient, db: SQLAlchemy) -> None:
    with plans(db.engine) as seen:
        client.get("/admin/users?search=u77")
    assert seen
    # PostgreSQL may look for listed ids by walking the index of the sort order.
    assert not [plan for plan in seen if scans(plan) or ("ORDER BY users" in plan and "(id = ANY" in plan)]


@pytest.mark.usefixtures("people", "admin")
def test_a_common_word_lists_the_first_rows_found_and_says_so(
    client: FlaskClient, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(found, "FOUND", 30)
    with recorded_queries(db.engine) as queries:
        page = client.get("/admin/users?search=example").text
    assert "1\u201325 of the first 30 found; more words or a filter find others" in page
    assert "The whole list" in page, "a change of all is one of more than 30"
    assert len(queries) <= 6
    assert any(re.search(r"ORDER BY users(_search)?\.(row)?id\s+LIMIT", one) for one in queries), "each page has others"
    # A filter applies to more rows than are listed.
    with recorded_queries(db.engine) as queries:
        assert "of 30" in client.get("/admin/users?search=example&state=disabled").text
    assert len(queries) <= 6
    assert any(re.search(r"ORDER BY users(_search)?\.(row)?id\s+LIMIT", one) for one in queries)


@pytest.mark.usefixtures("people", "admin")
def test_a_filter_leaves_rows_beyond_those_found_first(
    client: FlaskClient, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch
) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL reads the index of the filter, too")
    monkeypatch.setattr(found, "FOUND", 30)
    # Where very many are found, the rows that the filter leaves are searched, too,
    monkeypatch.setattr(found, "LOOKED_THROUGH", 40)
    page = client.get("/admin/users?search=example&state=disabled").text
    assert "of 30" in page
    assert "of the first" not in page
    # the first ones of them, if they are very many as well.
    monkeypatch.setattr(found, "LOOKED_THROUGH", 29)
    page = client.get("/admin/users?search=example&state=disabled").text
    number = int(re.search("of the first ([0-9]+) found", page).group(1))
    rows = page.partition("<tbody>")[2]
    assert rows.count('data-label="State"') == rows.count(">disabled<") == 25
    assert 29 <= number <= 30


@pytest.mark.usefixtures("admin")
def test_the_events_below_another_one_have_an_index(client: FlaskClient, db: SQLAlchemy) -> None:
    # So many of others that reading all in the order of time cannot seem quicker.
    parents = [1] * 60 + [2] * 3000
    rows = [{"event": "user.disabled", "parent_id": parent, "created_at": utc_now()} for parent in parents]
    db.session.execute(insert(AuditEvent), rows)
    db.session.commit()
    with plans(db.engine, without=("sort", "bitmapscan")) as seen:
        page = client.get("/admin/audit?parent=1").text
        client.get(unescape(FOLLOWING.search(page).group(1)))
    of_events = [plan for plan in seen if "FROM audit_events" in plan]
    assert of_events
    assert all("ix_audit_events_parent_when" in plan and not sorts(plan) for plan in of_events), of_events


@pytest.mark.usefixtures("people")
def test_the_page_of_a_user_reads_the_events_of_that_user_only(
    client: FlaskClient, db: SQLAlchemy, admin: User
) -> None:
    subjects = [admin.id] * 30 + [None] * 2000
    db.session.execute(insert(AuditEvent), [{"event": "user.logged_in", "subject_id": subject} for subject in subjects])
    db.session.commit()
    with plans(db.engine, without=("bitmapscan",)) as seen:
        client.get(f"/admin/user/{admin.id}")
    [plan] = [plan for plan in seen if "FROM audit_events" in plan]
    assert "ix_audit_events_subject_id" in plan
    assert "SCAN audit_events" not in plan.replace("USING", "")
