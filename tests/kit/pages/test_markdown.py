"""Tests for Markdown: which elements are kept, and which are removed."""

import pytest

from app.kit.pages.markdown import render

# The allow-list stands in the settings.
pytestmark = pytest.mark.usefixtures("bare_app")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# Title", "<h1>Title</h1>"),
        ("**bold** and *italic*", "<strong>bold</strong> and <em>italic</em>"),
        ("- one\n- two", "<li>one</li>"),
        ("> quoted", "<blockquote>"),
        ("[us](/about)", '<a href="/about" rel="noopener noreferrer">us</a>'),
        ("| a |\n|---|\n| b |", "<td>b</td>"),
        ("1 < 2 & 3", "1 &lt; 2 &amp; 3"),
    ],
)
def test_markdown_becomes_html(text: str, html: str) -> None:
    assert html in render(text)


def test_what_the_old_editor_stored_still_shows() -> None:
    stored = '<h2>About us</h2>\n\n    <p style="color: red">We <b>build</b>.</p>\n\n<ul>\n\n    <li>One</li>\n</ul>\n'
    shown = render(stored)
    assert "<h2>About us</h2>" in shown
    assert "<p>We <b>build</b>.</p>" in shown
    assert "<li>One</li>" in shown
    assert "<pre>" not in shown, "read as Markdown, indented lines would be code"


def test_markdown_after_a_piece_of_html_is_markdown() -> None:
    assert "<h1>After</h1>" in render("<p>Before</p>\n\n# After")


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<p>x</p><script>alert(1)</script><p>y</p>",
        '<img src="x" onerror="alert(1)">',
        "[x](javascript:alert(1))",
        '<a href="JaVaScRiPt:alert(1)">x</a>',
        '<a href="java&#10;script:alert(1)">x</a>',
        '<a href="data:text/html,<script>alert(1)</script>">x</a>',
        '<iframe src="/admin/"></iframe>',
        '<form action="/account/logout" method="post"><button>x</button></form>',
        '<input name="csrf_token" form="other">',
        "<style>body { display: none }</style>",
        '<p style="position: fixed; inset: 0">x</p>',
        '<p id="content" class="flash">x</p>',
        '<base href="https://example.org">',
        '<meta http-equiv="refresh" content="0;url=https://example.org">',
        "<svg><animate onbegin=alert(1)></svg>",
        "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
    ],
)
def test_no_script_style_form_or_frame_gets_through(attack: str) -> None:
    shown = render(attack).lower()
    # What Markdown does not recognize as a link stays text.
    for danger in ("<script", "<style", "<iframe", "<form", "<input", "<base", "<meta", "<svg", "=alert", "style="):
        assert danger not in shown
    for danger in ('href="j', 'href="d', "onerror", "onbegin", "id=", "class="):
        assert danger not in shown


@pytest.mark.parametrize("text", ["", "\ud800", "\x00", "> " * 5_000, "[" * 5_000, "<div>" * 5_000, "`" * 9_999])
def test_any_text_renders(text: str) -> None:
    assert render(text).encode() is not None
