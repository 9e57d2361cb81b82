"""A cookie that says in which user's name a browser has logged in before.

It opens nothing. A login of that user from that browser is counted by itself (:mod:`app.kit.auth.guesses`),
so that strangers who guess at the address do not keep its owner out ("Device Cookies" of OWASP).
Whoever copies it gains the few guesses of one browser, and none at anybody else's password.
"""

from secrets import token_urlsafe

from flask import Response, after_this_request, current_app, request

from app.kit.auth import tokens
from app.kit.auth.limits import client_address

_PURPOSE = "known_browser"


def remember(user_uid: str, password_hash: str | None) -> None:
    """Send the cookie with this response: the user has logged in here, or proven otherwise who it is.

    It is worth nothing once the password changes: a thief who knew the old one could have had any
    number of cookies made, each with guesses of its own.
    """
    browser = recognize(user_uid, password_hash) or token_urlsafe(16)
    lifetime = current_app.config["KNOWN_BROWSER_LIFETIME"]
    token = tokens.sign(_PURPOSE, user_uid, (password_hash,), int(lifetime.total_seconds()), browser=browser)

    @after_this_request
    def set_cookie(response: Response) -> Response:
        settings = current_app.config
        response.set_cookie(
            settings["KNOWN_BROWSER_COOKIE_NAME"],
            token,
            max_age=lifetime,
            secure=settings["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Strict",  # only our own login form has a use for it
        )
        return response


def recognize(user_uid: str, password_hash: str | None) -> str | None:
    """Return the random id of this browser if the user has logged in here with the present password."""
    claims = _claims()
    if claims is None or claims.uid != user_uid or not tokens.matches(claims, (password_hash,)):
        return None
    return str(claims.data["browser"])


def user_or_network() -> str:
    """Return whom a limit on logins counts that must not keep out the owner behind a shared address.

    By user, not by browser: whoever has one account could get as many cookies as there are logins.
    """
    claims = _claims()
    return client_address() if claims is None else f"user:{claims.uid}"


def _claims() -> tokens.Claims | None:
    return tokens.read(_PURPOSE, request.cookies.get(current_app.config["KNOWN_BROWSER_COOKIE_NAME"], ""))
