"""Tests that no page of the administration links to one that its reader may not open."""

import re
from html import unescape

import pytest
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy

from app import jobs
from app.models import AuditEvent, Permission
from app.models.role import ABOUT_USERS
from app.setup import insert_documents
from tests.factories import make_role, make_user, sign_in

LINK = re.compile(r'<a [^>]*?href="(/[^"]*)"')
NARROW = [one for one in Permission if one not in (Permission.ADMINISTER, Permission.VIEW_DASHBOARD)]


@pytest.mark.usefixtures("kept_roles")
@pytest.mark.parametrize("permission", NARROW, ids=lambda one: one.name)
def test_whoever_sees_the_dashboard_gets_no_dead_link(
    client: FlaskClient, db: SQLAlchemy, permission: Permission
) -> None:
    seen = Permission.VIEW_USERS if permission & ABOUT_USERS else Permission.GENERAL
    role = make_role("Narrow", Permission.GENERAL | Permission.VIEW_DASHBOARD | permission | seen)
    AuditEvent.record("user.added", subject=make_user(email="sample@example.com"), actor=make_user())
    insert_documents()
    jobs.count_figures()
    sign_in(client, make_user(role.name))
    pages = {"/admin/"}
    for _ in range(2):
        for path in list(pages):
            page = client.get(path)
            assert page.status_code == 200, path
            pages |= {unescape(link) for link in LINK.findall(page.text) if link.startswith(("/admin", "/pages/"))}
    assert [path for path in pages if client.get(path).status_code != 200] == []
