"""How many rows to change in one transaction, so that others never wait long for its locks."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

FIRST, MOST = 50, 5000
# A quarter of what others may have to wait, on SQLite for the whole database, because the next batch may be slower.
SECONDS = 0.025
GROWTH = 1.25


class BatchSize:
    """A number of ``rows`` that follows from how long the transactions before have taken on this machine."""

    def __init__(self, first: int = FIRST) -> None:
        self.rows = first
        # Where even few rows take long, because the machine is busy, still fewer would only take longer in all.
        self.fewest = first // 2

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Measure a block that locks and commits ``rows`` rows, and choose the number for the next one."""
        started = time.monotonic()
        yield
        took = max(time.monotonic() - started, SECONDS / GROWTH)
        self.rows = min(MOST, max(self.fewest, int(self.rows * SECONDS / took)))
