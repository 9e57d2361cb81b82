"""Detect text that a mail program would turn into a link.

Mail programs make links of plain text that looks like a host name, a scheme or a telephone number. They read it as
IDNA does: full-width letters and ideographic full stops count, invisible marks do not.
"""

import re
import unicodedata

# A top-level domain has at least two letters, so initials ("J.R.R. Tolkien") do not match. Anything may come before it.
HOST_NAME = re.compile(r"\S[.。]\w[\w-]")
SCHEME = re.compile(
    r":\s*[/\\]|[/\\]{2}|\b(?:https?|ftp|file|mailto|tel|sms|callto|skype|javascript|data)\s*:", re.IGNORECASE
)
# Phones turn longer numbers into links that dial; no name has that many digits.
MAX_DIGITS = 6


def holds_link(text: str) -> bool:
    """Return whether a mail program would show ``text`` as a link, or as a number to dial."""
    read = _as_read(text)
    return bool(HOST_NAME.search(read) or SCHEME.search(read)) or sum(map(str.isdecimal, read)) > MAX_DIGITS


def _as_read(text: str) -> str:
    """Return the text as a mail program reads it, without accents and the marks that host names ignore."""
    normal = unicodedata.normalize("NFKC", text)
    return "".join(character for character in normal if unicodedata.category(character) not in {"Mn", "Me", "Cf"})
