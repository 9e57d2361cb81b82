"""As much of systemd as ``deploy/systemd`` uses: sockets that outlive their service, services, and ``systemctl``.

The tests cannot install units. This reads the same files, and starts what they say, below a folder of its own.
"""

import configparser
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

SYSTEMCTL = """#!{python}
import socket, sys
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect({address!r})
    connection.sendall("\\0".join(sys.argv[1:]).encode() + b"\\n")
    sys.exit(int(connection.makefile().readline()))
"""


class SmallSystemd:
    """Runs the units of a folder; ``systemctl`` in ``programs`` tells it what to do."""

    def __init__(self, units: Path, programs: Path, replaced: Mapping[str, str]) -> None:
        self.output: list[str] = []
        self._units, self._replaced = units, replaced
        self._services: dict[str, subprocess.Popen[bytes]] = {}
        self._sockets: dict[str, socket.socket] = {}
        address = str(programs / "systemctl.socket")
        self._orders = socket.socket(socket.AF_UNIX)
        self._orders.bind(address)
        self._orders.listen()
        program = programs / "systemctl"
        program.write_text(SYSTEMCTL.format(python=sys.executable, address=address))
        program.chmod(0o755)
        self._thread = threading.Thread(target=self._obey, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop all services and close their sockets."""
        self._orders.shutdown(socket.SHUT_RDWR)
        self._thread.join(timeout=5)
        for name in list(self._services):
            self._stop(name)
        for opened in (*self._sockets.values(), self._orders):
            opened.close()

    def running(self, name: str) -> subprocess.Popen[bytes]:
        """Return the process of a service."""
        return self._services[name]

    def _obey(self) -> None:
        while True:
            try:
                connection, _address = self._orders.accept()
            except OSError:
                return
            with connection:
                order, *names = connection.makefile().readline().rstrip("\n").split("\0")
                codes = [self._run(order, name) for name in names]
                connection.sendall(f"{max(codes)}\n".encode())

    def _run(self, order: str, name: str) -> int:
        unit = self._unit(name)
        if unit["Service"].get("Type") == "oneshot":
            return self._start(unit, []).wait(timeout=60)
        if order == "restart" and name in self._services:
            self._stop(name)
        if name not in self._services:
            self._services[name] = self._start(unit, self._sockets_of(name))
        return 0

    def _unit(self, name: str) -> configparser.ConfigParser:
        stem, at, instance = name.removesuffix(".service").partition("@")
        text = (self._units / f"{stem}{at}.service").read_text().replace("%i", instance)
        for found, replacement in self._replaced.items():
            text = text.replace(found, replacement)
        unit = configparser.ConfigParser(strict=False, interpolation=None)
        unit.optionxform = str  # type: ignore[assignment]
        unit.read_string(text)
        return unit

    def _sockets_of(self, name: str) -> list[socket.socket]:
        path = self._units / f"{name.removesuffix('.service')}.socket"
        if not path.exists():
            return []
        if name not in self._sockets:
            lines = dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
            host, _, port = self._replaced.get(lines["ListenStream"], lines["ListenStream"]).rpartition(":")
            self._sockets[name] = socket.create_server((host, int(port)), backlog=int(lines["Backlog"]))
        return [self._sockets[name]]

    def _start(self, unit: configparser.ConfigParser, sockets: list[socket.socket]) -> subprocess.Popen[bytes]:
        service = unit["Service"]
        # The first socket is file 3 of the service, and the variables name the process that it is for.
        given = "".join(f"exec 3<&{opened.fileno()}; LISTEN_FDS=1 LISTEN_PID=$$ " for opened in sockets)
        return subprocess.Popen(
            ["bash", "-c", f'{given}exec "$@"', "bash", *shlex.split(service["ExecStart"])],
            cwd=service["WorkingDirectory"],
            env={"PATH": os.defpath, "LANG": "C.UTF-8", **_variables(Path(service["EnvironmentFile"]))},
            stdin=subprocess.DEVNULL,
            pass_fds=[opened.fileno() for opened in sockets],
        )

    def _stop(self, name: str) -> None:
        process = self._services.pop(name)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=int(self._unit(name)["Service"]["TimeoutStopSec"]))


def _variables(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)
