"""The site as it runs in production: gunicorn and a worker, with every service they depend on."""

import os
import secrets
import signal
import subprocess
import sys
import urllib.request
from contextlib import suppress
from pathlib import Path

import psutil
import redis
from sqlalchemy import Engine, create_engine, text

from tests.servers.faulty_redis import RedisServer
from tests.servers.faulty_smtp import SmtpServer
from tests.servers.redis import free_port
from tests.servers.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
MAIL_TIMEOUT_SECONDS = 2


class Site:
    """Web server, worker, queue and mail server; the processes' logs are in ``folder``."""

    def __init__(self, folder: Path, database_url: str, redis_options: tuple[str, ...]) -> None:
        self.folder = folder
        self.redis = RedisServer(folder / "redis", *redis_options)
        self.smtp = SmtpServer()
        self.smtp.stall_seconds = MAIL_TIMEOUT_SECONDS + 1
        self.port = free_port()
        self.kills = 0
        self.engine: Engine = create_engine(database_url, pool_pre_ping=True)
        self._environment = self._settings(database_url)
        self._web: subprocess.Popen[bytes] | None = None
        self._worker: subprocess.Popen[bytes] | None = None

    def _settings(self, database_url: str) -> dict[str, str]:
        return {
            **os.environ,
            "FLASK_CONFIG": "production",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "DATA_KEYS": secrets.token_urlsafe(48),
            "BASE_URL": f"http://127.0.0.1:{self.port}",
            "SSL_DISABLE": "true",
            # Each visitor has its own IP address, so that rate limits do not apply.
            "PROXY_COUNT": "1",
            "DATABASE_URL": database_url,
            "REDIS_URL": self.redis.url,
            "MAIL_SERVER": "127.0.0.1",
            "MAIL_PORT": str(self.smtp.port),
            "MAIL_USE_TLS": "false",
            "MAIL_TIMEOUT": str(MAIL_TIMEOUT_SECONDS),
            "PORT": str(self.port),
            "HOST": "127.0.0.1",
            "LOG_LEVEL": "WARNING",
        }

    def start(self) -> None:
        """Start all processes."""
        self.redis.start()
        self.smtp.start()
        self._manage("build_assets")
        self._manage("db", "upgrade")
        self._web = self._run("web.log", "-m", "gunicorn", "app:create_app()")
        self.start_worker()
        wait_until(self._web_answers, what="the web server")

    def _manage(self, *arguments: str) -> None:
        subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=self._environment, check=True)

    def _run(self, log: str, *arguments: str) -> "subprocess.Popen[bytes]":
        with (self.folder / log).open("ab") as file:
            return subprocess.Popen(
                [sys.executable, *arguments], cwd=ROOT, env=self._environment, stdout=file, stderr=file
            )

    def _web_answers(self) -> bool:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}/up") as answer:
            return bool(answer.status == 200)
        return False

    def start_worker(self) -> None:
        """Start the worker, with all its processes."""
        self._worker = self._run("worker.log", "manage.py", "run_worker")

    def kill_worker(self) -> None:
        """Kill every process of the worker at once, as in a power failure."""
        assert self._worker is not None
        for process in [*self.worker_processes(), psutil.Process(self._worker.pid)]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._worker.wait()
        self.kills += 1
        self.end_leases()

    def worker_processes(self) -> list[psutil.Process]:
        """Return the worker's child processes: sweeper, queue worker, and a running job."""
        assert self._worker is not None
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self._worker.pid).children(recursive=True)
        return []

    def kill_one(self, process: psutil.Process) -> None:
        """Kill one process of the worker."""
        with suppress(psutil.NoSuchProcess):
            process.kill()
            self.kills += 1

    def end_leases(self) -> None:
        """Act as if two minutes had passed, so that the leases of a dead worker end."""
        self._execute("UPDATE emails SET due_at = created_at WHERE state = 'sending'")

    def end_waits(self) -> None:
        """Act as if a day had passed for emails that wait for a retry."""
        self._execute("UPDATE emails SET due_at = created_at WHERE state = 'pending'")

    def retry_dead(self) -> None:
        """Retry emails that failed for good, as an administrator can."""
        self._execute("UPDATE emails SET state = 'pending', attempts = 0, due_at = created_at WHERE state = 'dead'")

    def _execute(self, statement: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement))

    def email_states(self) -> dict[str, int]:
        """Return how many emails are in each state."""
        with self.engine.connect() as connection:
            rows = connection.execute(text("SELECT state, count(*) AS number FROM emails GROUP BY state")).all()
        return {row.state: row.number for row in rows}

    def users_without_email(self) -> int:
        """Return how many users were saved without the email that belongs to them."""
        query = "SELECT count(*) FROM users WHERE id NOT IN (SELECT user_id FROM emails WHERE user_id IS NOT NULL)"
        with self.engine.connect() as connection:
            return int(connection.execute(text(query)).scalar_one())

    def heal(self) -> None:
        """End all faults."""
        self.smtp.behavior.clear()
        self.smtp.stop()
        self.smtp.start()
        with suppress(redis.RedisError):
            self.redis.kill()
        self.redis.start()

    def stop(self) -> None:
        """Stop all processes."""
        for process in (self._worker, self._web):
            if process is not None and process.poll() is None:
                family = psutil.Process(process.pid).children(recursive=True)
                process.send_signal(signal.SIGKILL)
                for member in family:
                    with suppress(psutil.NoSuchProcess):
                        member.kill()
                process.wait()
        self.smtp.stop()
        self.redis.kill()
        self.engine.dispose()
