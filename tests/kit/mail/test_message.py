"""Tests for the message as it is sent."""

from email import message_from_bytes, policy

import pytest

from app.kit.mail.message import Message, build_message

PARTS = {
    "sender": "Flask-Base <site@example.com>",
    "recipient": "ada@example.com",
    "subject": "Hello",
    "text": "Hello\n",
    "html": "<p>Hello</p>\n",
    "message_id": "<email-1.2@example.com>",
}


def built(**changes: str) -> Message:
    return build_message(**{**PARTS, **changes})


def parsed(**changes: str):  # type: ignore[no-untyped-def]
    return message_from_bytes(built(**changes).content, policy=policy.default)


def test_text_comes_first_and_html_is_its_alternative() -> None:
    message = parsed()
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert not message.defects
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == "<email-1.2@example.com>"


def test_any_letter_arrives() -> None:
    message = parsed(subject="Grüße 🐝", text="Zoë — 你好\n", html="<p>Zoë 你好</p>", sender="Zoë Ltd <z@example.com>")
    assert message["Subject"] == "Grüße 🐝"
    assert message.get_body(("plain",)).get_content().strip() == "Zoë — 你好"
    assert "你好" in message.get_body(("html",)).get_content()
    assert message["From"].addresses[0].display_name == "Zoë Ltd"


def test_a_long_line_is_folded_for_smtp() -> None:
    content = built(html="<p>" + "x" * 5000 + "</p>").content
    assert max(len(line) for line in content.split(b"\r\n")) <= 998
    assert "x" * 5000 in parsed(html="<p>" + "x" * 5000 + "</p>").get_body(("html",)).get_content()


@pytest.mark.parametrize("html", ["<p>" + "é" * 500 + "</p>", "<p>" + "word é " * 500 + "</p>"])
def test_a_line_of_other_letters_is_short_and_all_ascii(html: str) -> None:
    content = built(html=html, subject="Grüße " * 30).content
    assert content.isascii()
    assert max(len(line) for line in content.split(b"\r\n")) <= 76
    assert parsed(html=html).get_body(("html",)).get_content().strip() == html


def test_long_addresses_and_ids_stay_whole() -> None:
    longest = f"{'a' * 64}@{'.'.join(['b' * 60] * 3)}.ex"
    message = parsed(recipient=longest, message_id=f"<email-1.2@{'c' * 60}.{'d' * 60}.example>")
    assert message["To"] == longest
    assert message["Message-ID"] == f"<email-1.2@{'c' * 60}.{'d' * 60}.example>"


def test_every_line_ends_as_smtp_wants_it() -> None:
    content = built(text="a\nb\r\nc\n").content
    assert content.count(b"\n") == content.count(b"\r\n")
    assert content.endswith(b"--\r\n")


def test_an_international_domain_travels_in_ascii() -> None:
    assert built(recipient="ada@bücher.example").recipient == "ada@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "Hello\r\nBcc: eve@example.com"},
        {"subject": "Hello\nBcc: eve@example.com"},
        {"sender": "Site\nBcc: eve@example.com <site@example.com>"},
        {"message_id": "<1@example.com>\nBcc: eve@example.com"},
        {"recipient": "ada@example.com\r\nBcc: eve@example.com"},
        {"recipient": "ada@example.com> <eve@example.com"},
        {"recipient": "zoë@example.com"},
        {"recipient": "nobody"},
    ],
)
def test_what_would_add_a_header_or_cannot_be_carried_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"(?i)addr|header|local-part"):
        built(**changes)
