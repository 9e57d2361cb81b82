"""Reload the pages that browsers show after each save, in development only.

Each page gets a script from this server, as the Content-Security-Policy demands. The script follows a stream of
events, which ends at the restart after a saved Python file; the browser then connects to the new process.
"""

import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from werkzeug.wrappers import Request, Response

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]

APP = Path(__file__).resolve().parent.parent / "app"
# A saved Python file restarts this process, which counts as another state.
SHOWN_AT_ONCE = ("templates/**/*", "assets/**/*")
LOOK_SECONDS = 0.3
SCRIPT_PATH, STREAM_PATH = "/dev/live-reload.js", "/dev/live-reload"
# A hidden tab does not listen: a browser has six connections for all tabs of a site.
SCRIPT = """\
(() => {
  const { seen, stream } = document.currentScript.dataset;
  let source;
  const listen = () => {
    source?.close();
    if (document.hidden) return;
    source = new EventSource(`${stream}?seen=${seen}`);
    source.onmessage = () => { source.close(); location.reload(); };
    source.onerror = () => source.readyState === EventSource.CLOSED && setTimeout(listen, 1000);
  };
  document.addEventListener('visibilitychange', listen);
  listen();
})();
"""


class LiveReload:
    """WSGI middleware that adds the script to pages, and serves it and the stream."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._process = secrets.token_hex(4)
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End all streams, for which a restart would otherwise wait."""
        self._stopping.set()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Return the script, the stream, or the application's response."""
        path = environ["PATH_INFO"]
        if path == SCRIPT_PATH:
            response = Response(SCRIPT, mimetype="text/javascript")
        elif path == STREAM_PATH:
            seen = parse_qs(environ.get("QUERY_STRING", "")).get("seen", [""])[0]
            response = Response(self._events(seen), mimetype="text/event-stream", headers={"Cache-Control": "no-store"})
        elif _is_page(Request(environ)):
            response = self._with_script(environ)
        else:
            return self._application(environ, start_response)
        return response(environ, start_response)

    def _with_script(self, environ: dict[str, Any]) -> Response:
        # A compressed page could not be changed.
        environ.pop("HTTP_ACCEPT_ENCODING", None)
        # Taken before the page is made: a save in between counts as not seen.
        state = self._state()
        response = Response.from_app(self._application, environ)
        if response.mimetype == "text/html":
            root = environ.get("SCRIPT_NAME", "")
            tag = f'<script src="{root}{SCRIPT_PATH}" data-stream="{root}{STREAM_PATH}" data-seen="{state}"></script>\n'
            response.set_data(response.get_data() + tag.encode())
        return response

    def _events(self, seen: str) -> Iterator[str]:
        yield "retry: 300\n\n"
        while not self._stopping.wait(LOOK_SECONDS):
            # Without the comment, nothing would notice that the browser has left.
            yield "data: saved\n\n" if self._state() != seen else ":\n\n"

    def _state(self) -> str:
        files = (file for pattern in SHOWN_AT_ONCE for file in APP.glob(pattern))
        return f"{self._process}-{hash(frozenset(_modified(file) for file in files)):x}"


def _is_page(request: Request) -> bool:
    """Return whether a browser will show the response as a page. One that answers a form is not reloaded."""
    # Browsers leave the second header out where the address is neither https nor this machine's.
    is_navigation = "text/html" in request.headers.get("Accept", "")
    return request.method == "GET" and is_navigation and request.headers.get("Sec-Fetch-Dest", "document") == "document"


def _modified(file: Path) -> tuple[str, float]:
    try:
        return str(file), file.stat().st_mtime
    except FileNotFoundError:
        # Some editors save a file by deleting it first.
        return str(file), 0
