"""Wait for other processes, and run things at the same moment."""

import threading
import time
from typing import Any

# Nobody waits as long where the tests pass. On a busy machine a new process takes seconds to answer.
AT_MOST_SECONDS = 60


def wait_until(condition: Any, seconds: float = AT_MOST_SECONDS, what: str = "the condition") -> None:
    """Wait until ``condition()`` is true; raise AssertionError when it takes longer than ``seconds``."""
    ends_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends_at, f"{what} did not come true within {seconds} s"
        time.sleep(0.02)


def in_threads(count: int, work: Any) -> None:
    """Run ``work()`` in ``count`` threads that start together; raise what one of them raised."""
    barrier, errors = threading.Barrier(count), []

    def run() -> None:
        barrier.wait()
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
