"""Limit guesses at a password: count each before it is checked, and uncount it when it was right.

If guesses were counted afterwards, a burst of parallel ones would all be checked before the first one counts. A
right guess uncounts only itself: it never clears the failures of somebody else. config.py has the numbers.
"""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from flask import current_app, request
from limits import RateLimitItem, parse, parse_many
from werkzeug.exceptions import TooManyRequests

from app.kit.auth.limits import Limit, Limiter, client_address, signed_in_user, typed_email
from app.kit.auth.passwords import TooManyHashesError
from app.kit.core import metrics

log = logging.getLogger(__name__)
R = TypeVar("R")


def own_password_limits() -> list[Limit]:
    """Return the limits on guesses at the current user's own password, for every form that asks for it again.

    All these forms share one count, since a thief with a stolen session would try each of them.
    """
    return [guess_limit(_wrong("USER"), signed_in_user())]


def login_limits(known_browser: str | None, address: str = "") -> list[Limit]:
    """Return the limits on guesses at a login: for ``address``, a key of ``typed_email``, or else the one in the form.

    A browser in which this user has logged in before (``known_browser``, its id) has its own count: an attacker who
    guesses at the address, or from the same network, must not lock the owner out.
    """
    if known_browser is not None:
        return [guess_limit(_wrong("KNOWN_BROWSER"), f"browser:{known_browser}")]
    # The address first: a guess that it stops does not count for the network.
    return [
        guess_limit(_wrong("ADDRESS"), f"address:{address or typed_email()}"),
        guess_limit(_wrong("NETWORK"), f"network:{client_address()}"),
    ]


def passkey_limits() -> list[Limit]:
    """Return the limits on answers with a wrong passkey. Nobody guesses one, but checking them takes time."""
    return [guess_limit(_wrong("NETWORK"), f"network:{client_address()}")]


def second_factor_limits(user_uid: str) -> list[Limit]:
    """Return the limits on guesses at the second factors of a user: all of them together, from wherever they come."""
    who = {"USER": f"second-factor:{user_uid}", "NETWORK": f"second-factor:{client_address()}"}
    return [
        guess_limit(wrong, key)
        for whose, key in who.items()
        for wrong in parse_many(current_app.config[f"WRONG_SECOND_FACTORS_PER_{whose}"])
    ]


def count_action(setting: str, who: str) -> None:
    """Count what a valid form is about to do against a limit of config.py.

    Raises TooManyRequests (429) when the limit is reached.
    """
    _limiter().take([guess_limit(parse(current_app.config[setting]), f"{setting}:{who}")])


def _wrong(whose: str) -> RateLimitItem:
    return parse(current_app.config[f"WRONG_PASSWORDS_PER_{whose}"])


def guess_limit(wrong: RateLimitItem, who: str) -> Limit:
    """Return the limit that allows ``who`` so many wrong guesses."""
    return wrong.key_for("limits", "guess", who), wrong


def _limiter() -> Limiter:
    limiter: Limiter = current_app.extensions["limiter"]
    return limiter


def counted_guess(limits: Sequence[Limit], check: Callable[[], R]) -> R:
    """Count a guess, run ``check`` and return its result, which is false for a wrong guess.

    Raises TooManyRequests (429), without running ``check``, when a limit is reached.
    """
    try:
        taken = _limiter().take(limits)
    except TooManyRequests:
        _count("limited")
        raise
    try:
        result = check()
    except TooManyHashesError:
        _limiter().give_back(taken)  # it was never checked
        _count("busy")
        raise
    _count("right" if result else "wrong")
    if result:
        _limiter().give_back(taken)
    else:
        _log_wrong_guess()
    return result


def _count(result: str) -> None:
    metrics.count("guesses", request.endpoint or "", result)


def _log_wrong_guess() -> None:
    # The typed address is not logged: people type their password there by mistake.
    fields = {"endpoint": request.endpoint, "ip_address": request.remote_addr}
    log.warning("failed try", extra={"fields": fields})
