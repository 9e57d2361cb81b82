"""Jobs for the worker's tests: each appends a line to a file."""

import os
import time
from pathlib import Path

from flask import current_app

from app.kit.jobs.queue import job


def note(path: str, word: str) -> None:
    with Path(path).open("a") as file:
        file.write(f"{word} {os.getpid()}\n")


@job("Note", retry_after_seconds=())
def note_app_name(path: str) -> None:
    note(path, current_app.config["APP_NAME"])


@job("Take a while", retry_after_seconds=(0,))
def take_a_while(path: str, seconds: float) -> None:
    note(path, "begun")
    time.sleep(seconds)
    note(path, "done")


@job("Fail twice", retry_after_seconds=(0, 1))
def fail_twice(path: str) -> None:
    note(path, "tried")
    if Path(path).read_text().count("tried") < 3:
        raise ValueError("not yet")


@job("Always fail", retry_after_seconds=())
def always_fail(secret_path: str) -> None:
    raise ValueError("it never works")
