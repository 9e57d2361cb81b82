"""A cookie that records which user has logged in with this browser.

It grants no access. A login of that user from that browser has its own count (:mod:`app.kit.auth.guesses`), so
that an attacker who guesses at the address does not lock its owner out ("Device Cookies" of OWASP). Whoever copies
the cookie gains the few guesses of one browser, and none at another user's password.
"""

from secrets import token_urlsafe

from flask import Response, after_this_request, current_app, request

from app.kit.auth import tokens
from app.kit.auth.limits import client_address

_PURPOSE = "known_browser"


def remember(user_uid: str, password_mark: str | int) -> None:
    """Set the cookie on this response: the user has logged in here, or proved their identity in another way.

    The cookie becomes invalid when ``password_mark`` changes, as it does with the password: a thief who knew the old
    one could have collected any number of cookies, each with guesses of its own.
    """
    browser = recognize(user_uid, password_mark) or token_urlsafe(16)
    lifetime = current_app.config["KNOWN_BROWSER_LIFETIME"]
    token = tokens.sign(_PURPOSE, user_uid, (password_mark,), lifetime, browser=browser)

    @after_this_request
    def set_cookie(response: Response) -> Response:
        settings = current_app.config
        response.set_cookie(
            settings["KNOWN_BROWSER_COOKIE_NAME"],
            token,
            max_age=lifetime,
            secure=settings["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Strict",  # only our own login form uses it
        )
        return response


def recognize(user_uid: str, password_mark: str | int) -> str | None:
    """Return this browser's random id, or None if the user has not logged in here with the current password."""
    claims = _claims()
    if claims is None or claims.uid != user_uid or not tokens.matches(claims, (password_mark,)):
        return None
    return str(claims.data["browser"])


def user_or_network() -> str:
    """Return the key of a login limit that must not lock out the owner behind a shared IP address.

    It counts by user, not by browser: anybody with an account could get a new cookie with each login.
    """
    claims = _claims()
    return client_address() if claims is None else f"user:{claims.uid}"


def _claims() -> tokens.Claims | None:
    return tokens.read(_PURPOSE, request.cookies.get(current_app.config["KNOWN_BROWSER_COOKIE_NAME"], ""))
