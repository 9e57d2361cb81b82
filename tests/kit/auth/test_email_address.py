"""Tests for email addresses: one spelling for each, and errors for those that servers do not accept."""

import pytest

from app.kit.auth.email_address import normalized_email


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("ada@example.org", "ada@example.org"),
        ("  Ada@EXAMPLE.org\n", "Ada@example.org"),
        ("ａｄａ＠example.org", "ada@example.org"),
        ("ada+tag@example.org", "ada+tag@example.org"),
        ("ada@bücher.example.org", "ada@xn--bcher-kva.example.org"),
        ("ada@xn--bcher-kva.example.org", "ada@xn--bcher-kva.example.org"),
    ],
)
def test_an_address_has_one_spelling(typed: str, stored: str) -> None:
    assert normalized_email(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ada",
        "@example.org",
        "ada@",
        "ada@localhost",
        "ada@[127.0.0.1]",
        "a b@example.org",
        '"a b"@example.org',
        "<ada@example.org>",
        "ada@example.org,bob@example.org",
        "ada@example.org\r\nBcc: bob@example.org",
        "ada\x00@example.org",
        "ada\u200f@example.org",
        "\u202eada@example.org",
        "ada@exam\u200bple.org",
        "ädä@example.org",
        "\ud800@example.org",
        "a" * 65 + "@example.org",
        "a@" + "b" * 60 + ".example" * 30 + ".org",
        "x" * 100_000,
    ],
)
def test_what_cannot_receive_a_link_is_refused(typed: str) -> None:
    assert normalized_email(typed) is None
