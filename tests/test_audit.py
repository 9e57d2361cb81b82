"""Tests for the sentences of the audit log: each event has one, and each is used."""

import ast
from pathlib import Path

from flask import Flask
from markupsafe import Markup

from app.audit import SENTENCES, details, labels, sentence
from app.models import AuditEvent

APP = Path(__file__).parent.parent / "app"


def recorded_events() -> set[str]:
    """Return every event that the code records: the strings in the first argument of ``AuditEvent.record``."""
    calls = [
        node
        for path in APP.rglob("*.py")
        if "AuditEvent.record" in (source := path.read_text())
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "AuditEvent.record"
    ]
    parts = [part for call in calls for part in ast.walk(call.args[0]) if isinstance(part, ast.Constant)]
    return {str(part.value) for part in parts}


def test_each_event_has_a_sentence(app: Flask) -> None:
    known, recorded = set(app.extensions["audit_sentences"]), recorded_events()
    assert len(recorded) > 20
    assert not recorded - known, "add it to app/audit.py, or to `audit` of its Area"
    # The view of the jobs passes the names on.
    assert set(SENTENCES) - recorded == {"job.retried", "job.discarded"}


def test_a_sentence_escapes_what_was_typed(app: Flask) -> None:
    event = AuditEvent(event="page.edited", details={"page": "<b>", "note_id": 3, "uid": "x", "empty": ""})
    with app.app_context():
        assert sentence(event, Markup("<i>Ada</i>"), "") == "<i>Ada</i> edited the page “&lt;b&gt;”"
        assert list(details(event)) == [("note id", 3)]


def test_nobody_is_named_twice(app: Flask) -> None:
    own = AuditEvent(event="email.changed", actor_id=1, subject_id=1, details={})
    of_namesake = AuditEvent(event="email.changed", actor_id=1, subject_id=2, details={})
    of_deleted = AuditEvent(event="email.changed", former_actor_id=1, former_subject_id=1, details={})
    by_nobody = AuditEvent(event="email.changed", details={})
    with app.app_context():
        for event in (own, of_deleted):
            assert sentence(event, "Ada", "Ada") == "Ada changed the email address of their own account"
        for event in (of_namesake, by_nobody):
            assert sentence(event, "Ada", "Ada") == "Ada changed the email address of Ada"


def test_events_of_another_time_break_nothing(app: Flask) -> None:
    with app.app_context():
        assert sentence(AuditEvent(event="note.shared", details={"a": "{b}"}), "Ada", "Bob") == "note.shared"
        assert sentence(AuditEvent(event="job.retried", details={}), "Ada", "") == "Ada ran the failed job ? again"


def test_the_filter_has_words(app: Flask) -> None:
    with app.app_context():
        words = labels()
    assert words["user.logged_in"] == "Logged in"
    assert words["user.disabled"] == "Disabled …"
    assert len(set(words.values())) == len(words)
