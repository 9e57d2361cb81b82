"""People sign up while the services behind the site are killed and restarted at random: no email is lost.

For a longer run: CHAOS_SECONDS=600 CHAOS_SEED=7 python manage.py test -m chaos -s
"""

import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.databases import postgres, sqlite
from tests.chaos.faults import Faults
from tests.chaos.site import Site
from tests.chaos.visitors import Visitors
from tests.servers.waiting import wait_until

# PostgreSQL's package looks for a runtime folder, which not every machine has.
pytestmark = [pytest.mark.chaos, pytest.mark.filterwarnings("ignore:XDG_RUNTIME_DIR")]

SECONDS = float(os.environ.get("CHAOS_SECONDS", "14"))
SEED = int(os.environ.get("CHAOS_SEED", "1"))
REDIS_AWAY_SECONDS = 3
PERSISTENT, FORGETFUL = ("--appendonly", "yes"), ()


@pytest.mark.parametrize(("database", "redis_options"), [(sqlite, PERSISTENT), (postgres, FORGETFUL)])
def test_no_email_is_lost(tmp_path: Path, database: Callable[..., object], redis_options: tuple[str, ...]) -> None:
    with database(tmp_path) as (address, restart_database):  # type: ignore[attr-defined]
        site = Site(tmp_path, address, redis_options)
        visitors = Visitors(site.port, SEED)
        try:
            site.start()
            visitors.start()
            slowest_seconds = slowest_page_while_redis_is_away(site, visitors)
            faults = Faults(site, SEED, restart_database)
            faults.run(SECONDS)
            visitors.stop()
            let_everything_arrive(site)
            print(f"\n{dict(Counter(faults.log))}")  # noqa: T201
            report(site, visitors, slowest_seconds)
        finally:
            visitors.stop()
            site.stop()


def slowest_page_while_redis_is_away(site: Site, visitors: Visitors) -> float:
    """Return the seconds of the slowest page while Redis first refuses connections, then accepts and ignores them."""
    time.sleep(2)
    started_at = time.monotonic()
    site.redis.kill()
    time.sleep(REDIS_AWAY_SECONDS)
    site.redis.start()
    site.redis.freeze()
    time.sleep(REDIS_AWAY_SECONDS)
    ended_at = time.monotonic()
    site.redis.thaw()
    return visitors.slowest_seconds(started_at, ended_at)


def let_everything_arrive(site: Site) -> None:
    """End the faults, and make all waiting emails due."""
    site.kill_worker()
    site.heal()
    site.retry_dead()
    site.end_waits()
    site.start_worker()
    wait_until(lambda: set(site.email_states()) == {"sent"}, 60, "the delivery of every email")


def report(site: Site, visitors: Visitors, slowest_seconds: float) -> None:
    """Print the counts; fail on a lost email, too many duplicates or a slow page."""
    got = site.smtp.count_by_recipient()
    accepted = visitors.accepted()
    lost = [email for email in accepted if got[email] == 0]
    doubled = sum(count - 1 for count in got.values())
    print(  # noqa: T201 - the figures of docs/delivery.md
        f"\n{len(accepted)} sign-ups of {len(visitors.visits)} tried, {len(lost)} lost, {doubled} doubled, "
        f"{site.kills} kills, slowest page without Redis {slowest_seconds:.2f} s"
    )
    assert len(accepted) > 20
    assert lost == []
    assert site.users_without_email() == 0
    assert doubled <= site.kills
    # Two timeouts of half a second, with room for a busy machine; retries would take many more.
    assert slowest_seconds <= 2
