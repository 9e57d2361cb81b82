"""Measure the time from the start of a web server to its first response, and its memory.

    python -m benchmarks.start              seven starts each, about two minutes; --starts N for others

Bare Flask's page, the same page with all packages of the kit imported, and the kit take turns, each with
the kit's gunicorn.conf.py. The second is the lower limit of any site with these packages. Exits with 1 if
a bar is missed.
"""

import argparse
import compileall
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.load import Request, drive
from benchmarks.processes import cpu_seconds, proportional_mib, resident_mib
from benchmarks.site import prepared_site
from tests.servers.redis import free_port
from tests.servers.web import ROOT, start_gunicorn

START_BAR = 1.8
MEMORY_BAR_MIB = 50.0
SECONDS_OF_SERVING = 1


@dataclass(frozen=True)
class Candidate:
    """An application to start, and the pages that it serves before its memory is measured."""

    name: str
    application: str
    paths: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Figures:
    """The measurements of one candidate, one entry per start. Memory is that of one worker, except the total."""

    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    resident_mib: list[float] = field(default_factory=list)
    proportional_mib: list[float] = field(default_factory=list)
    total_mib: list[float] = field(default_factory=list)


def main() -> None:
    """Print the figures, and exit with 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description="Compare the kit's start and memory with bare Flask's.")
    parser.add_argument("--starts", type=int, default=7, help="of each")
    starts = parser.parse_args().starts
    with tempfile.TemporaryDirectory() as folder, prepared_site(Path(folder)) as (variables, _cookies):
        missed = report(measure(variables, starts))
    sys.exit(f"missed: {', '.join(missed)}" if missed else 0)


def measure(variables: Mapping[str, str], starts: int) -> dict[str, Figures]:
    """Start each candidate ``starts`` times, in turns; ``variables`` are the environment of the prepared site."""
    _compile_sources()
    candidates = [
        Candidate("bare page", "benchmarks.bare:app", ("/page",)),
        Candidate("bare page, all packages", "benchmarks.packages:app", ("/page",)),
        Candidate("the kit", "app:create_app()", ("/", "/account/login"), variables),
    ]
    figures = {candidate.name: Figures() for candidate in candidates}
    for _ in range(starts):
        for candidate in candidates:
            _start_once(candidate, figures[candidate.name])
    return figures


def _compile_sources() -> None:
    """Compile the site's code, as pip does for packages. With PYTHONDONTWRITEBYTECODE the first start does not."""
    for folder in ("app", "benchmarks"):
        compileall.compile_dir(ROOT / folder, quiet=1)
    compileall.compile_file(ROOT / "config.py", quiet=1)


def _start_once(candidate: Candidate, figures: Figures) -> None:
    port = free_port()
    variables = dict(candidate.variables)
    if variables:
        variables["BASE_URL"] = f"http://127.0.0.1:{port}"
    started = time.perf_counter()
    with start_gunicorn(candidate.application, variables, port=port, path=candidate.paths[0]) as server:
        figures.seconds.append(time.perf_counter() - started)
        workers = server.worker_ids()
        figures.cpu_seconds.append(cpu_seconds([server.process.pid, *workers]))
        for path in candidate.paths:
            drive(Request(server.address + path), SECONDS_OF_SERVING)
        workers = server.worker_ids()
        figures.resident_mib.append(median(map(resident_mib, workers)))
        figures.proportional_mib.append(median(map(proportional_mib, workers)))
        figures.total_mib.append(sum(map(proportional_mib, [server.process.pid, *workers])))


def report(figures: Mapping[str, Figures]) -> list[str]:
    """Print a line per candidate and the bars, and return what missed its bar."""
    print(
        "                         exec to first 200   ratio (spread)     CPU  ratio    a worker's RSS    PSS  all PSS"
    )
    bare, *_, kit = figures.values()
    for name, found in figures.items():
        ratios = _ratios(found.seconds, bare.seconds)
        cpu, cpu_ratio = median(found.cpu_seconds), median(_ratios(found.cpu_seconds, bare.cpu_seconds))
        resident, share, total = map(median, (found.resident_mib, found.proportional_mib, found.total_mib))
        print(
            f"{name:<24} {median(found.seconds):>15.3f} s   {median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
            f" {cpu:>5.2f} s {cpu_ratio:>6.2f} {resident:>13.0f} MiB {share:>6.0f} {total:>8.0f}"
        )
    ratio, resident = median(_ratios(kit.seconds, bare.seconds)), median(kit.resident_mib)
    print(f"the kit's bars: a start of {START_BAR:.1f} times the bare page's, {MEMORY_BAR_MIB:.0f} MiB of RSS")
    missed = {"cold start": ratio > START_BAR, "memory": resident > MEMORY_BAR_MIB}
    return [name for name, is_missed in missed.items() if is_missed]


def _ratios(ours: list[float], theirs: list[float]) -> list[float]:
    return [one / other for one, other in zip(ours, theirs, strict=True)]


if __name__ == "__main__":
    main()
