"""Accounts against a small model of them: whatever people do in whichever order, the site does what the model says.

A failure prints the steps that lead to it, as few as were found. ``-m attacks`` walks 3,000 steps;
the same seed takes the same ones.
"""

from collections import Counter

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.stateful.machine import AccountsWalk

WALKS, STEPS = 6, 50
# Each must happen with each three seeds, or the walks have shown nothing about it.
MUST_HAPPEN = {
    "signed up",
    "logged in",
    "confirm: worked",
    "reset: worked",
    "invite: worked",
    "change_email: worked",
    "not_me: worked",
}


def walk(app: Flask, *numbers: int, walks: int, steps: int) -> Counter[str]:
    """Return what came of so many walks with each seed.

    In the first one thing is done again and again, and one ends at once; the others are drawn by lot.
    """
    done: Counter[str] = Counter()
    how = settings(
        max_examples=walks,
        stateful_step_count=steps,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    for number in numbers:
        run_state_machine_as_test(seed(number)(lambda: AccountsWalk(app, done)), settings=how)
    return done


def test_a_short_walk(app: Flask, db: SQLAlchemy) -> None:
    done = walk(app, 1, walks=3, steps=12)
    assert done["steps"] > 24


@pytest.mark.long(30)
@pytest.mark.attacks
@pytest.mark.parametrize("numbers", [(1, 2, 3), (4, 5, 6), (7, 8, 9), (10, 11, 12)], ids=str)
def test_a_long_walk(app: Flask, db: SQLAlchemy, numbers: tuple[int, ...], capsys: pytest.CaptureFixture[str]) -> None:
    done = walk(app, *numbers, walks=WALKS, steps=STEPS)
    with capsys.disabled():
        print(f"seeds {numbers}: {dict(done)}")  # noqa: T201
    assert done["steps"] >= len(numbers) * (WALKS - 1) * STEPS
    assert not MUST_HAPPEN - done.keys()
