"""The site on a developer's machine (`manage.py dev`): its settings, ports, lock and processes."""

import http.client
import os
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from click import ClickException

from app.kit.core.environment import load_settings_file
from config import REAL_ENVIRONMENT
from development import identity_provider, ports
from development.queue_server import DATA_FOLDER
from development.settings_file import ensure_settings_file

ROOT = Path(__file__).resolve().parent.parent
INSTANCE = ROOT / "instance"
# Read by `manage.py doctor`.
RUNNING_SITE = INSTANCE / "dev.env"
ANSWER_WITHIN_SECONDS = 60


class DevelopmentSite:
    """The site of this checkout, which can run only once at a time."""

    def __init__(self, lock: TextIO, host: str, listener: socket.socket) -> None:
        self.lock = lock
        self.host = host
        self.listener = listener
        self.web_port = listener.getsockname()[1]
        self.own_queue = not (os.environ.get("REDIS_URL") or os.environ.get("REDISTOGO_URL"))
        # What the site's processes need besides `.env`.
        self.variables = {
            "FLASK_CONFIG": "development",
            "HOST": host,
            "PORT": str(self.web_port),
            ports.OPEN_SOCKET: str(listener.fileno()),
        }
        if self.own_queue:
            port = str(ports.free_port())
            self.variables |= {"REDIS_PORT": port, "REDIS_URL": f"redis://{ports.LOOPBACK}:{port}/0"}
        self.variables |= identity_provider.variables(self.web_port)

    @classmethod
    def open(cls, host: str, port: int | None) -> "DevelopmentSite":
        """Lock the checkout, write `.env` if there is none, choose ports, and set the environment variables.

        Without ``port`` the site takes the first free one. Raises ClickException, for example if it runs already.
        """
        _refuse_other_places()
        lock = _lock_checkout()
        if ensure_settings_file(ROOT):
            print("Wrote .env with a secret key and an administrator's password of its own.")
        load_settings_file(ROOT / ".env")
        site = cls(lock, host, ports.listen(host, port) if port else ports.listen_near(host))
        os.environ.update(site.variables)
        return site

    @property
    def address(self) -> str:
        """The URL of the site."""
        return ports.url(self.host, self.web_port)

    def erase_data(self) -> None:
        """Delete the data of the queue and the mailbox. The caller empties the database."""
        for folder in (DATA_FOLDER, INSTANCE / "mailbox"):
            shutil.rmtree(folder, ignore_errors=True)

    def run(self, administrator: str, password: str) -> int:
        """Run the processes of Procfile.local until Ctrl-C, and return the exit code."""
        # Imported here because production, which lists this command too, has no honcho.
        from honcho.environ import parse_procfile

        from development.processes import Processes

        commands = parse_procfile((ROOT / "Procfile.local").read_text()).processes
        if not self.own_queue:
            commands.pop("redis", None)
        if "PROVIDER_PORT" not in self.variables:
            commands.pop("provider", None)
        processes = Processes(commands, self._environment_of_processes(), self.lock, [self.listener.fileno()])
        greeting = _box(self._rows(administrator, password))
        threading.Thread(target=_greet, args=(processes, self.listener, greeting), daemon=True).start()
        with self._known_to_doctor():
            code = processes.run()
        if code and self.own_queue:
            print(f"If it was the queue, its log says why: {DATA_FOLDER}")
        return code

    @contextmanager
    def _known_to_doctor(self) -> Iterator[None]:
        names = {"PORT", "REDIS_URL"} & self.variables.keys()
        RUNNING_SITE.write_text("".join(f"{name}={self.variables[name]}\n" for name in names))
        try:
            yield
        finally:
            RUNNING_SITE.unlink(missing_ok=True)

    def _environment_of_processes(self) -> dict[str, str]:
        # Without what this process read from .env, which each of them reads at its own start.
        # "python" in Procfile.local means this interpreter, whatever the user's PATH is.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        return {**REAL_ENVIRONMENT, **self.variables, "PATH": path, "PYTHONUNBUFFERED": "1"}

    def _rows(self, administrator: str, password: str) -> dict[str, str]:
        neighbors = ports.network_address() if self.host in ports.EVERY_ADDRESS else None
        return {
            "Site": self.address,
            **({"Network": f"http://{neighbors}:{self.web_port}"} if neighbors else {}),
            "Log in as": administrator,
            "Password": password,
            "Mailbox": f"{self.address}/dev/mailbox",
            "Stop": "Ctrl-C",
        }


def _refuse_other_places() -> None:
    if os.name == "nt":
        raise ClickException("The worker and the queue need a Unix system. Work in WSL 2: https://aka.ms/wsl")
    name = os.environ.get("FLASK_CONFIG") or "development"
    if name not in {"development", "default"}:
        raise ClickException(f"FLASK_CONFIG is {name!r}, and this is for development. Unset it, or see docs/deploy.md.")


def _lock_checkout() -> TextIO:
    """Lock the checkout until all of the site's processes end: two sites would write to the same queue files."""
    # Imported here because Windows does not have it.
    import fcntl

    INSTANCE.mkdir(exist_ok=True)
    lock = (INSTANCE / "dev.lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        raise ClickException(
            "manage.py dev runs in this checkout already. Stop it with Ctrl-C in its window, "
            f"or, if that is gone: kill {lock.read().strip()}"
        ) from None
    return lock


def _greet(processes: Any, listener: socket.socket, greeting: str) -> None:
    if _answers(listener):
        processes.say(greeting)


def _answers(listener: socket.socket) -> bool:
    host, port = listener.getsockname()[:2]
    deadline = time.monotonic() + ANSWER_WITHIN_SECONDS
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection(ports.reachable(host), port, timeout=ANSWER_WITHIN_SECONDS)
            connection.request("GET", "/up")
            connection.getresponse().read()
            connection.close()
        except OSError:
            time.sleep(0.1)
        else:
            return True
    return False


def _box(rows: dict[str, str]) -> str:
    lines = [f"{name:<10} {value}" for name, value in rows.items()]
    width = max(map(len, lines))
    edge = f"+{'-' * (width + 4)}+"
    return "\n".join(["", edge, *(f"|  {line:<{width}}  |" for line in lines), edge, ""])
