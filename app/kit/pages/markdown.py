"""What an administrator writes, as HTML that is safe to show to everybody."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

TEXT_TAGS = "p br hr strong b em i u s del ins sub sup small mark abbr blockquote cite q code pre kbd"
BLOCK_TAGS = "h1 h2 h3 h4 h5 h6 ul ol li dl dt dd table caption thead tbody tfoot tr th td figure figcaption"
OTHER_TAGS = "a img div span"
ALLOWED_TAGS = frozenset(f"{TEXT_TAGS} {BLOCK_TAGS} {OTHER_TAGS}".split())
# No style and no id or class: the first is refused by the content security policy anyway, the others let
# stored text take over the look or the targets of the page around it.
ALLOWED_ATTRIBUTES = {
    "a": {"href", "title"},
    "abbr": {"title"},
    "img": {"src", "alt", "title", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
ALLOWED_SCHEMES = frozenset({"http", "https", "mailto", "tel"})
# An HTML editor's text begins and ends with such a tag; read as Markdown, its indented lines would be code.
BLOCK = r"(?:p|div|h[1-6]|ul|ol|table|blockquote|figure|pre)"
EDITOR_HTML = re.compile(rf"\s*<{BLOCK}\b[^>]*>.*</{BLOCK}>\s*\Z", re.IGNORECASE | re.DOTALL)


def render(text: str) -> Markup:
    """The HTML of ``text``, which is Markdown, with HTML in it or not, or what an HTML editor once stored.

    Everything that is not on the allow-list is gone: scripts, styles, frames, forms, event handlers and
    links with another scheme than http, https, mailto and tel. Any text renders; none raises.
    """
    # No encoder takes a lone surrogate, and the sanitizer would raise on it.
    text = text.encode("utf-8", "replace").decode("utf-8")
    return sanitize(text if EDITOR_HTML.match(text) else _parser().render(text))


def sanitize(html: str) -> Markup:
    """The allowed part of ``html``; every link leaves with rel="noopener noreferrer"."""
    # Imported here: only the pages that show edited text need it, and an idle web worker stays small.
    import nh3

    return Markup(  # noqa: S704  # nosec B704 # nh3 has just made it safe
        nh3.clean(
            html,
            tags=set(ALLOWED_TAGS),
            attributes=ALLOWED_ATTRIBUTES,
            url_schemes=set(ALLOWED_SCHEMES),
            link_rel="noopener noreferrer",
        )
    )


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    # Imported here: 30 ms and 4 MB that a web worker pays only when somebody opens an edited page.
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": True, "linkify": False}).enable(["table", "strikethrough"])
