"""The page that Prometheus reads: the counters of all processes, and what waits in the database and the queue."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate

import redis
from flask import current_app
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from app.extensions import db
from app.kit.core.metrics import BUCKETS, Counters
from app.kit.db.database import utc_now
from app.kit.jobs import queue_overview
from app.kit.mail.rows import EmailState
from app.models import Email

# Name in the code: name for Prometheus, what it counts, its labels.
COUNTERS = {
    "requests": ("http_requests", "Requests, by route and class of status.", ["route", "status"]),
    "request_seconds": ("http_request_seconds", "Seconds spent on requests, by route.", ["route"]),
    "logins": ("logins", "Logins that succeeded.", []),
    "guesses": ("password_guesses", "Passwords that were checked or refused, by form and outcome.", ["form", "result"]),
    "hashes": ("password_hashes", "Password hashes, and those that found too many waiting.", ["result"]),
    "hash_wait_seconds": ("password_hash_wait_seconds", "Seconds that hashes waited for their turn.", []),
    "jobs": ("jobs", "Jobs that ended.", ["job", "result"]),
    "job_seconds": ("job_seconds", "Seconds that jobs took.", ["job"]),
}


def page() -> tuple[bytes, str]:
    """Return the page, and its content type."""
    registry = CollectorRegistry()
    registry.register(_Everything())
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Everything(Collector):
    def collect(self) -> Iterator[Metric]:
        return _everything()


def _everything() -> Iterator[Metric]:
    counters: Counters = current_app.extensions["metrics"]
    counters.write()
    yield from _emails()
    try:
        sums, connections, queues = counters.read(), counters.connections_in_use(), queue_overview.queue_states()
    except redis.RedisError:
        yield _gauge("redis_up", "Whether Redis responds. Without it there are no counters.", {(): 0}, [])
        return
    yield _gauge("redis_up", "Whether Redis responds.", {(): 1}, [])
    yield _gauge("database_connections_in_use", "Of all processes.", {(): connections}, [])
    yield _gauge(
        "queue_jobs",
        "Jobs in the queues, by state.",
        {
            (queue.name, state): getattr(queue, state)
            for queue in queues
            for state in ("waiting", "running", "retrying", "failed")
        },
        ["queue", "state"],
    )
    yield from _counters(sums)
    yield _latency(sums)


def _emails() -> Iterator[Metric]:
    states: dict[tuple[str, ...], float] = {(state.value,): 0 for state in EmailState}
    for state, count in db.session.execute(select(Email.state, func.count()).group_by(Email.state)):
        states[(state,)] = count
    yield _gauge("emails", "Rows of the outbox, by state.", states, ["state"])
    oldest = Email.oldest_unsent_at()
    age = (utc_now() - oldest).total_seconds() if oldest else 0
    yield _gauge("oldest_unsent_email_seconds", "Age of the oldest email that was not sent.", {(): age}, [])


def _gauge(name: str, text: str, values: dict[tuple[str, ...], float], labels: list[str]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _counters(sums: dict[tuple[str, ...], float]) -> Iterator[Metric]:
    for own_name, (name, text, labels) in COUNTERS.items():
        family = CounterMetricFamily(name, text, labels=labels)
        for key, value in sums.items():
            if key[0] == own_name:
                family.add_metric(key[1:], value)
        yield family


def _latency(sums: dict[tuple[str, ...], float]) -> Metric:
    bounds = [*map(str, BUCKETS), "+Inf"]
    counts: dict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(bounds, 0.0))
    for (name, *labels), value in sums.items():
        if name == "latency":
            counts[labels[0]][labels[1]] = value
    family = HistogramMetricFamily("http_request_duration_seconds", "Requests, by method.", labels=["method"])
    for method, buckets in counts.items():
        totals = list(zip(bounds, accumulate(buckets.values()), strict=True))
        family.add_metric([method], buckets=totals, sum_value=sums.get(("latency_sum", method), 0))
    return family
