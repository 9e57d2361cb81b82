"""Tests for the site under gunicorn with production's settings, started as in Procfile."""

import http.client
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask

from tests.servers.development_site import ROOT, copy_project
from tests.servers.redis import free_port
from tests.servers.waiting import wait_until
from tests.servers.web import WebServer, production_environment, start_gunicorn

WEB = "app:create_app()"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of a home folder that does not exist: nothing may need one."""
    return tmp_path_factory.mktemp("gunicorn") / "home"


@pytest.fixture(scope="module")
def port() -> int:
    """Return the port of the site."""
    return free_port()


@pytest.fixture(scope="module")
def variables(app: Flask, redis_url: str, home: Path, port: int) -> dict[str, str]:
    """Return the settings of a site with its own database; ``app`` builds its assets."""
    return production_environment(f"sqlite:///{home.parent / 'site.sqlite'}", redis_url, port)


@pytest.fixture(scope="module")
def server(variables: dict[str, str], home: Path, port: int) -> Iterator[WebServer]:
    """Yield the site, started as in Procfile; its log is beside ``home``."""
    settings = {**variables, "HOME": str(home)}
    with (
        (home.parent / "log").open("wb") as log,
        start_gunicorn(WEB, settings, port=port, path="/up", log=log) as server,
    ):
        yield server


def test_two_workers_serve_and_nothing_is_left_in_the_home_folder(server, home):
    assert urllib.request.urlopen(f"{server.address}/").status == 200  # noqa: S310
    wait_until(lambda: len(server.worker_ids()) == 2, what="the second worker")
    assert not home.exists()


def test_a_start_logs_no_traceback(server, home):
    wait_until(lambda: len(server.worker_ids()) == 2, what="the second worker")
    urllib.request.urlopen(f"{server.address}/up", timeout=20)  # noqa: S310

    log = (home.parent / "log").read_text()
    assert "Booting worker" in log
    assert "Traceback" not in log


def test_a_killed_worker_is_replaced(server):
    for worker in server.worker_ids():
        os.kill(worker, signal.SIGKILL)

    assert urllib.request.urlopen(f"{server.address}/up", timeout=20).status == 200  # noqa: S310


@pytest.mark.thorough
def test_what_workers_share_is_not_searched_for_garbage():
    with start_gunicorn("tests.servers.garbage:app", {}) as server:
        assert urllib.request.urlopen(server.address).read() == b"True True"  # noqa: S310

        first_workers = set(server.worker_ids())
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: not first_workers & set(server.worker_ids()), what="the reload")
        assert urllib.request.urlopen(server.address).read() == b"True True"  # noqa: S310


def test_a_web_process_does_without_what_other_processes_need(variables):
    """Each of these modules would add to every start, and to the memory of every worker."""
    script = "import sys; from app import create_app; create_app(); print(*sys.modules)"

    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env={**os.environ, **variables}, capture_output=True, check=True
    )

    others = {"alembic", "flask_migrate", "faker", "flask_assets", "sass", "jsmin", "css_inline", "development"}
    others |= {"prometheus_client", "cryptography.fernet", "segno"}
    assert not others & set(loaded.stdout.decode().split())


def test_a_wrong_configuration_ends_the_start_with_one_message(tmp_path):
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "FLASK_CONFIG": "heroku", "SECRET_KEY": "x"}

    result = _start_in_vain(ROOT, environment)

    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    for name in ("SECRET_KEY", "DATABASE_URL", "MAIL_SERVER", "BASE_URL"):
        assert f"  {name}: " in result.stderr


@pytest.mark.thorough
def test_without_a_configuration_nothing_starts(tmp_path):
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}

    result = _start_in_vain(copy_project(tmp_path / "project"), environment)

    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "  FLASK_CONFIG: it is missing. Set it to production, heroku or unix on a server;" in result.stderr


@pytest.mark.parametrize("name", ["SCRIPT_NAME", "Script-Name", "PATH_INFO", "Path-Info"])
@pytest.mark.parametrize("value", ["//evil.example", "/account", "/", "nonsense"])
def test_no_header_says_where_the_site_is_mounted_or_what_is_asked_for(server, name, value):
    request = urllib.request.Request(f"{server.address}/account/manage", headers={name: value})  # noqa: S310

    status, location = _without_following(request)

    assert (status, location) == (302, "/account/login?next=/account/manage")


@pytest.mark.parametrize(
    ("platform", "address"),
    [
        ({}, "127.0.0.1:8000"),
        ({"HOST": "", "PORT": ""}, "127.0.0.1:8000"),
        ({"PORT": "5001"}, "127.0.0.1:5001"),
        ({"DYNO": "web.1", "PORT": "5001"}, "0.0.0.0:5001"),
        ({"HOST": "0.0.0.0"}, "0.0.0.0:8000"),  # noqa: S104
        ({"HOST": "10.0.0.2", "DYNO": "web.1"}, "10.0.0.2:8000"),
    ],
)
def test_nobody_but_this_machine_is_listened_to_unless_the_platform_says_so(platform, address):
    environment = {"PATH": os.environ["PATH"], "WEB_WORKER": "gthread", **platform}
    script = "import runpy; print(runpy.run_path('gunicorn.conf.py')['bind'])"

    read = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, check=True)

    assert read.stdout.decode().strip() == address


def test_the_memory_of_a_hash_goes_back_to_the_system():
    """Each hash of a password takes 19 MiB, which glibc would keep, once per thread."""
    script = """if True:
        import runpy
        import argon2, psutil
        runpy.run_path("gunicorn.conf.py")
        before = psutil.Process().memory_info().rss
        for _ in range(3):
            argon2.PasswordHasher(1, 19456, 1).hash("password")
        print(psutil.Process().memory_info().rss - before)"""
    environment = {"PATH": os.environ["PATH"], "WEB_WORKER": "gthread"}

    kept = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, check=True)

    assert int(kept.stdout) < 5 * 2**20


def test_the_other_worker_serves_too(variables, home, port):
    port = free_port()
    with start_gunicorn(WEB, {**variables, "WEB_WORKER": "gthread"}, port=port, path="/up") as server:
        assert urllib.request.urlopen(f"{server.address}/up").status == 200  # noqa: S310


def test_procfile_starts_exactly_this():
    lines = dict(line.split(": ", 1) for line in Path(ROOT / "Procfile").read_text().splitlines())

    assert lines == {
        "release": "python manage.py release",
        "web": f'gunicorn "{WEB}"',
        "worker": "python manage.py run_worker",
    }


def _start_in_vain(folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{free_port()}", WEB]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=30, check=False)


def _without_following(request: urllib.request.Request) -> tuple[int, str]:
    parts = urlsplit(request.full_url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    connection.request("GET", parts.path, headers=dict(request.header_items()))
    answer = connection.getresponse()
    connection.close()
    return answer.status, answer.headers["Location"]
