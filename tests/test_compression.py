"""Tests for compressed files and pages, as browsers with different encodings get them from gunicorn in production."""

import gzip
import http.client
import sys
from collections.abc import Callable
from pathlib import Path

import brotli
import pytest

from app.assets import STATIC
from tests.servers.web import WebServer

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FOREVER = "max-age=315360000, public, immutable"
CHROME = "gzip, deflate, br, zstd"
DECODE: dict[str | None, Callable[[bytes], bytes]] = {
    "zstd": zstd.decompress,
    "br": brotli.decompress,
    "gzip": gzip.decompress,
    None: bytes,
}


@pytest.mark.parametrize(
    ("accepted", "sent"),
    [
        (CHROME, "br"),
        ("gzip, deflate, br", "br"),
        ("gzip, zstd", "gzip"),
        ("zstd", None),
        ("gzip, deflate", "gzip"),
        ("identity", None),
        ("compress", None),
        ("", None),
    ],
)
def test_a_file_is_sent_as_the_smallest_copy_that_the_browser_takes(
    production_server: WebServer, accepted: str, sent: str | None
) -> None:
    path = style_sheet()
    response, body = get(production_server, f"/static/{path.name}", accepted)
    assert (response.status, response.headers["Content-Encoding"]) == (200, sent)
    assert DECODE[sent](body) == path.read_bytes()
    assert int(response.headers["Content-Length"]) == len(body)
    assert response.headers["Content-Type"] == 'text/css; charset="utf-8"'
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.headers["Cache-Control"] == FOREVER


def test_copies_have_no_address_of_their_own(production_server: WebServer) -> None:
    for suffix in (".br", ".gz"):
        assert Path(f"{style_sheet()}{suffix}").exists()
        assert get(production_server, f"/static/{style_sheet().name}{suffix}", CHROME)[0].status == 404


def test_what_is_compressed_already_is_sent_as_it_is(production_server: WebServer) -> None:
    path = next(STATIC.glob("icon-512.*.png"))
    response, body = get(production_server, f"/static/{path.name}", CHROME)
    assert body == path.read_bytes()
    assert response.headers["Content-Encoding"] is None
    assert response.headers["Vary"] is None
    assert response.headers["Cache-Control"] == FOREVER


@pytest.mark.parametrize(
    ("accepted", "sent"),
    [
        (CHROME, "zstd"),
        ("gzip, deflate, br", "br"),
        ("gzip, deflate", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("identity", None),
        ("", None),
    ],
)
def test_a_page_is_compressed_as_the_browser_takes_it(
    production_server: WebServer, accepted: str, sent: str | None
) -> None:
    response, body = get(production_server, "/account/login", accepted)
    assert (response.status, response.headers["Content-Encoding"]) == (200, sent)
    assert DECODE[sent](body).endswith(b"</html>")
    assert int(response.headers["Content-Length"]) == len(body)
    assert "Accept-Encoding" in response.headers["Vary"]


def style_sheet() -> Path:
    """Return the built style sheet."""
    return next(STATIC.glob("app.*.css"))


def get(server: WebServer, path: str, accepted: str) -> tuple[http.client.HTTPResponse, bytes]:
    """Return the response to just this ``Accept-Encoding``, or to none; the body is not decoded."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.putrequest("GET", path, skip_accept_encoding=True)
    if accepted:
        connection.putheader("Accept-Encoding", accepted)
    connection.endheaders()
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body
