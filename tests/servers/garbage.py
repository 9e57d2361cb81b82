"""A WSGI application that answers how its process looks for garbage."""

import gc
from collections.abc import Iterable
from typing import Any


def app(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Return "True True" where garbage is looked for, but not among what was loaded before the fork."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{gc.isenabled()} {gc.get_freeze_count() > 0}".encode()]
