"""Tests for exports of the list of users: complete, its maker's alone, for a day."""

import csv
from datetime import timedelta
from io import StringIO
from typing import IO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from app.admin import user_export
from app.admin.user_export import export_users
from app.extensions import db
from app.jobs import purge_exports
from app.kit.db.database import utc_now
from app.kit.storage.store import StorageError, current_store
from app.models import AuditEvent, BulkTask, Email, Role, StoredFile, User, UserSession, delete_user
from tests.admin.test_bulk_tasks import start
from tests.factories import browser_of, make_admin, make_invited, make_user


def exported(client: FlaskClient, query: str = "of=all") -> BulkTask:
    task = start(client, f"action=export&{query}")
    export_users(task.id)
    return db.session.get_one(BulkTask, task.id, populate_existing=True)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text, newline="")))


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_export, "ROWS_PER_BATCH", 2)


def test_the_filtered_list_is_written_and_mailed(client: FlaskClient, admin: User) -> None:
    users = [make_invited(last_name=name) for name in ("Wren", "=1+1", 'O"Neil, A', "Ärger", "☃")]
    make_user()
    task = exported(client, "of=all&state=invited&search=ada")
    assert (task.outcome, task.done, task.total) == ("done", 5, 5)
    response = client.get(f"/admin/bulk/{task.id}/users.csv")
    assert response.headers["Content-Disposition"].startswith("attachment; filename=users-")
    assert response.content_type == "text/csv; charset=utf-8"
    rows = rows_of(response.get_data(as_text=True))
    assert [row["last name"] for row in rows] == ["Wren", "'=1+1", 'O"Neil, A', "Ärger", "☃"]
    assert [row["id"] for row in rows] == [str(user.id) for user in users]
    assert rows[0] | {"id": "", "joined": ""} == {
        "id": "",
        "first name": "Ada",
        "last name": "Wren",
        "email": users[0].email,
        "account type": "User",
        "state": "invited",
        "joined": "",
        "reason for disabling": "",
    }
    assert [mail.recipient for mail in Email.query.filter_by(kind="users_exported")] == [admin.email]
    event = AuditEvent.query.filter_by(event="users.exported").one()
    assert event.details == {"count": 5, "change": "Export as CSV", "search": "ada", "state": "invited"}
    assert "Download" in client.get(f"/admin/bulk/{task.id}").text


def test_a_file_is_its_makers_alone_and_asks_for_the_password(app: Flask, client: FlaskClient, admin: User) -> None:
    task_id = exported(client).id
    other = browser_of(app, make_admin())
    for page in (f"/admin/bulk/{task_id}", f"/admin/bulk/{task_id}/users.csv"):
        assert client.get(page).status_code == 200
        assert other.get(page).status_code == 404
    assert other.post(f"/admin/bulk/{task_id}/cancel").status_code == 404
    assert f"/bulk/{task_id}" not in other.get("/admin/bulk").text
    db.session.execute(update(UserSession).values(reauthenticated_at=utc_now() - timedelta(hours=1)))
    db.session.commit()
    assert client.get(f"/admin/bulk/{task_id}/users.csv").location.startswith("/account/confirm-password")


def test_a_file_is_deleted_after_a_day(client: FlaskClient, admin: User) -> None:
    task = exported(client)
    key = task.file.key
    db.session.execute(update(StoredFile).values(created_at=utc_now() - timedelta(hours=25)))
    db.session.commit()
    assert client.get(f"/admin/bulk/{task.id}/users.csv").status_code == 404
    purge_exports()
    with pytest.raises(StorageError):
        current_store().read(f"{key}/original")
    assert "deleted" in client.get(f"/admin/bulk/{task.id}").text


def test_a_file_is_deleted_with_its_maker(client: FlaskClient, admin: User) -> None:
    make_admin()
    key = exported(client).file.key
    delete_user(admin)
    db.session.commit()
    assert BulkTask.query.count() == 0
    with pytest.raises(StorageError):
        current_store().read(f"{key}/original")


def test_one_at_a_time_for_each_administrator(client: FlaskClient, admin: User) -> None:
    start(client, "action=export&of=all")
    again = client.post("/admin/bulk/new?action=export&of=all&state=active", data={"count": "1"}, follow_redirects=True)
    assert "You have started the same before" in again.text


def test_an_export_that_was_interrupted_begins_anew(
    client: FlaskClient, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        make_user()
    task = start(client, "action=export&of=all")
    move, moves = BulkTask.move, iter(range(100))

    def die_in_the_middle(self: BulkTask, place: int, to: int, done: int = 1) -> bool:
        if next(moves) == 2:
            raise SystemExit
        return move(self, place, to, done)

    monkeypatch.setattr(BulkTask, "move", die_in_the_middle)
    with pytest.raises(SystemExit):
        export_users(task.id)
    db.session.rollback()
    assert db.session.get_one(BulkTask, task.id, populate_existing=True).done == 2
    export_users(task.id)
    export_users(task.id)
    rows = rows_of(client.get(f"/admin/bulk/{task.id}/users.csv").get_data(as_text=True))
    assert len(rows) == 5
    assert Email.query.filter_by(kind="users_exported").count() == 1


def test_a_canceled_export_and_one_without_permission_leave_no_file(client: FlaskClient, admin: User) -> None:
    make_admin()
    canceled = start(client, "action=export&of=all")
    client.post(f"/admin/bulk/{canceled.id}/cancel")
    export_users(canceled.id)
    stopped = start(client, "action=export&of=all")
    admin.role = Role.with_name("User")
    db.session.commit()
    export_users(stopped.id)
    assert [task.outcome for task in BulkTask.query.order_by(BulkTask.id)] == ["called off", "stopped"]
    assert StoredFile.query.count() == 0


def test_a_file_that_cannot_be_stored_is_said(
    app: Flask, client: FlaskClient, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FullStore:
        def write(self, path: str, content: IO[bytes]) -> None:
            raise StorageError("full")

    monkeypatch.setitem(app.extensions, "storage", FullStore())
    task = exported(client)
    assert task.outcome == "failed"
    assert "could not be stored" in client.get(f"/admin/bulk/{task.id}").text


def test_a_file_that_cannot_be_read_is_no_error_page(client: FlaskClient, admin: User) -> None:
    task = exported(client)
    current_store().delete(task.file.key)
    page = client.get(f"/admin/bulk/{task.id}/users.csv", follow_redirects=True)
    assert "The file cannot be read just now" in page.text
