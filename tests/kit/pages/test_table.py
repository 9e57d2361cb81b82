"""Tests for tables: which query parameters they accept, and that no value breaks them."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import insert, select

from app.kit.pages.table import Table
from app.models import User
from tests.queries import recorded_queries

NAMES = [("Ada", "Lovelace"), ("Grace", "Hopper"), ("Alan", "Turing"), ("100% Ann", "Under_score"), ("Élise", "Ünal")]

Show = Callable[..., Table]


@pytest.fixture
def show(app: Flask, db: SQLAlchemy) -> Show:
    """Return the table of some users for a query string."""
    people = [
        {"uid": str(number), "first_name": first, "last_name": last, "email": f"{number}@example.org"}
        for number, (first, last) in enumerate(NAMES)
    ]
    db.session.execute(insert(User), people)
    db.session.commit()

    def table(query_string: str = "", **options: object) -> Table:
        with app.test_request_context(f"/list?{query_string}"):
            settings = {
                "columns": {"first": User.first_name, "last": User.last_name},
                "search": [User.first_name, User.last_name],
                "filters": {
                    "initial": {"a": User.first_name.startswith("A")},
                    "last": lambda text: User.last_name == text if text.isalpha() else None,
                },
                "per_page": 2,
                **options,
            }
            return Table.from_request(select(User), **settings)

    return table


def first_names(table: Table) -> list[str]:
    return [user.first_name for user in table.rows]


def test_pages(show: Show) -> None:
    assert (show().total, show().pages, show().page) == (5, 3, 1)
    assert first_names(show("page=2")) == ["Alan", "100% Ann"]
    last = show("page=3")
    assert first_names(last) == ["Élise"]
    assert (last.first, last.last) == (5, 5)


@pytest.mark.parametrize("page", ["9", "999999999", "99999999999999999999999999", "9" * 5000])
def test_a_page_beyond_the_end_is_the_last_or_the_first(show: Show, page: str) -> None:
    assert show(f"page={page}").page in {1, 3}


@pytest.mark.parametrize("page", ["0", "-1", "x", "", "1e3", "٣", "%00"])
def test_what_is_no_page_is_the_first(show: Show, page: str) -> None:
    assert show(f"page={page}").page == 1


def test_sorting_both_ways(show: Show) -> None:
    assert show("sort=first").rows[0].first_name == "100% Ann"
    assert first_names(show("sort=last&direction=desc", per_page=9))[-1] == "Grace"
    assert first_names(show(sort="-first", per_page=9)) == first_names(show("sort=first&direction=desc", per_page=9))


@pytest.mark.parametrize("column", ["password_hash", "first; DROP TABLE users", "%00", ""])
def test_only_named_columns_sort(show: Show, column: str) -> None:
    table = show(f"sort={column}&direction=down")
    assert (table.sort, table.direction) == ("", "asc")
    assert first_names(table) == ["Ada", "Grace"]


def test_rows_that_tie_stay_in_one_order(show: Show, db: SQLAlchemy) -> None:
    for user in db.session.scalars(select(User)):
        user.last_name = "Same"
    db.session.commit()
    seen = [name for page in (1, 2, 3) for name in first_names(show(f"sort=last&page={page}"))]
    assert sorted(seen) == sorted(first for first, _ in NAMES)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ada", ["Ada"]),
        ("love ada", ["Ada"]),
        ("ada hopper", []),
        ("%25", ["100% Ann"]),
        ("_", ["100% Ann"]),
        ("", None),
    ],
)
def test_searching_every_word_in_any_column(show: Show, text: str, found: list[str] | None) -> None:
    table = show(f"search={text}", per_page=9)
    assert first_names(table) == (found if found is not None else [first for first, _ in NAMES])


@pytest.mark.parametrize("text", ["%00", "%ED%A0%80", "a" * 100_000, "%25" * 50_000, "\\", "'", "a " * 50_000])
def test_no_search_text_breaks_a_list(show: Show, text: str) -> None:
    table = show(f"search={text}")
    assert len(table.search) <= 100
    assert len(table.search.split()) <= 5


def test_filters(show: Show) -> None:
    assert first_names(show("initial=a")) == ["Ada", "Alan"]
    assert first_names(show("last=Hopper")) == ["Grace"]
    assert show("initial=a").is_narrowed


def test_values_that_no_filter_knows_filter_nothing(show: Show) -> None:
    table = show("initial=z&last=1&unknown=x")
    assert table.total == 5
    assert not table.is_narrowed
    assert not table.chosen


def test_one_query_counts_and_one_fetches(show: Show, db: SQLAlchemy) -> None:
    with recorded_queries(db.engine) as queries:
        show("search=a&sort=last&page=2")
    assert len(queries) == 2
    assert "LIMIT" in queries[1]


def test_links_keep_what_was_asked_for(app: Flask, db: SQLAlchemy) -> None:
    with app.test_request_context("/a%20list?search=x%26y&sort=first&junk=1"):
        table = Table.from_request(select(User), columns={"first": User.first_name}, search=[User.email])
        assert table.page_url(2) == "/a%20list?search=x%26y&sort=first&direction=asc&page=2"
        assert table.sort_url("first") == "/a%20list?search=x%26y&sort=first&direction=desc"
        assert table.url(search=None) == "/a%20list?sort=first&direction=asc"


@pytest.mark.parametrize(
    ("page", "pages", "numbers"),
    [(1, 1, [1]), (1, 3, [1, 2, 3]), (5, 9, [1, None, 4, 5, 6, None, 9]), (9, 9, [1, None, 8, 9])],
)
def test_which_pages_are_offered(page: int, pages: int, numbers: list[int | None]) -> None:
    table = Table([], total=0, page=page, pages=pages, per_page=1, sort="", direction="", search="", chosen={})
    assert table.page_numbers() == numbers
