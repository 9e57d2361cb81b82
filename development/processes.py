"""Run several commands in parallel, with honcho's prefixes, and stop them together.

honcho's own manager waits until a process's output is closed. A reloader's child keeps it open, and the
others would keep running. Here each command has a process group, which is stopped as a whole.
"""

import os
import queue
import signal
import subprocess  # nosec B404 # runs the lines of Procfile.local
import sys
import threading
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TextIO

from honcho.colour import get_colours
from honcho.printer import Message, Printer

GRACE_SECONDS = 10
SYSTEM = "system"
STOP_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
STRONG_SIGNALS = {signal.SIGHUP, signal.SIGINT, signal.SIGABRT, signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM}


@dataclass(frozen=True)
class Line:
    """A line to print, from one of the processes or from this one."""

    name: str
    text: bytes | str


@dataclass(frozen=True)
class Ended:
    """A process has ended by itself. ``code`` is as in `subprocess`, negative for a signal."""

    name: str
    code: int


@dataclass(frozen=True)
class Asked:
    """This process received a signal to stop."""

    signal_number: int


class Processes:
    """Commands that are started together. The first one is stopped last, because the others use it."""

    def __init__(
        self,
        commands: Mapping[str, str],
        environment: Mapping[str, str],
        lock: TextIO,
        open_files: Collection[int] = (),
    ) -> None:
        """Take commands by name, their environment, the lock file, and the file descriptors that they inherit."""
        self.commands = commands
        self.environment = environment
        self.lock = lock
        self.open_files = open_files
        # Unlike Queue, SimpleQueue is reentrant: a signal handler may add to it while this thread reads from it.
        self.events: queue.SimpleQueue[Line | Ended | Asked] = queue.SimpleQueue()
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.readers: dict[str, list[threading.Thread]] = {}
        self.printer = Printer(sys.stdout)
        self.printer.width = max(len(name) for name in (SYSTEM, *commands))
        self.colours = dict(zip(commands, get_colours(), strict=False))

    def run(self) -> int:
        """Start all commands, print their output, and return when all have ended.

        Returns 0 after a signal to stop, 1 after a process ended by itself.
        """
        previous = {number: signal.signal(number, self._ask_to_stop) for number in STOP_SIGNALS}
        try:
            for name, command in self.commands.items():
                self._start(name, command)
            self._note_process_ids()
            return self._watch()
        finally:
            self._stop_all()
            for number, handler in previous.items():
                signal.signal(number, handler)

    def say(self, text: str) -> None:
        """Print ``text`` without a prefix, between the processes' lines. May be called from any thread."""
        self.events.put(Line("", text))

    def _ask_to_stop(self, number: int, _frame: object) -> None:
        self.events.put(Asked(number))

    def _start(self, name: str, command: str) -> None:
        process = subprocess.Popen(  # noqa: S602 - a Procfile line is shell text, and the fork's own
            command,
            shell=True,  # nosec B602
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # Every process inherits the lock, so it is released when the last one ends.
            pass_fds=[self.lock.fileno(), *self.open_files],
        )
        self.running[name] = process
        threads = [
            threading.Thread(target=target, args=(name, process), daemon=True) for target in (self._read, self._wait)
        ]
        for thread in threads:
            thread.start()
        self.readers[name] = threads

    def _note_process_ids(self) -> None:
        """Write the process ids into the lock file, in case this process is killed and the others keep running."""
        self.lock.truncate(0)
        print(os.getpid(), *(process.pid for process in self.running.values()), file=self.lock, flush=True)

    def _read(self, name: str, process: subprocess.Popen[bytes]) -> None:
        if process.stdout:
            with process.stdout as output:
                for line in output:
                    self.events.put(Line(name, line))

    def _wait(self, name: str, process: subprocess.Popen[bytes]) -> None:
        self.events.put(Ended(name, process.wait()))

    def _watch(self) -> int:
        while True:
            event = self.events.get()
            if isinstance(event, Line):
                self._print(event)
                continue
            others = [name for name in self.commands if not isinstance(event, Ended) or name != event.name]
            self._print(Line(SYSTEM, f"{_reason(event)}; stopping {' and '.join(others)}"))
            return 1 if isinstance(event, Ended) else 0

    def _stop_all(self) -> None:
        first, *others = self.running
        deadline = time.monotonic() + GRACE_SECONDS
        for names in (others, [first]):
            self._signal_groups(names, signal.SIGTERM)
            self._wait_until(deadline, names)
        self._signal_groups(self.running, signal.SIGKILL)
        for process in self.running.values():
            process.wait()

    def _wait_until(self, deadline: float, names: Collection[str]) -> None:
        """Print lines until these processes have ended. A second signal ends the wait."""
        # A reader ends when all processes of its group, including grandchildren, have closed their output.
        readers = [reader for name in names for reader in self.readers[name]]
        while time.monotonic() < deadline:
            # Asked before the queue is read: all that readers wrote before they ended is in it by then.
            are_alive = any(reader.is_alive() for reader in readers)
            try:
                event = self.events.get(timeout=0.05 if are_alive else 0)
            except queue.Empty:
                if not are_alive:
                    return
                continue
            if isinstance(event, Line):
                self._print(event)
            elif isinstance(event, Asked):
                return

    def _signal_groups(self, names: Iterable[str], number: int) -> None:
        for name in names:
            try:
                os.killpg(self.running[name].pid, number)
            except (ProcessLookupError, PermissionError):
                # The whole group has ended. macOS raises PermissionError for a process that is not reaped yet.
                continue

    def _print(self, line: Line) -> None:
        if not line.name:
            print(line.text, flush=True)
            return
        colour = self.colours.get(line.name)
        self.printer.write(Message("line", line.text, datetime.now(), line.name, colour))  # noqa: DTZ005 - wall clock


def _reason(event: Ended | Asked) -> str:
    if isinstance(event, Asked):
        return f"{signal.Signals(event.signal_number).name} received"
    # A shell in between reports a signal as 128 + its number, a reloader as 256 - its number.
    for number in (-event.code, event.code - 128, 256 - event.code):
        if number in STRONG_SIGNALS:
            return f"{event.name} was ended by {signal.Signals(number).name}"
    return f"{event.name} ended with code {event.code}"
