"""The keys that sign cookies, forms and links."""

from collections.abc import Mapping
from typing import Any


def signing_keys(config: Mapping[str, Any]) -> list[Any]:
    """Return the keys that are still read, oldest first; the last one signs, and is None in a site without a key."""
    return [*(config["SECRET_KEY_FALLBACKS"] or ()), config["SECRET_KEY"]]
