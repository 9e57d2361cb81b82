"""``manage.py run_worker``: a parent process, which loads and watches, and the children that it forks.

The children are one sweeper and one or more queue workers. A child that dies is started again, whatever the cause.
The parent itself uses neither Redis nor the database.
"""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType

from flask import Flask

from app.kit.db.session import current_database
from app.kit.jobs import queue_worker
from app.kit.jobs.queue import DEFAULT_QUEUE
from app.kit.jobs.schedule import Schedule
from app.kit.jobs.sweeper import Sweeper
from app.kit.mail.outbox import Outbox

log = logging.getLogger("app.worker")

LOOK_SECONDS = 0.2
SHORT_LIFE_SECONDS = 10
LONGEST_PAUSE_SECONDS = 8
STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}


def run(
    app: Flask, outbox: Outbox, schedule: Schedule, *, queue: str = DEFAULT_QUEUE, workers: int = 1, burst: bool = False
) -> int:
    """Run ``workers`` queue workers and a sweeper until SIGTERM or SIGINT; return the exit code.

    With ``burst`` they end when nothing is left to do.
    """
    children = [Child("sweeper", lambda: Sweeper(app, outbox, schedule, queue).run(burst))]
    # Without Redis there is no queue, and the sweeper alone delivers the emails.
    for number in range(1, workers + 1 if app.config["REDIS_URL"] else 1):
        children.append(Child(f"worker {number}", lambda: queue_worker.work(app, queue, burst)))
    with app.app_context():
        # Two processes must not share a connection.
        current_database().engine.dispose()
    return Supervisor(children, restart=not burst).run()


class Child:
    """A child process that the supervisor keeps running."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self.name = name
        self._work = work
        self.pid = 0
        self.exit_code: int | None = None
        self._started_at = 0.0
        self._pause_seconds = 0.0
        self._start_at = 0.0

    def start_if_time(self) -> None:
        """Fork, unless the process is running or must still wait after an early death."""
        if self.pid or time.monotonic() < self._start_at:
            return
        self._started_at = time.monotonic()
        sys.stdout.flush()
        sys.stderr.flush()
        # Blocked during the fork: until the child has its own handlers, the parent's would swallow a signal.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        self.pid = os.fork()
        if self.pid == 0:
            self._run_in_child()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def _run_in_child(self) -> None:
        code = 1
        try:
            for stop_signal in STOP_SIGNALS:
                signal.signal(stop_signal, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            self._work()
            code = 0
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else 1
        except BaseException:
            log.exception("%s crashed", self.name)
        finally:
            # Not a return: the parent's cleanup code must not run in the child.
            os._exit(code)

    def note_end(self) -> None:
        """Check whether the process has ended; if so, set when it may start again."""
        if not self.pid:
            return
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid == 0:
            return
        self.pid = 0
        self.exit_code = os.waitstatus_to_exitcode(status)
        lived_seconds = time.monotonic() - self._started_at
        # A process that died early will probably die again: each pause is twice as long as the last.
        is_young = lived_seconds < SHORT_LIFE_SECONDS
        self._pause_seconds = min(max(1.0, self._pause_seconds * 2), LONGEST_PAUSE_SECONDS) if is_young else 0
        self._start_at = time.monotonic() + self._pause_seconds

    def stop(self) -> None:
        """Tell the process (SIGTERM) to finish what it is doing and exit."""
        if self.pid:
            os.kill(self.pid, signal.SIGTERM)


class Supervisor:
    """Keeps children running until it is told to stop, then waits for them to end."""

    def __init__(self, children: list[Child], *, restart: bool) -> None:
        self._children = children
        self._restart = restart
        self._stopping = False

    def run(self) -> int:
        """Start all children and watch them; return 0, or in a burst 1 when a child failed."""
        for stop_signal in STOP_SIGNALS:
            signal.signal(stop_signal, self._stop)
        for child in self._children:
            child.start_if_time()
        log.info("worker started", extra={"fields": {"processes": len(self._children)}})
        while not self._stopping and (self._restart or self._any_alive()):
            self._look_after()
            time.sleep(LOOK_SECONDS)
        self._end()
        return 0 if self._restart else int(any(child.exit_code for child in self._children))

    def _look_after(self) -> None:
        for child in self._children:
            was_alive = bool(child.pid)
            child.note_end()
            if not self._restart:
                continue
            if was_alive and not child.pid:
                log.warning("%s ended with %s and is started again", child.name, child.exit_code)
            child.start_if_time()

    def _end(self) -> None:
        for child in self._children:
            child.stop()
        while self._any_alive():
            for child in self._children:
                child.note_end()
            time.sleep(LOOK_SECONDS)
        log.info("worker stopped")

    def _any_alive(self) -> bool:
        return any(child.pid for child in self._children)

    def _stop(self, _signum: int, _frame: FrameType | None) -> None:
        self._stopping = True
