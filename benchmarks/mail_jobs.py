"""The same small job twice: as a job of the kit, and for `rq worker`, where each job loads the app."""

import os
from typing import Any

from app.kit.jobs.queue import job

COUNT_FILE = "BENCHMARK_COUNT_FILE"


def count() -> None:
    """Append one byte to the measured file."""
    file = os.open(os.environ[COUNT_FILE], os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.write(file, b".")
    os.close(file)


@job("Count", retry_after_seconds=())
def count_in_kit() -> None:
    """Count as a job of the kit."""
    count()


def count_alone(*_arguments: Any) -> None:
    """Count as a job of the original flask-base: create the app, then run in its context."""
    from app import create_app

    with create_app().app_context():
        count()
