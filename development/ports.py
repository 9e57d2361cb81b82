"""Free ports for servers."""

import socket

HOST = "127.0.0.1"
TRIES = 50
QUEUED_CONNECTIONS = 128
# The environment variable with the file descriptor of the socket that `manage.py dev` passes to the web server.
OPEN_SOCKET = "DEVELOPMENT_OPEN_SOCKET"


def listen_near(preferred: int) -> socket.socket:
    """Return a socket that listens on 127.0.0.1, on the port ``preferred`` or the first free one after it.

    The server takes over the open socket, so that no other program can take the port in between. Raises OSError
    if 50 ports in a row are taken.
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
    # macOS allows a second listener beside one on all addresses, such as AirPlay's on port 5000.
    with socket.socket() as visitor:
        visitor.settimeout(0.5)
        return visitor.connect_ex((HOST, port)) == 0


def free_port() -> int:
    """Return a free port, for a server that cannot take over a socket."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
