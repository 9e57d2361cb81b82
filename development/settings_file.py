"""The `.env` of a new checkout: the sample with random secrets."""

import os
import re
import secrets
from pathlib import Path


def ensure_settings_file(folder: Path) -> bool:
    """Write `.env` from `.env.example` in ``folder`` unless there is one, and return whether it was written."""
    target = folder / ".env"
    try:
        # Created with mode 0600, so that no other user can ever read it. O_EXCL never overwrites a file.
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(_with_secrets((folder / ".env.example").read_text(encoding="utf-8")))
    return True


def _with_secrets(sample: str) -> str:
    text = _set(sample, "SECRET_KEY", secrets.token_urlsafe(48))
    text = _set(text, "DATA_KEYS", secrets.token_urlsafe(48))
    return _set(text, "ADMIN_PASSWORD", secrets.token_urlsafe(12))


def _set(text: str, name: str, value: str) -> str:
    replaced, count = re.subn(rf"^{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
    if count != 1:
        raise ValueError(f".env.example must have one line {name}=, and has {count}")
    return replaced
