"""Letting another request happen in the middle of one: after its password is verified, before it writes."""

from collections.abc import Callable
from threading import Thread

import pytest

from app.models import user as user_module
from tests.together import PATIENCE_SECONDS


def after_the_next_hash(monkeypatch: pytest.MonkeyPatch, action: Callable[[], object]) -> list[object]:
    """Run ``action`` once, in a thread of its own, when the next password was verified; answers what it answers."""
    verify, answers, begun = user_module.verify_password, list[object](), list[bool]()

    def verify_then_act(password_hash: str | None, password: str) -> bool:
        verified = verify(password_hash, password)
        if not begun:
            begun.append(True)
            other = Thread(target=lambda: answers.append(action()), daemon=True)
            other.start()
            other.join(PATIENCE_SECONDS)
        return verified

    monkeypatch.setattr(user_module, "verify_password", verify_then_act)
    return answers
