"""The tests (`manage.py test`): pytest in its own process, on SQLite or PostgreSQL."""

import os
import signal
import subprocess  # nosec B404 # runs pytest
import sys

from development.postgres import postgres_server

# One process more than cores, because some tests only wait for other processes.
ALL_TESTS = ["--numprocesses", str((os.cpu_count() or 1) + 1), "--dist", "worksteal"]
# The others run the same on every database. tests/conftest.py marks those that use it, by their fixtures.
DATABASE_TESTS = [*ALL_TESTS, "-m", "database and not attacks and not chaos and not thorough"]


def run_tests(pytest_arguments: list[str], *, on_postgres: bool) -> int:
    """Run pytest with these arguments and return its exit code.

    Without arguments run all tests on all cores; on PostgreSQL, those that use the database.
    """
    if not on_postgres:
        return _run_pytest(pytest_arguments or ALL_TESTS, {})
    # A plain SIGTERM would end this process without stopping the server.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with postgres_server() as address:
        return _run_pytest(pytest_arguments or DATABASE_TESTS, {"TEST_DATABASE_URL": address})


def _run_pytest(arguments: list[str], extra: dict[str, str]) -> int:
    environment = {**os.environ, **extra}
    # Containers set it to save space, but then each of dozens of processes would compile every package again.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    pytest = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "pytest", *arguments],  # nosec B603
        env=environment,
    )
    try:
        return pytest.wait()
    except KeyboardInterrupt:
        # The terminal sends Ctrl-C to pytest too. Wait for its summary.
        return pytest.wait()
    finally:
        pytest.terminate()
