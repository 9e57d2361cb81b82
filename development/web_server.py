"""Werkzeug's development server on a socket that stays open during restarts.

A request during a restart waits instead of failing. If the code does not load, the browser shows the error
until the next save.
"""

import os
import signal
import socket
import threading
import traceback
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from flask import Flask
from werkzeug.debug import DebuggedApplication
from werkzeug.sansio.utils import host_is_trusted
from werkzeug.serving import make_server

from development.ports import OPEN_SOCKET, QUEUED_CONNECTIONS
from development.restart_on_save import restart_on_save

# The environment variable with the socket's file descriptor, for the serving process.
SOCKET = "DEVELOPMENT_SOCKET"
EVERY_ADDRESS = {"", "0.0.0.0", "::"}  # noqa: S104 # nosec B104

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def serve_with_restarts(host: str, port: int) -> int:
    """Serve on the port, restart the serving process after each save, and return its exit code."""
    with _open_socket(host, port) as listener:
        number = listener.fileno()
        os.environ[SOCKET] = str(number)
        command = ["manage.py", "runserver", "--no-reload", "--host", host, "--port", str(port)]
        return restart_on_save(command, pass_fds=[number])


def _open_socket(host: str, port: int) -> socket.socket:
    if number := os.environ.get(OPEN_SOCKET):
        return socket.socket(fileno=int(number))
    return socket.create_server((host, port), backlog=QUEUED_CONNECTIONS)


def serve(load_app: Callable[[], Flask], host: str, port: int) -> None:
    """Load the application and serve it until SIGTERM or Ctrl-C."""
    app = load_app()
    _answer_to(app, host)
    print(f"Serving {app.config['APP_NAME']} at http://{host}:{port}", flush=True)
    _serve(DebuggedApplication(app, evalex=True) if app.debug else app, host, port)


def _answer_to(app: Flask, host: str) -> None:
    # A developer who chose a host to listen on will use it in the URL. Wildcard addresses are no host names.
    if host not in EVERY_ADDRESS and app.config["TRUSTED_HOSTS"] is not None:
        app.config["TRUSTED_HOSTS"].append(host)


def show_until_saved(error: Exception) -> None:
    """Show ``error`` for every request until the next save. Raises it if no save would restart this process."""
    if SOCKET not in os.environ:
        raise error
    traceback.print_exception(error)

    def application(_environ: Any, _start_response: Any) -> NoReturn:
        raise error

    _serve(_for_this_machine(DebuggedApplication(application)), "127.0.0.1", 0)


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
    served = _with_named_loopback(application)
    server = make_server(host, port, served, threaded=True, fd=int(number) if number else None)
    # Finish the running requests before a restart.
    server.daemon_threads = False  # type: ignore[attr-defined]
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
