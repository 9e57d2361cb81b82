"""Tests for changes of many users: who is left out, what survives a killed worker, and who may stop it."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from rq import SimpleWorker
from sqlalchemy import select, text, update

from app.admin import bulk_tasks, user_actions
from app.admin.bulk_tasks import change_batch
from app.admin.jobs import continue_bulk_tasks
from app.extensions import db
from app.jobs import purge_audit_log
from app.kit.db.database import utc_now
from app.kit.jobs import queue
from app.models import AuditEvent, BulkTask, Email, Permission, Role, User, UserSession
from tests.factories import make_admin, make_invited, make_user
from tests.html_forms import forms_on
from tests.servers.waiting import in_threads

NEW = "/admin/bulk/new"


def start(client: FlaskClient, query: str, **fields: object) -> BulkTask:
    """Confirm a change as its page shows it, and return the task."""
    address = f"{NEW}?{query}"
    [form] = [form for form in forms_on(client.get(address).text) if "count" in form.values]
    response = client.post(address, data=form.values | fields)
    assert response.location.startswith("/admin/bulk/"), response.text
    return db.session.get_one(BulkTask, int(response.location.rpartition("/")[2]))


def finish(task: BulkTask) -> BulkTask:
    while change_batch(task.id):
        pass
    return db.session.get_one(BulkTask, task.id, populate_existing=True)


def left_out() -> dict[int, str]:
    rows = db.session.scalars(select(AuditEvent).where(AuditEvent.event == "user.left_out"))
    return {row.subject_id or 0: row.details["reason"] for row in rows}


def test_selected_users_are_disabled_and_the_others_are_not(client: FlaskClient, admin: User) -> None:
    chosen, other = [make_user(), make_user()], make_user()
    UserSession.start(chosen[0], True, "", "")
    db.session.commit()
    query = "&".join(["action=disable", *(f"user={user.id}" for user in chosen)])
    shown = client.get(f"{NEW}?{query}").text
    assert "2 users?" in shown
    assert chosen[0].display_name in shown
    task = finish(start(client, query, reason="Spam"))
    assert (task.outcome, task.done, task.left_out) == ("done", 2, 0)
    assert [user.disabled_reason for user in chosen] == ["Spam", "Spam"]
    assert not other.is_disabled
    assert db.session.scalar(select(UserSession.id).where(UserSession.user_id == chosen[0].id)) is None
    parent = db.session.get_one(AuditEvent, task.event_id)
    assert (parent.event, parent.actor_id, parent.details["count"]) == ("users.change_started", admin.id, 2)
    events = AuditEvent.query.filter_by(parent_id=parent.id).order_by(AuditEvent.id).all()
    assert [(row.event, row.actor_id, row.subject_id) for row in events] == [
        ("user.disabled", admin.id, user.id) for user in chosen
    ]
    page = client.get(f"/admin/audit?parent={parent.id}").text
    assert page.count("<tr>") == 3
    assert "Refresh" not in client.get(f"/admin/bulk/{task.id}").headers


def test_everybody_who_may_not_be_changed_is_left_out_and_listed(client: FlaskClient, admin: User) -> None:
    """The administrator's own account, every administrator, and whom the change does not fit."""
    other_admin, done, ordinary = make_admin(), make_user(), make_user()
    higher = Role(name="Owner", index="main", permissions=Permission.ADMINISTER | 0x100)
    db.session.add(higher)
    done.disable("Before")
    db.session.commit()
    owner = make_user("Owner")
    task = finish(start(client, "action=disable&of=all", reason="Spam"))
    assert left_out() == {
        admin.id: "your own account",
        other_admin.id: "has as many permissions as you, or more",
        owner.id: "has as many permissions as you, or more",
        done.id: "disabled already",
    }
    assert (task.done, task.left_out) == (5, 4)
    assert ordinary.is_disabled
    assert done.disabled_reason == "Before"
    page = client.get(f"/admin/bulk/{task.id}").text
    assert "has as many permissions as you, or more" in page
    assert owner.display_name in page
    assert not any(user.display_name in str(row.details) for row in AuditEvent.query for user in (done, owner))


def test_all_of_a_filter_means_those_that_were_shown(client: FlaskClient, admin: User) -> None:
    off, first_id, second = make_user(), make_user(confirmed=False).id, make_user(confirmed=False)
    task = start(client, "action=delete&of=all&state=unconfirmed")
    assert (task.total, task.chosen) == (2, {"state": "unconfirmed"})
    second.confirmed = True
    later = make_user(confirmed=False)
    finish(task)
    assert set(User.query) == {admin, off, second, later}
    assert AuditEvent.query.filter_by(event="user.deleted").one().former_subject_id == first_id


def test_a_number_that_has_changed_is_shown_again(client: FlaskClient, admin: User) -> None:
    make_user(confirmed=False)
    address = f"{NEW}?action=delete&of=all&state=unconfirmed"
    [form] = [form for form in forms_on(client.get(address).text) if "count" in form.values]
    make_user(confirmed=False)
    again = client.post(address, data=form.values)
    assert "Meanwhile their number has changed" in again.text
    assert "2 users?" in again.text
    assert BulkTask.query.count() == 0


@pytest.mark.parametrize("query", ["state=nonsense", "role=999999", "role=x", "role=" + "9" * 5000])
def test_a_filter_that_is_not_known_finds_nobody_instead_of_everybody(
    client: FlaskClient, admin: User, query: str
) -> None:
    page = client.get(f"{NEW}?action=delete&of=all&{query}")
    assert "0 users?" in page.text
    assert not [form for form in forms_on(page.text) if "count" in form.values]


@pytest.mark.parametrize("query", ["", "action=disable", "action=x&of=all", "action=delete&user=x&user=" + "9" * 5000])
def test_nothing_chosen_leads_back_to_the_list(client: FlaskClient, admin: User, query: str) -> None:
    assert client.get(f"{NEW}?{query}").location == "/admin/users"


def test_roles_invitations_and_enabling(client: FlaskClient, admin: User) -> None:
    invited, joined = make_invited(), make_user()
    role = Role(name="Editor", index="main", permissions=Permission.GENERAL | 0x10)
    db.session.add(role)
    joined.disable("Spam")
    db.session.commit()
    people = f"user={invited.id}&user={joined.id}"
    finish(start(client, f"action=role&{people}", role=role.id))
    assert invited.role is joined.role is role
    finish(start(client, f"action=resend&{people}"))
    assert [mail.user_id for mail in Email.query.filter_by(kind="invite")] == [invited.id]
    finish(start(client, f"action=enable&{people}"))
    assert not joined.is_disabled
    assert left_out() == {joined.id: "not waiting for an invitation", invited.id: "not disabled"}


def test_a_killed_worker_has_done_whole_users_and_another_goes_on(
    client: FlaskClient, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = [make_invited() for _ in range(5)]
    task = start(client, "action=resend&" + "&".join(f"user={user.id}" for user in users))
    resend, turns = user_actions.resend_invitation, iter(range(5))

    def die_at_the_third(user: User) -> None:
        resend(user)
        if next(turns) == 2:
            raise SystemExit

    monkeypatch.setattr(user_actions, "resend_invitation", die_at_the_third)
    with pytest.raises(SystemExit):
        change_batch(task.id)
    db.session.rollback()
    assert (db.session.get_one(BulkTask, task.id).done, Email.query.count()) == (2, 2)
    monkeypatch.setattr(user_actions, "resend_invitation", resend)
    finish(task)
    finish(task)
    assert sorted(mail.user_id for mail in Email.query) == [user.id for user in users]
    assert AuditEvent.query.filter_by(event="user.invited_again").count() == 5


def test_two_workers_change_nobody_twice(app: Flask, client: FlaskClient, admin: User) -> None:
    users = [make_invited() for _ in range(20)]
    task_id = start(client, "action=resend&" + "&".join(f"user={user.id}" for user in users)).id
    db.session.commit()

    def work() -> None:
        with app.app_context():
            change_batch(task_id)

    in_threads(3, work)
    assert sorted(mail.user_id for mail in Email.query) == [user.id for user in users]
    assert db.session.get_one(BulkTask, task_id, populate_existing=True).outcome == "done"


def test_the_worker_does_all_batches_and_the_export(
    app: Flask, client: FlaskClient, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_tasks, "USERS_PER_BATCH", 2)
    app.extensions["redis"].flushdb()
    users = [make_user() for _ in range(5)]
    start(client, "action=disable&" + "&".join(f"user={user.id}" for user in users))
    start(client, "action=export&of=all")
    own = queue.connect(app.config["REDIS_URL"], timeout_seconds=None)
    worker = SimpleWorker(
        [queue.queue_named(connection=own)], connection=own, serializer="rq.serializers.JSONSerializer"
    )
    worker.work(burst=True, logging_level="CRITICAL")
    own.close()
    db.session.expire_all()
    assert [(task.outcome, task.done) for task in BulkTask.query.order_by(BulkTask.id)] == [("done", 5), ("done", 6)]
    assert all(user.is_disabled for user in users)


def test_a_task_goes_on_in_batches_until_it_is_canceled(
    app: Flask, client: FlaskClient, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_tasks, "USERS_PER_BATCH", 2)
    users = [make_user() for _ in range(6)]
    task = start(client, "action=disable&" + "&".join(f"user={user.id}" for user in users))
    assert change_batch(task.id)
    page = client.get(f"/admin/bulk/{task.id}")
    assert page.headers["Refresh"] == "3"
    assert "2 of 6" in page.text
    client.post(f"/admin/bulk/{task.id}/cancel")
    client.post(f"/admin/bulk/{task.id}/cancel")
    assert not change_batch(task.id)
    assert sum(user.is_disabled for user in User.query) == 2
    assert AuditEvent.query.filter_by(event="users.change_canceled").one().parent_id == task.event_id
    assert "canceled" in client.get("/admin/bulk").text


def test_a_task_ends_when_its_administrator_is_one_no_longer(client: FlaskClient, admin: User) -> None:
    make_admin()
    task = start(client, f"action=disable&user={make_user().id}")
    admin.role = Role.with_name("User")
    db.session.commit()
    assert finish(task).outcome == "stopped"
    assert not [user for user in User.query if user.is_disabled]


def test_a_task_goes_with_its_administrator(client: FlaskClient, admin: User) -> None:
    make_admin()
    task_id = start(client, f"action=disable&user={make_user().id}").id
    user_actions.delete_user(admin)
    db.session.commit()
    assert not change_batch(task_id)
    assert BulkTask.query.count() == 0


def test_data_that_needs_an_account_keeps_only_that_one(client: FlaskClient, admin: User) -> None:
    kept, gone = make_user(), make_user()
    db.session.execute(text("CREATE TABLE needs (user_id INTEGER REFERENCES users(id))"))
    db.session.execute(text("INSERT INTO needs VALUES (:id)"), {"id": kept.id})
    db.session.commit()
    try:
        task = finish(start(client, f"action=delete&user={kept.id}&user={gone.id}"))
        assert left_out() == {kept.id: "other data needs this account"}
        assert (task.done, task.left_out) == (2, 1)
        assert set(User.query) == {admin, kept}
    finally:
        db.session.rollback()
        db.session.execute(text("DROP TABLE needs"))
        db.session.commit()


def test_a_task_is_purged_with_the_audit_log(
    app: Flask, client: FlaskClient, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(client, f"action=disable&user={make_user().id}")
    monkeypatch.setitem(app.config, "AUDIT_RETENTION_DAYS", 30)
    purge_audit_log()
    assert BulkTask.query.count() == 1
    db.session.execute(update(BulkTask).values(created_at=utc_now() - timedelta(days=31)))
    db.session.commit()
    purge_audit_log()
    assert BulkTask.query.count() == 0


def test_a_second_click_starts_nothing(client: FlaskClient, admin: User) -> None:
    query = f"action=disable&user={make_user().id}"
    start(client, query)
    again = client.post(f"{NEW}?{query}", data={"count": "1"}, follow_redirects=True)
    assert "You have started the same before" in again.text
    assert BulkTask.query.count() == 1


def test_what_the_queue_has_lost_is_enqueued_again(app: Flask, client: FlaskClient, admin: User) -> None:
    task = start(client, f"action=disable&user={make_user().id}")
    app.extensions["redis"].flushdb()
    continue_bulk_tasks()
    assert queue.queue_named().jobs == [], "somebody may still be at it"
    db.session.execute(update(BulkTask).values(moved_at=utc_now() - timedelta(minutes=3)))
    db.session.commit()
    continue_bulk_tasks()
    assert [job.args for job in queue.queue_named().jobs] == [[task.id]]


def test_the_list_offers_what_can_be_done_without_a_script(client: FlaskClient, admin: User) -> None:
    user = make_user(confirmed=False)
    page = client.get("/admin/users?state=unconfirmed").text
    assert f'form="bulk" name="user" value="{user.id}"' in page
    [form] = [form for form in forms_on(page) if "action" in form.values and form.action == NEW]
    assert form.values["state"] == "unconfirmed"
