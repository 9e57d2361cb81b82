"""Ten thousand waiting emails are sent in one run, and memory does not grow."""

from collections.abc import Iterator

import psutil
import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import func, insert, select

from app.jobs import outbox
from app.kit.db.database import utc_now
from app.models import Email
from tests.kit.conftest import send_to
from tests.servers.faulty_smtp import SmtpServer
from tests.servers.forking import ForkedProcess
from tests.servers.waiting import wait_until

pytestmark = pytest.mark.chaos

EMAILS = 10_000
MEGABYTE = 2**20


@pytest.fixture
def smtp(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmtpServer]:
    server = SmtpServer().start()
    send_to(server, app, monkeypatch)
    yield server
    server.stop()


def test_a_backlog_drains_with_steady_memory(app: Flask, db: SQLAlchemy, smtp: SmtpServer) -> None:
    row = {"subject": "Hello", "template": "account/email/account_deleted", "context": {"full_name": "Ada"}}
    now = utc_now()
    rows = [{**row, "recipient": f"ada{number}@example.com", "created_at": now} for number in range(EMAILS)]
    db.session.execute(insert(Email), rows)
    db.session.commit()
    process = ForkedProcess(app, lambda: outbox.deliver(go_on=lambda: True) == 0)
    try:
        wait_until(lambda: len(smtp.accepted) >= EMAILS // 10, 60)
        memory = psutil.Process(process.pid).memory_info
        early = memory().rss
        wait_until(lambda: len(smtp.accepted) >= EMAILS - 100, 180)
        late = memory().rss
    finally:
        process.wait()
    assert db.session.scalar(select(func.count()).where(Email.state == "sent")) == EMAILS
    assert len(smtp.accepted) == EMAILS
    assert late - early < 5 * MEGABYTE
