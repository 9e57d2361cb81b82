"""Tests for exporting one's data and deleting one's account."""

import json
import re
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app.extensions import db
from app.jobs import export_data, purge_exports
from app.kit.db.database import utc_now
from app.models import AuditEvent, DataExport, Email, User, UserSession
from tests.account.mailed import mailed_kinds
from tests.factories import PASSWORD, make_admin, make_user, sign_in


def requested_export(client: FlaskClient) -> int:
    client.post("/account/manage/export")
    export_id = db.session.scalar(select(DataExport.id).order_by(DataExport.id.desc()))
    export_data(export_id)
    return export_id


def test_a_user_gets_a_copy_without_secrets(client: FlaskClient) -> None:
    user = make_user()
    sign_in(client, user)
    export_id = requested_export(client)
    assert mailed_kinds() == ["export_ready"]
    assert f"/export/{export_id}" in client.get("/account/manage/export").text
    answer = client.get(f"/account/manage/export/{export_id}")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=data-")
    assert json.loads(answer.data)["account"]["email"] == user.email
    assert user.password_hash not in answer.text
    assert [event["event"] for event in answer.json["events"]] == ["user.logged_in", "data.export_requested"]


def test_running_the_job_twice_mails_once(client: FlaskClient) -> None:
    sign_in(client, make_user())
    export_data(requested_export(client))
    assert mailed_kinds() == ["export_ready"]


def test_a_copy_is_its_owners_and_offered_for_a_day(app: Flask, client: FlaskClient) -> None:
    sign_in(client, make_user())
    export_id = requested_export(client)
    stranger = app.test_client()
    sign_in(stranger, make_user())
    assert stranger.get(f"/account/manage/export/{export_id}").status_code == 404
    db.session.execute(update(DataExport).values(created_at=utc_now() - timedelta(hours=25)))
    db.session.commit()
    assert client.get(f"/account/manage/export/{export_id}").status_code == 404
    purge_exports()
    assert db.session.scalar(select(DataExport.id)) is None


def test_a_copy_needs_a_recent_password(client: FlaskClient) -> None:
    sign_in(client, make_user())
    export_id = requested_export(client)
    db.session.execute(update(UserSession).values(reauthenticated_at=utc_now() - timedelta(minutes=16)))
    db.session.commit()
    answer = client.get(f"/account/manage/export/{export_id}")
    assert answer.location == f"/account/confirm-password?next=/account/manage/export/{export_id}"


def test_an_export_in_the_making_shows_when_it_is_ready(client: FlaskClient) -> None:
    sign_in(client, make_user())
    assert "Refresh" not in client.get("/account/manage/export").headers
    client.post("/account/manage/export")
    waiting = client.get("/account/manage/export")
    assert waiting.headers["Refresh"] == "5"
    assert "This page shows when it is ready." in waiting.text
    db.session.execute(update(DataExport).values(created_at=utc_now() - timedelta(minutes=6)))
    db.session.commit()
    late = client.get("/account/manage/export")
    assert "Refresh" not in late.headers, "no worker runs"
    assert "We send you an email when it is ready." in late.text
    export_data(db.session.scalar(select(DataExport.id)) or 0)
    ready = client.get("/account/manage/export")
    assert "Refresh" not in ready.headers
    assert re.search(r"deleted <time[^>]*>in 23 hours", ready.text)


def test_leaving_takes_everything_and_keeps_a_trace_without_a_name(client: FlaskClient) -> None:
    user = make_user()
    address, name = user.email, user.last_name
    sign_in(client, user)
    requested_export(client)
    assert b"Wrong password" in client.post("/account/manage/delete", data={"password": "wrong"}).data
    assert client.post("/account/manage/delete", data={"password": PASSWORD}).location == "/"
    assert client.get("/account/manage").status_code == 302
    assert User.with_email(address) is None
    assert mailed_kinds() == ["account_deleted"]
    assert db.session.scalar(select(Email.recipient)) == address
    events = list(db.session.scalars(select(AuditEvent).order_by(AuditEvent.id)))
    assert [event.event for event in events][-1] == "user.deleted_own_account"
    for event in events:
        assert (event.actor_id, event.subject_id, event.ip_address) == (None, None, "")
        assert address not in str(event.details)
        assert name not in str(event.details)


def test_the_last_administrator_cannot_leave(client: FlaskClient) -> None:
    admin = make_admin()
    sign_in(client, admin)
    assert b"last administrator" in client.post("/account/manage/delete", data={"password": PASSWORD}).data
    assert User.with_email(admin.email) is admin
    make_admin()
    assert client.post("/account/manage/delete", data={"password": PASSWORD}).location == "/"
