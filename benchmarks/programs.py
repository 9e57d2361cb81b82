"""The programs that benchmarks borrow: those of the system, and tools from the npm registry."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

OLDEST_NODE = 20


def find(*names: str, package: str) -> str:
    """Return where the first of these programs is; exits with the package to install when there is none."""
    found = next(filter(None, map(shutil.which, names)), None)
    return found or sys.exit(f"{names[0]} is missing: sudo apt install {package}")


def install_from_npm(package: str, version: str, folder: Path) -> Path:
    """Return the folder of a tool, installed below ``folder``; exits with the cure when Node.js lacks or is too old."""
    npm = find("npm", package="npm")
    node = run("node", "--version").strip()
    if int(node.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        sys.exit(f"Node.js {node} is too old for {package}: take {OLDEST_NODE} or newer from https://nodejs.org")
    # Without the packages' own scripts: none of our tools needs any, and one could do whatever it likes.
    options = ("--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder))
    run(npm, "install", *options, f"{package}@{version}")
    return folder / "node_modules" / package


def run(*command: str, env: Mapping[str, str] | None = None) -> str:
    """Return what a program printed; exits with its last words when it failed."""
    done = subprocess.run(command, env=env, capture_output=True, text=True)  # noqa: S603
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nended with exit code {done.returncode}: {done.stderr or done.stdout}")
    return done.stdout
