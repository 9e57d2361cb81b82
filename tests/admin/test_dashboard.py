"""Tests for the dashboard: figures from the database, health from /up/ready."""

import re

from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy

from app import email, health
from app.admin.figures import current_figures
from app.models import User
from tests.factories import make_invited, make_user


def test_figures_count_what_is_there(client: FlaskClient, admin: User, db: SQLAlchemy) -> None:
    make_invited()
    make_user(confirmed=False)
    gone = make_user()
    gone.disable("left")
    email.confirm.send(gone)
    db.session.commit()
    figures = current_figures()
    assert (figures.users, figures.new_users) == (4, 4)
    assert (figures.invited, figures.unconfirmed, figures.disabled) == (1, 1, 1)
    assert (figures.waiting_emails, figures.dead_emails, figures.sessions) == (1, 0, 1)
    shown = re.findall(r'class="card__figure">(\d+)<', client.get("/admin/").text)
    assert shown == ["4", "4", "1", "1", "1", "1", "0", "1"]


def test_the_health_row_names_each_part(client: FlaskClient, admin: User) -> None:
    page = client.get("/admin/").text
    for check in health.checks():
        assert check.name.capitalize() in page
    assert "never seen: start manage.py run_worker" in page
