"""Tests for `manage.py` in a copy of the project, with an empty home and no settings."""

import ast
import re
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.commands import dev
from development.settings_file import ensure_settings_file
from tests.servers.development_site import (
    ROOT,
    copy_project,
    manage,
    processes_in,
    start_development,
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project in which nothing was started yet."""
    return copy_project(tmp_path_factory.mktemp("manage") / "project")


@pytest.mark.thorough
def test_dev_shows_a_box_and_a_site_and_ends_whole_at_ctrl_c(project):
    with start_development(project) as site:
        assert urllib.request.urlopen(site.address).status == 200  # noqa: S310
        email, password = site.administrator
        assert email == "flask-base-admin@example.com"
        settings = _settings(project)
        assert password == settings["ADMIN_PASSWORD"]
        assert len(password) >= 16
        assert len(settings["SECRET_KEY"]) >= 32
        assert len(settings["DATA_KEYS"]) >= 32
        assert (project / ".env").stat().st_mode & 0o777 == 0o600
        assert re.search(r"^\d\d:\d\d:\d\d worker +\| ", site.text, re.MULTILINE)
        assert re.fullmatch(r"http://localhost:\d+", site.address)
        second = manage(project, "dev")
        examined = manage(project, "doctor").stdout
        assert f"base URL: {site.address} shows this site" in examined
        assert "ok       queue" in examined

        assert site.stop(signal.SIGINT) == 0

    assert "SIGINT received" in site.text
    # Neither the queue's banner nor its end while the worker still asks it.
    assert not re.search(r"WARNING|ERROR|Traceback|redis +\|", site.text)
    assert processes_in(project) == []
    assert second.returncode == 1
    assert f"kill {site.process.pid} " in second.stderr


@pytest.mark.thorough
def test_a_reset_keeps_nothing_but_the_settings_and_a_killed_process_costs_no_data(project):
    settings, leftovers = _leave_behind(project)
    with start_development(project, "--reset", "--fake", "2") as site:
        assert _settings(project) == settings
        assert [path for path in leftovers if path.exists()] == []
        assert _count(project, "sqlite_master WHERE name = 'left_behind'") == 0
        subprocess.run(["kill", "-KILL", str(site.process_ids()["worker"])], check=True)

        assert site.wait() == 1

    assert "worker was ended by SIGKILL; stopping redis and web" in site.text
    assert processes_in(project) == []
    with start_development(project) as site:
        assert "Wrote .env" not in site.text
        assert _settings(project) == settings
        assert _count(project, "users") == 3


@pytest.mark.thorough
def test_a_password_that_is_written_nowhere_can_be_made_anew(project):
    (project / ".env").write_text((ROOT / ".env.example").read_text())
    with start_development(project, "--reset") as site:
        _email, first = site.administrator
    with start_development(project) as site:
        assert "--new-password" in site.administrator[1]
    with start_development(project, "--new-password") as site:
        assert "--new-password" not in site.administrator[1] != first
    (project / ".env").unlink()


@pytest.mark.parametrize("wrong", [["--port", "99999"], ["--port", "0"], ["--port", "http"]])
def test_an_impossible_port_is_refused_in_words(wrong):
    result = CliRunner().invoke(dev, wrong)

    assert result.exit_code == 2
    assert "Invalid value for '--port'" in result.stderr


@pytest.mark.thorough
def test_dev_refuses_production(project):
    result = manage(project, "dev", FLASK_CONFIG="production")

    assert result.returncode == 1
    assert "FLASK_CONFIG is 'production'" in result.stderr


def test_a_wrong_configuration_is_told_whole_and_without_a_traceback(project):
    result = manage(project, "release", FLASK_CONFIG="production", SECRET_KEY="short", MAIL_PORT="many")

    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    for name in ("SECRET_KEY", "MAIL_PORT", "MAIL_SERVER", "DATABASE_URL", "BASE_URL"):
        assert f"{name}: " in result.stderr


@pytest.mark.thorough
def test_assets_are_built_without_any_setting(project):
    result = manage(project, "build_assets", FLASK_CONFIG="production")

    assert result.returncode == 0, result.stderr
    assert list((project / "app" / "static").glob("*.css"))


@pytest.mark.thorough
def test_the_heroku_hook_builds_the_assets(project):
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "FLASK_CONFIG": "heroku"}

    hook = subprocess.run(["bin/post_compile"], cwd=project, env=environment, capture_output=True, text=True)

    assert hook.returncode == 0, hook.stderr


@pytest.mark.thorough
def test_pytests_arguments_and_exit_code_are_passed_on(project, tmp_path):
    (tmp_path / "test_two.py").write_text("def test_good():\n    pass\n\ndef test_bad():\n    assert 1 == 2\n")

    result = manage(project, "test", str(tmp_path), "-k", "bad", "-q")

    assert "1 failed, 1 deselected" in result.stdout, result.stdout + result.stderr
    assert result.returncode == 1


@pytest.mark.thorough
def test_tests_run_on_a_postgresql_of_their_own(project, tmp_path):
    (tmp_path / "test_version.py").write_text(
        "import os, psycopg\n\n"
        "def test_version():\n"
        "    with psycopg.connect(os.environ['TEST_DATABASE_URL']) as connection:\n"
        "        assert connection.info.server_version >= 160000\n"
    )

    result = manage(project, "test", "--postgres", str(tmp_path), "-q")

    assert "1 passed" in result.stdout, result.stdout + result.stderr
    assert result.returncode == 0


@pytest.mark.thorough
def test_format_sorts_imports_and_code(project):
    file = project / "app" / "untidy.py"
    file.write_text("import sys\nimport os\nprint( os,sys )\n")

    result = manage(project, "format")

    assert file.read_text() == "import os\nimport sys\n\nprint(os, sys)\n"
    assert result.returncode == 0, result.stderr
    file.unlink()


def test_an_old_python_is_told_what_is_needed():
    source = (ROOT / "manage.py").read_text()
    pretend = f"import sys; sys.version_info = (3, 9, 1); exec({source!r})"

    result = subprocess.run([sys.executable, "-c", pretend], capture_output=True, text=True, check=False)

    assert result.returncode == 1
    assert result.stderr.startswith("manage.py: Python 3.11 or newer is needed, and this is 3.9.")
    assert len(result.stderr.splitlines()) == 1
    # Python 3.6, the oldest that systems still ship, must be able to parse the file to report this.
    ast.parse(source, feature_version=(3, 6))


def _leave_behind(project: Path) -> tuple[dict[str, str], list[Path]]:
    """Make the files of an earlier run; return its settings, and the files of its queue and mailbox."""
    ensure_settings_file(project)
    files = [project / "instance" / "queue" / "old.aof", project / "instance" / "mailbox" / "1-1.eml"]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    _query(project, "CREATE TABLE left_behind (id INTEGER)")
    return _settings(project), files


def _settings(project: Path) -> dict[str, str]:
    lines = (project / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def _count(project: Path, rows: str) -> int:
    return _query(project, f"SELECT count(*) FROM {rows}")[0][0]  # noqa: S608


def _query(project: Path, statement: str) -> list[tuple[int]]:
    with closing(sqlite3.connect(project / "instance" / "data-dev.sqlite")) as connection:
        return connection.execute(statement).fetchall()
