"""Let single views accept files that are larger than MAX_CONTENT_LENGTH, the limit of all others."""

from collections.abc import Callable
from typing import TypeVar
from wsgiref.types import WSGIEnvironment

from flask import Flask
from werkzeug.exceptions import HTTPException

View = TypeVar("View", bound=Callable[..., object])

_MARK = "largest_file_setting"
# A file that is somewhat too large still reaches its form, which says so in its own words; one that is twice too
# large gets the error page.
BODY_PER_FILE = 2


def accepts_file(setting: str) -> Callable[[View], View]:
    """Return a decorator for a view with a form for a file; ``setting`` names the size of the largest one in bytes."""

    def decorate(view: View) -> View:
        setattr(view, _MARK, setting)
        return view

    return decorate


def largest_body_of(app: Flask, endpoint: str) -> int:
    """Return how many bytes of a body the view accepts."""
    setting = getattr(app.view_functions[endpoint], _MARK, None)
    return BODY_PER_FILE * app.config[setting] if setting else app.config["MAX_CONTENT_LENGTH"]


def largest_body_for(app: Flask) -> Callable[[WSGIEnvironment], int]:
    """Return a function that takes a request before ``app`` has seen it, and returns how large its body may be."""

    def largest_body(environ: WSGIEnvironment) -> int:
        try:
            endpoint, _values = app.url_map.bind("").match(environ["PATH_INFO"], environ["REQUEST_METHOD"])
        except HTTPException:
            endpoint = ""
        return (largest_body_of(app, endpoint) if endpoint else app.config["MAX_CONTENT_LENGTH"]) or 0

    return largest_body
