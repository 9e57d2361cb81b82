"""Tests for the dashboard: figures from the database, health from /up/ready."""

import re
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import update

from app import email, figures, health, jobs
from app.admin.figures import Figures
from app.kit.db.database import utc_now
from app.kit.mail.rows import EmailState
from app.kit.pages.chart import Bar, bar_chart
from app.models import AuditEvent, DailyFigure, Email, User, UserSession
from tests.admin.test_large_lists import plans
from tests.factories import make_admin, make_invited, make_user
from tests.queries import recorded_queries

FIGURE = re.compile(r'<dt>([^<]*)</dt><dd><a href="([^"]*)">([^<]*)<')


def shown(client: FlaskClient) -> dict[str, str]:
    """Return the figures on the dashboard by their labels."""
    return {label: text for label, _, text in FIGURE.findall(client.get("/admin/").text)}


def test_figures_count_what_is_there(client: FlaskClient, admin: User, db: SQLAlchemy) -> None:
    make_invited()
    make_user(confirmed=False)
    gone = make_user()
    gone.disable("left")
    email.confirm.send(gone)
    session = UserSession(user=make_user(), token_hash="x", last_seen_at=utc_now() - timedelta(days=3))
    db.session.add(session)
    AuditEvent.record("user.logged_in", subject=gone)
    db.session.commit()
    assert shown(client) == {
        "Users": "5",
        "Confirmed": "67%",
        "Not confirmed yet": "1",
        "Invited, not joined yet": "1",
        "Disabled": "1",
        "Active in the last day": "2",
        "Active in 7 days": "3",
        "Active in 30 days": "3",
        "Emails sent today (UTC)": "0",
        "Emails waiting": "1",
        "Failed jobs": "0",
    }
    assert "5 sign-ups</a> in 30 days" in client.get("/admin/").text
    for _, url, _ in FIGURE.findall(client.get("/admin/").text):
        assert client.get(unescape(url)).status_code == 200


def test_the_dashboard_shows_what_the_job_has_counted(client: FlaskClient, admin: User, db: SQLAlchemy) -> None:
    make_user()
    assert DailyFigure.query.count() == 0, "a GET stores nothing"
    jobs.count_figures()
    make_user()
    assert shown(client)["Users"] == "2"
    jobs.count_figures()
    jobs.count_figures()
    assert shown(client)["Users"] == "3"
    assert "Counted <time" in client.get("/admin/").text


def test_fake_users_are_counted_at_once(app: Flask, client: FlaskClient, admin: User) -> None:
    assert app.test_cli_runner().invoke(args=["add_fake_data", "-n", "4"]).exit_code == 0
    assert shown(client)["Users"] == "5"


def test_sign_ups_are_counted_by_day(client: FlaskClient, admin: User) -> None:
    now = utc_now()
    for days in (0, 3, 3, 29, 30, 400):
        make_user(created_at=now - timedelta(days=days))
    bars = Figures.latest().sign_ups
    assert [bar.number for bar in bars] == [1, *[0] * 25, 2, 0, 0, 2]
    assert bars[-1].label == f"{now.day} {now:%B}"
    jobs.count_figures()
    assert Figures.latest().sign_ups == bars


def test_the_sign_ups_of_a_day_are_counted_until_it_is_over(client: FlaskClient, admin: User, db: SQLAlchemy) -> None:
    yesterday, before = utc_now() - timedelta(days=1), utc_now() - timedelta(days=2)
    jobs.count_figures()
    # As after a day without a worker: yesterday's were counted before the day was over.
    db.session.execute(
        update(DailyFigure).where(DailyFigure.day == yesterday.date()).values(counted_at=yesterday.replace(hour=0))
    )
    for moment in (before, yesterday, utc_now()):
        make_user(created_at=moment)
    with recorded_queries(db.engine) as queries:
        jobs.count_figures()
    assert [bar.number for bar in Figures.latest().sign_ups[-3:]] == [0, 1, 2]
    [counting] = [one for one in queries if one.count("count(*)") > 1 and "users.created_at" in one]
    assert counting.count("count(*)") == 2, "one for each day that may not be complete"
    figures.store(anew=True)
    assert [bar.number for bar in Figures.latest().sign_ups[-3:]] == [1, 1, 2]


def test_the_dashboard_reads_no_table_of_users_emails_or_sessions(
    client: FlaskClient, admin: User, db: SQLAlchemy
) -> None:
    jobs.count_figures()
    with plans(db.engine) as found, recorded_queries(db.engine) as queries:
        client.get("/admin/")
    assert found
    # Login, figures, emails, samples, five health checks, newest users, latest events.
    assert len(queries) <= 11
    whole = ("SCAN users", "SCAN emails", "SCAN user_sessions", "SCAN audit_events", "Seq Scan on users")
    # The newest rows are read in the order of an index, which ends after five.
    assert not [plan for plan in found if any(name in plan for name in whole) and "LIMIT" not in plan]


def test_advice_names_what_is_left_to_do(
    client: FlaskClient, admin: User, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = client.get("/admin/").text
    assert "You are the only administrator." in page
    assert "No backups are made." in page
    assert "Sample data" not in page
    make_admin(email="someone@example.com")
    jobs.count_figures()
    assert "Sample data: 1 user has an address at example.com." in client.get("/admin/").text
    assert "Administrators can log in with a password alone." in page
    ours = {"BACKUP_DIR": "backups", "APP_NAME": "Ours", "ADMIN_PASSWORD": "", "SECOND_FACTOR_REQUIRED": "admin"}
    db.session.execute(update(UserSession).values(has_two_factors=True))
    db.session.commit()
    for name, value in ours.items():
        monkeypatch.setitem(client.application.config, name, value)
    page = client.get("/admin/").text
    assert re.findall("<li>([^<.:]*)[.:]", page) == ["Sample data"]
    monkeypatch.setitem(client.application.config, "NAME", "development")
    assert "Advice" not in client.get("/admin/").text


def test_a_chart_escapes_its_words_and_draws_nothing_as_a_line() -> None:
    chart = bar_chart([Bar("<b>", 0), Bar("two", 2)], 'A "title"', "days")
    assert 'aria-label="A &#34;title&#34;"' in chart
    assert "<title>&lt;b&gt;: 0 days</title>" in chart
    assert re.findall(r'height="(\d+)"', chart) == ["2", "120"]
    assert "<span>&lt;b&gt;</span><span>two</span>" in chart
    assert "<rect" not in bar_chart([], "Nothing", "days")


def test_what_needs_attention_comes_first(client: FlaskClient, admin: User, db: SQLAlchemy) -> None:
    email.confirm.send(make_user(confirmed=False))
    db.session.execute(update(Email).values(state=EmailState.DEAD))
    db.session.commit()
    page = client.get("/admin/").text
    assert (
        page.index("Worker needs your attention")
        < page.index("1 email could not be sent")
        < page.index("sign-ups</a> in")
    )
    assert "Nothing needs your attention" not in page


def test_the_health_row_names_each_part(client: FlaskClient, admin: User) -> None:
    page = client.get("/admin/").text
    for check in health.checks():
        assert check.name.capitalize() in page
    assert "It was never seen: start manage.py run_worker." in page
