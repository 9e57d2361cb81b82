"""Render what an administrator writes as HTML that is safe to show to everybody."""

import re
from itertools import islice

from flask import current_app
from markupsafe import Markup

# Text from an HTML editor begins and ends with such a tag; Markdown would read its indented lines as code.
BLOCK = r"(?:p|div|h[1-6]|ul|ol|table|blockquote|figure|pre)"
EDITOR_HTML = re.compile(rf"\s*<{BLOCK}\b[^>]*>.*</{BLOCK}>\s*\Z", re.IGNORECASE | re.DOTALL)

# The parser takes linear time. These limits bound the sanitizer, which builds a tree as browsers do: each tag may cost
# as much as the tree is deep, and an unclosed formatting tag or link is repeated in every later block.
MAX_TAGS = 6_000
MAX_REPEATED_LINK_CHARACTERS = 2_000_000
ANY_TAG = re.compile(r"</?[a-z]", re.IGNORECASE)
# None of these may keep an attribute. Without attributes at most three of each are repeated; with them, thousands.
FORMATTING_TAG = re.compile(r"<(b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)(?=[\s/])[^<>]*", re.IGNORECASE)
ATTRIBUTE = r"""\s+[\w:-]+(?:\s*=\s*(?:"[^"<>]*+"|'[^'<>]*+'|[^\s"'<>=`]++))?+"""
LINK = rf"<a(?:{ATTRIBUTE})++\s*/?>"
WHOLE_LINK = re.compile(LINK, re.IGNORECASE)
# A link whose end is not certain might hide the rest of the text in an attribute.
UNCERTAIN_LINK = re.compile(rf"(?!{LINK})(<a)(?=[\s/])[^<>]*", re.IGNORECASE)
TOO_COMPLEX = (
    f"This text has too many parts: more than about {MAX_TAGS // 2:,} paragraphs, list items, table cells and links, "
    "or too much HTML that is left open. Divide it."
)


def render(text: str) -> Markup:
    """Return safe HTML for ``text``: Markdown, with or without HTML in it, or what an HTML editor once stored.

    Everything that is not on the allow-list is removed: scripts, styles, frames, forms, event handlers and links
    with a scheme other than http, https, mailto and tel. No text raises; one that is too complex is shown as it was
    written.
    """
    html = _html(text)
    if _is_expensive(html):
        return Markup("<pre>{}</pre>").format(_encodable(text))
    return sanitize(_without_repetition(html))


def is_too_complex(text: str) -> bool:
    """Return whether ``text`` would keep a worker busy; a form then refuses it with :data:`TOO_COMPLEX`."""
    return _is_expensive(_html(text))


def _html(text: str) -> str:
    text = _encodable(text)
    return text if EDITOR_HTML.match(text) else _parsed(text)


def _encodable(text: str) -> str:
    # Both libraries raise on a lone surrogate, which no encoder accepts.
    return text.encode("utf-8", "replace").decode("utf-8")


def _parsed(text: str) -> str:
    # Imported here: only the pages that show edited text need it, and an idle web worker stays small.
    from pyromark import Options, html

    return html(text, options=Options.ENABLE_TABLES | Options.ENABLE_STRIKETHROUGH)


def _is_expensive(html: str) -> bool:
    tags = sum(1 for _ in islice(ANY_TAG.finditer(html), MAX_TAGS + 1))
    if tags > MAX_TAGS:
        return True
    longest_link = max((match.end() - match.start() for match in WHOLE_LINK.finditer(html)), default=0)
    return tags * longest_link > MAX_REPEATED_LINK_CHARACTERS


def _without_repetition(html: str) -> str:
    """Remove attributes that the sanitizer would repeat, or whose end it would look for elsewhere."""
    return UNCERTAIN_LINK.sub(r"\1", FORMATTING_TAG.sub(r"<\1", html))


def sanitize(html: str) -> Markup:
    """Return the allowed part of ``html``, with rel="noopener noreferrer" on every link."""
    # Imported here: only the pages that show edited text need it, and an idle web worker stays small.
    import nh3

    settings = current_app.config
    return Markup(  # noqa: S704  # nosec B704 # nh3 has just made it safe
        nh3.clean(
            html,
            tags=set(settings["MARKDOWN_TAGS"].split()),
            attributes=settings["MARKDOWN_ATTRIBUTES"],
            url_schemes=set(settings["MARKDOWN_SCHEMES"]),
            link_rel="noopener noreferrer",
        )
    )
