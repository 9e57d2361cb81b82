"""Tests for the search by trigrams: one corpus, which both databases answer alike."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import insert, inspect, select, text, update

from app import health
from app.kit.db import search, search_index
from app.kit.db.database import insert_unless_taken
from app.kit.db.search import folded
from app.models import User
from tests.admin.test_large_lists import plans

PEOPLE = [
    ("Ada", "Lovelace", "ada@example.org"),
    ("José", "Ångström", "jose@example.org"),
    ("Σοφία", "Straße", "sofia_1@example.net"),
    ("田中", "太郎", "tanaka@example.org"),
    ('O\'Neil "Al"', "100%", "al.50%off@example.org"),
    ("Zoë 🎉🎊🎈", "a/b\\c", "zoe@example.org"),
]

CORPUS = [
    ("ada", "Ada"),
    ("LOVE", "Ada"),
    ("lace", "Ada"),
    ("ve", ""),  # two characters are found at the beginning of a word only
    ("lo", "Ada"),
    ("l", "Ada"),
    ("ada love", "Ada"),
    ("love zoe", ""),
    ("jose", "José"),
    ("JOSÉ", "José"),
    ("angst", "José"),
    ("ΣΟΦΊΑ", "Σοφία"),
    ("σοφια", "Σοφία"),
    ("strasse", "Σοφία"),
    ("sofia_1", "Σοφία"),
    ("ada@example.org", "Ada"),
    ("da@example.org", "Ada"),
    ("ada@example.net", ""),
    ("ka@example.org", "田中"),
    ("@example.net", "Σοφία"),
    ("al.50%off@ex", 'O\'Neil "Al"'),
    ("田中", "田中"),
    ("太", "田中"),
    ("100%", 'O\'Neil "Al"'),
    ("%", ""),
    ("0%o", 'O\'Neil "Al"'),
    ('"al"', 'O\'Neil "Al"'),
    ("o'neil", 'O\'Neil "Al"'),
    ("__1", ""),
    ("🎉🎊🎈", "Zoë 🎉🎊🎈"),
    ("🎉", "Zoë 🎉🎊🎈"),
    ("a/b", "Zoë 🎉🎊🎈"),
    ("b\\c", "Zoë 🎉🎊🎈"),
    ("OR", ""),
    ("zoe* OR ada", ""),
    ("nobody", ""),
]


@pytest.fixture
def people(db: SQLAlchemy) -> None:
    """Store the people of the corpus."""
    for first, last, email in PEOPLE:
        db.session.add(User(first_name=first, last_name=last, email=email))
    db.session.commit()


def found(db: SQLAlchemy, words: str) -> str:
    """Return the first names of those that the index finds, after comparing them with a scan of all rows."""
    ids = db.session.scalars(User.ids_matching(words)).all()
    by_index = set(db.session.scalars(select(User.first_name).where(User.id.in_(ids))))
    assert by_index == set(db.session.scalars(select(User.first_name).where(User.matches(words))))
    return ", ".join(by_index)


@pytest.mark.usefixtures("people")
def test_both_databases_find_the_same(db: SQLAlchemy) -> None:
    assert {words: found(db, words) for words, _ in CORPUS} == dict(CORPUS)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("most", [0, 1, 1000])
def test_the_first_rows_found_are_those_with_the_lowest_ids(
    most: int, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "SORTED", most)
    for words, _ in CORPUS:
        ids = sorted(db.session.scalars(User.ids_matching(words)))
        for limit in (1, 2, len(PEOPLE)):
            assert db.session.scalars(User.first_ids_matching(words, limit)).all() == ids[:limit], words


@pytest.mark.usefixtures("people")
def test_only_a_common_word_is_looked_for_in_the_order_of_the_ids(
    db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL took words that nobody has for common ones, and read a million rows: 0.4 s."""
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite always reads its index of trigrams, which is in the order of the ids")

    db.session.execute(text("ANALYZE users"))
    db.session.commit()

    def walk(words: str) -> str:
        """Return the line of the plan that reads the users by their ids."""
        query = str(User.first_ids_matching(words, 2).compile(db.engine, compile_kwargs={"literal_binds": True}))
        with db.engine.connect() as connection:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            connection.exec_driver_sql("SET LOCAL enable_sort = off")
            plan = connection.exec_driver_sql(f"EXPLAIN (ANALYZE) {query}").scalars().all()
        return [line for line in plan if "pk_users" in line][-1]

    monkeypatch.setattr(search, "SORTED", 1)
    assert "never executed" in walk("nobody")
    assert "never executed" in walk("love")
    assert "never executed" not in walk("example")


def test_a_search_that_is_repeated_is_planned_for_its_words(db: SQLAlchemy) -> None:
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite keeps no plans")
    for _ in range(10):
        db.session.scalars(User.first_ids_matching("ada", 1)).all()
    assert db.session.scalar(text("SELECT count(*) FROM pg_prepared_statements")) == 0


@pytest.fixture
def without_pg_trgm(db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make the index as on a PostgreSQL server on which the extension is not installed."""
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has its index of trigrams built in")
    monkeypatch.setattr(search_index, "EXTENSION", "nobody_has_installed_this")
    remake_index(db)
    yield
    monkeypatch.undo()
    remake_index(db)


def remake_index(db: SQLAlchemy) -> None:
    """Drop the index of the users' words, and create it."""
    db.session.rollback()  # it holds a lock since it has read
    with db.engine.begin() as connection:
        search_index.drop_index(connection, User.__table__)
        search_index.create_index(connection, User.__table__)


@pytest.mark.usefixtures("people", "without_pg_trgm")
def test_without_pg_trgm_the_beginnings_of_words_are_found(app: Flask, db: SQLAlchemy) -> None:
    texts = dict(db.session.execute(select(User.first_name, User.search_text)).all())
    for words, expected in CORPUS:
        starts = folded(words).split()
        if all(any(f"  {start}" in text for text in texts.values()) for start in starts):
            assert found(db, words) == expected
        else:
            assert found(db, words) == "", words
    # To read a handful of rows in their order is quicker.
    with plans(db.engine, without=("indexscan",)) as plan:
        db.session.scalars(User.ids_matching("lov ada")).all()
    assert "Bitmap Index Scan on users_search" in plan[-1]
    assert {check.name: check.detail for check in health.checks()}["search"].startswith("It finds only")


@pytest.mark.usefixtures("people", "without_pg_trgm")
def test_a_new_index_has_statistics(db: SQLAlchemy) -> None:
    """Without, PostgreSQL knows nothing of the words until its autovacuum has come by."""
    db.session.rollback()
    with db.engine.connect() as connection:
        assert list(search_index.reindex(connection, db.metadata)) == [len(PEOPLE)]
        assert connection.exec_driver_sql("SELECT count(*) FROM pg_stats WHERE tablename = 'users_search'").scalar()


def test_a_very_long_word_is_indexed(db: SQLAlchemy) -> None:
    # One letter becomes eighteen when it is folded.
    db.session.add(User(first_name="\ufdfa" * 64, last_name="x" * 64, email="long@example.org"))
    db.session.commit()
    remake_index(db)
    assert found(db, "x" * 64) == "\ufdfa" * 64


@pytest.mark.usefixtures("people")
def test_a_change_is_found_at_once_and_what_is_deleted_never(db: SQLAlchemy) -> None:
    ada = db.session.scalar(select(User).where(User.first_name == "Ada"))
    ada.last_name = "King"
    db.session.commit()
    assert (found(db, "lovelace"), found(db, "king")) == ("", "Ada")
    db.session.delete(ada)
    db.session.commit()
    assert found(db, "king") == ""


def test_a_row_inserted_by_a_statement_is_found(db: SQLAlchemy) -> None:
    assert insert_unless_taken(db.session(), User, first_name="Ada", last_name="King", email="ada@example.org", uid="1")
    db.session.execute(insert(User), [{"first_name": "Bob", "email": "bob@example.org", "uid": "2"}])
    db.session.commit()
    assert (found(db, "king"), found(db, "bob@")) == ("Ada", "Bob")


@pytest.mark.usefixtures("people")
def test_a_text_of_accents_only_finds_everybody(db: SQLAlchemy) -> None:
    assert len(found(db, "\u0301").split(", ")) == len(PEOPLE)


@pytest.mark.usefixtures("people")
def test_the_words_of_all_rows_can_be_folded_again(db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_index, "BATCH", 4)
    db.session.execute(update(User).values(search_text="lost"))
    assert found(db, "ada") == ""
    assert list(search_index.fold_again(db.session.connection(), User.__table__, User.__searched__)) == [4, len(PEOPLE)]
    db.session.commit()
    assert found(db, "ada") == "Ada"


def test_a_lost_index_is_made_again(app: Flask, db: SQLAlchemy) -> None:
    """Alembic copies a table of SQLite to alter it, and the copy has no triggers."""
    with db.engine.begin() as connection:
        assert not search_index.is_missing(connection, User.__table__)
        lost = "TRIGGER users_search_update" if db.engine.dialect.name == "sqlite" else "INDEX users_search"
        connection.exec_driver_sql(f"DROP {lost}")
        assert search_index.is_missing(connection, User.__table__)
        search_index.create_indexes(connection, db.metadata)
        assert not search_index.is_missing(connection, User.__table__)


def test_a_table_that_is_not_there_yet_needs_no_index(db: SQLAlchemy) -> None:
    assert [table.name for table in search_index.searchable_tables(db.metadata)] == ["users"]
    assert inspect(db.engine).has_table("users")
