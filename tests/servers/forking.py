"""Processes that a test may kill."""

import os
import signal
import warnings
from collections.abc import Callable

from flask import Flask


class ForkedProcess:
    """Runs ``work`` in a fork of this process, with the app."""

    def __init__(self, app: Flask, work: Callable[[], object]) -> None:
        with warnings.catch_warnings():
            # The test servers run in threads, which a fork does not copy and does not need.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.pid = os.fork()
        if self.pid == 0:
            self._run(app, work)

    @staticmethod
    def _run(app: Flask, work: Callable[[], object]) -> None:
        code = 1
        try:
            with app.app_context():
                app.extensions["sqlalchemy"].engine.dispose(close=False)
                app.extensions["redis"].connection_pool.reset()
                code = int(work() or 0)
        finally:
            os._exit(code)

    def kill(self) -> None:
        """Kill the process, as the kernel does when memory runs out."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def terminate(self) -> int:
        """Terminate the process; return its exit code."""
        os.kill(self.pid, signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait for the process to end; return its exit code."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
