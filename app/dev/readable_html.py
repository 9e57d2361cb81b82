"""HTML indented as a person would write it: one block element per line, with its text and inline elements."""

from html.parser import HTMLParser

INDENT = "  "
INLINE = {"a", "b", "br", "code", "em", "i", "kbd", "mark", "s", "small", "span", "strong", "sub", "sup", "time"}
VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
# White space is significant in the first and last, and nobody reads the inside of an SVG.
VERBATIM = {"pre", "svg", "textarea"}


def readable(html: str) -> str:
    """Return ``html`` on indented lines. Browsers show it the same, except for space between elements."""
    writer = _Writer()
    writer.feed(html)
    writer.close()
    return "\n".join(line.rstrip() for line in writer.lines)


class _Writer(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.lines: list[str] = []
        self.depth = 0
        self.verbatim = 0
        # Whether the next text continues the last line.
        self.goes_on = False
        # Whether the last opened element has only its own line so far.
        self.is_leaf = False
        self.tag_length = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        text = self.get_starttag_text() or ""
        if self.verbatim or tag in INLINE or tag == "svg":
            self._add(text)
        else:
            self._break_after_the_tag()
            self.goes_on = False
            self._add(text)
            self.tag_length = len(self.lines[-1])
            self.is_leaf = self.goes_on = tag not in VOID
            self.depth += self.is_leaf
        self.verbatim += tag in VERBATIM

    def handle_endtag(self, tag: str) -> None:
        self.verbatim -= tag in VERBATIM
        if self.verbatim or tag in INLINE or tag == "svg":
            self._add(f"</{tag}>")
            return
        self.depth -= 1
        self.goes_on = self.is_leaf
        if tag not in VERBATIM:
            self.lines[-1] = self.lines[-1].rstrip()
        self._add(f"</{tag}>")
        self.is_leaf = self.goes_on = False

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._add(self.get_starttag_text() or "")

    def handle_data(self, data: str) -> None:
        text = data if self.verbatim else " ".join(data.split())
        if not text:
            # White space is significant between words, not between elements.
            if self.goes_on and not self.is_leaf:
                self._add(" ")
            return
        before = " " if data[0].isspace() and not self.verbatim and self.goes_on else ""
        after = " " if data[-1].isspace() and not self.verbatim else ""
        self._add(f"{before}{text}{after}")

    def handle_entityref(self, name: str) -> None:
        self._add(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._add(f"&#{name};")

    def _break_after_the_tag(self) -> None:
        """Move the text of the open element to its own line, because a child element follows."""
        if self.is_leaf and len(self.lines[-1]) > self.tag_length:
            line = self.lines.pop()
            self.lines += [line[: self.tag_length], INDENT * self.depth + line[self.tag_length :].strip()]

    def _add(self, text: str) -> None:
        if self.goes_on and self.lines:
            self.lines[-1] += text
        else:
            self.lines.append(f"{INDENT * self.depth}{text.lstrip()}")
        self.goes_on = True
