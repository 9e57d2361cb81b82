"""What a user is still asked to do, one row per step. The signed-in home lists those that are due."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import current_app

from app.models import User


@dataclass(frozen=True)
class NextStep:
    """A page where a user should do something, as long as ``is_due``. It must not run a query: every home asks it."""

    endpoint: str
    label: str
    hint: str
    icon: str
    is_due: Callable[[User], bool]


NEXT_STEPS = [
    NextStep(
        "account.unconfirmed",
        "Confirm your email address",
        "Open the link that we sent you, or ask for another one.",
        "mail",
        lambda user: not user.confirmed,
    ),
    NextStep(
        "account.profile",
        "Tell us your name",
        "Give your first and last name on your profile.",
        "user",
        lambda user: not (user.first_name and user.last_name),
    ),
    NextStep(
        "account.profile",
        "Choose your time zone",
        "Until then, times are shown in UTC.",
        "clock",
        lambda user: not user.time_zone,
    ),
]


def due_steps(user: User) -> list[NextStep]:
    """Return the steps that ``user`` still has to take: the site's, and those of areas (``Area.next_steps``)."""
    return [step for step in [*NEXT_STEPS, *current_app.extensions["next_steps_of_areas"]] if step.is_due(user)]
