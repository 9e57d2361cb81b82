"""The external programs of the benchmarks: those of the system, and tools from the npm registry."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

OLDEST_NODE = 20


def find(*names: str, package: str) -> str:
    """Return the path of the first of these programs, or exit with the package to install."""
    found = next(filter(None, map(shutil.which, names)), None)
    return found or sys.exit(f"{names[0]} is missing: sudo apt install {package}")


def install_from_npm(package: str, version: str, folder: Path) -> Path:
    """Install a tool below ``folder`` and return its path, or exit with a message if Node.js is missing or too old."""
    npm = find("npm", package="npm")
    node = run("node", "--version").strip()
    if int(node.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        sys.exit(f"Node.js {node} is too old for {package}: take {OLDEST_NODE} or newer from https://nodejs.org")
    # Do not run the packages' install scripts: our tools need none, and a malicious one could do anything.
    options = ("--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder))
    run(npm, "install", *options, f"{package}@{version}")
    return folder / "node_modules" / package


def run(*command: str, env: Mapping[str, str] | None = None) -> str:
    """Return the output of a program, or exit with its error output if it failed."""
    done = subprocess.run(command, env=env, capture_output=True, text=True)  # noqa: S603
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nended with exit code {done.returncode}: {done.stderr or done.stdout}")
    return done.stdout
