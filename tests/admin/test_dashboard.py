"""Tests for the dashboard: figures from the database, health from /up/ready."""

import re
from datetime import timedelta

from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import update

from app import email, health
from app.admin.figures import current_figures, sign_ups_by_day
from app.kit.db.database import utc_now
from app.kit.mail.rows import EmailState
from app.kit.pages.chart import Bar, bar_chart
from app.models import Email, User
from tests.factories import make_invited, make_user
from tests.queries import recorded_queries


def test_figures_count_what_is_there(client: FlaskClient, admin: User, db: SQLAlchemy) -> None:
    make_invited()
    make_user(confirmed=False)
    gone = make_user()
    gone.disable("left")
    email.confirm.send(gone)
    db.session.commit()
    figures = current_figures()
    assert figures.users == 4
    assert (figures.invited, figures.unconfirmed, figures.disabled) == (1, 1, 1)
    assert (figures.waiting_emails, figures.dead_emails, figures.sessions) == (1, 0, 1)
    page = client.get("/admin/").text
    assert re.findall(r"<dd>(?:<a[^>]*>)?(\d+)<", page) == ["4", "1", "1", "1", "1", "1"]
    assert "4 sign-ups in 30 days" in page


def test_sign_ups_are_counted_by_day_with_one_query(client: FlaskClient, admin: User, db: SQLAlchemy) -> None:
    now = utc_now()
    for days in (0, 3, 3, 29, 30, 400):
        make_user(created_at=now - timedelta(days=days))
    with recorded_queries(db.engine) as queries:
        bars = sign_ups_by_day()
    assert len(queries) == 1
    assert [bar.number for bar in bars] == [1, *[0] * 25, 2, 0, 0, 2]
    assert bars[-1].label == f"{now.day} {now:%B}"


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
        page.index("Worker needs your attention") < page.index("1 email could not be sent") < page.index("sign-ups in")
    )
    assert "Nothing needs your attention" not in page


def test_the_health_row_names_each_part(client: FlaskClient, admin: User) -> None:
    page = client.get("/admin/").text
    for check in health.checks():
        assert check.name.capitalize() in page
    assert "It was never seen: start manage.py run_worker." in page
