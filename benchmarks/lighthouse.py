"""Lighthouse's scores of the kit, on a telephone: `python -m benchmarks.lighthouse`.

Serves a production site and lets Lighthouse, as the npm registry has it, visit four pages with the
system's Chromium. Needs Node.js (npm) and Chromium, and a machine that is not busy with something else.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import programs
from benchmarks.serve import served_site

# Made for Node.js 22.19; 20 leaves out three of the findings that bear no points.
VERSION = "13.5.0"
PAGES = ("/", "/about", "/account/login", "/account/register")
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
WANTED_SCORE = 100
MOST_VISITS = 3


def main() -> None:
    """Print four scores of each page; exits with 1, and with what cost the points, when one is below 100."""
    chromium = os.environ.get("CHROME_PATH") or programs.find("chromium", "google-chrome", package="chromium")
    with tempfile.TemporaryDirectory() as folder:
        lighthouse = programs.install_from_npm("lighthouse", VERSION, Path(folder)) / "cli" / "index.js"
        with served_site() as address:
            print(f"{'':20}" + "".join(f"{category:>16}" for category in CATEGORIES))
            lost = [line for page in PAGES for line in visit(lighthouse, chromium, address, page)]
    sys.exit("\n".join(lost) if lost else None)


def visit(lighthouse: Path, chromium: str, address: str, page: str) -> list[str]:
    """Print the scores of a page; return a line for each score below 100, with the audits that cost its points."""
    for _visit in range(MOST_VISITS):
        report = audit(lighthouse, chromium, address + page)
        scores = {category: points(report, category) for category in CATEGORIES}
        # Points that a busy machine cost come back on another visit; those that the page cost do not.
        if min(scores.values()) >= WANTED_SCORE:
            break
    print(f"{page:20}" + "".join(f"{score:16}" for score in scores.values()), flush=True)
    return [
        f"{page}: {category}: {'; '.join(failures(report, category))}"
        for category, score in scores.items()
        if score < WANTED_SCORE
    ]


def audit(lighthouse: Path, chromium: str, url: str) -> dict[str, Any]:
    """Return Lighthouse's report on one address; its defaults are a telephone on slow 4G."""
    options = ("--quiet", "--output=json", f"--only-categories={','.join(CATEGORIES)}")
    # Chromium's sandbox refuses to run as root; only our own pages are opened.
    flags = "--chrome-flags=--headless=new --no-sandbox"
    environment = {**os.environ, "CHROME_PATH": chromium}
    report: dict[str, Any] = json.loads(programs.run("node", str(lighthouse), url, *options, flags, env=environment))
    return report


def points(report: dict[str, Any], category: str) -> int:
    """Return a score from 0 to 100; 0 as well when an audit broke and there is none."""
    return round(100 * (report["categories"][category]["score"] or 0))


def failures(report: dict[str, Any], category: str) -> list[str]:
    """Return the audits of a category that have points and did not get all of theirs: name, title, measured value."""
    with_points = {entry["id"] for entry in report["categories"][category]["auditRefs"] if entry["weight"]}
    return [
        " ".join(filter(None, (name, f"({found['title']})", found.get("displayValue"), found.get("errorMessage"))))
        for name, found in report["audits"].items()
        if name in with_points and found["scoreDisplayMode"] != "notApplicable" and (found["score"] or 0) < 1
    ]


if __name__ == "__main__":
    main()
