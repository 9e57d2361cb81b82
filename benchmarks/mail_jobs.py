"""The same small job twice: as a job of the kit, and as `rq worker` runs it, which loads the app each time."""

import os
from typing import Any

from app.kit.jobs.queue import job

COUNT_FILE = "BENCHMARK_COUNT_FILE"


def count() -> None:
    """Add one byte to the file that is measured."""
    file = os.open(os.environ[COUNT_FILE], os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.write(file, b".")
    os.close(file)


@job("Count", retry_after_seconds=())
def count_in_kit() -> None:
    count()


def count_alone(*_arguments: Any) -> None:
    """What a job of flask-base's design does: make the app, then work in its context."""
    from app import create_app

    with create_app().app_context():
        count()
