"""Tests for batches: slow ones make the next one smaller, quick ones larger, within limits."""

from itertools import accumulate

import pytest

from app.kit.db import batches
from app.kit.db.batches import FIRST, GROWTH, MOST, SECONDS, BatchSize

FEWEST = FIRST // 2


@pytest.mark.parametrize(
    ("seconds", "sizes"),
    [
        ([0] * 30, [*accumulate([FIRST] * 31, lambda rows, _: min(MOST, int(rows * GROWTH)))][1:]),
        ([SECONDS, SECONDS * 2, SECONDS * 100], [FIRST, FEWEST, FEWEST]),
        ([SECONDS * 10, 0], [FEWEST, int(FEWEST * GROWTH)]),
    ],
)
def test_a_batch_is_as_large_as_the_time_of_the_last_one_allows(
    seconds: list[float], sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [moment for took in seconds for moment in (0.0, took)]
    monkeypatch.setattr(batches.time, "monotonic", lambda: clock.pop(0))
    size, chosen = BatchSize(), []
    for _ in seconds:
        with size.timed():
            pass
        chosen.append(size.rows)
    assert chosen == sizes
