"""Tests for the commands that manage the database and its users."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskCliRunner
from sqlalchemy import func, select, text

from app import commands, create_app, setup
from app.commands import FAKE_PASSWORD
from app.kit.core.command_line import DATABASE_CURE
from app.kit.db.database import utc_now
from app.models import AuditEvent, Role, User, UserSession
from tests.factories import make_user

STRONG = "four quiet horses at dawn"


@pytest.fixture
def runner(app, db) -> FlaskCliRunner:
    """Return a runner for commands in the tests' application."""
    return app.test_cli_runner()


@pytest.fixture
def production(app, monkeypatch) -> None:
    """Turn off TESTING, by which commands recognize data that must not be lost."""
    monkeypatch.setitem(app.config, "TESTING", False)


def test_the_listing_has_every_command_once_with_a_sentence():
    listing = CliRunner().invoke(commands.command_line(create_app), []).output

    assert "Areas:" not in listing
    for section in commands.SECTIONS:
        assert f"{section.title}:" in listing
        for command in section.commands:
            assert f"\n  {command.name} " in listing
            assert command.get_short_help_str(), command.name
            assert "_" not in command.name or command.name.replace("_", "-") not in listing


def test_every_command_has_a_help_page():
    for section in commands.SECTIONS:
        for command in section.commands:
            result = CliRunner().invoke(commands.command_line(lambda: create_app("testing")), [command.name, "--help"])
            assert result.exit_code == 0, command.name
            assert result.output.startswith("Usage: ")


def test_fake_users_are_ordinary_and_nobody_can_log_in_as_them(runner, db):
    assert runner.invoke(args=["add_fake_data", "-n", "700"]).exit_code == 0

    users = db.session.scalars(select(User)).all()
    assert len(users) == 700
    assert {user.role.name for user in users} == {"User"}
    assert len({user.password_hash for user in users} - {None}) == 1
    assert not users[0].verify_password(FAKE_PASSWORD)


def test_fake_users_have_a_known_password_in_development_only(runner, app, db, monkeypatch):
    monkeypatch.setattr(app, "debug", True)

    result = runner.invoke(args=["add_fake_data"])

    assert FAKE_PASSWORD in result.output
    users = db.session.scalars(select(User)).all()
    assert len(users) == 10
    # Some are invited, and have none yet.
    assert next(user for user in users if user.password_hash).verify_password(FAKE_PASSWORD)


def test_no_number_of_fake_users_below_one_is_taken(runner, db):
    assert runner.invoke(args=["add_fake_data", "--number-users", "0"]).exit_code == 2
    assert _count_users(db) == 0


def test_setup_dev_makes_one_administrator_and_prints_the_password(runner, app, db, monkeypatch):
    monkeypatch.setitem(app.config, "ADMIN_PASSWORD", "")

    first = runner.invoke(args=["setup_dev"])
    second = runner.invoke(args=["setup_dev"])

    user = User.with_email("flask-base-admin@example.com")
    assert user.is_admin()
    assert user.confirmed
    assert user.verify_password(first.output.split("password: ")[1].strip())
    assert "manage.py dev --new-password makes a new one" in second.output
    assert _count_users(db) == 1


@pytest.mark.parametrize("configured", ["", "four loud horses at dusk"])
def test_a_new_password_replaces_the_old_one_and_its_sessions(runner, app, db, monkeypatch, configured):
    _set_administrator(app, monkeypatch, "ada@site.org", configured)
    user = setup.make_administrator("ada@site.org", STRONG, "Ada", "Lovelace")
    UserSession.start(user, remembered=True, ip_address="192.0.2.1", user_agent="")
    db.session.commit()

    login = setup.ensure_development_administrator(new_password=True)

    assert login.password == (configured or login.password) != STRONG
    assert user.verify_password(login.password)
    assert UserSession.living(user) == []
    assert setup.ensure_development_administrator().password == (configured or None)


@pytest.mark.parametrize("command", ["setup_dev", "setup_prod", "create_admin"])
@pytest.mark.parametrize("address", ["ada", "ada@", "ada@site", "a da@site.org"])
def test_no_administrator_gets_an_address_that_cannot_log_in(runner, app, db, monkeypatch, command, address):
    _set_administrator(app, monkeypatch, address, STRONG)

    result = _create_admin(runner, address, "") if command == "create_admin" else runner.invoke(args=[command])

    assert result.exit_code == 1
    assert f"{address!r} is not an email address that the site can write to" in result.output
    assert _count_users(db) == 0


def test_an_administrator_is_stored_with_the_address_of_the_forms(runner, app, db, monkeypatch):
    _set_administrator(app, monkeypatch, " ada@B\u00dccher.example ", STRONG)

    assert runner.invoke(args=["setup_prod"]).exit_code == 0
    assert User.with_email("ada@xn--bcher-kva.example").is_admin()


def test_setup_prod_makes_the_administrator_that_was_asked_for(runner, app, db, monkeypatch):
    _set_administrator(app, monkeypatch, "ada@site.org", STRONG)

    assert "ada@site.org is an administrator now." in runner.invoke(args=["setup_prod"]).output
    assert "exists already" in runner.invoke(args=["setup_prod"]).output

    assert User.with_email("ada@site.org").is_admin()
    assert _count_users(db) == 1
    assert db.session.scalars(select(AuditEvent.event)).all() == ["user.created"]


@pytest.mark.parametrize(
    ("email", "password", "complaint"),
    [
        ("flask-base-admin@example.com", STRONG, "ADMIN_EMAIL"),
        ("ada@site.org", "", "ADMIN_PASSWORD"),
        ("ada@site.org", "short", "at least 12 characters"),
        ("ada@site.org", "password1234", "too easy to guess"),
        ("ada.lovelace@site.org", "lovelace@site", "too easy to guess"),
    ],
)
def test_setup_prod_refuses_samples_and_weak_passwords(runner, app, db, monkeypatch, email, password, complaint):
    _set_administrator(app, monkeypatch, email, password)

    result = runner.invoke(args=["setup_prod"])

    assert result.exit_code == 1
    assert complaint in result.output
    assert _count_users(db) == 0


def test_create_admin_asks_for_a_strong_password(runner, db):
    weak = _create_admin(runner, "ada@site.org", "aaaaaaaaaaaa\naaaaaaaaaaaa\n")
    assert weak.exit_code == 1
    assert "too easy to guess" in weak.output
    assert _count_users(db) == 0

    strong = _create_admin(runner, "ada@site.org", f"{STRONG}\n{STRONG}\n")
    assert strong.exit_code == 0, strong.output
    assert STRONG not in strong.output
    assert User.with_email("ada@site.org").verify_password(STRONG)


@pytest.mark.parametrize(("command", "answers"), [("create_admin", f"{STRONG}\n{STRONG}\n"), ("setup_prod", "")])
def test_an_administrator_gets_a_name(runner, app, db, monkeypatch, command, answers):
    _set_administrator(app, monkeypatch, "ada@site.org", STRONG)
    email = ["--email", "ada@site.org"] if command == "create_admin" else []

    result = runner.invoke(args=[command, *email, "--first-name", "Ada", "--last-name", "Wren"], input=answers)

    assert result.exit_code == 0, result.output
    assert User.with_email("ada@site.org").full_name() == "Ada Wren"


def test_create_admin_promotes_a_user_only_when_told_so(runner, db):
    user = make_user(email="ada@site.org")

    assert _create_admin(runner, "ADA@site.org", "n\n").exit_code == 1
    db.session.refresh(user)
    assert not user.is_admin()

    assert _create_admin(runner, "ADA@site.org", "y\n").exit_code == 0
    db.session.refresh(user)
    assert user.is_admin()


def test_create_admin_refuses_a_disabled_user_and_says_what_to_do(runner, db):
    user = make_user(email="ada@site.org", disabled_at=utc_now())

    result = _create_admin(runner, "ada@site.org", "y\n")

    assert result.exit_code == 1
    assert "ada@site.org is disabled. Another administrator has to enable the user first." in result.output
    db.session.refresh(user)
    assert not user.is_admin()


def test_create_admin_asks_nothing_about_an_administrator(runner, db):
    make_user(email="ada@site.org", role="Administrator")

    result = _create_admin(runner, "ada@site.org", "")

    assert (result.exit_code, result.output) == (0, "ada@site.org is an administrator already.\n")
    assert db.session.scalars(select(AuditEvent)).all() == []


@pytest.mark.parametrize("command", ["setup_dev", "setup_prod", "create_admin"])
def test_who_signed_up_with_an_administrators_address_gains_nothing(runner, app, db, monkeypatch, command):
    """Their password stops working: only the owner of the address could have confirmed it."""
    squatted = make_user(email="ada@site.org", password="the squatter's own words", confirmed=False)
    _set_administrator(app, monkeypatch, "ada@site.org", STRONG)

    if command == "create_admin":
        result = _create_admin(runner, "ada@site.org", f"{STRONG}\n{STRONG}\n")
    else:
        result = runner.invoke(args=[command])

    assert result.exit_code == 0, result.output
    db.session.refresh(squatted)
    assert squatted.is_admin()
    assert squatted.may_log_in
    assert squatted.verify_password(STRONG)
    assert not squatted.verify_password("the squatter's own words")


def test_migrate_says_what_to_run_first_in_a_new_checkout(app, db):
    versions = db.session.execute(text("DELETE FROM alembic_version RETURNING version_num")).scalars().all()
    db.session.commit()
    try:
        result = CliRunner().invoke(commands.command_line(lambda: app), ["db", "migrate", "-m", "anything"])
    finally:
        db.session.execute(text("INSERT INTO alembic_version VALUES (:it)"), [{"it": version} for version in versions])
        db.session.commit()

    assert result.exit_code == 1
    assert (
        result.output == "Error: The database lacks migrations that are in migrations/. First: manage.py db upgrade\n"
    )


def test_recreate_db_asks_before_it_empties(runner, db):
    make_user()

    assert runner.invoke(args=["recreate_db"], input="n\n").exit_code == 1
    assert _count_users(db) == 1

    assert runner.invoke(args=["recreate_db"], input="y\n").exit_code == 0
    assert _count_users(db) == 0
    assert Role.for_newcomers() is not None


def test_recreate_db_refuses_in_production(runner, db, production):
    make_user()

    result = runner.invoke(args=["recreate_db", "--yes"])

    assert result.exit_code == 1
    assert "This is production" in result.output
    assert _count_users(db) == 1


def test_release_may_run_as_often_as_one_likes(runner, db):
    before = db.session.scalars(select(Role.name).order_by(Role.id)).all()
    db.session.rollback()

    for _ in range(2):
        assert runner.invoke(args=["release"]).exit_code == 0

    assert db.session.scalars(select(Role.name).order_by(Role.id)).all() == before
    assert {"User", "Administrator"} <= set(before)


def test_ci_runs_the_checks_and_keeps_their_exit_code(app, tmp_path, monkeypatch):
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "run").write_text("exit 3")
    workflow = (Path(".github/workflows/checks.yml")).read_text()
    monkeypatch.chdir(tmp_path)

    assert app.test_cli_runner().invoke(args=["ci"]).exit_code == 3
    assert "run: python3 manage.py ci" in workflow


def test_the_shell_knows_the_names_one_needs(app, db):
    assert {"app", "db", "User", "Role"} <= app.make_shell_context().keys()


def _create_admin(runner: FlaskCliRunner, email: str, answers: str) -> Result:
    return runner.invoke(args=["create_admin", "--email", email], input=answers)


def _set_administrator(app, monkeypatch, email: str, password: str) -> None:
    monkeypatch.setitem(app.config, "ADMIN_EMAIL", email)
    monkeypatch.setitem(app.config, "ADMIN_PASSWORD", password)


def _count_users(db) -> int:
    db.session.rollback()
    count = db.session.scalar(select(func.count()).select_from(User))
    # An open transaction would keep PostgreSQL from dropping the table.
    db.session.rollback()
    return count


@pytest.mark.parametrize("command", ["setup_dev", "recreate_db --yes"])
@pytest.mark.parametrize(
    ("file", "says"), [("nowhere/site.sqlite", "unable to open database file"), ("text", "file is not a database")]
)
def test_an_unusable_file_of_sqlite_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, file: str, says: str
) -> None:
    (tmp_path / "text").write_text("Not a database. " * 100)
    monkeypatch.setenv("TEST_DATABASE_URL", f"sqlite:///{tmp_path / file}")
    result = CliRunner().invoke(commands.command_line(lambda: create_app("testing")), command.split())
    assert result.output == f"Error: The database cannot be used: {says}. {DATABASE_CURE}\n"
