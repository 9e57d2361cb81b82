"""Tests for the systemd units, with systemd's own checks."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers.front_proxy import program

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "deploy" / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
# Of 10; systemd calls up to 2 "OK" and most services of a distribution "UNSAFE" (9).
MOST_EXPOSED = 1.5


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """Return a copy of the units whose programs exist."""
    copy = Path(shutil.copytree(UNITS, tmp_path / "units"))
    for path in copy.iterdir():
        path.write_text(re.sub(r"/srv/site/\S+/\.venv/bin/python", shutil.which("true") or "", path.read_text()))
    return copy


@pytest.mark.thorough
def test_systemd_understands_every_unit(units: Path) -> None:
    names = [str(path) for path in sorted(units.iterdir())]
    checked = subprocess.run(
        [program("systemd-analyze"), "verify", *names], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.thorough
@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_do_little(units: Path, name: str) -> None:
    command = [program("systemd-analyze"), "security", "--offline=yes", "--no-pager", str(units / name)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"exposure level for \S+: ([\d.]+)", checked.stdout)
    assert found, checked.stderr
    assert float(found[1]) <= MOST_EXPOSED


def test_all_services_are_hardened_alike() -> None:
    hardened = {
        (UNITS / name).read_text().partition("\n# What a program")[2].partition("\n[Install]")[0].rstrip()
        for name in SERVICES
    }
    assert len(hardened) == 1
    assert "NoNewPrivileges=yes" in hardened.pop()
