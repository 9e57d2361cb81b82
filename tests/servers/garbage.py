"""A WSGI application that returns the state of the garbage collector in its process."""

import gc
from collections.abc import Iterable
from typing import Any


def app(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Return "True True" if garbage collection is on and objects from before the fork are frozen."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{gc.isenabled()} {gc.get_freeze_count() > 0}".encode()]
