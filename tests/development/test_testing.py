"""Which tests run on PostgreSQL, too: those that use the database by their fixtures."""

import pytest
from flask.testing import FlaskClient

from development.testing import ALL_TESTS, DATABASE_TESTS


def test_a_test_with_a_client_runs_on_postgresql(request: pytest.FixtureRequest, client: FlaskClient) -> None:
    assert request.node.get_closest_marker("database")


def test_a_test_without_the_database_does_not(request: pytest.FixtureRequest) -> None:
    assert not request.node.get_closest_marker("database")


def test_nothing_else_is_left_out(pytestconfig: pytest.Config) -> None:
    """The slow tests are left out of both runs by the same words."""
    [*same, option, marked] = DATABASE_TESTS
    assert (same, option, marked) == (ALL_TESTS, "-m", f"database and {pytestconfig.getini('addopts')[-1]}")
