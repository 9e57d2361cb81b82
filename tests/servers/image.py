"""The Dockerfile without a container engine: its steps in order, in an empty folder, with an environment of its own."""

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# These change the system around the site, which here is the machine of the tests.
OF_THE_SYSTEM = ("apt-get", "useradd")
FOLDERS = ("/venv", "/site")


@dataclass
class Image:
    """What the Dockerfile makes: files below ``root``, and how its process starts."""

    root: Path
    variables: dict[str, str] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)
    health_check: list[str] = field(default_factory=list)
    user: str = "root"

    def below(self, text: str) -> str:
        """Return ``text`` with the image's folders below ``root``."""
        return re.sub(rf"(?<![\w.])({'|'.join(FOLDERS)})\b", rf"{self.root}\1", text)


def steps() -> Iterator[tuple[str, str]]:
    """Yield the instructions of the Dockerfile with their texts."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    for line in filter(None, text.splitlines()):
        instruction, _, rest = line.partition(" ")
        yield instruction, re.sub(r"\s+", " ", rest).strip()


def build_image(root: Path) -> Image:
    """Run the steps of the Dockerfile below ``root``, on the kind of Python that runs the tests."""
    image = Image(root)
    (root / "site").mkdir()
    (root / "programs").mkdir()
    (root / "programs" / "python3").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    for instruction, rest in steps():
        if instruction == "RUN" and not rest.startswith(OF_THE_SYSTEM):
            environment = {"PATH": f"{root}/programs:{os.defpath}", "HOME": str(root / "programs")}
            subprocess.run(image.below(rest), shell=True, cwd=root / "site", env=environment, check=True)  # noqa: S602
        elif instruction == "COPY" and "--from" not in rest:
            copy_context(root / "site", rest.split()[0])
        elif instruction == "ENV":
            image.variables |= dict(pair.split("=", 1) for pair in image.below(rest).split())
        elif instruction == "USER":
            image.user = rest
        elif instruction == "HEALTHCHECK":
            image.health_check = json.loads(rest.partition("CMD ")[2])
        elif instruction == "CMD":
            image.command = json.loads(rest)
    return image


def copy_context(target: Path, wanted: str) -> None:
    """Copy what git knows and ``.dockerignore`` lets through, from ``wanted`` ("." is all)."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if is_in_context(name) and (wanted == "." or name.startswith(f"{wanted}/")) and (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)


def is_in_context(name: str) -> bool:
    """Return whether ``.dockerignore`` lets a file through; its last fitting line decides."""
    included = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!").removeprefix("**/")
        if line and not line.startswith("#") and (name == pattern or _is_below(name, pattern)):
            included = line.startswith("!")
    return included


def _is_below(name: str, pattern: str) -> bool:
    return name.startswith(f"{pattern}/") or fnmatch.fnmatch(name, pattern) or f"/{pattern}/" in name
