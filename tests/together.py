"""Doing several things at the same moment."""

from collections.abc import Callable, Sequence
from threading import Barrier, Thread
from typing import TypeVar

Answer = TypeVar("Answer")
PATIENCE_SECONDS = 30


def together(actions: Sequence[Callable[[], Answer]]) -> list[Answer]:
    """Run each action in a thread of its own, all let go at once; answers what they answered, in their order."""
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
