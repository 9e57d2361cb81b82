"""Whether a mail program would turn a text into a link.

Mail programs make links of texts that are none in HTML: of everything that looks like a host name, a scheme or
a telephone number. They read as IDNA does: full-width letters and ideographic full stops count, marks that are
not seen do not.
"""

import re
import unicodedata

# A top-level domain has two letters at least, so initials ("J.R.R. Tolkien") are none, and before it stands anything.
HOST_NAME = re.compile(r"\S[.。]\w[\w-]")
SCHEME = re.compile(
    r":\s*[/\\]|[/\\]{2}|\b(?:https?|ftp|file|mailto|tel|sms|callto|skype|javascript|data)\s*:", re.IGNORECASE
)
# The shortest numbers that phones dial when they are touched; no name counts that far.
MAX_DIGITS = 6


def holds_link(text: str) -> bool:
    """Return whether ``text`` holds what is shown as a link, or touched to dial."""
    read = _as_read(text)
    return bool(HOST_NAME.search(read) or SCHEME.search(read)) or sum(map(str.isdecimal, read)) > MAX_DIGITS


def _as_read(text: str) -> str:
    """Return the text in the letters that it is read as, without accents and marks that host names ignore."""
    normal = unicodedata.normalize("NFKC", text)
    return "".join(character for character in normal if unicodedata.category(character) not in {"Mn", "Me", "Cf"})
