"""Texts on which parsers of Markdown, or browsers' way of reading HTML, are known to be slow.

Each is a function of the wished length. Most repeat something that opens and never closes.
"""

from collections.abc import Callable

REPEATED = [
    *("> ", ">", "- ", "1. ", "> - ", "- > ", "- - - a\n", "- a\n", "- a\n\n", "> a\nb\n"),
    *("[", "]", "![", "[a](b", "[a](<", "[a](b 'x", "[a](b)", "[a][b]", '[a]: "\n', "[a]: b '\n", "[ẞ"),
    *("*", "*a ", "*a_b ", "a**b", "*a **a ", "**x* ", "*_", "*a _b ~~c ", "~~a~~b", "`", "`a ``b ", "```\n"),
    *("|", "|-|\n", "|a|\n|-|\n\n", "- |a|\n  |-|\n  |b|\n", "# a\n", "a\n=\n", "a\n", "a\n\n", "---\n", "* * "),
    *("<", "<a ", "<!--", "<!-- x\n\n", "<?", "<!A ", "<![CDATA[", "<a x='", '<a x="b"', "<a:b ", "<a.b@c.d", "</a "),
    *("x <div>", "<div>", "<ul><li>", "<table><tr><td>", "<p><b>", "<b><i></b>", "<svg><math>", "<a><div></a>"),
    *("&", "&a", "&#x", "\\", "\x00", " ", "\t", "\n", "漢字"),
]
FORMATTING = ["b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"]
ALL_OPEN = "<p>" + "".join(f"<{name}>" * 3 for name in FORMATTING)


def repeated(unit: str, length: int) -> str:
    """Return ``unit`` again and again, ``length`` characters of it."""
    return (unit * (length // len(unit) + 1))[:length]


def cells(length: int) -> str:
    """Return a table whose short lines the parser fills up with thousands of cells."""
    columns = length // 8
    return "|a" * columns + "\n" + "|-" * columns + "\n" + repeated("a\n", length // 2)


COMPOSED: dict[str, Callable[[int], str]] = {
    "cells": cells,
    "deep quote, lazy lines": lambda n: ">" * 99 + "a\n" + repeated("b\n", n),
    "deep list, empty lines": lambda n: "- " * 50 + "a\n" + repeated("\n", n),
    "definition without end": lambda n: "[a]: b '" + repeated("x\n", n),
    "long definition, many uses": lambda n: "[a]: /" + "x" * (n // 2) + "\n\n" + repeated("[a]\n\n", n // 2),
    "nested links": lambda n: "[" * (n // 5) + "a" + "](b)" * (n // 5),
    "backticks, ever more": lambda n: "".join("`" * i + "a" for i in range(1, int((2 * n) ** 0.5))),
    "editor's HTML without end": lambda n: "<p>" + repeated("</p" + " " * 1000, n),
    "attributes": lambda n: "<p " + " ".join(f"a{i}=b" for i in range(n // 7)) + ">x</p>",
    "formatting tags with attributes": lambda n: (
        "<p>" + "".join(f"<b a{i}>" for i in range(1000)) + "</p>" + repeated("<p>x", min(n, 19_000))
    ),
    "formatting tags, then Markdown": lambda n: "".join(f"<b a{i}>" for i in range(1000)) + "\n\n" + "x\n\n" * 2_900,
    "open link": lambda n: f"<p><a href='/{'x' * (n // 2)}'></p>" + "<p>x" * 5_900,
    "open link that looks closed": lambda n: f"<p><a href='/>{'x' * (n // 2)}'></p>" + "<p>x" * 5_900 + "</p>",
    # As much as is accepted of what costs the most.
    "deepest tree": lambda n: "<div>" * 5_990,
    "tree and useless ends": lambda n: "<div>" * 4_000 + "</p>" * 1_990,
    "all formatting, all blocks": lambda n: f"{ALL_OPEN}<a href='/{'x' * 300}'></p>" + "<p>x" * 5_900,
}
