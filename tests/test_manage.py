"""`manage.py` as people run it: in a copy of the project, with an empty home and no settings."""

import ast
import re
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.servers.development_site import (
    ROOT,
    copy_project,
    manage,
    processes_in,
    start_development,
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, in which nothing was started before this module's tests."""
    return copy_project(tmp_path_factory.mktemp("manage") / "project")


def test_dev_shows_a_box_and_a_site_and_ends_whole_at_ctrl_c(project):
    with start_development(project, "--reset", "--fake", "3") as site:
        assert urllib.request.urlopen(site.address).status == 200  # noqa: S310
        email, password = site.administrator
        assert email == "flask-base-admin@example.com"
        assert password == _settings(project)["ADMIN_PASSWORD"]
        assert re.search(r"^\d\d:\d\d:\d\d worker \| ", site.text, re.MULTILINE)

        assert site.stop(signal.SIGINT) == 0

    assert "SIGINT received" in site.text
    assert processes_in(project) == []
    assert _count_users(project) == 4


def test_settings_and_data_outlive_a_restart_until_a_reset(project):
    with start_development(project, "--reset", "--fake", "2"):
        settings = _settings(project)
        assert len(settings["SECRET_KEY"]) >= 32
        assert len(settings["ADMIN_PASSWORD"]) >= 16
        assert (project / ".env").stat().st_mode & 0o777 == 0o600
    with start_development(project) as site:
        assert "Wrote .env" not in site.text
        assert _count_users(project) == 3
    with start_development(project, "--reset"):
        assert _count_users(project) == 1
        assert _settings(project) == settings


def test_a_killed_process_ends_the_others_and_is_named(project):
    with start_development(project) as site:
        subprocess.run(["kill", "-KILL", str(site.process_ids()["worker"])], check=True)

        assert site.wait() == 1

    assert "worker was ended by SIGKILL; stopping redis and web" in site.text
    assert processes_in(project) == []


def test_a_second_site_in_the_same_checkout_is_refused(project):
    with start_development(project) as site:
        second = manage(project, "dev")

    assert second.returncode == 1
    assert f"kill {site.process.pid} " in second.stderr


def test_dev_refuses_production(project):
    result = manage(project, "dev", FLASK_CONFIG="production")

    assert result.returncode == 1
    assert "FLASK_CONFIG is 'production'" in result.stderr


def test_a_wrong_configuration_is_told_whole_and_without_a_traceback(project):
    result = manage(project, "release", FLASK_CONFIG="production", SECRET_KEY="short", MAIL_PORT="many")

    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    for name in ("SECRET_KEY", "MAIL_PORT", "MAIL_SERVER", "REDIS_URL", "BASE_URL"):
        assert f"{name}: " in result.stderr


def test_assets_are_built_without_any_setting(project):
    result = manage(project, "build_assets", FLASK_CONFIG="production")

    assert result.returncode == 0, result.stderr
    assert list((project / "app" / "static").glob("*.css"))


def test_the_heroku_hook_builds_the_assets(project):
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "FLASK_CONFIG": "heroku"}

    hook = subprocess.run(["bin/post_compile"], cwd=project, env=environment, capture_output=True, text=True)

    assert hook.returncode == 0, hook.stderr


def test_pytests_arguments_and_exit_code_are_passed_on(project, tmp_path):
    (tmp_path / "test_two.py").write_text("def test_good():\n    pass\n\ndef test_bad():\n    assert 1 == 2\n")

    good = manage(project, "test", str(tmp_path), "-k", "good", "-q")
    bad = manage(project, "test", str(tmp_path), "-q")

    assert "1 passed, 1 deselected" in good.stdout
    assert good.returncode == 0, good.stderr
    assert "1 failed, 1 passed" in bad.stdout
    assert bad.returncode == 1


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
    # Python 3.6, the oldest that systems still ship, must be able to read the file to say so.
    ast.parse(source, feature_version=(3, 6))


def _settings(project: Path) -> dict[str, str]:
    lines = (project / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def _count_users(project: Path) -> int:
    with sqlite3.connect(project / "instance" / "data-dev.sqlite") as connection:
        (count,) = connection.execute("SELECT count(*) FROM users").fetchone()
    connection.close()
    return count
