"""The site on a developer's machine (`manage.py dev`): its settings, ports, lock and processes."""

import http.client
import os
import shutil
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO

from dotenv import load_dotenv

from development.ports import HOST, OPEN_SOCKET, free_port, listen_near
from development.settings_file import ensure_settings_file

ROOT = Path(__file__).resolve().parent.parent
INSTANCE = ROOT / "instance"
WEB_PORT = 5000
ANSWER_WITHIN_SECONDS = 60


class NotPossibleError(Exception):
    """The site cannot run here. The message says why and what to do."""


class DevelopmentSite:
    """The site of this checkout, which can run only once at a time."""

    def __init__(self, lock: TextIO, listener: socket.socket, own_queue: bool) -> None:
        self.lock = lock
        self.listener = listener
        self.web_port = listener.getsockname()[1]
        self.own_queue = own_queue

    @classmethod
    def open(cls) -> "DevelopmentSite":
        """Lock the checkout, write `.env` if there is none, choose ports, and set the environment variables.

        Raises :class:`NotPossibleError`, for example if the site runs already.
        """
        _refuse_other_places()
        lock = _lock_checkout()
        if ensure_settings_file(ROOT):
            print("Wrote .env with a secret key and an administrator's password of its own.")
        _read_settings_file()
        own_queue = not (os.environ.get("REDIS_URL") or os.environ.get("REDISTOGO_URL"))
        site = cls(lock, listen_near(WEB_PORT), own_queue)
        site._set_environment()
        return site

    @property
    def address(self) -> str:
        """The URL of the site."""
        return f"http://{HOST}:{self.web_port}"

    def _set_environment(self) -> None:
        os.environ["FLASK_CONFIG"] = "development"
        os.environ["PORT"] = str(self.web_port)
        os.environ[OPEN_SOCKET] = str(self.listener.fileno())
        # An empty value in .env counts as unset.
        os.environ["BASE_URL"] = os.environ.get("BASE_URL") or self.address
        if self.own_queue:
            port = free_port()
            os.environ["REDIS_PORT"] = str(port)
            os.environ["REDIS_URL"] = f"redis://{HOST}:{port}/0"

    def erase_data(self) -> None:
        """Delete the data of the queue and the mailbox. The caller empties the database."""
        for name in ("queue", "mailbox"):
            shutil.rmtree(INSTANCE / name, ignore_errors=True)

    def run(self, administrator: str, password: str | None) -> int:
        """Run the processes of Procfile.local until Ctrl-C, and return the exit code."""
        # Imported here because production, which lists this command too, has no honcho.
        from honcho.environ import parse_procfile

        from development.processes import Processes

        commands = parse_procfile((ROOT / "Procfile.local").read_text()).processes
        if not self.own_queue:
            commands.pop("redis", None)
        processes = Processes(commands, self._environment_of_processes(), self.lock, [self.listener.fileno()])
        greeting = _box(self.address, administrator, password)
        threading.Thread(target=_greet, args=(processes, self.web_port, greeting), daemon=True).start()
        return processes.run()

    def _environment_of_processes(self) -> dict[str, str]:
        # "python" in Procfile.local means this interpreter, whatever the user's PATH is.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        return {**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1"}


def _refuse_other_places() -> None:
    if os.name == "nt":
        raise NotPossibleError("The worker and the queue need a Unix system. Work in WSL 2: https://aka.ms/wsl")
    name = os.environ.get("FLASK_CONFIG") or "development"
    if name not in {"development", "default"}:
        raise NotPossibleError(
            f"FLASK_CONFIG is {name!r}, and this is for development. Unset it, or see docs/deploy.md."
        )


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
        raise NotPossibleError(
            "manage.py dev runs in this checkout already. Stop it with Ctrl-C in its window, "
            f"or, if that is gone: kill {lock.read().strip()}"
        ) from None
    return lock


def _read_settings_file() -> None:
    load_dotenv(ROOT / ".env", override=False)


def _greet(processes: Any, port: int, greeting: str) -> None:
    if _answers(port):
        processes.say(greeting)


def _answers(port: int) -> bool:
    deadline = time.monotonic() + ANSWER_WITHIN_SECONDS
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection(HOST, port, timeout=ANSWER_WITHIN_SECONDS)
            connection.request("GET", "/up")
            connection.getresponse().read()
            connection.close()
        except OSError:
            time.sleep(0.1)
        else:
            return True
    return False


def _box(address: str, administrator: str, password: str | None) -> str:
    rows = [
        ("Site", address),
        ("Log in as", administrator),
        ("Password", password or "the one you chose on the site"),
        ("Mailbox", f"{address}/dev/mailbox"),
        ("Stop", "Ctrl-C"),
    ]
    lines = [f"{name:<10} {value}" for name, value in rows]
    width = max(map(len, lines))
    edge = f"+{'-' * (width + 4)}+"
    return "\n".join(["", edge, *(f"|  {line:<{width}}  |" for line in lines), edge, ""])
