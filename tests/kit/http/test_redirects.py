"""Tests for `next`: it may only be a path of this site, however browsers read it."""

import pytest
from flask import Flask

from app.kit.http.redirects import local_referrer, safe_next

AWAY = [
    "",
    None,
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " /path",
    "/ path",
    "http://evil.example",
    "https:evil.example",
    "http://[::1",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "/a\r\nSet-Cookie: x=1",
    "/a\x00b",
    "/\u2028//evil.example",
    "/é",
    "/\ud800",
]


@pytest.mark.parametrize("target", AWAY)
def test_what_could_lead_away_leads_home(target: str | None) -> None:
    assert safe_next(target, "/home") == "/home"


@pytest.mark.parametrize("target", ["/", "/account/manage", "/admin/users?page=2&search=a%20b", "/a#b", "/x?next=//y"])
def test_a_path_is_kept(target: str) -> None:
    assert safe_next(target, "/home") == target


@pytest.mark.parametrize(
    ("referrer", "path"),
    [
        ("http://localhost/account/sessions?x=1", "/account/sessions?x=1"),
        ("http://localhost.evil.example/account", "/home"),
        ("http://evil.example/http://localhost/", "/home"),
        ("http://localhost//evil.example", "/home"),
        ("", "/home"),
        ("null", "/home"),
    ],
)
def test_the_way_back_stays_here(app: Flask, referrer: str, path: str) -> None:
    with app.test_request_context("/", headers={"Referer": referrer}):
        assert local_referrer("/home") == path
