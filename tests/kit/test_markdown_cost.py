"""No text keeps a worker busy: parsing takes linear time, and what the sanitizer gets is bounded."""

import time
from collections.abc import Callable

import pytest

from app.kit.pages.markdown import is_too_complex, render
from tests.kit.expensive_texts import COMPOSED, REPEATED, repeated

LENGTH = 100_000
# Measured: at most 0.15 s on a busy machine. The parser before this one took from 1.5 s to minutes.
MOST_SECONDS = 1.0
MOST_CHARACTERS = 5_000_000


@pytest.fixture(scope="module", autouse=True)
def _libraries_are_loaded() -> None:
    render("# loaded")


@pytest.mark.parametrize("unit", REPEATED, ids=repr)
def test_a_text_that_repeats_itself_is_cheap(unit: str) -> None:
    check_cost(repeated(unit, LENGTH))


@pytest.mark.parametrize("make", COMPOSED.values(), ids=list(COMPOSED))
def test_a_text_made_to_be_expensive_is_cheap(make: Callable[[int], str]) -> None:
    check_cost(make(LENGTH))


def check_cost(text: str) -> None:
    """Render the text in this thread's processor time: other processes of the machine do not count."""
    began_at = time.thread_time()
    shown = render(text)
    assert time.thread_time() - began_at < MOST_SECONDS
    assert len(shown) < MOST_CHARACTERS


@pytest.mark.parametrize(
    "text",
    [
        "Two sentences of a common length, with *stress* here. And with a [link](/a/page) there.\n\n" * 950,
        "- An item of a list\n" * 2_900,
        "| a | b | c | d | e |\n|---|---|---|---|---|\n" + "| some words | b | c | d | e |\n" * 480,
        '<p>From an <b>editor</b> of HTML, <a href="/x">with</a> links.</p>\n' * 900,
        "```python\nx = '<b>'\n```\n\n" * 1_400,
        f"[long]({'https://example.org/?' + 'x' * 2_000})\n\n" + "A paragraph.\n\n" * 400,
    ],
)
def test_what_people_write_is_not_too_complex(text: str) -> None:
    assert not is_too_complex(text)


def test_a_text_that_is_too_complex_is_shown_as_it_was_written() -> None:
    text = "<script>alert(1)</script>\n" + "- item\n" * 4_000
    assert is_too_complex(text)
    assert render(text).startswith("<pre>&lt;script&gt;alert(1)&lt;/script&gt;\n- item\n- item")


def test_a_formatting_tag_loses_its_attributes_and_nothing_else() -> None:
    assert (
        render("a <b class=\"x\" title='y'>b</b> <code\tid=z>c</code> <br/> d")
        == "<p>a <b>b</b> <code>c</code> <br> d</p>\n"
    )


def test_a_link_keeps_its_attributes_however_they_are_quoted() -> None:
    for link in ('<a href="/x" title="t">', "<a title='t' href='/x'>", "<a\nhref=/x title=t >"):
        shown = render(f"{link}a <i>b</i></a>")
        assert 'href="/x"' in shown
        assert 'title="t"' in shown
