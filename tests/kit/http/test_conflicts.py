"""A request that loses a conflict runs again from the start; nothing takes effect twice."""

from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from threading import Barrier, BrokenBarrierError

import pytest
from flask import Flask, flash, g, get_flashed_messages, request, session
from flask_login import current_user
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import delete, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm.exc import StaleDataError

from app import create_app
from app.access import ANYONE, access
from app.kit.db.database import lock_row, lock_unchanged
from app.kit.http.conflicts import MAX_RUNS
from app.models import EditableHTML, User
from tests.factories import let_in, make_user
from tests.separate_requests import SeparateRequests
from tests.together import together

runs: list[str] = []


@pytest.fixture(scope="module")
def _application(app: Flask) -> Flask:
    application = create_app("testing")
    application.test_client_class = SeparateRequests
    application.config["PROPAGATE_EXCEPTIONS"] = False
    add_views(application, application.extensions["sqlalchemy"])
    return application


@pytest.fixture
def racy_app(_application: Flask, db: SQLAlchemy) -> Iterator[Flask]:
    """Yield the application with views that raise conflicts, on the test's database."""
    runs.clear()
    yield _application
    with _application.app_context():
        _application.extensions["sqlalchemy"].engine.dispose()


def add_views(app: Flask, db: SQLAlchemy) -> None:
    both_hold_one = Barrier(2)

    @app.post("/lose/<int:times>")
    @access(ANYONE)
    def lose(times: int) -> dict[str, object]:
        runs.append(g.request_id)
        db.session.add(EditableHTML(editor_name=f"run {len(runs)}", value=""))
        db.session.flush()
        session["seen"] = session.get("seen", 0) + 1
        flash("hello")
        g.mark = g.get("mark", 0) + 1
        sent = request.files["upload"].read().decode() if request.files else request.form.get("text")
        if len(runs) <= times:
            raise StaleDataError
        db.session.commit()
        return {"seen": session["seen"], "flashes": get_flashed_messages(), "mark": g.mark, "sent": sent}

    @app.post("/same-name")
    @access(ANYONE)
    def same_name() -> str:
        runs.append("")
        db.session.add(EditableHTML(editor_name="taken" if len(runs) < 2 else "free", value=""))
        db.session.commit()
        return "done"

    @app.post("/broken")
    @access(ANYONE)
    def broken() -> str:
        runs.append("")
        db.session.add(EditableHTML(editor_name=None, value=""))
        db.session.commit()
        return "done"

    @app.post("/committed")
    @access(ANYONE)
    def committed() -> str:
        runs.append("")
        user = db.session.scalars(select(User)).one()
        db.session.execute(delete(User), execution_options={"synchronize_session": False})
        db.session.commit()
        return user.email

    @app.post("/busy")
    @access(ANYONE)
    def busy() -> str:
        runs.append("")
        raise OperationalError("SELECT", {}, Exception("the server went away"))

    @app.post("/leave")
    @access(ANYONE)
    def leave() -> str:
        runs.append("anonymous" if current_user.is_anonymous else "user")
        if len(runs) == 1:
            with app.app_context():  # another request
                db.session.execute(delete(User))
                db.session.commit()
            current_user.last_name = "Changed"
            db.session.commit()
        return runs[-1]

    @app.post("/lock/<int:first>/<int:second>")
    @access(ANYONE)
    def lock(first: int, second: int) -> str:
        runs.append("")
        for user_id in (first, second):
            lock_row(db.session, db.session.get_one(User, user_id))
            with suppress(BrokenBarrierError):
                both_hold_one.wait(0.3)
        db.session.commit()
        return "done"


def test_the_second_run_begins_as_the_first_did(racy_app: Flask, db: SQLAlchemy) -> None:
    client = racy_app.test_client()
    answer = client.post("/lose/2", data={"text": "typed"})
    assert answer.json == {"seen": 1, "flashes": ["hello"], "mark": 1, "sent": "typed"}
    assert len(runs) == 3
    assert len(set(runs)) == 1, "it is one request in the log"
    assert list(db.session.scalars(select(EditableHTML.editor_name))) == ["run 3"]
    assert client.post("/lose/0").json["seen"] == 2, "what the browser held is kept"


def test_an_upload_is_read_again(racy_app: Flask) -> None:
    form = {"upload": (BytesIO(b"content"), "file.txt")}
    answer = racy_app.test_client().post("/lose/1", data=form, content_type="multipart/form-data")
    assert answer.json["sent"] == "content"


def test_who_never_wins_is_told_so(racy_app: Flask, db: SQLAlchemy) -> None:
    answer = racy_app.test_client().post("/lose/99")
    assert answer.status_code == 409
    assert "Somebody was faster" in answer.text
    assert len(runs) == MAX_RUNS
    assert db.session.scalar(select(func.count()).select_from(EditableHTML)) == 0


def test_a_name_that_was_taken_meanwhile_is_met_again(racy_app: Flask, db: SQLAlchemy) -> None:
    db.session.add(EditableHTML(editor_name="taken", value=""))
    db.session.commit()
    assert racy_app.test_client().post("/same-name").text == "done"


def test_a_row_that_breaks_a_rule_every_time_is_an_error_of_ours(racy_app: Flask) -> None:
    assert racy_app.test_client().post("/broken").status_code == 500
    assert len(runs) == MAX_RUNS


def test_a_database_that_went_away_is_not_asked_again(racy_app: Flask) -> None:
    assert racy_app.test_client().post("/busy").status_code == 500
    assert len(runs) == 1


def test_what_is_committed_is_not_done_twice(racy_app: Flask, db: SQLAlchemy) -> None:
    make_user()
    assert racy_app.test_client().post("/committed").status_code == 409
    assert len(runs) == 1


def test_who_is_logged_in_is_looked_up_again(racy_app: Flask, db: SQLAlchemy) -> None:
    client = racy_app.test_client()
    let_in(client, make_user())
    db.session.commit()
    assert client.post("/leave").text == "anonymous"
    assert runs == ["user", "anonymous"]


def test_two_that_wait_for_each_other_both_end_well(racy_app: Flask, db: SQLAlchemy) -> None:
    one, other = make_user().id, make_user().id
    db.session.remove()
    paths = [f"/lock/{one}/{other}", f"/lock/{other}/{one}"]
    answers = together([lambda path=path: racy_app.test_client().post(path) for path in paths])
    assert [answer.text for answer in answers] == ["done", "done"]
    assert len(runs) == (3 if db.engine.dialect.name == "postgresql" else 2)


def test_a_row_that_was_changed_or_deleted_meanwhile_is_not_held(app: Flask, db: SQLAlchemy) -> None:
    user, neighbor = make_user(), make_user()
    lock_unchanged(db.session, user, neighbor)
    db.session.commit()
    assert user.first_name
    with app.app_context():
        db.session.get_one(User, user.id).password = "another long password"
        db.session.commit()
    with pytest.raises(StaleDataError):
        lock_unchanged(db.session, user, neighbor)
    db.session.rollback()
    assert user.first_name
    with app.app_context():
        db.session.execute(delete(User))
        db.session.commit()
    for lock in (lock_row, lock_unchanged):
        with pytest.raises(StaleDataError):
            lock(db.session, user)
    db.session.rollback()


def test_only_what_decides_who_gets_in_makes_another_version(db: SQLAlchemy) -> None:
    user = make_user()
    before = user.access_version
    user.last_name, user.confirmed = "Other", False
    db.session.commit()
    assert user.access_version == before
    for number, change in enumerate([{"email": "x@example.org"}, {"password": "y" * 12}, {"role": None}], 1):
        for name, value in change.items():
            setattr(user, name, value)
        db.session.commit()
        assert user.access_version == before + number
    user.disable("spam")
    db.session.commit()
    assert user.access_version == before + 4
