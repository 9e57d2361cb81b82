"""Create `.venv` and install the pinned packages into it, with only the standard library.

This does nothing on a host that has the packages already (Heroku, a container, another virtual environment).
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess  # nosec B404 # runs uv or pip with fixed arguments
import sys
import venv
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
REQUIREMENTS = ROOT / "requirements" / "dev.txt"
ENVIRONMENT = ROOT / ".venv"
STAMP = ENVIRONMENT / "installed-requirements.sha256"
INSTALL_LOG = ENVIRONMENT / "install.log"
NEEDED_MODULES = ("flask", "flask_migrate", "argon2", "rq")

CURES = (
    (
        r"connection broken|ConnectionError|ConnectTimeout|ReadTimeout|ProxyError|name resolution",
        "pip could not reach the package index. Connect to the network (or set HTTPS_PROXY) and start again",
    ),
    (
        r"No space left on device",
        "the disk is full. Free about 600 MB and start again",
    ),
    (
        r"g\+\+|gcc|clang|Python\.h|Failed building wheel|subprocess-exited-with-error",
        "a package without a ready-made build for this machine could not be compiled. "
        "Install a compiler (Debian: sudo apt install g++ python3-dev) and start again",
    ),
)


class BootstrapError(Exception):
    """The packages cannot be installed. The message says why and what to do, in one line."""


def enter_virtual_environment(argv: list[str]) -> None:
    """Return if this interpreter has the packages.

    Otherwise install them into `.venv` and replace this process with `argv` (script first) running there.
    Exits with a one-line message if that is impossible.
    """
    if _host_brings_the_packages():
        return
    try:
        installed_now = _install_when_needed()
    except BootstrapError as error:
        sys.exit(f"manage.py: {error}.")
    except KeyboardInterrupt:
        sys.exit("\nmanage.py: stopped. The next start installs what is missing.")
    if installed_now or not _runs_in_environment():
        _start_again(argv)


def _host_brings_the_packages() -> bool:
    if _runs_in_environment():
        return False
    in_another_environment = sys.prefix != sys.base_prefix
    if ENVIRONMENT.exists() and not in_another_environment:
        return False
    return all(importlib.util.find_spec(module) for module in NEEDED_MODULES)


def _runs_in_environment() -> bool:
    return ENVIRONMENT.exists() and ENVIRONMENT.samefile(sys.prefix)


def _install_when_needed() -> bool:
    """Install the packages unless the stamp matches the requirements. Return whether anything was installed."""
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if _is_complete(wanted):
        return False
    try:
        if not _python().exists():
            _make_environment()
        # After an interruption this text stays, and the next start installs again.
        STAMP.write_text("unfinished")
        _install_packages()
        STAMP.write_text(wanted)
    except OSError as error:
        raise BootstrapError(
            f"cannot write to {ENVIRONMENT} ({error.strerror}). Clone the project into a folder that is yours"
        ) from error
    return True


def _is_complete(wanted: str) -> bool:
    if not _python().exists():
        return False
    if STAMP.exists():
        return STAMP.read_text() == wanted
    # Without a stamp, the developer created it by hand, perhaps with production's packages only. Leave it alone.
    return any(ENVIRONMENT.glob("lib/python*/site-packages/flask")) or any(ENVIRONMENT.glob("Lib/site-packages/flask"))


def _python() -> Path:
    return ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _make_environment() -> None:
    print("Making .venv ...", flush=True)
    venv.EnvBuilder(clear=ENVIRONMENT.exists(), symlinks=os.name != "nt").create(ENVIRONMENT)


def _install_packages() -> None:
    total = len(re.findall(r"^\S+==", REQUIREMENTS.read_text(), re.MULTILINE))
    print(f"Installing {total} packages into .venv (once, about a minute) ...", flush=True)
    # The file names every package, so there is nothing to resolve.
    pinned = ["--require-hashes", "--no-deps", "-r", str(REQUIREMENTS)]
    uv = shutil.which("uv")
    # uv takes a third of the time. It does not read pip's configuration, such as the address of a company's index.
    if uv and _run([uv, "pip", "install", "--python", str(_python()), *pinned]) == 0:
        return
    _ensure_pip()
    options = ["--no-compile", "--retries", "2", "--disable-pip-version-check", "--no-input"]
    if _run([str(_python()), "-m", "pip", "install", *options, *pinned]):
        raise BootstrapError(f"{_cure(INSTALL_LOG.read_text(encoding='utf-8'))}. pip's words: {INSTALL_LOG}")


def _ensure_pip() -> None:
    if importlib.util.find_spec("ensurepip") is None:
        raise BootstrapError(
            "this Python cannot make virtual environments. On Debian and Ubuntu: sudo apt install python3-venv"
        )
    if _run([str(_python()), "-m", "ensurepip", "--upgrade", "--default-pip"]):
        raise BootstrapError(
            "making .venv failed at ensurepip. On Debian and Ubuntu: sudo apt install python3-venv; then remove .venv"
        )


def _run(command: list[str]) -> int:
    """Run the command with its output in the log, and return its exit code."""
    with (
        INSTALL_LOG.open("w", encoding="utf-8") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8") as process,  # nosec B603 # noqa: S603
    ):
        for line in process.stdout or ():
            log.write(line)
            _show_progress(line)
    return process.returncode


def _show_progress(line: str) -> None:
    if sys.stdout.isatty() and line.startswith("Collecting "):
        print(f"\r\033[K  {line.split()[1]}", end="", flush=True)
    elif sys.stdout.isatty() and line.startswith("Installing collected"):
        print("\r\033[K  unpacking", flush=True)


def _cure(pip_output: str) -> str:
    for symptom, cure in CURES:
        if re.search(symptom, pip_output):
            return cure
    errors = [line for line in pip_output.splitlines() if line.startswith("ERROR")]
    return errors[-1].removeprefix("ERROR: ").rstrip(".") if errors else "pip failed"


def _start_again(argv: list[str]) -> NoReturn:
    # With these, the new interpreter would look for its packages elsewhere.
    for variable in ("PYTHONHOME", "__PYVENV_LAUNCHER__"):
        os.environ.pop(variable, None)
    command = [str(_python()), *argv]
    if os.name == "nt":
        sys.exit(subprocess.call(command))  # nosec B603 # noqa: S603
    os.execv(command[0], command)  # nosec B606 # noqa: S606
