"""Run another request in the middle of one: after its password is verified, before it writes."""

from collections.abc import Callable
from threading import Thread
from types import ModuleType

import pytest

from app.models import user as user_module
from tests.together import PATIENCE_SECONDS


def after_the_next_hash(
    monkeypatch: pytest.MonkeyPatch,
    action: Callable[[], object],
    name: str = "verify_password",
    module: ModuleType = user_module,
) -> list[object]:
    """Run ``action`` once, in its own thread, when the next hash is made; return a list that gets its result."""
    make, answers, begun = getattr(module, name), list[object](), list[bool]()

    def make_then_act(*args: object) -> object:
        made = make(*args)
        if not begun:
            begun.append(True)
            other = Thread(target=lambda: answers.append(action()), daemon=True)
            other.start()
            other.join(PATIENCE_SECONDS)
        return made

    monkeypatch.setattr(module, name, make_then_act)
    return answers
