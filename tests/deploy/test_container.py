"""Tests for the Dockerfile, compose.yaml and Kamal's configuration, without a container engine."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import config
from tests.servers import create_database
from tests.servers.front_proxy import program
from tests.servers.image import Image, build_image, is_in_context, steps
from tests.servers.redis import free_port
from tests.servers.web import production_environment, wait_for_answer

ROOT = Path(__file__).resolve().parents[2]
MEGABYTE = 10**6
# 220 MB less the 113 of Debian's slim image with its Python. The packages for ways to log in are 17 of them.
OWN_MEGABYTES = 107


def read(path: str) -> dict[str, Any]:
    """Return a file's YAML, which JSON is, too."""
    found: dict[str, Any] = yaml.safe_load((ROOT / path).read_text())
    return found


@pytest.mark.parametrize(
    "name", [".env", ".git/config", "tests/conftest.py", "instance/data.sqlite", "app/static/a.css"]
)
def test_nothing_gets_into_the_image_that_does_not_run_there(name: str) -> None:
    assert not is_in_context(name)


@pytest.mark.parametrize("name", ["manage.py", "bootstrap.py", "app/__init__.py", "requirements/common.txt"])
def test_what_runs_gets_into_the_image(name: str) -> None:
    assert is_in_context(name)


def test_the_image_starts_as_nobody_special_and_knows_no_secret() -> None:
    last = dict(steps())
    assert last["USER"] == "1000:1000"
    assert json.loads(last["CMD"]) == ["gunicorn", "app:create_app()"]
    assert "SECRET" not in (ROOT / "Dockerfile").read_text()


def test_containers_are_read_only_checked_and_need_what_they_use() -> None:
    file = read("compose.yaml")
    services = file["services"]
    assert set(services) == {"release", "web", "worker", "database", "queue", "proxy"}
    for name in ("release", "web", "worker"):
        assert services[name]["read_only"]
        assert services[name]["cap_drop"] == ["ALL"]
    for name in ("web", "worker"):
        assert services[name]["depends_on"] == {"release": {"condition": "service_completed_successfully"}}
    assert {name for name in ("database", "queue", "proxy") if "healthcheck" not in services[name]} == set()
    named = {mount.partition(":")[0] for service in services.values() for mount in service.get("volumes", [])}
    assert set(file["volumes"]) == {name for name in named if not name.startswith(".")}
    assert services["web"]["volumes"] == [f"instance:{dict(steps())['VOLUME']}"]


def test_the_containers_settings_are_enough_for_production() -> None:
    """With the six lines of .env that the page tells to write."""
    page = (ROOT / "docs" / "deploy" / "container.md").read_text()
    lines = page.partition("```sh\nAPP_NAME=")[2].partition("```")[0]
    of_env = dict(line.split("=", 1) for line in f"APP_NAME={lines}".splitlines())
    of_env |= {"SECRET_KEY": "k" * 48, "DATA_KEYS": "d" * 48, "POSTGRES_PASSWORD": "x"}
    config["production"]({**of_env, **read("compose.yaml")["services"]["web"]["environment"]})


def test_kamals_settings_are_enough_for_production() -> None:
    file = read("config/deploy.yml")
    secrets = dict.fromkeys(file["env"]["secret"], "k" * 48) | {"DATABASE_URL": "postgresql://site:password@db/site"}
    config["production"]({**{name: str(value) for name, value in file["env"]["clear"].items()}, **secrets})
    assert file["proxy"]["healthcheck"]["path"] == "/up"
    assert file["proxy"]["app_port"] == 8000
    assert file["asset_path"] == "/site/app/static"
    assert file["servers"]["worker"]["options"]["no-healthcheck"]


def test_a_folder_called_config_does_not_hide_the_settings() -> None:
    assert not list((ROOT / "config").glob("*.py"))


@pytest.mark.thorough
def test_the_dockerfile_is_as_its_checker_wants_it() -> None:
    subprocess.run([program("hadolint"), str(ROOT / "Dockerfile")], check=True)


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """Yield the built image."""
    with tempfile.TemporaryDirectory() as folder:
        yield build_image(Path(folder))


@pytest.mark.thorough
def test_the_image_is_small(image: Image) -> None:
    files = [path for name in ("venv", "site") for path in (image.root / name).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) / MEGABYTE < OWN_MEGABYTES
    assert not [path for path in files if path.name in {".env", "conftest.py"}]


@pytest.mark.thorough
def test_the_image_serves_and_writes_only_where_it_may(image: Image, redis_url: str) -> None:
    port, instance, before = free_port(), image.root / "site" / "instance", written(image)
    with create_database() as database:
        if database.startswith("sqlite"):
            database = f"sqlite:///{instance}/site.sqlite"
        variables = {**image.variables, **production_environment(database, redis_url, port), "PORT": str(port)}
        options: dict[str, Any] = {"cwd": image.root / "site", "env": variables}
        release = read("compose.yaml")["services"]["release"]["command"]
        subprocess.run([image.below(f"/venv/bin/{release[0]}"), *release[1:]], check=True, **options)
        refused = subprocess.run(
            [image.below("/venv/bin/python"), "manage.py", "add_fake_data"], check=False, **options
        )
        assert refused.returncode == 1
        web = subprocess.Popen([image.below(f"/venv/bin/{image.command[0]}"), *image.command[1:]], **options)
        try:
            wait_for_answer(port, web, "/account/login")
            check = [part.replace("8000", str(port)) for part in image.health_check]
            assert subprocess.run(check, check=False, **options).returncode == 0
        finally:
            web.terminate()
            web.wait(timeout=30)
    assert written(image) == before


def written(image: Image) -> dict[Path, int]:
    """Return when each file was written, except those of the volume and bytecode, which user 1000 cannot write."""
    return {
        path: path.stat().st_mtime_ns
        for path in image.root.rglob("*")
        if path.is_file() and path.suffix != ".pyc" and path.parent.name != "instance"
    }
