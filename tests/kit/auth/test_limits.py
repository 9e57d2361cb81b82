"""Tests for who is counted by a rate limit; the views' own limits are in tests/account/test_limits.py."""

import pytest
from flask import Flask

from app.kit.auth.limits import client_address, typed_email


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"),
        ("198.51.100.7", "198.51.100.7"),
        ("nonsense", ""),
    ],
)
def test_one_customer_counts_as_one(bare_app: Flask, one: str, other: str) -> None:
    assert address_of(bare_app, one) == address_of(bare_app, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:3::1"),
        ("198.51.100.7", "198.51.100.8"),
        ("::ffff:198.51.100.7", "::ffff:198.51.100.8"),
    ],
)
def test_two_customers_count_as_two(bare_app: Flask, one: str, other: str) -> None:
    assert address_of(bare_app, one) != address_of(bare_app, other)


@pytest.mark.parametrize("spelling", ["ADA@Example.ORG", "  ada@example.org ", "ａda@example.org"])
def test_every_spelling_of_an_address_is_one(bare_app: Flask, spelling: str) -> None:
    assert typed(bare_app, spelling) == typed(bare_app, "ada@example.org")
    assert typed(bare_app, spelling) != typed(bare_app, "eve@example.org")


@pytest.mark.parametrize("text", ["", "\x00", "no address", "@", "a" * 400_000, "\u202e@example.org", "﷽" * 30_000])
def test_what_is_no_address_counts_where_it_comes_from(bare_app: Flask, text: str) -> None:
    assert typed(bare_app, text) == "198.51.100.7"


def test_an_address_is_counted_under_a_short_name_that_tells_nothing(bare_app: Flask) -> None:
    key = typed(bare_app, "lovelace@example.org")
    assert len(key) == 32
    assert "lovelace" not in key


def test_the_name_depends_on_the_sites_key(bare_app: Flask) -> None:
    before = typed(bare_app, "ada@example.org")
    bare_app.config["SECRET_KEY"] = "another" * 6
    assert typed(bare_app, "ada@example.org") != before


def address_of(app: Flask, remote_address: str) -> str:
    with app.test_request_context(environ_base={"REMOTE_ADDR": remote_address}):
        return client_address()


def typed(app: Flask, text: str) -> str:
    with app.test_request_context(method="POST", data={"email": text}, environ_base={"REMOTE_ADDR": "198.51.100.7"}):
        return typed_email()
