"""Reports of errors: off without an address to send them to, and never with what opens a door."""

import sys

import pytest
from flask import Flask

from app.kit import error_tracking
from app.kit.environment import ConfigError
from app.kit.error_tracking import without_secrets

EVENT = {
    "transaction": "/account/confirm-account/<token>",
    "request": {
        "url": "https://example.org/account/confirm-account/CANARY",
        "query_string": "next=CANARY",
        "headers": {"Cookie": "session=CANARY", "Referer": "https://example.org/CANARY"},
        "cookies": {"session": "CANARY"},
        "data": {"password": "CANARY"},
        "env": {"REMOTE_ADDR": "CANARY"},
        "method": "POST",
    },
    "breadcrumbs": {"values": [{"message": "CANARY"}]},
}


def test_a_report_names_the_route_and_keeps_no_secret() -> None:
    report = without_secrets(EVENT)
    assert "CANARY" not in str(report)
    assert report["transaction"] == EVENT["transaction"]
    assert report["request"] == {"method": "POST"}


def test_a_report_of_a_job_has_no_request_and_passes() -> None:
    assert without_secrets({"message": "job failed"})["message"] == "job failed"


def test_without_an_address_nothing_is_loaded(bare_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)
    bare_app.config["SENTRY_DSN"] = ""
    error_tracking.init_app(bare_app)


def test_an_address_without_the_package_is_a_wrong_setting(bare_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)
    bare_app.config["SENTRY_DSN"] = "https://key@errors.example.org/1"
    with pytest.raises(ConfigError, match="SENTRY_DSN"):
        error_tracking.init_app(bare_app)
