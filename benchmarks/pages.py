"""Measure how fast pages are, as a ratio to bare Flask on the same machine.

    python -m benchmarks.pages              five rounds of two seconds per page, about six minutes
    python -m benchmarks.pages --quick      two rounds of one second

Bare Flask and the kit each have one gunicorn sync worker, and wrk uses four connections. Pages take turns
within a round, so that a busy moment of the machine affects all of them. On a machine that is not idle, the
ratio of CPU time varies less than the ratio of responses per second. Each page is requested with the encodings
of Chromium (Zstandard) and again with those of Safari (column "br"). Exits with 1 if a bar is missed.
"""

import argparse
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks import start
from benchmarks.load import drive
from benchmarks.processes import cpu_seconds
from benchmarks.site import Visit, prepared_site, running_visits

MICROSECONDS = 1_000_000


@dataclass
class Figures:
    """The measurements of one page, one entry per round."""

    per_second: list[float] = field(default_factory=list)
    cpu_microseconds: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    brotli_ratios: list[float] = field(default_factory=list)


def main() -> None:
    """Print all figures, and exit with 1 if a bar is missed."""
    arguments = _parse_arguments()
    with tempfile.TemporaryDirectory() as folder, prepared_site(Path(folder)) as (variables, cookies):
        with running_visits(variables, cookies) as visits:
            figures = measure(visits, arguments.rounds, arguments.seconds)
        missed = report(visits, figures)
        missed += start.report(start.measure(variables, arguments.starts))
    sys.exit(f"missed: {', '.join(missed)}" if missed else 0)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare the kit's pages with bare Flask.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="per page and round")
    parser.add_argument("--starts", type=int, default=7, help="cold starts of each")
    parser.add_argument("--quick", action="store_true", help="two rounds of one second, three starts")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.seconds, arguments.starts = 2, 1, 3
    return arguments


def measure(visits: list[Visit], rounds: int, seconds: int) -> dict[str, Figures]:
    """Measure each visit once per round. The others are compared with the first."""
    figures = {visit.name: Figures() for visit in visits}
    for visit in visits:
        drive(visit.request, 1)
    for _ in range(rounds):
        for visit in visits:
            _measure_once(visit, figures[visit.name], seconds)
            hello = figures[visits[0].name].per_second[-1]
            figures[visit.name].ratios.append(figures[visit.name].per_second[-1] / hello)
            figures[visit.name].brotli_ratios.append(drive(visit.for_safari, seconds).per_second / hello)
    return figures


def _measure_once(visit: Visit, figures: Figures, seconds: int) -> None:
    workers = visit.server.worker_ids()
    before = cpu_seconds(workers)
    load = drive(visit.request, seconds)
    figures.per_second.append(load.per_second)
    figures.cpu_microseconds.append((cpu_seconds(workers) - before) / load.responses * MICROSECONDS)


def report(visits: list[Visit], figures: dict[str, Figures]) -> list[str]:
    """Print a line per page, and return the pages that missed their bar."""
    print("page                      requests/s   ratio to hello (spread)      br   CPU µs   CPU ratio    bar")
    missed = []
    hello_cpu = median(figures[visits[0].name].cpu_microseconds)
    for visit in visits:
        found = figures[visit.name]
        ratio = median(found.ratios)
        spread = f"{min(found.ratios):.2f}–{max(found.ratios):.2f}"
        bar = "" if visit.bar is None else f"{visit.bar:.2f} {_verdict(ratio >= visit.bar)}"
        rate, cpu = median(found.per_second), median(found.cpu_microseconds)
        cpu_ratio = hello_cpu / cpu
        brotli = f"{median(found.brotli_ratios):>6.3f}"
        rates = f"{visit.name:<24} {rate:>11,.0f}   {ratio:>6.3f}   ({spread:<9})  {brotli}"
        print(f"{rates} {cpu:>8,.0f} {cpu_ratio:>11.2f}    {bar}")
        if visit.bar is not None and ratio < visit.bar:
            missed.append(visit.name)
    return missed


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"


if __name__ == "__main__":
    main()
