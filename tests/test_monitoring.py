"""Tests for /metrics: closed without its token, right over many processes, and bounded whatever is asked for."""

import re
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy

from app import create_app
from app.kit.core import metrics
from app.kit.jobs import queue
from app.models import Email
from tests.factories import make_user, sign_in
from tests.servers.redis import free_port
from tests.servers.waiting import wait_until
from tests.servers.web import production_environment, start_gunicorn

TOKEN = "a token of 32 characters, or more"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def site(app: Flask, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """Yield the site with metrics, counted from zero."""
    monkeypatch.setenv("METRICS_TOKEN", TOKEN)
    measured = create_app("testing")
    measured.config["MAINTENANCE_FILE"] = app.config["MAINTENANCE_FILE"]
    measured.extensions["redis"].delete(metrics.KEY, metrics.PROCESSES_KEY)
    yield measured
    measured.extensions["metrics"].write()
    with measured.app_context():
        measured.extensions["sqlalchemy"].engine.dispose()


def read(client: FlaskClient) -> dict[str, float]:
    """Return each series with its value."""
    response = client.get("/metrics", headers=HEADERS)
    assert response.status_code == 200
    return series_of(response.text)


def series_of(text: str) -> dict[str, float]:
    rows = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in rows}


def test_without_a_setting_there_is_no_page(client: FlaskClient) -> None:
    assert client.get("/metrics", headers=HEADERS).status_code == 404
    assert client.get("/metrics", headers={"Authorization": ""}).status_code == 404


@pytest.mark.parametrize("sent", [None, "", "Bearer ", TOKEN[:-1], f"Bearer {TOKEN}x", "Bearer \xff"])
def test_without_the_token_there_is_no_page(site: Flask, sent: str | None) -> None:
    response = site.test_client().get("/metrics", headers={} if sent is None else {"Authorization": sent})
    assert response.status_code == 404


def test_requests_are_counted_by_route_and_never_by_path(site: Flask) -> None:
    client = site.test_client()
    client.get("/about")
    client.get("/nowhere")
    client.post("/about")
    series = read(client)
    assert series['http_requests_total{route="/about",status="2xx"}'] == 1
    assert series['http_requests_total{route="(none)",status="4xx"}'] == 2
    assert series['http_request_duration_seconds_bucket{le="+Inf",method="GET"}'] == 2
    assert series['http_request_duration_seconds_count{method="POST"}'] == 1
    assert 0 < series['http_request_duration_seconds_sum{method="GET"}'] < 5
    buckets = [value for name, value in series.items() if "bucket" in name and "GET" in name]
    assert buckets == sorted(buckets)
    assert len(buckets) == len(metrics.BUCKETS) + 1
    assert read(client)['http_requests_total{route="/metrics",status="2xx"}'] == 1


@pytest.mark.parametrize("addresses", [100, pytest.param(10_000, marks=pytest.mark.thorough)])
def test_random_addresses_add_nothing_and_all_routes_fit(site: Flask, addresses: int) -> None:
    client = site.test_client()
    for rule in list(site.url_map.iter_rules()):
        for method in ("GET", "POST"):
            client.open(re.sub("<[^>]+>", "1", rule.rule), method=method)
    before = read(client)
    counters: metrics.Counters = site.extensions["metrics"]
    for number in range(addresses):
        with site.test_request_context(f"/{number}?x={number}", method=f"METHOD{number}"):
            metrics._count_request(site.response_class(status=404))
    counters.write()
    client.open("/about", method="INVENTED")
    after = read(client)
    new = {name for name in after.keys() - before.keys() if 'method="other"' not in name}
    assert new <= {'http_requests_total{route="/metrics",status="2xx"}', 'http_request_seconds_total{route="/metrics"}'}
    assert len(after) < 500
    assert after['http_requests_total{route="(none)",status="4xx"}'] > addresses


def test_logins_guesses_and_hashes_are_counted_by_outcome(site: Flask) -> None:
    client = site.test_client()
    with site.app_context():
        user = make_user()
        client.post("/account/login", data={"email": user.email, "password": "wrong password"})
        sign_in(client, user)
    series = read(client)
    assert series["logins_total"] == 1
    assert series['password_guesses_total{form="account.login",result="wrong"}'] == 1
    assert series['password_guesses_total{form="account.login",result="right"}'] == 1
    assert series['password_hashes_total{result="done"}'] >= 2
    assert series["password_hash_wait_seconds_total"] >= 0


def test_what_waits_is_measured_when_it_is_asked_for(site: Flask) -> None:
    with site.app_context():
        database = site.extensions["sqlalchemy"]
        database.session.add_all([Email(recipient="a@b.example", subject="s", template="t") for _ in range(2)])
        database.session.commit()
        queue.queue_named("default").empty()
        series = read(site.test_client())
    assert series['emails{state="pending"}'] == 2
    assert series['emails{state="dead"}'] == 0
    assert 0 <= series["oldest_unsent_email_seconds"] < 60
    assert series['queue_jobs{queue="default",state="waiting"}'] == 0
    assert "database_connections_in_use" in series


def test_without_redis_the_page_says_so_and_nothing_is_lost(site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    counters: metrics.Counters = site.extensions["metrics"]
    away = queue.connect("redis://127.0.0.1:1/0", timeout_seconds=0.1)
    client = site.test_client()
    with monkeypatch.context() as patch:
        patch.setattr(counters, "_client", away)
        client.get("/about")
        series = read(client)
        assert series["redis_up"] == 0
        assert 'emails{state="pending"}' in series
    assert read(client)['http_requests_total{route="/about",status="2xx"}'] == 1


def test_what_one_process_counts_another_one_reads(site: Flask) -> None:
    clients = site.extensions["redis"]
    first, second = metrics.Counters(clients, lambda: 2), metrics.Counters(clients, lambda: 3)
    for counters in (first, second, first):
        counters.add(("jobs", "Purge", "failed"), 1)
    wait_until(lambda: second.read().get(("jobs", "Purge", "failed")) == 3, what="the write of both processes")
    assert first.connections_in_use() in {2, 3}, "one process of the two names: both are this one"


@pytest.mark.long(25)
@pytest.mark.thorough
def test_counters_never_go_backwards_over_a_hundred_recycles_and_a_reload(
    app: Flask, redis_url: str, tmp_path: Path
) -> None:
    port, pages = free_port(), '["requests", "/", "2xx"]'
    variables = production_environment(f"sqlite:///{tmp_path / 'site.sqlite'}", redis_url, port)
    variables["METRICS_TOKEN"] = TOKEN
    client = app.extensions["redis"]
    client.delete(metrics.KEY, metrics.PROCESSES_KEY)
    asked, seen, workers, is_reloaded = 0, [0.0], set(), False
    with start_gunicorn(
        "app:create_app()", variables, "--workers", "6", "--max-requests", "10", port=port, path="/up"
    ) as server:
        while len(workers) < 100:
            asked += sum(get(f"{server.address}/") for _ in range(20))
            workers.update(server.worker_ids())
            seen.append(float(client.hget(metrics.KEY, pages) or 0))
            if len(workers) >= 50 and not is_reloaded:
                server.process.send_signal(signal.SIGHUP)
                is_reloaded = True
    assert seen == sorted(seen)
    assert float(client.hget(metrics.KEY, pages)) == asked, "what a worker counted last is not lost when it ends"


def get(address: str) -> int:
    """Return 1 if the page was served; a connection may be refused while all workers start again."""
    try:
        return int(urllib.request.urlopen(address, timeout=20).status == 200)  # noqa: S310
    except (urllib.error.URLError, OSError):
        return 0
