"""Counters for monitoring, added up in Redis by all processes of all machines.

prometheus-client's own way for several processes, a file for each, leaves files behind, and a scrape that reaches one
machine misses the others. Here a process keeps what it counts for a second, and then adds it in one step. Requests
wait for nothing, and what a process counted stays when it ends.
"""

import atexit
import json
import os
import socket
import threading
import time
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable

import redis
from flask import Flask, Response, current_app, g, request

SECONDS_BETWEEN_WRITES = 1.0
# From a cached page to a login with its hash.
BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
# Anybody can send a method of their own invention.
METHODS = {"GET", "POST"}
KEY = "metrics"
PROCESSES_KEY = "metrics:connections"
SILENT_PROCESS_SECONDS = 60
# What waits for Redis to come back is added up, and so stays small. This bounds a single second.
MOST_SAMPLES = 100_000

Sample = tuple[tuple[str, ...], float]


class Counters:
    """What this process has counted, and the sums of all processes."""

    def __init__(self, client: redis.Redis, connections_in_use: Callable[[], int]) -> None:
        self._client = client
        self._connections_in_use = connections_in_use
        # Appending to a deque needs no lock.
        self._samples: deque[Sample] = deque(maxlen=MOST_SAMPLES)
        self._sums: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def add(self, labels: tuple[str, ...], amount: float) -> None:
        """Add ``amount`` to the counter with this name and these labels."""
        self._samples.append((labels, amount))
        if self._timer is None:
            self._timer = threading.Timer(SECONDS_BETWEEN_WRITES, self.write)
            self._timer.daemon = True
            self._timer.start()

    def write(self) -> None:
        """Add what was counted since the last time to the sums. While Redis is away, it is kept."""
        self._timer = None
        with self._lock:
            while self._samples:
                for labels, amount in _counters_of(*self._samples.popleft()):
                    self._sums[json.dumps(labels)] += amount  # type: ignore[assignment]
            try:
                # One transaction: all of it is added, or nothing.
                with self._client.pipeline() as pipeline:
                    for name, amount in self._sums.items():
                        pipeline.hincrbyfloat(KEY, name, amount)
                    process = f"{socket.gethostname()}:{os.getpid()}"
                    pipeline.hset(PROCESSES_KEY, process, f"{time.time()} {self._connections_in_use()}")
                    pipeline.execute()
            except redis.RedisError:
                return
            self._sums.clear()

    def read(self) -> dict[tuple[str, ...], float]:
        """Return the sums of all processes, by name and labels. Raises :class:`redis.RedisError`."""
        return {tuple(json.loads(name)): float(amount) for name, amount in self._client.hgetall(KEY).items()}

    def connections_in_use(self) -> int:
        """Return how many database connections all processes together use. Raises :class:`redis.RedisError`."""
        total = 0
        for process, text in self._client.hgetall(PROCESSES_KEY).items():
            seen_at, connections = text.split()
            if float(seen_at) > time.time() - SILENT_PROCESS_SECONDS:
                total += int(connections)
            else:
                self._client.hdel(PROCESSES_KEY, process)
        return total


def _counters_of(labels: tuple[str, ...], amount: float) -> list[Sample]:
    """Return the counters that a sample adds to: several for a request, else one."""
    if labels[0] != "request":
        return [(labels, amount)]
    _, route, status, method = labels
    place = bisect_left(BUCKETS, amount)
    bucket = str(BUCKETS[place]) if place < len(BUCKETS) else "+Inf"
    return [
        (("requests", route, f"{status[0]}xx"), 1),
        (("request_seconds", route), amount),
        (("latency", method, bucket), 1),
        (("latency_sum", method), amount),
    ]


def init_app(app: Flask, connections_in_use: Callable[[], int]) -> None:
    """Count requests, and what :func:`count` names, if METRICS_TOKEN is set. Redis has to be set up before."""
    if app.config["METRICS_TOKEN"]:
        counters = Counters(app.extensions["redis"], connections_in_use)
        app.extensions["metrics"] = counters
        app.after_request(_count_request)
        atexit.register(counters.write)


def count(name: str, *labels: str, amount: float = 1) -> None:
    """Add ``amount`` to a counter. Labels come from small sets, and never from what somebody typed."""
    counters: Counters | None = current_app.extensions.get("metrics")
    if counters is not None:
        counters.add((name, *labels), amount)


def write_now() -> None:
    """Add what this process has counted to the sums: it is about to end in a way that runs nothing else."""
    counters: Counters | None = current_app.extensions.get("metrics")
    if counters is not None:
        counters.write()


def _count_request(response: Response) -> Response:
    rule, method = request.url_rule, request.method
    labels = (
        "request",
        # The route and not the path: anybody can invent paths.
        "(none)" if rule is None else rule.rule,
        str(response.status_code),
        method if method in METHODS else "other",
    )
    seconds = time.perf_counter() - g.get("request_started_at", time.perf_counter())
    current_app.extensions["metrics"].add(labels, seconds)
    return response
