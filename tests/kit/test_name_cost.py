"""A name that is far too long is refused before work is done on it."""

import time

import pytest
from flask.testing import FlaskClient

# Normalizing sorts the marks on a letter, one step for each pair that stands the wrong way round.
MARKS = "a" + "\u0301" * 20_000 + "\u0327" * 20_000


@pytest.mark.parametrize("field", ["first_name", "last_name", "email", "password"])
def test_marks_without_end_cost_nothing(client: FlaskClient, field: str) -> None:
    client.post("/account/register")
    began_at = time.thread_time()
    response = client.post("/account/register", data={field: MARKS})
    assert time.thread_time() - began_at < 1
    assert response.status_code == 200


def test_a_name_is_stored_in_one_spelling(client: FlaskClient) -> None:
    form = {"first_name": "  Zoe\u0308 ", "last_name": "x" * 65}
    page = client.post("/account/register", data=form).text
    assert 'value="Zoë"' in page
    assert "Use at most 64 characters." in page
