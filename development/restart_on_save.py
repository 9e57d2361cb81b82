"""Restart a Python script at every save: `python -m development.restart_on_save SCRIPT ARGUMENTS…`.

The web server and the worker load the code once, so they need a restart after each change.
"""

import signal
import subprocess  # nosec B404 # runs the script it is given
import sys
import time
from collections.abc import Collection, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Changes of templates, styles and scripts need no restart.
WATCHED = (".env", "config.py", "app/**/*.py", "migrations/versions/*.py")
LOOK_SECONDS = 0.5
STOP_SECONDS = 5

Snapshot = dict[Path, float]


def restart_on_save(
    arguments: list[str], environment: Mapping[str, str] | None = None, pass_fds: Collection[int] = ()
) -> int:
    """Run a Python script until it ends by itself or Ctrl-C, and return its exit code.

    After a save that breaks the script, the next save starts it again. ``environment`` (that of this process) and
    the file descriptors ``pass_fds`` are for the script.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    was_restarted = False
    try:
        while True:
            seen = take_snapshot()
            code = _run_until_save([sys.executable, *arguments], seen, environment, pass_fds)
            if code is not None:
                if code <= 0 or not was_restarted:
                    return code
                print("Waiting for the next save.", flush=True)
                _wait_for_save(seen)
            was_restarted = True
            print("A file was saved: starting again.", flush=True)
    except KeyboardInterrupt:
        return 0


def take_snapshot() -> Snapshot:
    """Return the modification time of each watched file."""
    times: Snapshot = {}
    for file in (file for pattern in WATCHED for file in ROOT.glob(pattern)):
        try:
            times[file] = file.stat().st_mtime
        except FileNotFoundError:
            # Some editors save a file by deleting it first.
            continue
    return times


def _run_until_save(
    command: list[str], seen: Snapshot, environment: Mapping[str, str] | None, pass_fds: Collection[int]
) -> int | None:
    """Return the script's exit code, or None after a save."""
    with subprocess.Popen(command, env=environment, pass_fds=pass_fds) as script:  # nosec B603 # noqa: S603
        try:
            while script.poll() is None:
                if take_snapshot() != seen:
                    return None
                time.sleep(LOOK_SECONDS)
        finally:
            _stop(script)
    return script.returncode


def _stop(script: subprocess.Popen[bytes]) -> None:
    script.terminate()
    try:
        script.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        script.kill()


def _wait_for_save(seen: Snapshot) -> None:
    while take_snapshot() == seen:
        time.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    sys.exit(restart_on_save(sys.argv[1:]))
