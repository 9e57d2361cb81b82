"""The pages behind mailed links, and others whose address or content is secret."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import flash, make_response, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app.access import ANYONE, Who, access
from app.account.blueprint import account
from app.extensions import limiter
from app.kit.auth.limits import from_config
from app.models import User

P = ParamSpec("P")
R = TypeVar("R")


def mailed_link(path: str, who: Who = ANYONE) -> Callable[[Callable[P, R]], Callable[P, Response]]:
    """Return a decorator that makes a view the page behind a mailed link, whose ``path`` holds a token.

    A GET of it only shows a button or a form, since mail scanners open links.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, Response]:
        limited = limiter.limit(from_config("LINK_LIMIT"))(private_page(view))
        return account.route(path, methods=["GET", "POST"])(access(who)(limited))

    return decorate


def private_page(view: Callable[P, R]) -> Callable[P, Response]:
    """Keep the page, or its URL, which holds a token, out of caches and out of the Referer header."""

    @wraps(view)
    def private(*args: P.args, **kwargs: P.kwargs) -> Response:
        response = make_response(view(*args, **kwargs))
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        return response

    return private


def refuse_link(endpoint: str, advice: str = "Ask for a new one.") -> Response:
    """Say that a link is not valid and what to do, and redirect to where that is done."""
    flash(f"This link is not valid: it is too old, or was used before. {advice}", "error")
    return redirect(url_for(endpoint))


def is_somebody_else(owner: User) -> bool:
    """Return whether another user than the owner of a mailed link is logged in."""
    return bool(current_user.is_authenticated) and current_user != owner


def offer_to_log_out(owner: User, link: str) -> str:
    """Return the page that says who is logged in, with a button that logs out and opens ``link`` again."""
    return render_template("account/wrong_account.html", owner=owner, link=link)
