"""The site, or any WSGI application, served by gunicorn on a free port."""

import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from tests.servers.redis import free_port

ROOT = Path(__file__).resolve().parents[2]
ANSWER_WITHIN_SECONDS = 60
SECRET_KEY = secrets.token_urlsafe(48)


@dataclass
class WebServer:
    """A running gunicorn: its URL, and its first process."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def worker_ids(self) -> list[int]:
        """Return the process ids of its workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(child) for child in children.read_text().split()]


def production_environment(database_url: str, redis_url: str, port: int) -> dict[str, str]:
    """Return the environment of a production site on plain http, without the settings of this process."""
    return {
        "FLASK_CONFIG": "production",
        "SECRET_KEY": SECRET_KEY,
        "DATA_KEYS": SECRET_KEY,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "BASE_URL": f"http://127.0.0.1:{port}",
        "MAIL_SERVER": "127.0.0.1",
        "SSL_DISABLE": "true",
        "ADMIN_PASSWORD": "",
        "LOG_LEVEL": "INFO",
    }


@contextmanager
def start_gunicorn(
    application: str,
    variables: Mapping[str, str],
    *arguments: str,
    port: int | None = None,
    path: str = "/",
    log: IO[bytes] | int = subprocess.DEVNULL,
) -> Iterator[WebServer]:
    """Serve ``application`` ("app:create_app()") until the block ends; yield once ``path`` returns 200."""
    port = port or free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", *arguments, application]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **variables}, stdout=log, stderr=log)
    try:
        wait_for_answer(port, process, path)
        yield WebServer(port, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=ANSWER_WITHIN_SECONDS)


def wait_for_answer(port: int, process: subprocess.Popen[bytes], path: str) -> None:
    """Wait until ``path`` returns 200; raise RuntimeError when the server ended, TimeoutError when it is slow."""
    deadline = time.monotonic() + ANSWER_WITHIN_SECONDS
    while not _answers(port, path):
        if process.poll() is not None:
            raise RuntimeError(f"the web server ended with exit code {process.returncode}")
        if time.monotonic() > deadline:
            raise TimeoutError("the web server does not answer")
        time.sleep(0.02)


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_WITHIN_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def accepts(port: int) -> bool:
    """Return whether something listens on ``port``."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def session_cookie(token: str) -> str:
    """Return the value of a production site's session cookie for this token from ``UserSession.start``."""
    signer = Flask("signer")
    signer.secret_key = SECRET_KEY
    serializer = SecureCookieSessionInterface().get_signing_serializer(signer)
    assert serializer is not None
    return str(serializer.dumps({"_user_id": token, "_fresh": True}))
