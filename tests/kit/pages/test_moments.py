"""Moments are told as people do, in the zone of whom reads them."""

from datetime import UTC, datetime, timedelta, tzinfo

import pytest

from app.kit.pages.moments import exact_time, in_words, relative_time, time_element, zone_called, zone_names

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
NEW_YEARS_EVE = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(seconds=-5), "in a moment"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=-3), "in 3 hours"),
        (timedelta(days=29), "29 days ago"),
        (timedelta(days=31), "31 March 2026"),
    ],
)
def test_times_are_told_as_people_do(distance: timedelta, words: str) -> None:
    assert relative_time(NOW - distance, now=NOW) == words


@pytest.mark.parametrize(
    ("seconds", "passed", "to_wait"),
    [
        (0, "0 seconds", "0 seconds"),
        (1, "1 second", "1 second"),
        (61, "1 minute", "61 seconds"),
        (121, "2 minutes", "3 minutes"),
        (3600, "1 hour", "60 minutes"),
        (7201, "2 hours", "3 hours"),
        (90_000, "1 day", "25 hours"),
    ],
)
def test_a_time_to_wait_is_never_told_shorter_than_it_is(seconds: int, passed: str, to_wait: str) -> None:
    assert (in_words(seconds), in_words(seconds, round_up=True)) == (passed, to_wait)


def test_a_date_is_that_of_the_reader() -> None:
    assert relative_time(NEW_YEARS_EVE, UTC, NOW) == "31 December 2025"
    assert relative_time(NEW_YEARS_EVE, zone_called("Europe/Berlin"), NOW) == "1 January 2026"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "31 December 2025, 23:30 UTC"),
        ("Europe/Berlin", "1 January 2026, 00:30 CET"),
        ("Asia/Kolkata", "1 January 2026, 05:00 IST"),
        ("America/Sao_Paulo", "31 December 2025, 20:30 UTC-03"),
        ("Mars/Olympus_Mons", "31 December 2025, 23:30 UTC"),
        ("../../etc/passwd", "31 December 2025, 23:30 UTC"),
    ],
)
def test_an_exact_time_names_its_zone(name: str, words: str) -> None:
    assert exact_time(NEW_YEARS_EVE, zone_called(name)) == words


@pytest.mark.parametrize(("zone", "title"), [(UTC, "12:00 UTC"), (zone_called("Europe/Berlin"), "14:00 CEST")])
def test_a_time_element_keeps_the_exact_moment(zone: tzinfo, title: str) -> None:
    text = time_element(NOW, zone)
    assert 'datetime="2026-05-01T12:00:00+00:00"' in text
    assert f'title="1 May 2026, {title}"' in text


def test_no_moment_is_a_dash() -> None:
    assert time_element(None, UTC) == "–"


def test_the_zones_to_choose_from_are_places() -> None:
    names = zone_names()
    assert {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Kolkata"} <= set(names)
    assert not {"EST", "Etc/GMT+5", "posixrules", "US/Eastern", "Asia/Calcutta"} & set(names)
    assert all(zone_called(name) is not UTC for name in names[1:])
