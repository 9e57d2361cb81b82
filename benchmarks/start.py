"""How long a web process takes from its start to its first answer, and how much memory it then holds."""

import time
from statistics import median

from benchmarks.processes import resident_mib
from benchmarks.site import ONE_SYNC_WORKER, Visit
from tests.servers.redis import free_port
from tests.servers.web import start_gunicorn


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


def worker_memory(visits: list[Visit], name: str) -> float:
    """Answer the MiB of the worker that served the visit called ``name``, after all visits."""
    server = next(visit.server for visit in visits if visit.name == name)
    return median(resident_mib(process_id) for process_id in server.worker_ids())
