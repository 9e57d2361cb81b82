"""The keys that sign cookies, forms and links."""

from collections.abc import Mapping
from typing import Any


def signing_keys(config: Mapping[str, Any]) -> list[Any]:
    """Return the keys that verify, oldest first. The last one signs; it is None in a site without a key."""
    return [*(config["SECRET_KEY_FALLBACKS"] or ()), config["SECRET_KEY"]]
