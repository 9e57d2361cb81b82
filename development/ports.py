"""Finds ports that nobody listens on."""

import socket

HOST = "127.0.0.1"
TRIES = 50


def free_port(preferred: int) -> int:
    """Answer ``preferred`` or the first free port of 127.0.0.1 after it; OSError when there is none near."""
    for port in range(preferred, preferred + TRIES):
        if _is_free(port):
            return port
    raise OSError(f"no free port from {preferred} to {preferred + TRIES - 1}")


def _is_free(port: int) -> bool:
    # macOS lets a second program bind beside one that listens on all addresses (AirPlay on 5000): ask it first.
    with socket.socket() as visitor:
        visitor.settimeout(0.5)
        if visitor.connect_ex((HOST, port)) == 0:
            return False
    with socket.socket() as listener:
        # A port in TIME_WAIT after the last start is free enough for the servers started here.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            return False
    return True
