"""Run the W3C's Nu Html Checker, pinned in tests/browser/vnu/."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

CHECKER = Path(__file__).parent / "vnu" / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
# Without scripts: the package's own script downloads Java from another host if there is none.
CURE = "sudo apt install default-jre-headless npm && npm ci --ignore-scripts --prefix tests/browser/vnu"
TIMEOUT_SECONDS = 120


def expect_valid(documents: Mapping[str, bytes], folder: Path) -> None:
    """Fail with a line for each error and warning in the documents, or with what to install.

    The names of ``documents`` say what each one is. One process looks at them all, as files in ``folder``, which is
    empty before.
    """
    assert documents, "there is nothing to check"
    for name, document in documents.items():
        (folder / f"{name}.html").write_bytes(document)
    if found := sorted(_line(message) for message in _messages(folder)):
        pytest.fail("\n".join(found), pytrace=False)


def _messages(folder: Path) -> list[dict[str, Any]]:
    java = shutil.which("java")
    # Not skipped: without the checker, the tests would pass unchecked.
    if java is None or not CHECKER.exists():
        pytest.fail(f"{'Java' if java is None else CHECKER.name} is missing: {CURE}", pytrace=False)
    command = [java, "-jar", str(CHECKER), "--format", "json", "--stdout", "--exit-zero-always", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    assert done.returncode == 0, done.stderr
    messages: list[dict[str, Any]] = json.loads(done.stdout)["messages"]
    return messages


def _line(message: dict[str, Any]) -> str:
    document = Path(unquote(message["url"])).stem
    return f"{document}, line {message.get('lastLine')}: {message['message']} {message.get('extract', '')!r}"
