"""The headers of all pages behind a mailed link."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import make_response
from werkzeug.wrappers import Response

P = ParamSpec("P")
R = TypeVar("R")


def private_page(view: Callable[P, R]) -> Callable[P, Response]:
    """Keep the page's URL, which holds a token, out of caches and out of the Referer header."""

    @wraps(view)
    def private(*args: P.args, **kwargs: P.kwargs) -> Response:
        response = make_response(view(*args, **kwargs))
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        return response

    return private
