"""Tests for bootstrap.py on a bare Python, with an empty HOME and no network: packages are fake wheels in a folder."""

import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

import bootstrap

pytestmark = pytest.mark.thorough

PROJECT = Path(__file__).resolve().parent.parent
# The packages that bootstrap.py checks for.
FAKE_PACKAGES = bootstrap.NEEDED_MODULES
REPORT = "import json, sys, flask; print(json.dumps([sys.prefix, flask.__file__, sys.argv[1:]]))"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a project with the real bootstrap.py, whose requirements are fake wheels in a folder beside it."""
    return _make_checkout(tmp_path)


@pytest.fixture(scope="module")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> "FirstStart":
    """Return such a project after its first start, which takes seconds."""
    checkout = _make_checkout(tmp_path_factory.mktemp("bootstrap"))
    return FirstStart(checkout, _manage(checkout, "dev", "--fake", "3"))


class FirstStart(NamedTuple):
    checkout: Path
    result: subprocess.CompletedProcess[str]


def _make_checkout(parent: Path) -> Path:
    folder = parent / "checkout"
    (folder / "requirements").mkdir(parents=True)
    (folder / "bootstrap.py").write_bytes((PROJECT / "bootstrap.py").read_bytes())
    script = f"import sys, bootstrap\nbootstrap.enter_virtual_environment(sys.argv)\n{REPORT}\n"
    (folder / "manage.py").write_text(script)
    lines = [f"{name}==1.0 --hash=sha256:{_make_wheel(parent / 'wheels', name)}" for name in FAKE_PACKAGES]
    (folder / "requirements" / "dev.txt").write_text("\n".join(lines) + "\n")
    return folder


def _make_wheel(folder: Path, name: str) -> str:
    folder.mkdir(exist_ok=True)
    files = {
        f"{name}/__init__.py": b"",
        f"{name}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{name}-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},sha256={_digest(content)},{len(content)}\n" for path, content in files.items())
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
        archive.writestr(f"{name}-1.0.dist-info/RECORD", record)
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _environment(checkout: Path, **variables: str) -> dict[str, str]:
    """Return the environment of a new user, for whose uv and pip there is nothing but the fake wheels."""
    home = checkout.parent / "home"
    home.mkdir(exist_ok=True)
    wheels = str(checkout.parent / "wheels")
    settings = {"HOME": str(home), "PATH": os.environ["PATH"], "PIP_CONFIG_FILE": os.devnull}
    of_uv = {"UV_NO_CONFIG": "1", "UV_NO_INDEX": "1", "UV_FIND_LINKS": wheels}
    return {**settings, **of_uv, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels, **variables}


def _manage(checkout: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [getattr(sys, "_base_executable", sys.executable), str(checkout / "manage.py"), *arguments],
        env=_environment(checkout, **environment),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_first_start_installs_and_the_second_only_starts(first_start):
    checkout, first = first_start
    assert first.returncode == 0, first.stderr
    assert "Installing 4 packages" in first.stdout
    prefix, flask_file, arguments = json.loads(first.stdout.splitlines()[-1])
    assert Path(prefix).samefile(checkout / ".venv")
    assert flask_file.startswith(str(checkout / ".venv"))
    assert arguments == ["dev", "--fake", "3"]

    second = _manage(checkout, "test")

    assert len(second.stdout.splitlines()) == 1, second.stdout


@pytest.mark.parametrize("works", [True, False])
def test_uv_comes_first_and_pip_where_it_fails(checkout, works):
    """A fake one, which says what it was asked; it installs nothing, so the script ends there."""
    uv = checkout.parent / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text(f'#!/bin/sh\necho "$@" > {checkout.parent}/asked\nexit {0 if works else 2}\n')
    uv.chmod(0o755)

    result = _manage(checkout, PATH=f"{uv.parent}:{os.environ['PATH']}")

    asked = (checkout.parent / "asked").read_text()
    assert asked.startswith(f"pip install --python {checkout}/.venv/bin/python --require-hashes --no-deps -r ")
    assert result.returncode == (1 if works else 0), result.stderr
    assert (checkout / ".venv" / "bin" / "pip").exists() is not works


def test_ctrl_c_ends_the_installation_in_one_line_and_the_next_start_resumes_it(checkout):
    slow = checkout.parent / "bin" / "uv"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    process = subprocess.Popen(
        [getattr(sys, "_base_executable", sys.executable), str(checkout / "manage.py")],
        env=_environment(checkout, PATH=f"{slow.parent}:{os.environ['PATH']}"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while "Installing" not in process.stdout.readline():
        assert process.poll() is None

    # A terminal sends it to all of them.
    os.killpg(process.pid, signal.SIGINT)

    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    _assert_is_one_line(errors.lstrip())  # below the terminal's ^C
    assert "stopped. The next start installs what is missing." in errors
    assert "Installing" in _manage(checkout).stdout


def test_changed_requirements_and_an_interrupted_installation_are_installed_anew(first_start):
    checkout = first_start.checkout
    requirements = checkout / "requirements" / "dev.txt"
    requirements.write_text(requirements.read_text() + "# changed\n")

    assert "Installing" in _manage(checkout).stdout

    (checkout / ".venv" / bootstrap.STAMP.name).write_text("unfinished")

    assert "Installing" in _manage(checkout).stdout


def test_an_environment_made_by_hand_is_used_as_it_is(first_start):
    stamp = first_start.checkout / ".venv" / bootstrap.STAMP.name
    content = stamp.read_text()
    stamp.unlink()

    by_hand = _manage(first_start.checkout)
    stamp.write_text(content)

    assert by_hand.returncode == 0, by_hand.stderr
    assert "Installing" not in by_hand.stdout


def test_a_python_that_has_the_packages_is_left_alone(checkout):
    result = subprocess.run(
        [sys.executable, str(checkout / "manage.py")], capture_output=True, text=True, timeout=60, check=False
    )

    assert result.returncode == 0, result.stderr
    assert not (checkout / ".venv").exists()


def test_a_wheel_with_another_hash_is_refused(checkout):
    requirements = checkout / "requirements" / "dev.txt"
    requirements.write_text(requirements.read_text().replace("sha256:", "sha256:0", 1)[:-2] + "\n")

    result = _manage(checkout)

    assert result.returncode == 1
    _assert_is_one_line(result.stderr)


def test_without_a_network_it_says_so_in_one_line(checkout):
    # Nothing listens on port 9 (discard) of this machine.
    result = _manage(checkout, PIP_NO_INDEX="0", PIP_FIND_LINKS="", PIP_INDEX_URL="http://127.0.0.1:9/simple")

    assert result.returncode == 1
    assert "Connect to the network" in result.stderr
    _assert_is_one_line(result.stderr)


def test_without_ensurepip_it_names_debians_package(checkout):
    script = (checkout / "manage.py").read_text()
    (checkout / "manage.py").write_text(f"import sys\nsys.modules['ensurepip'] = None\n{script}")

    result = _manage(checkout)

    assert result.returncode == 1
    assert "sudo apt install python3-venv" in result.stderr
    _assert_is_one_line(result.stderr)


def test_a_folder_that_cannot_be_written_to_is_named(checkout):
    # A file in place of a folder makes mkdir fail for root as well.
    (checkout / ".venv").write_text("")

    result = _manage(checkout)

    assert result.returncode == 1
    assert f"cannot write to {checkout / '.venv'}" in result.stderr
    _assert_is_one_line(result.stderr)


def _assert_is_one_line(text: str) -> None:
    assert len(text.strip().splitlines()) == 1, text
    assert text.startswith("manage.py: ")
