"""CPU time and memory of running processes, from /proc (Linux only)."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

KIB_PER_MIB = 1024


def cpu_seconds(process_ids: Iterable[int]) -> float:
    """Return the CPU time of these processes in seconds, in user and kernel mode."""
    return sum(_ticks(process_id) for process_id in process_ids) / os.sysconf("SC_CLK_TCK")


def _ticks(process_id: int) -> int:
    # The name in parentheses may contain spaces, so count the fields after it; see proc(5).
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def resident_mib(process_id: int) -> float:
    """Return the resident memory of a process (RSS) in MiB, including shared pages."""
    status = Path(f"/proc/{process_id}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    if found is None:
        raise ValueError(f"process {process_id} has no memory any more")
    return int(found[1]) / KIB_PER_MIB


def proportional_mib(process_id: int) -> float:
    """Return the memory of a process in MiB, with its share of the shared pages (PSS)."""
    rollup = Path(f"/proc/{process_id}/smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
    if found is None:
        raise ValueError(f"process {process_id} has no memory any more")
    return int(found[1]) / KIB_PER_MIB
