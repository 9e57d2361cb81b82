"""Start the site as a new developer does: a copy of the project, started with the real `manage.py dev`."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
NOT_COPIED = shutil.ignore_patterns(".venv", ".git", ".env", "instance", "static", "*_cache", "node_modules")
START_SECONDS = 60
STOP_SECONDS = 60


class DevelopmentSite:
    """A running `manage.py dev`, and what it prints in its box."""

    def __init__(self, folder: Path, process: subprocess.Popen[str]) -> None:
        self.folder = folder
        self.process = process
        self.output: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.output.append(line)

    @property
    def text(self) -> str:
        """Return the output so far."""
        return "".join(self.output)

    @property
    def address(self) -> str:
        return self._row("Site")

    @property
    def administrator(self) -> tuple[str, str]:
        """Return the administrator's email address and password."""
        return self._row("Log in as"), self._row("Password")

    def _row(self, name: str) -> str:
        found = re.search(rf"^\|  {name}\s+(.+?)\s*\|$", self.text, re.MULTILINE)
        assert found, self.text
        return found[1]

    def wait_for_box(self) -> None:
        """Return once the box is printed; raise AssertionError when the process ends or takes too long."""
        deadline = time.monotonic() + START_SECONDS
        while len(re.findall(r"^\+-+\+$", self.text, re.MULTILINE)) < 2:
            assert self.process.poll() is None, f"manage.py dev ended:\n{self.text}"
            assert time.monotonic() < deadline, f"no box after {START_SECONDS} s:\n{self.text}"
            time.sleep(0.05)

    def process_ids(self) -> dict[str, int]:
        """Return the ids of the processes that Procfile.local lists."""
        _own, *children = (self.folder / "instance" / "dev.lock").read_text().split()
        return dict(zip(["redis", "web", "worker", "provider"], map(int, children), strict=True))

    def stop(self, number: int) -> int:
        """Send a signal as a terminal would; return the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Return the exit code, once the process has ended and its output was read."""
        code = self.process.wait(timeout=STOP_SECONDS)
        self._reader.join(timeout=STOP_SECONDS)
        return code


def copy_project(folder: Path) -> Path:
    """Copy the project without the files that running it has made; return ``folder``."""
    return Path(shutil.copytree(ROOT, folder, ignore=NOT_COPIED))


def bare_environment(folder: Path) -> dict[str, str]:
    """Return the environment of a new user with an empty home, without this process's settings."""
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}


def manage(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the project in ``folder`` to its end."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=folder,
        env={**bare_environment(folder), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )


@contextmanager
def start_development(folder: Path, *arguments: str) -> Iterator[DevelopmentSite]:
    """Run `manage.py dev` in ``folder``; yield it with its box printed, and stop it at the end."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "dev", *arguments],
        cwd=folder,
        env=bare_environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    site = DevelopmentSite(folder, process)
    try:
        site.wait_for_box()
        yield site
    finally:
        if process.poll() is None:
            site.stop(signal.SIGTERM)
        if process.stdout:
            process.stdout.close()


def processes_in(folder: Path) -> list[str]:
    """Return the command lines of all running processes whose working directory is in ``folder``."""
    found = []
    for process in psutil.process_iter(["cwd", "cmdline", "status"]):
        cwd = process.info["cwd"] or ""
        if process.info["status"] != psutil.STATUS_ZOMBIE and Path(cwd).is_relative_to(folder):
            found.append(" ".join(process.info["cmdline"] or []))
    return found
