"""Tests for `manage.py doctor`: each failure is provoked, and told with its cure and without a secret."""

import os
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import text
from werkzeug.serving import make_server

from app import commands, create_app, doctor, doctor_network, health, maintenance, operations, outside_view
from app.extensions import db as database
from app.kit.auth.provider_settings import Provider
from app.kit.core.data_keys import encrypt
from app.kit.core.finding import FAILURE, OK, WARNING, Finding
from app.kit.db import migrations
from app.kit.db.database import utc_now
from app.kit.jobs import queue
from app.kit.jobs.sweeper import SIGN_OF_LIFE
from app.models import AuthenticatorApp, ScheduledJob
from config import config
from tests.factories import make_admin
from tests.servers.faulty_smtp import SmtpServer
from tests.servers.redis import free_port

CHECKS = {check.__name__.strip("_"): check for check in doctor.CHECKS}
Patch = pytest.MonkeyPatch


def bad(findings: Iterator[Finding]) -> list[Finding]:
    """Return what is not ok; each has a cure."""
    found = [finding for finding in findings if finding.level != OK]
    assert all(finding.cure for finding in found)
    return found


def no_key(app: Flask, patch: Patch) -> None:
    patch.delenv("SECRET_KEY", raising=False)


def password_left(app: Flask, patch: Patch) -> None:
    patch.setenv("SECRET_KEY", "x" * 40)
    patch.setenv("ADMIN_PASSWORD", "canary-secret")


def sample_password(app: Flask, patch: Patch) -> None:
    make_admin(password="change-me")


def lost_data_key(app: Flask, patch: Patch) -> None:
    user = make_admin()
    database.session.add(AuthenticatorApp(user_id=user.id, encrypted_secret=encrypt(b"canary-secret")))
    database.session.commit()
    patch.setitem(app.config, "DATA_KEYS", ["another key" * 4])


def no_second_factor(app: Flask, patch: Patch) -> None:
    patch.setitem(app.config, "SECOND_FACTOR_REQUIRED", "none")


def stale_assets(app: Flask, patch: Patch) -> None:
    patch.setattr(app.extensions["assets"], "is_older_than", lambda _sources: True)


def wrong_clock(app: Flask, patch: Patch) -> None:
    patch.setattr(app.extensions["redis"], "time", lambda: (1, 0))


def full_disk(app: Flask, patch: Patch) -> None:
    patch.setattr(shutil, "disk_usage", lambda _path: type("Usage", (), {"free": 1000}))


def other_package(app: Flask, patch: Patch) -> None:
    patch.setattr(doctor, "_locked_packages", lambda: [("flask", "0.1"), ("nobody-has-this", "1")])


def closed_site(app: Flask, patch: Patch) -> None:
    maintenance.begin("closed")


def http_with_secure_cookies(app: Flask, patch: Patch) -> None:
    patch.setitem(app.config, "SSL_DISABLE", False)


def nobody_answers(app: Flask, patch: Patch) -> None:
    patch.setitem(app.config, "BASE_URL", f"http://127.0.0.1:{free_port()}")


def misspelled_provider(app: Flask, patch: Patch) -> None:
    misspelled = Provider("work", "Work", "http://localhost:1/", "canary-secret", "canary-secret")
    patch.setitem(app.config, "PROVIDERS", {"work": misspelled})


FAILURES: list[tuple[str, Callable[[Flask, Patch], None], str, str]] = [
    ("secrets", no_key, FAILURE, "the known one of development"),
    ("secrets", password_left, WARNING, "still set"),
    ("sample_passwords", sample_password, FAILURE, "one that everybody knows"),
    ("second_factors", lost_data_key, FAILURE, "cannot read secrets"),
    ("second_factors", no_second_factor, WARNING, "with a password alone"),
    ("assets", stale_assets, WARNING, "older than their sources"),
    ("clock", wrong_clock, FAILURE, "apart from that of Redis"),
    ("disk", full_disk, FAILURE, "0.0 GB free"),
    ("versions", other_package, WARNING, "flask, nobody-has-this"),
    ("maintenance", closed_site, WARNING, "only administrators get in"),
    ("certificate", http_with_secure_cookies, FAILURE, "cookies are made for the other"),
    ("providers", misspelled_provider, FAILURE, "Work: ConnectionError"),
    ("base_url", nobody_answers, FAILURE, "nothing answers"),
]


@pytest.mark.parametrize(("check", "provoke", "level", "says"), FAILURES)
def test_each_failure_is_told_and_gone_when_it_is_mended(
    app: Flask, db: SQLAlchemy, tmp_path: Path, check: str, provoke: Any, level: str, says: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(app.config, "MAINTENANCE_FILE", tmp_path / "maintenance")
        patch.setenv("SECRET_KEY", "x" * 40)
        patch.setitem(app.config, "SECOND_FACTOR_REQUIRED", "admin")
        if check != "base_url":
            assert bad(CHECKS[check]()) == []
        provoke(app, patch)
        [finding] = bad(CHECKS[check]())
        assert (finding.level, says in finding.text) == (level, True)
        assert "canary-secret" not in str(finding)


def test_failures_of_services_are_those_of_the_health_checks(app: Flask, db: SQLAlchemy, monkeypatch: Patch) -> None:
    monkeypatch.setitem(app.extensions, "redis", queue.connect("redis://127.0.0.1:1/0", timeout_seconds=0.1))
    assert {finding.name for finding in bad(CHECKS["services"]())} == {"queue", "worker"}
    assert doctor.CURES.keys() == {check.name for check in health.checks()}


def test_tables_that_differ_from_the_models_are_told(app: Flask, db: SQLAlchemy) -> None:
    assert bad(CHECKS["tables"]()) == []
    with db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE forgotten (id INTEGER)"))
    try:
        [finding] = bad(CHECKS["tables"]())
    finally:
        with db.engine.begin() as connection:
            connection.execute(text("DROP TABLE forgotten"))
    assert "forgotten" in finding.text


def test_sqlite_without_full_text_search_is_told(app: Flask, db: SQLAlchemy, monkeypatch: Patch) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("only SQLite can be built without")
    monkeypatch.setattr(db.session, "scalars", lambda _query: ["THREADSAFE=1"])
    assert [finding.level for finding in bad(CHECKS["versions"]())] == [FAILURE]


Wrap = Callable[[Any], Any]


def adding(count: int) -> Wrap:
    """Return what so many proxies do that append to X-Forwarded-For."""

    def wrap(application: Any) -> Any:
        def proxied(environ: dict[str, Any], start_response: Any) -> Any:
            for number in range(count):
                before = environ.get("HTTP_X_FORWARDED_FOR")
                parts = [part for part in (before, environ["REMOTE_ADDR"]) if part]
                environ.update(HTTP_X_FORWARDED_FOR=", ".join(parts), REMOTE_ADDR=f"10.0.0.{number}")
            return application(environ, start_response)

        return proxied

    return wrap


def deleting(application: Any) -> Any:
    def proxied(environ: dict[str, Any], start_response: Any) -> Any:
        environ.pop("HTTP_X_FORWARDED_FOR", None)
        return application(environ, start_response)

    return proxied


def saying(status: str, content: bytes = b"", *headers: tuple[str, str]) -> Wrap:
    def other_site(_environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response(status, [*headers])
        return [content]

    return lambda _application: other_site


@contextmanager
def served(application: Any, app: Flask, patch: Patch) -> Iterator[None]:
    server = make_server("127.0.0.1", 0, application)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    patch.setitem(app.config, "BASE_URL", f"http://localhost:{server.port}")
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("proxy_count", "wrap", "level", "says"),
    [
        (0, adding(0), OK, "0, as PROXY_COUNT says"),
        (1, adding(1), OK, "1, as PROXY_COUNT says"),
        (0, adding(1), FAILURE, "PROXY_COUNT is 0, and a request passes 1"),
        (1, adding(2), FAILURE, "PROXY_COUNT is 1, and a request passes 2"),
        (1, adding(0), FAILURE, "visitors can choose their address"),
        (0, deleting, FAILURE, "a proxy deletes X-Forwarded-For"),
        (0, saying("200 OK", b"Welcome to nginx!"), FAILURE, "something else answers than this site"),
        (0, saying("404 Not Found"), FAILURE, "something else answers than this site (404)"),
        (0, saying("502 Bad Gateway"), FAILURE, "the proxy gets no answer (502)"),
        (0, saying("308 Moved", b"", ("Location", "https://x.example/")), FAILURE, "it redirects us"),
        (0, saying("400 Bad", b"add it to TRUSTED_HOSTS"), FAILURE, "asked for another host name"),
    ],
)
def test_the_site_is_asked_as_visitors_reach_it(
    app: Flask, db: SQLAlchemy, monkeypatch: Patch, proxy_count: int, wrap: Wrap, level: str, says: str
) -> None:
    monkeypatch.setenv("PROXY_COUNT", str(proxy_count))
    site = create_app("testing")
    with served(wrap(site), app, monkeypatch):
        findings = list(CHECKS["base_url"]())
    with site.app_context():
        site.extensions["sqlalchemy"].engine.dispose()
    assert (findings[-1].level, says in findings[-1].text) == (level, True), findings


def test_only_who_has_the_key_is_answered(app: Flask, db: SQLAlchemy, monkeypatch: Patch) -> None:
    client = app.test_client()
    assert client.get("/up/doctor").status_code == 404
    question = outside_view._serializer("question").dumps("q")
    assert client.get("/up/doctor", headers={"Authorization": f"Bearer {question}"}).status_code == 200
    monkeypatch.setitem(app.config, "SECRET_KEY", "another key")
    assert client.get("/up/doctor", headers={"Authorization": f"Bearer {question}"}).status_code == 404


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a certificate of 127.0.0.1 for three days, with its key."""
    file = tmp_path_factory.mktemp("tls") / "site.pem"
    subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "3")
    new = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    subprocess.run([*new, "-keyout", file, "-out", f"{file}.crt", *subject], check=True, capture_output=True)
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


@pytest.mark.parametrize(
    ("is_trusted", "level", "says"),
    [(True, WARNING, "valid for 2 days"), (False, FAILURE, "refused (CERTIFICATE_VERIFY")],
)
def test_a_certificate_is_looked_at(
    app: Flask, monkeypatch: Patch, certificate: Path, is_trusted: bool, level: str, says: str
) -> None:
    server = make_server("127.0.0.1", 0, app, threaded=True, ssl_context=(str(certificate), str(certificate)))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    trusting = ssl.create_default_context(cafile=f"{certificate}.crt")
    if is_trusted:
        monkeypatch.setattr(ssl, "create_default_context", lambda: trusting)
    monkeypatch.setitem(app.config, "BASE_URL", f"https://127.0.0.1:{server.port}")
    monkeypatch.setitem(app.config, "SSL_DISABLE", False)
    with app.app_context():
        [finding] = bad(CHECKS["certificate"]())
    server.shutdown()
    thread.join()
    server.server_close()
    assert (finding.level, says in finding.text) == (level, True), finding


def test_cookies_that_do_not_fit_the_address_are_told(app: Flask, db: SQLAlchemy, monkeypatch: Patch) -> None:
    monkeypatch.setitem(app.config, "SSL_DISABLE", False)
    assert bad(CHECKS["certificate"]())[0].name == "cookies"


@pytest.fixture
def smtp(app: Flask, db: SQLAlchemy, monkeypatch: Patch) -> Iterator[SmtpServer]:
    """Yield a mail server that the site uses."""
    server = SmtpServer().start()
    changes = {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": server.port, "MAIL_USE_TLS": False, "MAILBOX_DIR": None}
    for name, value in changes.items():
        monkeypatch.setitem(app.config, name, value)
    yield server
    server.stop()


def test_a_mail_server_that_takes_emails_gets_one_only_if_asked(smtp: SmtpServer) -> None:
    assert bad(doctor_network.mail_server("")) == []
    assert not smtp.messages
    assert bad(doctor_network.mail_server("ada@example.org")) == []
    assert [message["To"] for message in smtp.messages] == ["ada@example.org"]


@pytest.mark.parametrize(
    ("behavior", "settings", "send_to", "says"),
    [
        ({"mail": "550 no"}, {}, "", "refuses the sender"),
        ({"rcpt": "550 no"}, {}, "ada@example.org", "SMTPRecipientsRefused"),
        ({"connect": "close"}, {}, "", "SMTPServerDisconnected"),
        ({}, {"MAIL_PORT": free_port()}, "", "ConnectionRefusedError"),
        ({}, {"MAIL_USE_TLS": True}, "", "SMTPNotSupportedError"),
        ({}, {"MAIL_USERNAME": "ada", "MAIL_PASSWORD": "canary-secret"}, "", "SMTP"),
    ],
)
def test_a_mail_server_that_does_not_is_told_with_its_cure(
    app: Flask, smtp: SmtpServer, monkeypatch: Patch, behavior: dict, settings: dict, send_to: str, says: str
) -> None:
    smtp.behavior.update(behavior)
    for name, value in settings.items():
        monkeypatch.setitem(app.config, name, value)
    [finding] = bad(doctor_network.mail_server(send_to))
    assert finding.level == FAILURE
    assert says in finding.text
    assert "canary-secret" not in str(finding)


def test_settings_are_named_with_their_source_only(app: Flask, tmp_path: Path, monkeypatch: Patch) -> None:
    file = tmp_path / ".env"
    file.write_text("APP_NAME=canary-secret\nMAIL_SEVRER=x\nDATABASE_URL=of-another-environment\n")
    monkeypatch.setenv("APP_NAME", "canary-secret")
    monkeypatch.setenv("MAIL_SEVRER", "x")
    monkeypatch.setenv("DATABASE_URL", "of-another-environment")
    with app.app_context():
        findings = list(doctor._settings(file))
    assert "from .env: APP_NAME" in [finding.text for finding in findings]
    assert "nothing reads MAIL_SEVRER" in [finding.text for finding in findings]
    assert "canary-secret" not in str(findings)


def test_a_check_that_breaks_is_a_failure_and_the_others_go_on(app: Flask, db: SQLAlchemy, monkeypatch: Patch) -> None:
    def _broken() -> Iterator[Finding]:
        raise OSError("canary-secret")
        yield

    monkeypatch.setattr(doctor, "CHECKS", (_broken, CHECKS["disk"]))
    findings = list(doctor.examine(Path("nowhere")))
    assert Finding(FAILURE, "broken", "cannot be checked (OSError)", doctor.CURE_OF_UNKNOWN) in findings
    assert "disk" in {finding.name for finding in findings}
    assert "canary-secret" not in str(findings)


def test_a_new_checkout_is_told_its_migrations_and_nothing_that_follows_from_them(
    tmp_path: Path, monkeypatch: Patch
) -> None:
    monkeypatch.setenv("DEV_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.sqlite'}")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("PORT", str(free_port()))
    site = create_app("development")
    with site.app_context():
        findings = {finding.name: finding for finding in doctor.examine(tmp_path / ".env")}
        site.extensions["sqlalchemy"].engine.dispose()
    assert "None has run yet" in findings["migrations"].text
    assert "manage.py dev" in findings["base URL"].cure
    assert findings.keys().isdisjoint({"worker", "outbox", "search", "tables", "sample passwords"})
    assert not [finding for finding in findings.values() if "cannot be checked" in finding.text]


def test_the_database_of_another_branch_is_not_to_be_upgraded(app: Flask, db: SQLAlchemy, monkeypatch: Patch) -> None:
    monkeypatch.setattr("app.kit.db.migrations.current_revisions", lambda: {"of_a_branch"})
    [finding] = [finding for finding in bad(CHECKS["services"]()) if finding.name == "migrations"]
    assert "of_a_branch" in finding.text
    assert finding.cure == migrations.AHEAD_CURE


@pytest.fixture
def clean_environment(monkeypatch: Patch) -> None:
    """Restore the environment of this process after a command has changed it."""
    for name, value in dict(os.environ).items():
        monkeypatch.setenv(name, value)


def test_development_is_green_and_production_is_not(
    app: Flask, db: SQLAlchemy, tmp_path: Path, monkeypatch: Patch, clean_environment: None
) -> None:
    monkeypatch.setattr(doctor, "CHECKS", (CHECKS["secrets"], CHECKS["services"]))
    monkeypatch.setattr(operations, "RUNNING_SITE", tmp_path / "nowhere")
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setenv("DEV_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.sqlite'}")
    sites: list[Flask] = []

    def create() -> Flask:
        sites.append(create_app(os.environ.get("FLASK_CONFIG") or "development"))
        return sites[-1]

    line = commands.command_line(create)
    green = CliRunner().invoke(line, ["doctor"])
    with sites[0].app_context():
        sites[0].extensions["sqlalchemy"].engine.dispose()
    assert (green.exit_code, "failure" in green.output) == (0, False), green.output

    (tmp_path / "production").write_text("SECRET_KEY=canary-secret\nMAIL_SERVER=mail.example.org\n")
    red = CliRunner().invoke(line, ["doctor", "--env-file", str(tmp_path / "production")])
    assert red.exit_code == 1
    for name in ("SECRET_KEY", "BASE_URL", "DATABASE_URL"):
        assert f"failure  settings: {name}: " in red.output
    assert "MAIL_SERVER" not in red.output
    assert "canary-secret" not in red.output


def test_an_unreadable_line_of_another_settings_file_is_told(tmp_path: Path, clean_environment: None) -> None:
    (tmp_path / "production").write_text("SECRET_KEY='canary-secret\n")
    line = commands.command_line(lambda: create_app("testing"))
    result = CliRunner().invoke(line, ["doctor", "--env-file", str(tmp_path / "production")])
    assert (result.exit_code, f"{tmp_path / 'production'}, line 1: " in result.output) == (1, True), result.output
    assert "canary-secret" not in result.output


def test_a_healthy_site_has_no_failure(app: Flask, db: SQLAlchemy, monkeypatch: Patch) -> None:
    monkeypatch.setenv("SECRET_KEY", "x" * 40)
    monkeypatch.setitem(app.config, "SECOND_FACTOR_REQUIRED", "all")
    db.session.add(ScheduledJob(name=SIGN_OF_LIFE, last_run_at=utc_now()))
    db.session.commit()
    with served(app, app, monkeypatch):
        assert bad(doctor.examine(Path("nowhere"))) == []


def test_an_address_without_a_name_offers_no_passkeys(app: Flask, monkeypatch: Patch) -> None:
    for url, count in (("http://192.0.2.7:5000", 1), ("http://[2001:db8::1]", 1), ("http://localhost:5000", 0)):
        monkeypatch.setitem(app.config, "BASE_URL", url)
        with app.app_context():
            findings = [finding for check in doctor.CHECKS if check.__name__ == "_passkeys" for finding in check()]
        assert [finding.level for finding in findings] == [WARNING] * count
        assert config["testing"]({"BASE_URL": url}).PASSKEYS is (count == 0)
