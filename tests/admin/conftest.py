"""Fixtures for the admin area."""

import pytest
from flask.testing import FlaskClient

from app.models import User
from tests.factories import let_in, make_admin


@pytest.fixture
def admin(client: FlaskClient) -> User:
    """Return the administrator as whom ``client`` is logged in."""
    user = make_admin(first_name="Root", last_name="Keeper")
    let_in(client, user)
    return user
