"""Tests for the development mailbox: it shows each email whole, and an email cannot act on our pages."""

import os
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.kit.mail.message import build_message

LINK = "http://127.0.0.1:5000/account/confirm-account/token"


@pytest.fixture
def folder(app: Flask) -> Path:
    """Return the empty folder that emails are written to."""
    place: Path = app.config["MAILBOX_DIR"]
    place.mkdir(exist_ok=True)
    for path in place.glob("*.eml"):
        path.unlink()
    return place


def write(folder: Path, name: str, subject: str = "Grüße", html: str = "<p>Hello</p>", age_seconds: int = 0) -> None:
    """Put an email into the folder, written ``age_seconds`` ago."""
    message = build_message(
        sender="Kit <kit@example.org>",
        recipient="ada@example.org",
        subject=subject,
        text=f"Open {LINK} now.\n",
        html=html,
        message_id=f"<{name}@example.org>",
    )
    path = folder / name
    path.write_bytes(message.content)
    written = path.stat().st_mtime - age_seconds
    os.utime(path, (written, written))


def test_an_empty_mailbox_says_how_to_fill_it(client: FlaskClient, folder: Path) -> None:
    assert "No mail yet" in client.get("/dev/mailbox").text
    assert client.get("/dev/mailbox/status").text == ""


def test_the_newest_mail_comes_first(client: FlaskClient, folder: Path) -> None:
    write(folder, "email-1.eml", "The first", age_seconds=60)
    write(folder, "email-2.eml", "The second")
    page = client.get("/dev/mailbox").text
    assert page.index("The second") < page.index("The first")
    assert "ada@example.org" in page


def test_the_status_changes_with_each_mail(client: FlaskClient, folder: Path) -> None:
    write(folder, "email-1.eml", age_seconds=60)
    before = client.get("/dev/mailbox/status").text
    assert client.get("/dev/mailbox/status").text == before
    write(folder, "email-2.eml")
    after = client.get("/dev/mailbox/status")
    assert after.text != before
    assert after.headers["Cache-Control"] == "no-store"


def test_a_mail_shows_text_headers_and_source(client: FlaskClient, folder: Path) -> None:
    write(folder, "email-1.eml")
    page = client.get("/dev/mailbox/email-1.eml").text
    assert "Grüße" in page
    assert f'<a href="{LINK}"' in page, "a link in the text can be followed"
    assert "auto-generated" in page
    raw = client.get("/dev/mailbox/email-1.eml/raw")
    assert raw.mimetype == "text/plain"
    assert "Message-ID: <email-1.eml@example.org>" in raw.text


def test_the_html_stands_in_a_frame_that_runs_nothing(client: FlaskClient, folder: Path) -> None:
    write(folder, "email-1.eml", html=f'<html><head></head><body><a href="{LINK}">Go</a><script>x()</script></body>')
    page = client.get("/dev/mailbox/email-1.eml")
    assert 'sandbox="allow-same-origin allow-top-navigation-by-user-activation"' in page.text
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    framed = client.get("/dev/mailbox/email-1.eml/html")
    policy = framed.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy
    assert "frame-ancestors 'self'" in policy
    assert "allow-scripts" not in policy
    assert f'<a href="{LINK}">Go</a>' in framed.text
    assert '<base target="_top">' in framed.text


def test_only_this_page_may_frame_anything(client: FlaskClient, folder: Path) -> None:
    assert "frame-src 'none'" in client.get("/dev/mailbox").headers["Content-Security-Policy"]


def test_a_subject_is_shown_as_text(client: FlaskClient, folder: Path) -> None:
    write(folder, "email-1.eml", "<script>alert(1)</script>")
    for path in ("/dev/mailbox", "/dev/mailbox/email-1.eml"):
        assert "<script>alert" not in client.get(path).text


@pytest.mark.parametrize("name", ["gone.eml", "..%2fsecret.eml", "%2e%2e.eml", ".hidden.eml", "x.txt", "a%00.eml"])
def test_no_other_file_can_be_read(client: FlaskClient, folder: Path, name: str) -> None:
    (folder.parent / "secret.eml").write_text("Subject: secret\n\n")
    (folder / "x.txt").write_text("x")
    for suffix in ("", "/html", "/raw"):
        assert client.get(f"/dev/mailbox/{name}{suffix}").status_code == 404


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"Subject: =?x?q?y?=\r\nContent-Type: text/html; charset=x\n\nhi"]
)
def test_a_broken_mail_still_shows(client: FlaskClient, folder: Path, content: bytes) -> None:
    (folder / "broken.eml").write_bytes(content)
    for path in ("/dev/mailbox", "/dev/mailbox/broken.eml", "/dev/mailbox/broken.eml/raw"):
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/account/login", "/account/register"])
def test_pages_that_send_mail_point_here(client: FlaskClient, path: str) -> None:
    assert 'href="/dev/mailbox"' in client.get(path).text


def test_they_do_not_where_mail_leaves(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(client.application.config, "MAILBOX_DIR", None)
    assert "/dev/mailbox" not in client.get("/account/login").text
    assert client.get("/dev/mailbox").status_code == 404
