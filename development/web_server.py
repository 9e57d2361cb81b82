"""Werkzeug's development server on a socket that stays open during restarts.

A request during a restart waits instead of failing. If the code does not load, the browser shows the error
until the next save.
"""

import logging
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from flask import Flask
from markupsafe import escape
from werkzeug.debug import DebuggedApplication
from werkzeug.sansio.utils import host_is_trusted
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from development import ports
from development.live_reload import Application, LiveReload
from development.restart_on_save import restart_on_save

# The environment variable with the socket's file descriptor, for the serving process.
SOCKET = "DEVELOPMENT_SOCKET"


def serve_with_restarts(host: str, port: int) -> int:
    """Serve on the port, restart the serving process after each save, and return its exit code."""
    # Imported here because config.py may be what does not load in this module's other processes.
    from config import REAL_ENVIRONMENT

    with _open_socket(host, port) as listener:
        number = listener.fileno()
        command = ["manage.py", "runserver", "--no-reload", "--host", host, "--port", str(port)]
        return restart_on_save(command, {**REAL_ENVIRONMENT, SOCKET: str(number)}, pass_fds=[number])


def _open_socket(host: str, port: int) -> socket.socket:
    if number := os.environ.get(ports.OPEN_SOCKET):
        return socket.socket(fileno=int(number))
    return ports.listen(host, port)


def serve(load_app: Callable[[], Flask], host: str, port: int) -> None:
    """Load the application and serve it until SIGTERM or Ctrl-C."""
    app = load_app()
    _answer_to(app, host)
    if app.debug:
        _show_pending_migrations_first(app)
    print(f"Serving {app.config['APP_NAME']} at {ports.url(host, port)}", flush=True)
    _serve(DebuggedApplication(app, evalex=True) if app.debug else app, host, port)


def _answer_to(app: Flask, host: str) -> None:
    # A developer who chose a host to listen on will use it in the URL. Wildcard addresses are no host names.
    name = ports.network_address() if host in ports.EVERY_ADDRESS else host
    if name and app.config["TRUSTED_HOSTS"] is not None:
        app.config["TRUSTED_HOSTS"].append(name)


def _show_pending_migrations_first(app: Flask) -> None:
    # Imported here because another process of this module shows why the application does not load.
    from app.dev.views.migrations import show_pending_migrations

    # It logs each of its plugins.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Before all other checks, some of which need the tables.
    app.before_request_funcs.setdefault(None, []).insert(0, show_pending_migrations)


def show_until_saved(error: Exception, *, in_one_message: bool = False) -> None:
    """Show ``error`` for every request until the next save. Raises it if no save would restart this process."""
    if SOCKET not in os.environ:
        raise error
    page = _page_of_message(error) if in_one_message else _page_of_traceback(error)
    _serve(_for_this_machine(page), ports.LOOPBACK, 0)


def _page_of_message(error: Exception) -> Application:
    print(error, "Waiting for the next save.", sep="\n", file=sys.stderr, flush=True)
    html = f"<!doctype html>\n<title>Not started</title>\n<pre>{escape(error)}</pre>\n"
    return Response(html, 500, mimetype="text/html")


def _page_of_traceback(error: Exception) -> Application:
    traceback.print_exception(error)
    where = error.__traceback__

    def application(_environ: Any, _start_response: Any) -> NoReturn:
        # Each raise adds itself to the traceback, which would grow with each request.
        raise error.with_traceback(where)

    return DebuggedApplication(application)


def _for_this_machine(application: Application) -> Application:
    """Refuse foreign hosts, so that no other site can read the source code in tracebacks (DNS rebinding)."""

    def guarded(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not host_is_trusted(environ.get("HTTP_HOST"), ["localhost", "127.0.0.1"]):
            start_response("400 Bad Request", [("Content-Type", "text/plain")])
            return [b"The code does not load. Visit http://localhost to see why.\n"]
        return application(environ, start_response)

    return guarded


def _with_named_loopback(application: Application) -> Application:
    """Treat the host [::1] as localhost, because Werkzeug's trusted hosts cannot contain an IPv6 address."""

    def renamed(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ.get("HTTP_HOST", "").startswith("[::1]"):
            environ["HTTP_HOST"] = environ["HTTP_HOST"].replace("[::1]", "localhost", 1)
        return application(environ, start_response)

    return renamed


def _serve(application: Application, host: str, port: int) -> None:
    number = os.environ.get(SOCKET)
    reloading = LiveReload(_with_named_loopback(application))
    server = make_server(host, port, reloading, threaded=True, fd=int(number) if number else None)
    # Finish the running requests before a restart.
    server.daemon_threads = False  # type: ignore[attr-defined]

    def stop(*_: object) -> None:
        reloading.stop()
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    server.serve_forever()
