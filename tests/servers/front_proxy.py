"""nginx, Apache or Caddy in front of the site with the files of ``deploy/``, ports and certificate replaced."""

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.redis import free_port
from tests.servers.waiting import wait_until
from tests.servers.web import accepts

ROOT = Path(__file__).resolve().parents[2]
NAME = "example.com"
# Where `.ci/run` puts programs that the system does not bring, or not in a new version.
PROGRAMS = ROOT / "instance" / "programs" / "bin"
DEBIAN_MODULES = Path("/usr/lib/apache2/modules")
APACHE_MODULES = ["mpm_event", "authz_core", "headers", "http2", "proxy", "proxy_http", "reqtimeout", "ssl"]
APACHE_MODULES += ["alias", "socache_shmcb"]


@dataclass(frozen=True)
class FrontProxy:
    """A running proxy: its ports, and its certificate, which only tests trust."""

    http_port: int
    https_port: int
    certificate: Path

    def trust(self) -> ssl.SSLContext:
        """Return the settings of a client that trusts the proxy."""
        return ssl.create_default_context(cafile=self.certificate)


def program(name: str) -> str:
    """Return the path of a program that `.ci/run` installs; a test that cannot run it fails."""
    found = shutil.which(name, path=os.pathsep.join([str(PROGRAMS), os.environ["PATH"], "/usr/sbin"]))
    assert found, f"{name} is not installed; install_programs in .ci/run says how it is"
    return found


@contextmanager
def start_proxy(kind: str, folder: Path, site_port: int) -> Iterator[FrontProxy]:
    """Run the proxy ``kind`` in front of the site on ``site_port`` until the block ends; its files go to ``folder``."""
    folder.mkdir(parents=True)
    proxy = FrontProxy(free_port(), free_port(), make_certificate(folder))
    command, environment = PREPARE[kind](folder, proxy, site_port)
    subprocess.run(CHECK[kind](command), env=environment, check=True, capture_output=True, text=True)
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        wait_until(lambda: accepts(proxy.https_port), what=f"{kind} ({folder / 'log.txt'})")
        yield proxy
    finally:
        process.terminate()
        process.wait(timeout=60)


def make_certificate(folder: Path) -> Path:
    """Return a new certificate for example.com; its key is beside it."""
    certificate = folder / "fullchain.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-nodes",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-days",
        "2",
    ]
    command += ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    command += ["-keyout", str(folder / "privkey.pem"), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate


def nginx(folder: Path, proxy: FrontProxy, site_port: int) -> tuple[list[str], dict[str, str]]:
    site = _with_test_values(ROOT / "deploy" / "nginx.conf", folder, proxy, site_port)
    lines = [line for line in site.splitlines() if "listen [::]" not in line]
    (folder / "site.conf").write_text("\n".join(lines))
    user = "user root;" if os.geteuid() == 0 else ""
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"{user} daemon off; pid {folder}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; {paths} include {folder}/site.conf; }}"
    )
    return [program("nginx"), "-e", "stderr", "-c", str(folder / "nginx.conf")], dict(os.environ)


def apache(folder: Path, proxy: FrontProxy, site_port: int) -> tuple[list[str], dict[str, str]]:
    site = _with_test_values(ROOT / "deploy" / "apache.conf", folder, proxy, site_port)
    loaded = "\n".join(f"LoadModule {name}_module {DEBIAN_MODULES}/mod_{name}.so" for name in APACHE_MODULES)
    user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
    ports = f"Listen {proxy.http_port}\nListen {proxy.https_port}"
    own = f"ServerRoot {folder}\nPidFile {folder}/pid\nErrorLog {folder}/errors.txt\nServerName {NAME}"
    (folder / "apache.conf").write_text("\n".join([loaded, user, ports, own, site]))
    return [program("apache2"), "-X", "-f", str(folder / "apache.conf")], dict(os.environ)


def caddy(folder: Path, proxy: FrontProxy, site_port: int) -> tuple[list[str], dict[str, str]]:
    site = (ROOT / "deploy" / "Caddyfile").read_text()
    ports = f"{{\n\tadmin off\n\thttp_port {proxy.http_port}\n\thttps_port {proxy.https_port}\n"
    # Instead of one that a public authority signs.
    certificate = f"{{$BASE_URL}} {{\n\ttls {folder}/fullchain.pem {folder}/privkey.pem\n"
    site = site.replace("{\n", ports, 1).replace("{$BASE_URL} {\n", certificate)
    (folder / "Caddyfile").write_text(site)
    own = {"BASE_URL": f"https://{NAME}", "UPSTREAM": f"127.0.0.1:{site_port}", "HOME": str(folder)}
    command = [program("caddy"), "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    return command, {"PATH": os.environ["PATH"], **own}


def _with_test_values(path: Path, folder: Path, proxy: FrontProxy, site_port: int) -> str:
    values = {
        "/etc/letsencrypt/live/example.com": str(folder),
        "127.0.0.1:8000": f"127.0.0.1:{site_port}",
        "listen 80;": f"listen {proxy.http_port};",
        "listen 443 ": f"listen {proxy.https_port} ",
        "*:80>": f"*:{proxy.http_port}>",
        "*:443>": f"*:{proxy.https_port}>",
        "/var/www/html": str(folder),
    }
    text = path.read_text()
    for found, replacement in values.items():
        text = text.replace(found, replacement)
    return text


PREPARE = {"nginx": nginx, "apache": apache, "caddy": caddy}
# The program's own check of its files.
CHECK = {
    "nginx": lambda command: [*command, "-t"],
    "apache": lambda command: [command[0], "-t", *command[2:]],
    "caddy": lambda command: [command[0], "validate", *command[2:]],
}
