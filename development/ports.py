"""Finds ports that nobody listens on."""

import socket

HOST = "127.0.0.1"
TRIES = 50
QUEUED_CONNECTIONS = 128
# The variable with the number of the open socket that `manage.py dev` hands to the web server.
OPEN_SOCKET = "DEVELOPMENT_OPEN_SOCKET"


def listen_near(preferred: int) -> socket.socket:
    """Return a socket that listens on ``preferred`` of 127.0.0.1 or on the first free port after it.

    Whoever serves takes the open socket over, so nobody can take the port in between. Raises OSError
    when all of the next ports are taken.
    """
    for port in range(preferred, preferred + TRIES):
        if _is_answered(port):
            continue
        try:
            return socket.create_server((HOST, port), backlog=QUEUED_CONNECTIONS)
        except OSError:
            continue
    raise OSError(f"no free port from {preferred} to {preferred + TRIES - 1}")


def _is_answered(port: int) -> bool:
    # macOS lets a second program listen beside one that listens on all addresses, as AirPlay does on 5000.
    with socket.socket() as visitor:
        visitor.settimeout(0.5)
        return visitor.connect_ex((HOST, port)) == 0


def free_port() -> int:
    """Return some port that nobody uses, for a server that cannot take over a socket."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
