"""Werkzeug's development server behind a socket that stays open while the code is loaded anew.

A request sent during a restart waits instead of failing, and code that does not load shows its
error in the browser until the next save.
"""

import os
import signal
import socket
import threading
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from flask import Flask
from werkzeug.debug import DebuggedApplication
from werkzeug.serving import make_server

from development.ports import OPEN_SOCKET, QUEUED_CONNECTIONS
from development.restart_on_save import restart_on_save

# The number of the open socket, for the process that serves.
SOCKET = "DEVELOPMENT_SOCKET"


def serve_with_restarts(host: str, port: int) -> int:
    """Keep a serving process on the port, a new one after each save; answers its exit code."""
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
    print(f"Serving {app.config['APP_NAME']} at http://{host}:{port}", flush=True)
    _serve(DebuggedApplication(app, evalex=True) if app.debug else app, host, port)


def show_until_saved(error: Exception) -> None:
    """Answer every request with ``error``; raise it when no save would start this process again."""
    if SOCKET not in os.environ:
        raise error
    traceback.print_exception(error)

    def application(_environ: Any, _start_response: Any) -> NoReturn:
        raise error

    _serve(DebuggedApplication(application), "127.0.0.1", 0)


def _serve(application: Any, host: str, port: int) -> None:
    number = os.environ.get(SOCKET)
    server = make_server(host, port, application, threaded=True, fd=int(number) if number else None)
    # A request that is being answered when the next save comes gets its whole answer.
    server.daemon_threads = False  # type: ignore[attr-defined]
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
