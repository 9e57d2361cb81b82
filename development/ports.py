"""The sockets and addresses of servers."""

import contextlib
import errno
import socket

from click import ClickException

LOOPBACK = "127.0.0.1"
EVERY_ADDRESS = {"", "0.0.0.0", "::"}  # noqa: S104 # nosec B104
FIRST_PORT = 5000
TRIES = 50
QUEUED_CONNECTIONS = 128
# The environment variable with the file descriptor of the socket that `manage.py dev` passes to the web server.
OPEN_SOCKET = "DEVELOPMENT_OPEN_SOCKET"


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there. Raises ClickException if that is impossible."""
    try:
        return _create(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            cure = "Stop the program that has it, or choose another one with --port."
            raise ClickException(f"Port {port} is taken. {cure}") from error
        raise ClickException(f"Cannot listen on {host}, port {port}: {error.strerror}.") from error


def listen_near(host: str, preferred: int = FIRST_PORT) -> socket.socket:
    """Return a socket that listens on the port ``preferred`` of ``host`` or the first free one after it.

    The server takes over the open socket, so that no other program can take the port in between.
    """
    for port in range(preferred, preferred + TRIES):
        with contextlib.suppress(OSError):
            return _create(host, port)
    return listen(host, preferred)


def _create(host: str, port: int) -> socket.socket:
    # macOS allows a second listener beside one on all addresses, such as AirPlay's on port 5000.
    if reachable(host) == LOOPBACK and _is_answered(port):
        raise OSError(errno.EADDRINUSE, "taken")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=QUEUED_CONNECTIONS)


def _is_answered(port: int) -> bool:
    with socket.socket() as visitor:
        visitor.settimeout(0.5)
        return visitor.connect_ex((LOOPBACK, port)) == 0


def reachable(host: str) -> str:
    """Return the address at which this machine reaches a server that listens on ``host``."""
    return LOOPBACK if host in EVERY_ADDRESS else host


def url(host: str, port: int) -> str:
    """Return the URL of a server that listens on ``host``. This machine is called localhost: WebAuthn needs a name."""
    here = {LOOPBACK, "::1", *EVERY_ADDRESS}
    return f"http://{'localhost' if host in here else host}:{port}"


def network_address() -> str | None:
    """Return the address under which the network knows this machine, or None without a network."""
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        try:
            # Chooses a route, and sends nothing.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return str(probe.getsockname()[0])


def free_port() -> int:
    """Return a free port, for a server that cannot take over a socket."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
