"""Parse the forms on a page, as a browser would fill them in and send them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

NOT_TYPED = {"submit", "button", "hidden", "checkbox", "radio", "file", "password"}


@dataclass
class HtmlForm:
    """A form: its action and method, and the types and values of its fields."""

    action: str
    method: str
    types: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)

    @property
    def typed_fields(self) -> set[str]:
        """Return the names of the fields that keep their text after an error; passwords are left out."""
        return {name for name, kind in self.types.items() if kind not in NOT_TYPED}


def forms_on(page: str) -> list[HtmlForm]:
    """Return the forms of an HTML page, in order."""
    reader = _FormReader()
    reader.feed(page)
    return reader.forms


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[HtmlForm] = []
        self._open: HtmlForm | None = None
        self._textarea: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = HtmlForm(said.get("action", ""), said.get("method", "get").upper())
            self.forms.append(self._open)
        elif self._open is not None:
            self._read_field(tag, said)

    def _read_field(self, tag: str, said: dict[str, str]) -> None:
        assert self._open is not None
        name = said.get("name", "")
        if tag in {"input", "textarea", "select"} and name:
            self._open.types[name] = said.get("type", "text") if tag == "input" else tag
            self._open.values[name] = said.get("value", "")
        if tag == "textarea":
            self._textarea = name
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and (not self._open.values[self._select] or "selected" in said):
            self._open.values[self._select] = said.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "textarea":
            self._textarea = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._open is not None and self._textarea:
            self._open.values[self._textarea] += data
