"""Run several things at the same moment."""

from collections.abc import Callable, Sequence
from threading import Barrier, Thread
from time import sleep
from typing import TypeVar

from sqlalchemy import Engine, text

Answer = TypeVar("Answer")
PATIENCE_SECONDS = 30


def together(actions: Sequence[Callable[[], Answer]]) -> list[Answer]:
    """Run each action in its own thread, all released at once; return their results in order."""
    start, answers = Barrier(len(actions)), dict[int, Answer]()

    def run(number: int, action: Callable[[], Answer]) -> None:
        start.wait(PATIENCE_SECONDS)
        answers[number] = action()

    threads = [Thread(target=run, args=numbered, daemon=True) for numbered in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    return [answers[number] for number in range(len(actions))]


def wait_for_lock(engine: Engine) -> None:
    """Wait until a transaction waits for another one's lock; SQLite cannot show this, so wait a moment."""
    if engine.dialect.name == "sqlite":
        sleep(0.3)
        return
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    for _ in range(PATIENCE_SECONDS * 20):
        with engine.connect() as connection:
            if connection.scalar(waiting):
                return
        sleep(0.05)
    raise AssertionError("no transaction waits for another one")
