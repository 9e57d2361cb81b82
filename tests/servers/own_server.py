"""A server set up as docs/deploy/server.md says, in a folder: its repository, releases, units and update script."""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.servers.development_site import ROOT, copy_project
from tests.servers.small_systemd import SmallSystemd

# Instead of the packages of `requirements.txt`, a release uses those of the tests.
PYTHON3 = f"""#!/bin/sh
{sys.executable} -m venv --without-pip "$3"
echo "{sysconfig.get_path("purelib")}" > "$3/lib/python{sysconfig.get_python_version()}/site-packages/tests.pth"
"""
GIT = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main"]


class OwnServer:
    """A server on which ``update`` puts the last commit of ``project`` into service."""

    def __init__(self, folder: Path, variables: Mapping[str, str], port: int) -> None:
        self.project, self.site = copy_project(folder / "project"), folder / "site"
        self._programs = folder / "programs"
        for made in (self._programs, self.site / "releases", self.site / "instance", self.site / "static"):
            made.mkdir(parents=True)
        (self._programs / "python3").write_text(PYTHON3)
        (self._programs / "python3").chmod(0o755)
        settings = folder / "site.env"
        settings.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
        self._replaced = {
            "/srv/site": str(self.site),
            "/etc/site.env": str(settings),
            "127.0.0.1:8000": f"127.0.0.1:{port}",
        }
        self._git("init", "--quiet")
        self.commit()
        subprocess.run(["git", "clone", "-q", "--mirror", self.project, self.site / "repository"], check=True)
        self.systemd = SmallSystemd(ROOT / "deploy" / "systemd", self._programs, self._replaced)

    def commit(self) -> None:
        """Commit what has changed in the project."""
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", "Change the site")

    def update(self) -> subprocess.CompletedProcess[str]:
        """Run the update script of the project."""
        script = (self.project / "deploy" / "update").read_text().replace("/srv/site", str(self.site))
        path = os.pathsep.join([str(self._programs), os.environ["PATH"]])
        environment = {"PATH": path, "HOME": str(self.site), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        return subprocess.run(
            ["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    def release(self) -> Path:
        """Return the folder of the release in service."""
        return (self.site / "current").resolve()

    def _git(self, *arguments: str) -> None:
        subprocess.run([*GIT, "-C", str(self.project), *arguments], check=True)


@contextmanager
def own_server(folder: Path, variables: Mapping[str, str], port: int) -> Iterator[OwnServer]:
    """Yield a server without a release, and stop what runs on it at the end."""
    server = OwnServer(folder, variables, port)
    try:
        yield server
    finally:
        server.systemd.stop()
