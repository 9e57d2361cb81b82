"""Attackers with slow connections do not block the site for everybody else."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from flask import Flask

from tests.servers.redis import free_port
from tests.servers.slow_clients import (
    SlowClients,
    idle,
    median_answer_seconds,
    slow_bodies,
    slow_clients,
    slow_headers,
)
from tests.servers.waiting import wait_until
from tests.servers.web import WebServer, production_environment, start_gunicorn

VISITS = 30
REQUEST_SECONDS = 3
HEADER_SECONDS = 5  # keepalive in gunicorn.conf.py


@pytest.fixture(scope="module")
def server(app: Flask, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """Yield the site under gunicorn with the project's own settings; ``app`` builds its assets."""
    port = free_port()
    database = f"sqlite:///{tmp_path_factory.mktemp('slow') / 'site.sqlite'}"
    variables = {
        **production_environment(database, redis_url, port),
        "WEB_REQUEST_SECONDS": str(REQUEST_SECONDS),
    }
    with start_gunicorn("app:create_app()", variables, port=port, path="/up") as server:
        yield server


@pytest.fixture
def slow(server: WebServer) -> Iterator[SlowClients]:
    """Yield slow clients of the site."""
    with slow_clients(server.port) as clients:
        yield clients


@pytest.mark.attacks
def test_three_hundred_slow_clients_leave_a_visitor_under_a_second(server, slow):
    slow_headers(slow, 50)
    slow_bodies(slow, 50, "/account/login", server.address)
    idle(slow, 200)

    assert median_answer_seconds(server.port, "/", VISITS) < 1
    assert slow.open_now() >= 200


@pytest.mark.attacks
def test_a_form_that_never_ends_is_closed(server, slow):
    slow_bodies(slow, 20, "/account/login", server.address)

    wait_until(lambda: not slow.open_now(), seconds=REQUEST_SECONDS + 3, what="the end of the slow forms")


@pytest.mark.thorough
def test_headers_that_never_end_and_silence_are_closed(server, slow):
    slow_headers(slow, 20)
    idle(slow, 20)

    wait_until(lambda: not slow.open_now(), seconds=HEADER_SECONDS + 3, what="the end of the slow clients")


@pytest.mark.thorough
def test_who_reads_no_answer_is_closed(app, server, slow):
    largest = max((Path(app.root_path) / "static").glob("*.*"), key=lambda file: file.stat().st_size)
    slow.ask_without_reading(10, f"/static/{largest.name}", server.address)

    assert median_answer_seconds(server.port, "/", VISITS) < 1
    wait_until(lambda: not _held_connections(server), seconds=REQUEST_SECONDS + 8, what="the end of those connections")


def test_an_upload_in_pieces_arrives_whole(production_server):
    body = b"csrf_token=none&email=" + b"a" * 200_000
    head = f"POST /account/login HTTP/1.1\r\nHost: 127.0.0.1:{production_server.port}\r\nConnection: close\r\n"
    head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", production_server.port), timeout=10) as connection:
        connection.sendall(head.encode())
        for start in range(0, len(body), 70_000):
            connection.sendall(body[start : start + 70_000])
            time.sleep(0.05)
        answer = connection.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 400 "), answer[:200]
    assert b"form" in answer


def _held_connections(server: WebServer) -> int:
    workers = [psutil.Process(number) for number in server.worker_ids()]
    connections = [connection for worker in workers for connection in worker.net_connections("tcp")]
    return sum(
        connection.status == psutil.CONN_ESTABLISHED
        for connection in connections
        if connection.laddr.port == server.port
    )
