"""Every hostile value, in every part of a request, to every route, as every kind of user."""

from collections.abc import Callable

import pytest

from tests.hostile import values
from tests.hostile.attacker import Attacker
from tests.hostile.attacks import attack_addresses, attack_bodies, attack_headers, attack_parameters
from tests.test_security_input import attacker

__all__ = ["attacker"]
pytestmark = [pytest.mark.attacks, pytest.mark.long(40)]

# The number of tests that share the work in parallel; each finds the parameters again.
SHARES = 2


@pytest.mark.parametrize("share", range(SHARES))
def test_no_text_in_any_parameter_is_an_error_of_ours(attacker: Attacker, share: int) -> None:
    attack_parameters(attacker, list(values.TEXTS.values())[share::SHARES])
    assert not attacker.failed
    assert attacker.sent > 2000


@pytest.mark.parametrize("attack", [attack_addresses, attack_bodies, attack_headers])
def test_nothing_else_is(attacker: Attacker, attack: Callable[[Attacker], None]) -> None:
    attack(attacker)
    assert not attacker.failed
    assert attacker.sent > 2000
