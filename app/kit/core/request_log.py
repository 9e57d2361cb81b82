"""Request logging: one line and one id per request, and no secrets.

Links in emails have tokens in their path, so the log names the route ("/reset/<token>") and never the requested
URL. In production a line is a JSON object; in development it is readable text.
"""

import contextlib
import json
import logging
import re
import secrets
import sys
import time
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from flask import Flask, Response, current_app, g, has_request_context, request

log = logging.getLogger("app.request")

_fields: ContextVar[dict[str, Any]] = ContextVar("log_fields", default={})  # noqa: B039 - never changed in place
ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
_PROXY_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{7,63}")


def init_app(app: Flask) -> None:
    """Set up logging for the whole process, and request ids for ``app``."""
    configure_logging(level=app.config["LOG_LEVEL"], as_json=not (app.debug or app.testing or sys.stderr.isatty()))
    app.before_request(_begin_request)
    app.after_request(_end_request)
    # Flask's own line contains the path, and with it the token of a mailed link.
    app.log_exception = _log_exception  # type: ignore[method-assign]


def configure_logging(*, level: str, as_json: bool) -> None:
    """Write every log record of the process to standard error, in one format.

    A second call replaces the first handler, so a process that creates two apps does not log lines twice.
    """
    handler = logging.StreamHandler()
    handler.set_name("request_log")
    handler.setFormatter(JsonFormatter() if as_json else ReadableFormatter())
    root = logging.getLogger()
    for earlier in [known for known in root.handlers if known.get_name() == "request_log"]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    root.setLevel(level)
    # The development server logs the path of every request, tokens included.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)


@contextlib.contextmanager
def log_fields(**fields: str | int | None) -> Iterator[None]:
    """Add fields (``job_id=…``, ``request_id=…``) to every line that is logged inside the block."""
    token = _fields.set({**_fields.get(), **fields})
    try:
        yield
    finally:
        _fields.reset(token)


def current_request_id() -> str | None:
    """Return the id of the current request; in a job, that of the request that enqueued it, if any."""
    if has_request_context():
        return g.get("request_id")
    return _fields.get().get("request_id")


def _begin_request() -> None:
    if "request_id" in g:  # a retry (conflicts.py)
        return
    request_id = _request_id_of_proxy() or secrets.token_hex(8)
    g.request_started_at, g.request_id = time.perf_counter(), request_id


def _request_id_of_proxy() -> str | None:
    """Return the X-Request-ID that our proxy set, or None.

    Without a proxy it is not trusted: anybody could write into our logs, or make two requests look like one.
    """
    if current_app.config["PROXY_COUNT"] < 1:
        return None
    sent = request.headers.get("X-Request-ID", "")
    return sent if _PROXY_REQUEST_ID.fullmatch(sent) else None


def _end_request(response: Response) -> Response:
    if "request_id" not in g:  # refused before it began, for example because of its host name
        return response
    response.headers["X-Request-ID"] = g.request_id
    seconds = time.perf_counter() - g.request_started_at
    log.info("request", extra={"fields": _request_fields(response, seconds)})
    return response


def _log_exception(exc_info: ExceptionInfo) -> None:
    log.error("unexpected error", exc_info=exc_info, extra={"fields": _route_fields()})


def _route_fields() -> dict[str, Any]:
    return {"method": request.method, "route": request.url_rule.rule if request.url_rule else "(none)"}


def _request_fields(response: Response, seconds: float) -> dict[str, Any]:
    return {
        **_route_fields(),
        "status": response.status_code,
        "milliseconds": round(seconds * 1000, 1),
        "ip_address": request.remote_addr,
    }


def _context_fields() -> dict[str, Any]:
    """Return the ids of the request, the user, who acts as this user, and the job that the line belongs to.

    ``g.user_id`` is set where the user is loaded: loading the user here could fail while logging.
    """
    fields = dict(_fields.get())
    if has_request_context():
        fields |= {name: g.get(name) for name in ("request_id", "user_id", "impersonator_id")}
    return {name: value for name, value in fields.items() if value is not None}


# ASCII only, so that nobody can forge a second line. Created once: json.dumps would create an encoder for each line.
_encode = json.JSONEncoder(default=str, ensure_ascii=True).encode


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time in UTC, level, event, logger, then all known fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
            **_context_fields(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _encode(line)


class ReadableFormatter(logging.Formatter):
    """Readable lines for a terminal: ``12:00:00 INFO request method=GET route=/ status=200``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line, followed by the traceback if there is one."""
        when = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        fields = {**_context_fields(), **getattr(record, "fields", {})}
        details = "".join(f" {name}={value}" for name, value in fields.items())
        line = _on_one_line(f"{when} {record.levelname} {record.getMessage()}{details}")
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _on_one_line(text: str) -> str:
    """Escape control characters: typed text must neither start a new line nor control the terminal."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
