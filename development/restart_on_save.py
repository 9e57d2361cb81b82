"""`python -m development.restart_on_save SCRIPT ARGUMENTS…`: runs a Python script anew at every save.

The worker loads the application once; without this an edited e-mail would need a restart by hand.
"""

import signal
import subprocess  # nosec B404 - runs the script it is given
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WATCHED = ("config.py", "app/**/*.py")
LOOK_SECONDS = 1.0

Snapshot = dict[Path, float]


def main(arguments: list[str]) -> int:
    """Run the script until it ends by itself; answers its exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    seen = take_snapshot()
    was_restarted = False
    while True:
        script = subprocess.Popen([sys.executable, *arguments])  # nosec B603 # noqa: S603
        try:
            seen = _wait_for_end_or_save(script, seen)
            ended_by_itself = script.poll() is not None
        finally:
            _stop(script)
        if ended_by_itself:
            if script.returncode <= 0 or not was_restarted:
                return script.returncode
            # The save before broke the code; the next one may mend it.
            print("Waiting for the next save.", flush=True)
            seen = _wait_for_save(seen)
        was_restarted = True
        print("A source file was saved: starting again.", flush=True)


def take_snapshot() -> Snapshot:
    """Answer when each watched file was changed last."""
    files = (file for pattern in WATCHED for file in ROOT.glob(pattern))
    times: Snapshot = {}
    for file in files:
        try:
            times[file] = file.stat().st_mtime
        except FileNotFoundError:
            # An editor replaces a file by deleting it first.
            continue
    return times


def _wait_for_end_or_save(script: subprocess.Popen[bytes], seen: Snapshot) -> Snapshot:
    while script.poll() is None:
        now = take_snapshot()
        if now != seen:
            return now
        time.sleep(LOOK_SECONDS)
    return seen


def _wait_for_save(seen: Snapshot) -> Snapshot:
    while (now := take_snapshot()) == seen:
        time.sleep(LOOK_SECONDS)
    return now


def _stop(script: subprocess.Popen[bytes]) -> None:
    script.terminate()
    script.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
