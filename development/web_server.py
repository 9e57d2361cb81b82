"""Werkzeug's development server behind a socket that stays open while the code is loaded anew.

A request sent during a restart waits instead of failing, and code that does not load shows its
error in the browser until the next save.
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

# The number of the open socket, for the process that serves.
SOCKET = "DEVELOPMENT_SOCKET"
EVERY_ADDRESS = {"", "0.0.0.0", "::"}  # noqa: S104 # nosec B104

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def serve_with_restarts(host: str, port: int) -> int:
    """Keep a serving process on the port, a new one after each save; return its exit code."""
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
    """Load the application and serve it until a signal comes."""
    app = load_app()
    _answer_to(app, host)
    print(f"Serving {app.config['APP_NAME']} at http://{host}:{port}", flush=True)
    _serve(DebuggedApplication(app, evalex=True) if app.debug else app, host, port)


def _answer_to(app: Flask, host: str) -> None:
    # Whoever names an address to listen on will visit it; names that stand for every address are nobody's.
    if host not in EVERY_ADDRESS and app.config["TRUSTED_HOSTS"] is not None:
        app.config["TRUSTED_HOSTS"].append(host)


def show_until_saved(error: Exception) -> None:
    """Return every request with ``error``; raise it when no save would start this process again."""
    if SOCKET not in os.environ:
        raise error
    traceback.print_exception(error)

    def application(_environ: Any, _start_response: Any) -> NoReturn:
        raise error

    _serve(_for_this_machine(DebuggedApplication(application)), "127.0.0.1", 0)


def _for_this_machine(application: Application) -> Application:
    """Keep the source code in a traceback from a foreign page whose name leads here (DNS rebinding)."""

    def guarded(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not host_is_trusted(environ.get("HTTP_HOST"), ["localhost", "127.0.0.1"]):
            start_response("400 Bad Request", [("Content-Type", "text/plain")])
            return [b"The code does not load. Visit http://localhost to see why.\n"]
        return application(environ, start_response)

    return guarded


def _with_named_loopback(application: Application) -> Application:
    """Let [::1] be localhost: Werkzeug's list of trusted hosts cannot hold an IPv6 address."""

    def renamed(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ.get("HTTP_HOST", "").startswith("[::1]"):
            environ["HTTP_HOST"] = environ["HTTP_HOST"].replace("[::1]", "localhost", 1)
        return application(environ, start_response)

    return renamed


def _serve(application: Application, host: str, port: int) -> None:
    number = os.environ.get(SOCKET)
    served = _with_named_loopback(application)
    server = make_server(host, port, served, threaded=True, fd=int(number) if number else None)
    # A request that is being answered when the next save comes gets its whole answer.
    server.daemon_threads = False  # type: ignore[attr-defined]
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
