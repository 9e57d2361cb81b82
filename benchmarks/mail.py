"""Measure how fast emails are delivered and jobs run, compared with plain smtplib and rq on the same machine.

    python -m benchmarks.mail               three rounds, about a minute and a half
    python -m benchmarks.mail --quick       one round

Deliveries: `manage.py run_worker` with a full outbox, compared with a loop over smtplib that opens a
connection for each message, both to the same local SMTP server. Jobs: the kit's worker, compared with a
plain `rq worker`. Times are from the first to the last message or job that arrived. Exits with 1 if a
bar is missed.
"""

import argparse
import os
import signal
import smtplib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP as SMTP_LINES
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.mail_jobs import COUNT_FILE
from tests.servers import start_redis
from tests.servers.redis import free_port
from tests.servers.waiting import wait_until
from tests.servers.web import production_environment

if TYPE_CHECKING:
    from app.kit.mail.catalog import Rendered

EMAILS = 1500
LOOP_EMAILS = 500
JOBS = 200
STOCK_JOBS = 20
WRITES = 500
DELIVERY_BAR = 1.0
SENDER, RECIPIENT = "site@example.com", "ada@example.org"


def main() -> None:
    """Print the rates, and exit with 1 if the kit's deliveries are slower than the loop."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one round instead of three")
    rounds = 1 if parser.parse_args().quick else 3
    with tempfile.TemporaryDirectory() as name, start_redis(Path(name) / "redis") as redis_url:
        folder = Path(name)
        with mail_sink(folder) as port:
            os.environ.update(production_environment(f"sqlite:///{folder / 'mail.sqlite'}", redis_url, free_port()))
            os.environ.update(MAIL_SERVER="127.0.0.1", MAIL_PORT=str(port), MAIL_USE_TLS="false", LOG_LEVEL="CRITICAL")
            os.environ[COUNT_FILE] = str(folder / "jobs")
            prepare()
            delivery_ratio = compare_deliveries(folder, port, rounds)
            measure_writing()
            compare_jobs(folder, rounds)
    sys.exit(0 if delivery_ratio >= DELIVERY_BAR else 1)


@contextmanager
def mail_sink(folder: Path) -> Iterator[int]:
    """Run the SMTP server, and yield its port."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.mail_sink", str(port), str(folder / "mails")]
    server = subprocess.Popen(command)  # noqa: S603
    try:
        wait_until((folder / "mails").exists, 10)
        wait_until(lambda: listens(port), 10)
        yield port
    finally:
        server.kill()
        server.wait()


def listens(port: int) -> bool:
    """Return whether the SMTP server is ready."""
    try:
        smtplib.SMTP("127.0.0.1", port).quit()
    except OSError:
        return False
    return True


def prepare() -> None:
    """Create the tables, and the user who gets all emails."""
    from app import create_app
    from app.extensions import db
    from app.kit.db.migrations import upgrade
    from app.models import Role, User

    with create_app().app_context():
        upgrade()
        Role.insert_roles()
        db.session.add(User(email=RECIPIENT, first_name="Ada", password="seven-blue-teapots-sing"))  # noqa: S106
        db.session.commit()


def compare_deliveries(folder: Path, port: int, rounds: int) -> float:
    """Print messages per second of the kit and of two loops, and return the median ratio to the faster loop."""
    kit, building, sending = [], [], []
    for _ in range(rounds):
        sending.append(loop_rate(port, build_each=False))
        fill_outbox()
        kit.append(rate(folder / "mails", EMAILS, worker_command()))
        building.append(loop_rate(port, build_each=True))
    for name, loop in (("that builds each message", building), ("that only sends", sending)):
        ratio = median(fast / plain for fast, plain in zip(kit, loop, strict=True))
        print(f"deliveries a second   kit {median(kit):6.0f}   loop {name} {median(loop):6.0f}   ratio {ratio:.2f}")
    return ratio


def loop_rate(port: int, *, build_each: bool) -> float:
    """Return messages per second of a loop over smtplib with a connection for each.

    The message has the text of the kit's confirmation email. It is built for each delivery with
    ``build_each``, else once in advance.
    """
    from app import create_app, email

    with create_app().app_context():
        preview = email.confirm.preview()
    message = plain_message(preview)
    started_at = time.monotonic()
    for _ in range(LOOP_EMAILS):
        with smtplib.SMTP("127.0.0.1", port) as server:
            server.sendmail(SENDER, [RECIPIENT], plain_message(preview) if build_each else message)
    return LOOP_EMAILS / (time.monotonic() - started_at)


def plain_message(rendered: "Rendered") -> bytes:
    """Return the message as built by the standard library."""
    message = EmailMessage(policy=SMTP_LINES)
    message["From"], message["To"], message["Subject"] = SENDER, RECIPIENT, rendered.subject
    message.set_content(rendered.text)
    message.add_alternative(rendered.html, subtype="html")
    return message.as_bytes()


def fill_outbox() -> None:
    """Queue confirmation emails for the next round."""
    from app import create_app, email
    from app.extensions import db
    from app.models import User

    with create_app().app_context():
        user = User.with_email(RECIPIENT)
        for _ in range(EMAILS):
            email.confirm.send(user)
        db.session.commit()


def worker_command() -> list[str]:
    """Return the command that runs the kit's worker."""
    return [sys.executable, "manage.py", "run_worker"]


def rate(file: Path, count: int, command: list[str]) -> float:
    """Run ``command`` until it has added ``count`` bytes to ``file``; return bytes per second after the first."""
    before = size(file)
    process = subprocess.Popen(command)  # noqa: S603
    try:
        wait_until(lambda: size(file) > before, 60)
        started_at, first = time.monotonic(), size(file) - before
        wait_until(lambda: size(file) - before >= count, 300)
        return (count - first) / (time.monotonic() - started_at)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def size(file: Path) -> int:
    """Return the size of a file in bytes; 0 if it does not exist."""
    return file.stat().st_size if file.exists() else 0


def measure_writing() -> None:
    """Print the time that an email adds to a transaction, with and without Redis."""
    from app import create_app

    app = create_app()
    with app.app_context():
        plain = writing_seconds(with_email=False)
        sending = writing_seconds(with_email=True)
        app.extensions["queue_paused_until"] = time.monotonic() + 60
        paused = writing_seconds(with_email=True)
    print(
        f"a transaction, ms     plain {plain * 1000:6.2f}   with an email {sending * 1000:6.2f}"
        f"   with an email while Redis is away {paused * 1000:6.2f}"
    )


def writing_seconds(*, with_email: bool) -> float:
    """Return the median time in seconds of a transaction that changes a user and, if wanted, sends an email."""
    from app import email
    from app.extensions import db
    from app.models import User

    times = []
    for number in range(WRITES):
        started_at = time.perf_counter()
        user = User.with_email(RECIPIENT)
        user.last_name = str(number)
        if with_email:
            email.confirm.send(user)
        db.session.commit()
        times.append(time.perf_counter() - started_at)
        db.session.remove()
    return median(times)


def compare_jobs(folder: Path, rounds: int) -> None:
    """Print jobs per second of both workers."""
    kit, stock = [], []
    for _ in range(rounds):
        empty_queues_and_outbox()
        enqueue("benchmarks.mail_jobs.count_alone", "stock", STOCK_JOBS)
        command = [str(Path(sys.executable).with_name("rq")), "worker", "stock", "--url", os.environ["REDIS_URL"]]
        serializer = ["--serializer", "rq.serializers.JSONSerializer", "--quiet"]
        stock.append(rate(folder / "jobs", STOCK_JOBS, [*command, *serializer]))
        enqueue("benchmarks.mail_jobs.count_in_kit", "default", JOBS)
        kit.append(rate(folder / "jobs", JOBS, worker_command()))
    ratio = median(fast / plain for fast, plain in zip(kit, stock, strict=True))
    print(f"jobs a second         kit {median(kit):6.1f}   rq worker    {median(stock):6.1f}   ratio {ratio:.1f}")


def empty_queues_and_outbox() -> None:
    """Delete all jobs and emails."""
    from sqlalchemy import delete

    from app import create_app
    from app.extensions import db
    from app.models import Email

    app = create_app()
    with app.app_context():
        app.extensions["redis"].flushdb()
        db.session.execute(delete(Email))
        db.session.commit()


def enqueue(path: str, queue_name: str, count: int) -> None:
    """Enqueue the function at the dotted ``path``, ``count`` times."""
    from app import create_app
    from app.kit.jobs.queue import queue_named

    with create_app().app_context():
        for _ in range(count):
            queue_named(queue_name).enqueue_call(path)


if __name__ == "__main__":
    main()
