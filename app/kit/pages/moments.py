"""Moments in words, in the reader's time zone."""

from calendar import month_name
from datetime import UTC, datetime, tzinfo
from functools import cache, lru_cache
from importlib.resources import files
from math import ceil
from zoneinfo import ZoneInfo

from markupsafe import Markup

from app.kit.core.counting import how_many

MINUTE, HOUR, DAY = 60, 3600, 86400
UNITS = (("day", DAY), ("hour", HOUR), ("minute", MINUTE), ("second", 1))
# Copied once, because calendar looks up each name in the locale.
MONTHS = tuple(month_name)
# The places of the IANA list, without abbreviations and former names.
PLACES = files("tzdata") / "zoneinfo/zone.tab"


@cache
def zone_names() -> tuple[str, ...]:
    """Return the time zones to choose from: UTC, and the places of the IANA list in alphabetical order."""
    lines = PLACES.read_text("utf-8").splitlines()
    return "UTC", *sorted(line.split("\t")[2] for line in lines if not line.startswith("#"))


@lru_cache(maxsize=1000)
def zone_called(name: str) -> tzinfo:
    """Return the time zone called ``name``, or UTC if there is none: a later list may lack a stored name."""
    try:
        return ZoneInfo(name) if name else UTC
    except (KeyError, ValueError):
        return UTC


def time_element(moment: datetime | None, zone: tzinfo) -> Markup:
    """Return a ``<time>`` element such as "5 minutes ago", with the time in ``zone`` as its title; "–" for None."""
    return Markup("–") if moment is None else _time_element(moment.astimezone(UTC), relative_time(moment, zone), zone)


@lru_cache(maxsize=2000)
def _time_element(moment: datetime, words: str, zone: tzinfo) -> Markup:
    start = f'<time datetime="{moment.isoformat(timespec="seconds")}" title="{exact_time(moment, zone)}">'
    # Digits and our own words, so they need no escaping; Markup.format would slow down long lists.
    return Markup(f"{start}{words}</time>")  # noqa: S704


def exact_time(moment: datetime, zone: tzinfo) -> str:
    """Return date and time in ``zone``, and the zone's abbreviation: "21 November 2026, 08:15 CET"."""
    local = moment.astimezone(zone)
    name = local.tzname() or ""
    # Many zones have no abbreviation but a number, like "-03".
    return f"{_date(local)}, {local:%H:%M} {'UTC' + name if name[:1] in {'+', '-'} else name}"


def relative_time(moment: datetime, zone: tzinfo = UTC, now: datetime | None = None) -> str:
    """Return the distance of ``moment`` from ``now`` in words, or its date in ``zone`` beyond 30 days."""
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    distance = abs(seconds)
    if distance < MINUTE:
        return "just now" if seconds >= 0 else "in a moment"
    if distance >= 30 * DAY:
        return _date(moment.astimezone(zone))
    words = in_words(distance)
    return f"{words} ago" if seconds > 0 else f"in {words}"


def _date(local: datetime) -> str:
    return f"{local.day} {MONTHS[local.month]} {local.year}"


def in_words(seconds: float, *, round_up: bool = False) -> str:
    """Return a length of time in its largest unit, such as "5 minutes".

    Rounded up, it is a time to wait: from two of a unit on, since a minute and a second are not two minutes.
    """
    fewest = 2 if round_up else 1
    unit, length = next((row for row in UNITS if seconds >= fewest * row[1]), UNITS[-1])
    count = ceil(seconds / length) if round_up else int(seconds // length)
    return how_many(count, unit)
