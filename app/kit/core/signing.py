"""Signing short texts for a cookie or a form."""

from collections.abc import Mapping
from typing import Any

from itsdangerous import Serializer, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode

WORTH_COMPRESSING_BYTES = 1000


class ShortTextSigner(URLSafeTimedSerializer):
    """Signs what is short without compressing it.

    itsdangerous compresses everything and keeps the shorter result. Setting zlib up clears 250 KB of memory each
    time, which took a tenth of a small page's time; a session or a form's token is never long enough to gain by it.
    """

    def dump_payload(self, obj: Any) -> bytes:
        text = Serializer.dump_payload(self, obj)
        return base64_encode(text) if len(text) < WORTH_COMPRESSING_BYTES else super().dump_payload(obj)


def signing_keys(config: Mapping[str, Any]) -> list[Any]:
    """Answer the keys that are still read, oldest first; the last one signs, and is None in a site without a key."""
    return [*(config["SECRET_KEY_FALLBACKS"] or ()), config["SECRET_KEY"]]
