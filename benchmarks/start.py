"""How long a web process takes from its start to its first answer, and how much memory it then holds."""

import time
from dataclasses import dataclass
from statistics import median

from benchmarks.load import Request, ask
from benchmarks.processes import proportional_mib, resident_mib
from benchmarks.site import ONE_SYNC_WORKER
from tests.servers.redis import free_port
from tests.servers.web import start_gunicorn

PAGES_SERVED = 20


def cold_starts(variables: dict[str, str], rounds: int) -> tuple[list[float], list[float]]:
    """Answer the seconds from exec to the first 200 of bare Flask's page and of the kit's, alternating."""
    bare: list[float] = []
    kit: list[float] = []
    for _ in range(rounds):
        bare.append(_cold_start("benchmarks.bare:app", {}, "/page"))
        kit.append(_cold_start("app:create_app()", variables, "/"))
    return bare, kit


def _cold_start(application: str, variables: dict[str, str], path: str) -> float:
    port = free_port()
    if variables:
        variables = {**variables, "BASE_URL": f"http://127.0.0.1:{port}"}
    started = time.perf_counter()
    with start_gunicorn(application, variables, *ONE_SYNC_WORKER, port=port, path=path):
        return time.perf_counter() - started


@dataclass(frozen=True)
class Memory:
    """MiB of a web worker: all that it can see, and what it adds to the machine's memory."""

    resident: float
    proportional: float


def worker_memory(variables: dict[str, str]) -> Memory:
    """Answer the memory of the kit's workers under its own gunicorn.conf.py, once they served pages."""
    port = int(variables["BASE_URL"].rpartition(":")[2])
    with start_gunicorn("app:create_app()", variables, port=port) as server:
        for _ in range(PAGES_SERVED):
            ask(Request(f"{server.address}/account/login"))
        workers = server.worker_ids()
        return Memory(median(map(resident_mib, workers)), median(map(proportional_mib, workers)))
