"""`manage.py doctor`: what is wrong with a site, and what to do about it. No check prints a secret.

What it asks others, such as mail server and providers, is in doctor_network.py.
"""

import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import redis
from dotenv import dotenv_values
from flask import current_app
from sqlalchemy import extract, func, select, text

from app import assets, doctor_network, encrypted_data, health, maintenance
from app.extensions import db
from app.kit.core.counting import how_many
from app.kit.core.environment import is_ip_address
from app.kit.core.finding import FAILURE, OK, WARNING, Finding
from app.kit.db import migrations
from app.models import User

# Read by gunicorn.conf.py, by Python or by the shell.
READ_ELSEWHERE = re.compile(r"FLASK_CONFIG|HOST|PORT|WEB_\w+|SCRIPT_NAME|PYTHON\w+|TZ")
SAMPLE = Path(".env.example")
SAMPLE_PASSWORDS = ("only-for-development", "change-me", "password")
CURES = {
    "database": "Start it, and compare its address with DATABASE_URL.",
    "migrations": "Run: manage.py release (on your own machine: manage.py dev)",
    "search": "Run: manage.py reindex",
    "queue": "Start Redis, and set REDIS_URL to its address (on your own machine: manage.py dev)",
    "worker": "Start: manage.py run_worker (on your own machine: manage.py dev)",
    "mail": "Look at /admin/emails, at the log of the worker, and at the line about the mail server here.",
}
CURE_OF_UNKNOWN = "Mend what the other lines report, and run this again."
# Health checks that read tables.
NEED_MIGRATIONS = {"worker", "mail", "search"}
CLOCK_SECONDS = 5
DISK_WARNING_BYTES, DISK_FAILURE_BYTES = 1_000_000_000, 100_000_000


Check = Callable[[], Iterator[Finding]]


def examine(settings_file: Path, send_to: str = "") -> Iterator[Finding]:
    """Yield the findings of all checks. A check that breaks is a failure, and the others go on."""
    for check in (lambda: _settings(settings_file), *CHECKS, lambda: doctor_network.mail_server(send_to)):
        try:
            for finding in check():
                yield _softened(finding)
        except Exception as error:  # the text of an unknown error can contain an address with its password
            name = getattr(check, "__name__", "check").strip("_<>").replace("_", " ")
            yield _softened(Finding(FAILURE, name, f"cannot be checked ({type(error).__name__})", CURE_OF_UNKNOWN))
        db.session.rollback()


def _softened(finding: Finding) -> Finding:
    # In development nothing has to run all the time.
    is_soft = finding.level == FAILURE and current_app.config["NAME"] == "development"
    return Finding(WARNING, finding.name, finding.text, finding.cure) if is_soft else finding


def _settings(file: Path) -> Iterator[Finding]:
    known = current_app.extensions["environment"].names
    from_file = {name for name, value in dotenv_values(file).items() if value and os.environ.get(name) == value}
    from_environment = {name for name in known if os.environ.get(name)} - from_file
    yield Finding(OK, "environment", str(current_app.config["NAME"]))
    yield Finding(OK, "settings", f"from {file.name}: {_list(from_file & known)}")
    yield Finding(OK, "settings", f"from the environment: {_list(from_environment)}")
    # Another environment may read what the sample lists and this one does not, such as DATABASE_URL.
    unread = {name for name in from_file - known - dotenv_values(SAMPLE).keys() if not READ_ELSEWHERE.fullmatch(name)}
    if unread:
        yield Finding(WARNING, "settings", f"nothing reads {_list(unread)}", "Look for a typing mistake.")


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _secrets() -> Iterator[Finding]:
    if os.environ.get("SECRET_KEY"):
        yield Finding(OK, "secret key", "set")
    else:
        yield Finding(FAILURE, "secret key", "the known one of development", "Run manage.py dev, which writes .env.")
    if os.environ.get("ADMIN_PASSWORD") and current_app.config["NAME"] != "development":
        yield Finding(WARNING, "ADMIN_PASSWORD", "still set", "Remove it: setup_prod alone needs it.")


def _second_factors() -> Iterator[Finding]:
    if migrations.are_pending():
        return
    if encrypted_data.is_readable():
        yield Finding(OK, "data keys", "read what is encrypted")
    else:
        cure = "Put the key that encrypted them back into DATA_KEYS. Until then, apps open no account."
        yield Finding(FAILURE, "data keys", "cannot read secrets of authenticator apps", cure)
    required = current_app.config["SECOND_FACTOR_REQUIRED"]
    if required == "none" and current_app.config["NAME"] != "development":
        what = "administrators can log in with a password alone"
        yield Finding(WARNING, "second factor", what, "Set SECOND_FACTOR_REQUIRED=admin.")
    else:
        yield Finding(OK, "second factor", f"demanded of: {required}")


def _services() -> Iterator[Finding]:
    checks = health.checks()
    is_migrated = all(check.ok for check in checks if check.name == "migrations")
    for check in checks:
        if check.name in NEED_MIGRATIONS and not is_migrated:
            continue
        name = "outbox" if check.name == "mail" else check.name
        level = OK if check.ok else FAILURE if check.is_vital else WARNING
        yield Finding(level, name, check.detail, "" if check.ok else _cure(check.name))


def _cure(check: str) -> str:
    is_ahead = check == "migrations" and migrations.unknown_revisions()
    return migrations.AHEAD_CURE if is_ahead else CURES[check]


def _tables() -> Iterator[Finding]:
    if migrations.are_pending():
        return
    if difference := migrations.difference():
        yield Finding(FAILURE, "tables", f"not as the models: {difference}", "Run: manage.py db migrate, then release")
    else:
        yield Finding(OK, "tables", "as the models")


def _sample_passwords() -> Iterator[Finding]:
    if migrations.are_pending():
        return
    users = db.session.scalars(select(User).join(User.role).order_by(User.role_id.desc()).limit(1000))
    administrators = [user for user in users if user.is_admin()][:20]
    for user in administrators:
        if any(user.verify_password(password) for password in SAMPLE_PASSWORDS):
            what = f"the administrator with the id {user.id} has one that everybody knows"
            yield Finding(FAILURE, "passwords", what, "Choose another one at /account/manage/change-password.")
    yield Finding(OK, "passwords", f"of {how_many(len(administrators), 'administrator')} compared with known ones")


def _assets() -> Iterator[Finding]:
    if current_app.config["ASSETS_AUTO_BUILD"]:
        yield Finding(OK, "assets", "built when a source is saved")
    elif current_app.extensions["assets"].is_older_than(assets.SOURCES):
        yield Finding(WARNING, "assets", "older than their sources", "Run: manage.py build_assets")
    else:
        yield Finding(OK, "assets", "built")


def _passkeys() -> Iterator[Finding]:
    if is_ip_address(current_app.config["BASE_URL"]):
        cure = "Set BASE_URL to an address with a name: browsers have no passkeys for numbers."
        yield Finding(WARNING, "passkeys", "not offered, since BASE_URL is an IP address", cure)


def _clock() -> Iterator[Finding]:
    others = {}
    if db.engine.dialect.name != "sqlite":
        others["the database"] = float(db.session.scalar(select(extract("epoch", func.clock_timestamp()))) or 0)
    if current_app.config["REDIS_URL"]:
        # The line about the queue says why.
        with suppress(redis.RedisError):
            seconds, _microseconds = current_app.extensions["redis"].time()
            others["Redis"] = float(seconds)
    for name, moment in others.items():
        difference = abs(time.time() - moment)
        if difference > CLOCK_SECONDS:
            cure = "Let both machines keep time by NTP: links and limits depend on it."
            yield Finding(FAILURE, "clock", f"{difference:.0f} s apart from that of {name}", cure)
            return
    yield Finding(OK, "clock", f"compared with {' and '.join(others) or 'nothing'}")


def _disk() -> Iterator[Finding]:
    free = shutil.disk_usage(current_app.config["INSTANCE_DIR"]).free
    level = FAILURE if free < DISK_FAILURE_BYTES else WARNING if free < DISK_WARNING_BYTES else OK
    yield Finding(level, "disk", f"{free / 1e9:.1f} GB free", "" if level == OK else "Delete old files, or enlarge it.")


def _versions() -> Iterator[Finding]:
    wrong = [name for name, wanted in _locked_packages() if _installed(name) != wanted]
    if wrong:
        cure = "Run: pip install --require-hashes -r requirements/common.txt"
        yield Finding(WARNING, "packages", f"not in the tested version: {', '.join(wrong)}", cure)
    server = ".".join(map(str, db.engine.dialect.server_version_info or ())) if _connected() else "?"
    yield Finding(OK, "versions", f"Python {sys.version.split()[0]}, {db.engine.dialect.name} {server}")
    if db.engine.dialect.name == "sqlite" and _connected():
        options = set(db.session.scalars(text("PRAGMA compile_options")))
        if "ENABLE_FTS5" in options:
            yield Finding(OK, "SQLite", "has FTS5, for search")
        else:
            yield Finding(FAILURE, "SQLite", "was built without FTS5, which search needs", "Use another Python.")


def _connected() -> bool:
    return db.session.scalar(select(1)) == 1


def _locked_packages() -> list[tuple[str, str]]:
    return re.findall(r"^([\w.-]+)==([^ ;\\]+) *\\?$", Path("requirements/common.txt").read_text(), re.MULTILINE)


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _maintenance() -> Iterator[Finding]:
    if maintenance.is_on():
        yield Finding(WARNING, "maintenance", "on: only administrators get in", "Run: manage.py maintenance off")


CHECKS: tuple[Check, ...] = (
    _secrets,
    _services,
    _tables,
    _second_factors,
    _sample_passwords,
    doctor_network.base_url,
    doctor_network.certificate,
    doctor_network.providers,
    _assets,
    _passkeys,
    _clock,
    _disk,
    _versions,
    _maintenance,
)
