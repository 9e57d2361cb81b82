"""Tests for tables: which query parameters they accept, and that no value breaks them."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import delete, insert, select

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


def pages_of(show: Show, query: str = "", step: str = "following", start: str = "", **options: object) -> list[Table]:
    """Return the pages from ``start`` on, in one direction."""
    pages = [show(f"{query}&at={start}", **options)]
    while position := getattr(pages[-1], step):
        pages.append(show(f"{query}&at={position}", **options))
    return pages


def test_pages_in_both_directions(show: Show) -> None:
    forward = pages_of(show)
    assert [first_names(page) for page in forward] == [["Ada", "Grace"], ["Alan", "100% Ann"], ["Élise"]]
    assert [page.range for page in forward] == ["1\u20132 of 5", "3\u20134 of 5", "5\u20135 of 5"]
    assert forward[0].previous is None
    backward = pages_of(show, step="previous", start=forward[-1].previous)
    assert [first_names(page) for page in backward] == [["Alan", "100% Ann"], ["Ada", "Grace"]]
    assert [page.first for page in backward] == [3, 1]


def test_the_last_page(show: Show) -> None:
    last = show("at=end")
    assert first_names(last) == ["100% Ann", "Élise"]
    assert (last.first, last.following) == (4, None)
    assert first_names(show(f"at={last.previous}")) == ["Grace", "Alan"]


def test_a_page_goes_on_where_it_was_although_rows_come_and_go(show: Show, db: SQLAlchemy) -> None:
    following = show("sort=first").following  # "100% Ann", "Ada"
    db.session.execute(delete(User).where(User.first_name == "Ada"))
    db.session.execute(insert(User).values(uid="new", first_name="Aaron", email="new@example.org"))
    db.session.commit()
    assert first_names(show(f"sort=first&at={following}")) == ["Alan", "Grace"]


def test_a_page_whose_rows_are_all_gone_is_the_first(show: Show, db: SQLAlchemy) -> None:
    following = pages_of(show)[-2].following
    db.session.execute(delete(User).where(User.first_name == "Élise"))
    db.session.commit()
    assert first_names(show(f"at={following}")) == ["Ada", "Grace"]


@pytest.mark.parametrize("at", ["0", "x", "%00", "W10.x", "." * 5000, "٣", "end2"])
def test_a_position_that_is_none_is_the_start(show: Show, at: str) -> None:
    assert first_names(show(f"at={at}")) == ["Ada", "Grace"]


def test_a_position_fits_only_its_own_list(show: Show) -> None:
    following = show("sort=first").following
    assert show(f"sort=last&at={following}").first == 1
    assert show(f"sort=first&initial=a&at={following}").first == 1
    assert show(f"sort=first&direction=desc&at={following}").first == 1
    assert show(f"sort=first&at={following[:-1]}").first == 1


@pytest.mark.parametrize("column", ["created", "id", "first"])
def test_each_type_of_column_leads_to_every_row_once(show: Show, column: str) -> None:
    columns = {"created": User.created_at, "id": User.id, "first": (User.first_name, User.last_name)}
    for direction in ("asc", "desc"):
        pages = pages_of(show, f"sort={column}&direction={direction}", columns=columns)
        assert sorted(name for page in pages for name in first_names(page)) == sorted(first for first, _ in NAMES)


def test_a_long_list_is_counted_up_to_a_limit(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.kit.pages.table.COUNTED", 3)
    assert show().range == "1\u20132 of more than 3"
    last = show("at=end")
    assert (last.first, last.range) == (None, "2 of more than 3")
    assert show(f"at={last.previous}").first is None
    for most, number in ((4, "more than 4"), (5, "5")):
        monkeypatch.setattr("app.kit.pages.table.COUNTED", most)
        assert show().range == f"1\u20132 of {number}"


def test_a_search_by_a_condition_finds_few_rows_and_many_alike(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    for most in (1_000, 1):
        monkeypatch.setattr("app.kit.pages.found.SORTED", most)
        table = show("search=x", search=lambda _words: User.last_name > "M", per_page=2)
        assert (first_names(table), table.total) == (["Alan", "100% Ann"], 3)


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
    seen = [name for page in pages_of(show, "sort=last") for name in first_names(page)]
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


def test_one_query_counts_and_one_fetches_and_no_page_counts_again(show: Show, db: SQLAlchemy) -> None:
    with recorded_queries(db.engine) as queries:
        following = show("search=a&sort=last").following
    assert len(queries) == 2
    with recorded_queries(db.engine) as queries:
        show(f"search=a&sort=last&at={following}")
    assert len(queries) == 1
    assert "(users.last_name, users.id) > (" in queries[0]


def test_links_keep_what_was_asked_for(app: Flask, db: SQLAlchemy) -> None:
    with app.test_request_context("/a%20list?search=x%26y&sort=first&junk=1"):
        table = Table.from_request(select(User), columns={"first": User.first_name}, search=[User.email])
        assert table.url(at="x") == "/a%20list?search=x%26y&sort=first&direction=asc&at=x"
        assert table.sort_url("first") == "/a%20list?search=x%26y&sort=first&direction=desc"
        assert table.url(search=None) == "/a%20list?sort=first&direction=asc"
