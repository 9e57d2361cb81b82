"""Tests for nginx, Caddy and Apache in front of gunicorn, with the files of deploy/ and a certificate of our own."""

import http.client
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from flask import Flask

from tests.servers import create_database, migrate
from tests.servers.front_proxy import NAME, FrontProxy, start_proxy
from tests.servers.redis import free_port
from tests.servers.web import production_environment, start_gunicorn

pytestmark = pytest.mark.thorough
# More slow clients than the site has requests at once: one process with one.
SLOW = 10


@pytest.fixture(scope="module", params=["nginx", "caddy", "apache"])
def proxy(
    request: pytest.FixtureRequest, app: Flask, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FrontProxy]:
    """Yield a proxy in front of the site; ``app`` builds its assets."""
    port, folder = free_port(), tmp_path_factory.mktemp("proxy") / "files"
    with ExitStack() as stack:
        database = stack.enter_context(create_database())
        variables = {**production_environment(database, redis_url, port), "WEB_CONCURRENCY": "1", "WEB_THREADS": "1"}
        variables |= {"BASE_URL": f"https://{NAME}", "SSL_DISABLE": "false", "PROXY_COUNT": "1"}
        # wait_for_answer asks gunicorn itself.
        variables["TRUSTED_HOSTS"] = "127.0.0.1"
        migrate(variables)
        stack.enter_context(start_gunicorn("app:create_app()", variables, "--keep-alive", "2", port=port, path="/up"))
        yield stack.enter_context(start_proxy(request.param, folder, port))


def ask(proxy: FrontProxy, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage, str]:
    """Return the status, headers and text of a page."""
    # The name belongs to others: connect to this machine, but ask for the name in TLS and in the Host header.
    connection = http.client.HTTPConnection("127.0.0.1", proxy.https_port, timeout=20)
    connection.sock = connect(proxy)
    connection.request("GET", path, headers={"Host": NAME, **headers})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, text


def connect(proxy: FrontProxy) -> socket.socket:
    """Return a new TLS connection."""
    plain = socket.create_connection(("127.0.0.1", proxy.https_port), timeout=20)
    return proxy.trust().wrap_socket(plain, server_hostname=NAME)


def test_pages_and_their_styles_arrive_with_the_cookies_of_https(proxy: FrontProxy) -> None:
    status, headers, page = ask(proxy, "/account/login")
    assert status == 200
    assert headers["Set-Cookie"].startswith("__Host-session=")
    assert "Secure" in headers["Set-Cookie"]
    style = re.search(r'<link rel="stylesheet" href="([^"]+)"', page)
    assert style
    assert ask(proxy, style[1])[:1] == (200,)


def test_health_is_told(proxy: FrontProxy) -> None:
    assert ask(proxy, "/up")[0] == 200


def test_http_leads_to_https(proxy: FrontProxy) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.http_port, timeout=20)
    connection.request("GET", "/account/login?next=/", headers={"Host": NAME})
    answer = connection.getresponse()
    assert answer.status == 308
    assert re.fullmatch(rf"https://{NAME}(:\d+)?/account/login\?next=/", answer.headers["Location"])
    connection.close()


def test_nobody_chooses_the_request_id_or_the_host(proxy: FrontProxy) -> None:
    assert ask(proxy, "/", **{"X-Request-ID": "chosen-by-a-client"})[1]["X-Request-ID"] != "chosen-by-a-client"
    assert ask(proxy, "/", **{"X-Forwarded-Host": "evil.example"})[0] == 200
    assert "<html" not in ask(proxy, "/", Host="evil.example")[2]


def test_the_last_address_is_the_clients(proxy: FrontProxy) -> None:
    """With an address of one's choice, nobody would ever reach a rate limit."""
    statuses = {ask(proxy, "/account/reset-password/x", **{"X-Forwarded-For": f"203.0.113.{n}"})[0] for n in range(25)}
    assert 429 in statuses


def test_slow_clients_do_not_keep_others_waiting(proxy: FrontProxy) -> None:
    head = f"POST /account/login HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 1000\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\n\r\na"
    with ExitStack() as stack:
        for _ in range(SLOW):
            stack.enter_context(connect(proxy)).sendall(head.encode())
        started = time.monotonic()
        assert ask(proxy, "/")[0] == 200
        assert time.monotonic() - started < 5
