"""A bucket behind a real HTTP server that speaks as much of S3's protocol as the kit uses, and can be put out of order.

It refuses requests without a signature of ``ACCESS_KEY_ID``, but does not compute the signature itself.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

ACCESS_KEY_ID = "key-id-of-the-tests"
KEYS_PER_PAGE = 2
CONTENTS = "<Contents><Key>{}</Key><LastModified>{}</LastModified><Size>{}</Size><ETag>e</ETag></Contents>"


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Bucket"

    def do_PUT(self) -> None:
        self.server.files[self._path() + self._part()] = self.rfile.read(int(self.headers["Content-Length"]))
        self._send(200)

    def do_POST(self) -> None:
        """Begin or complete an upload in parts, which are kept as files of their own until then."""
        self.rfile.read(int(self.headers["Content-Length"]))
        if "uploadId" in self.path:
            parts = sorted(path for path in self.server.files if path.startswith(f"{self._path()}?part="))
            self.server.files[self._path()] = b"".join(self.server.files.pop(part) for part in parts)
            self._send(200, b"<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>")
        else:
            answer = "<UploadId>an-upload</UploadId>"
            self._send(200, f"<InitiateMultipartUploadResult>{answer}</InitiateMultipartUploadResult>".encode())

    def do_GET(self) -> None:
        if "list-type" in self.path:
            self._list()
        elif (content := self.server.files.get(self._path())) is None:
            self._send(404)
        else:
            self._send(200, content)

    def do_DELETE(self) -> None:
        self.server.files.pop(self._path(), None)
        self._send(204)

    def _list(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        bucket = f"/{self._path().split('/')[1]}/"
        start = bucket + query.get("prefix", [""])[0]
        after = query.get("continuation-token", [""])[0]
        found = sorted(path for path in self.server.files if path.startswith(start) and path > after)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        page = found[:KEYS_PER_PAGE]
        rows = [CONTENTS.format(escape(path[len(bucket) :]), now, len(self.server.files[path])) for path in page]
        more = f"<NextContinuationToken>{page[-1]}</NextContinuationToken>" if len(found) > len(page) else ""
        self._send(200, f"<ListBucketResult>{''.join(rows)}{more}</ListBucketResult>".encode())

    def _part(self) -> str:
        number = parse_qs(urlsplit(self.path).query).get("partNumber")
        return f"?part={int(number[0]):05}" if number else ""

    def _path(self) -> str:
        return unquote(urlsplit(self.path).path)

    def _send(self, status: int, content: bytes = b"") -> None:
        if f"Credential={ACCESS_KEY_ID}/" not in self.headers.get("Authorization", ""):
            status, content = 403, b""
        time.sleep(self.server.delay_seconds)
        if self.server.is_out_of_order:
            status, content = 503, b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Last-Modified", datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT"))
        self.send_header("ETag", f'"{md5(content, usedforsecurity=False).hexdigest()}"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        pass


class Bucket(ThreadingHTTPServer):
    """The server: what it stores by path (``/bucket/prefix/key/name``), and how it fails."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.files: dict[str, bytes] = {}
        self.is_out_of_order = False
        self.delay_seconds = 0.0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def start_bucket() -> Iterator[Bucket]:
    """Serve an empty bucket until the block ends."""
    with Bucket() as bucket:
        thread = Thread(target=bucket.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield bucket
        bucket.shutdown()
        thread.join()
