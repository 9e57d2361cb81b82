"""Load tests of one page with wrk, or with Python if wrk is missing."""

import http.client
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

CONNECTIONS = 4


@dataclass(frozen=True)
class Request:
    """The request to send: GET, or POST of a form if it has a body."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None


@dataclass(frozen=True)
class Load:
    """The result: the number of responses, and the time in seconds."""

    responses: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Responses per second."""
        return self.responses / self.seconds


class LoadError(Exception):
    """The server returned errors, so its speed means nothing."""


def drive(request: Request, seconds: float) -> Load:
    """Send ``request`` over four connections for ``seconds``. Raises :class:`LoadError` if one fails."""
    return _with_wrk(request, seconds) if shutil.which("wrk") else _with_python(request, seconds)


def _with_wrk(request: Request, seconds: float) -> Load:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_lua(request))
        script.flush()
        whole_seconds = max(1, round(seconds))
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{whole_seconds}s", "-s", script.name, request.url]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    if failed := re.search(r"Non-2xx or 3xx responses: \d+|Socket errors: .*timeout [1-9]\d*", output):
        raise LoadError(f"{request.url}: {failed[0]}")
    summary = re.search(r"(\d+) requests in ([\d.]+)s", output)
    if summary is None or summary[1] == "0":
        raise LoadError(f"{request.url}: no responses")
    return Load(int(summary[1]), float(summary[2]))


def _lua(request: Request) -> str:
    lines = [f"wrk.headers[{_quoted(name)}] = {_quoted(value)}" for name, value in request.headers.items()]
    if request.body is not None:
        lines += ['wrk.method = "POST"', f"wrk.body = {_quoted(request.body)}"]
        lines += ['wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"']
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _with_python(request: Request, seconds: float) -> Load:
    """Send ``request`` from four threads. This is slower than wrk, so slow pages look a little better."""
    counts: list[int] = []
    started = time.perf_counter()
    threads = [
        threading.Thread(target=lambda: counts.append(_ask_until(request, started + seconds)))
        for _ in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(counts) < CONNECTIONS:
        raise LoadError(request.url)
    return Load(sum(counts), time.perf_counter() - started)


def _ask_until(request: Request, ends_at: float) -> int:
    responses = 0
    while time.perf_counter() < ends_at:
        if ask(request) >= 400:
            raise LoadError(request.url)
        responses += 1
    return responses


def ask(request: Request) -> int:
    """Send ``request`` once, and return the status."""
    parts = urlsplit(request.url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    headers = dict(request.headers)
    if request.body is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    connection.request("GET" if request.body is None else "POST", path, request.body, headers)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status
