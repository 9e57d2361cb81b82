"""The Mozilla HTTP Observatory's score of the kit: `python -m benchmarks.observatory`.

This serves a production site over https on this machine, with a self-signed certificate, and runs the
scanner on five pages. It needs Node.js (npm) and openssl, and writes only to a temporary folder, except for
the site's built assets.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import programs
from benchmarks.site import prepared_site
from tests.servers.redis import free_port

SCANNER = "@mdn/mdn-http-observatory"
VERSION = "1.4.8"
PAGES = ("/", "/account/login", "/about", "/account/manage", "/admin/users")
WANTED_SCORE = 120
ONE_DAY = "1"
START_SECONDS = 2


def main() -> None:
    """Print the grade and score of each page, and exit with 1 if one has less than 120 points."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scanner = install_scanner(folder)
        certificate = make_certificate(folder)
        with (
            prepared_site(folder) as (variables, cookies),
            https_site(variables, cookies.administrator, folder) as port,
        ):
            scans = {page: scan(scanner, f"localhost:{port}{page}", certificate) for page in PAGES}
    for page, found in scans.items():
        sys.stdout.write(f"{page:20} {found['status']} {found['grade']:3} {found['score']}\n")
    if min(found["score"] for found in scans.values()) < WANTED_SCORE:
        sys.exit(json.dumps(scans, indent=2))


def install_scanner(folder: Path) -> Path:
    """Install the scanner from the npm registry, and return the path of its script."""
    package = programs.install_from_npm(SCANNER, VERSION, folder)
    # The HSTS preload list of browsers. It contains no localhost, so it can be empty.
    (package / "conf" / "hsts-preload.json").write_text("{}")
    return package / "src" / "scan.js"


def make_certificate(folder: Path) -> Path:
    """Create a certificate for localhost with its key in `key.pem`, and return the path of the certificate."""
    certificate = folder / "certificate.pem"
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    key = ("-newkey", "rsa:2048", "-nodes", "-keyout", str(folder / "key.pem"))
    openssl = programs.find("openssl", package="openssl")
    programs.run(openssl, "req", "-x509", *key, "-out", str(certificate), "-days", ONE_DAY, *subject)
    return certificate


@contextmanager
def https_site(variables: Mapping[str, str], cookie: str, folder: Path) -> Iterator[int]:
    """Serve the site over https until the block ends, and yield the port."""
    port = free_port()
    # The scanner wants HSTS for half a year or more.
    https = {"SSL_DISABLE": "false", "BASE_URL": f"https://localhost:{port}", "HSTS_DAYS": "730"}
    encryption = ("--certfile", str(folder / "certificate.pem"), "--keyfile", str(folder / "key.pem"))
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", *encryption]
    process = subprocess.Popen(  # noqa: S603
        [*command, "benchmarks.observatory:logged_in_site()"],
        env={**os.environ, **variables, **https, "OBSERVATORY_COOKIE": cookie},
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(START_SECONDS)
        yield port
    finally:
        process.terminate()
        process.wait()


def logged_in_site() -> Any:
    """Return the site as an administrator sees it, because the scanner cannot send a cookie."""
    from app import create_app

    app = create_app("production")
    cookie = f"{app.config['SESSION_COOKIE_NAME']}={os.environ['OBSERVATORY_COOKIE'].partition('=')[2]}"
    serve, private = app.wsgi_app, ("/account/manage", "/admin")

    def with_cookie(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"].startswith(private):
            environ["HTTP_COOKIE"] = cookie
        return serve(environ, start_response)

    return with_cookie


def scan(scanner: Path, address: str, certificate: Path) -> dict[str, Any]:
    """Return status, grade and score of `host:port/path`, and the tests that lost points."""
    trusting = {**os.environ, "NODE_EXTRA_CA_CERTS": str(certificate)}
    report = json.loads(programs.run("node", str(scanner), address, env=trusting))
    if "scan" not in report:
        raise RuntimeError(f"{address}: {report}")
    lost = {name: test["result"] for name, test in report["tests"].items() if (test["scoreModifier"] or 0) < 0}
    found: dict[str, Any] = report["scan"]
    return {"status": found["statusCode"], "grade": found["grade"], "score": found["score"], "lost": lost}


if __name__ == "__main__":
    main()
