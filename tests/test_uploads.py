"""Uploads to the site as it runs in production: hostile files, and a bucket that is slow."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import urllib3
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select

from app.models import StoredFile, User, UserSession
from app.pictures import PICTURE
from tests.factories import make_user
from tests.pictures import good, hostile_files
from tests.servers.bucket import ACCESS_KEY_ID, start_bucket
from tests.servers.redis import free_port
from tests.servers.web import ROOT, WebServer, production_environment, session_cookie, start_gunicorn

pytestmark = pytest.mark.thorough
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
SLOW_SECONDS = 6


@contextmanager
def one_web_process(database_url: str, redis_url: str, **variables: str) -> Iterator[WebServer]:
    port = free_port()
    settings = {**production_environment(database_url, redis_url, port), "WEB_CONCURRENCY": "1", **variables}
    with start_gunicorn("app:create_app()", settings, port=port, path="/up") as server:
        yield server


def upload(server: WebServer, db: SQLAlchemy, content: bytes) -> int:
    """Upload a file as a new user, as a browser would; return the status."""
    _row, token = UserSession.start(make_user(), remembered=False, ip_address="192.0.2.1", user_agent="a browser")
    db.session.commit()
    http, address = urllib3.PoolManager(), f"{server.address}/account/picture"
    page = http.request("GET", address, headers={"Cookie": f"session={session_cookie(token)}"})
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    fields = {"csrf_token": TOKEN.findall(page.data.decode())[0], "picture": ("me.png", content)}
    return http.request("POST", address, fields=fields, headers={"Cookie": cookie}, redirect=False).status


def status_of(address: str) -> int:
    return urllib3.request("GET", address, timeout=10, retries=False).status


def test_no_file_makes_the_web_process_grow(
    app: Flask, db: SQLAlchemy, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    with one_web_process(database_url, redis_url, UPLOADS_FOLDER=str(tmp_path / "uploads")) as server:
        process = psutil.Process(server.worker_ids()[0])
        for _ in range(10):
            assert upload(server, db, good("JPEG") + bytes(4_000_000)) == 302
        before = process.memory_info().rss
        statuses = {name: upload(server, db, content) for name, content in hostile_files().items()}
        grown = process.memory_info().rss - before
    assert {name: status for name, status in statuses.items() if status not in {200, 302}} == {}
    assert statuses["png bomb of 13000 x 6800"] == 200
    assert grown < 3_000_000, f"grown by {grown}"


def test_a_worker_takes_the_upload_from_the_queue(
    app: Flask, db: SQLAlchemy, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    folder = {"UPLOADS_FOLDER": str(tmp_path / "uploads")}
    # The worker would first run the jobs of earlier tests, of which attacks leave thousands.
    app.extensions["redis"].flushdb()
    with one_web_process(database_url, redis_url, **folder) as server:
        assert upload(server, db, good()) == 302
        settings = {**production_environment(database_url, redis_url, server.port), **folder}
        command = [sys.executable, "manage.py", "run_worker", "--burst"]
        subprocess.run(command, cwd=ROOT, env={**os.environ, **settings}, check=True, timeout=60, capture_output=True)
        key = db.session.scalar(select(User.picture_key).where(User.picture_key.is_not(None)))
        assert status_of(f"{server.address}/account/picture/{key}-64.webp") == 200


def test_a_slow_bucket_delays_nobody_else(app: Flask, db: SQLAlchemy, database_url: str, redis_url: str) -> None:
    picture = StoredFile(user_id=make_user().id, kind=PICTURE)
    db.session.add(picture)
    db.session.commit()
    statuses: list[int] = []
    with start_bucket() as bucket:
        variables = {
            "UPLOADS_BUCKET": "s3://files/site",
            "UPLOADS_ENDPOINT": bucket.address,
            "UPLOADS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "UPLOADS_SECRET_ACCESS_KEY": "secret",
        }
        bucket.files[f"/files/site/{picture.key}/64"] = good("WEBP")
        bucket.delay_seconds = SLOW_SECONDS
        with one_web_process(database_url, redis_url, **variables) as server:
            address = f"{server.address}/account/picture/{picture.key}-64.webp"
            visit = threading.Thread(target=lambda: statuses.append(status_of(address)))
            visit.start()
            time.sleep(0.3)
            started_at = time.monotonic()
            assert status_of(f"{server.address}/up") == 200
            assert time.monotonic() - started_at < SLOW_SECONDS / 2
            visit.join()
    assert statuses == [200]
