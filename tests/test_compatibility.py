"""The names that users of the first Flask-Base know still work in their views, templates and scripts.

A name that is gone, or has another meaning, breaks forks when they upgrade.
"""

import inspect
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import flask_compress
import flask_mail
import flask_sqlalchemy
import flask_wtf
import pytest
from flask import Flask, g, render_template_string, session
from flask.testing import FlaskClient
from flask_login import AnonymousUserMixin, LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import HTTPException
from wtforms import FileField, HiddenField, PasswordField, StringField, SubmitField

import app as package
from app.account import forms as account_forms
from app.admin import forms as admin_forms
from app.commands import SECTIONS
from app.decorators import admin_required, permission_required
from app.email import send_email
from app.kit.auth import tokens
from app.models import AnonymousUser, EditableHTML, Email, Permission, Role, User
from config import config
from tests.factories import PASSWORD, let_in, make_admin, make_user, sign_in

ROOT = Path(__file__).parent.parent
GET, POST, FORM = {"GET"}, {"POST"}, {"GET", "POST"}
USER_PATH = "/admin/user/<int:user_id>"

# endpoint, methods, paths
ROUTES = [
    ("main.index", GET, {"/"}),
    ("main.about", GET, {"/about"}),
    ("account.login", FORM, {"/account/login"}),
    ("account.register", FORM, {"/account/register"}),
    ("account.logout", POST, {"/account/logout"}),
    ("account.manage", GET, {"/account/manage", "/account/manage/info"}),
    ("account.reset_password_request", FORM, {"/account/reset-password"}),
    ("account.reset_password", FORM, {"/account/reset-password/<token>"}),
    ("account.change_password", FORM, {"/account/manage/change-password"}),
    ("account.change_email_request", FORM, {"/account/manage/change-email"}),
    ("account.change_email", FORM, {"/account/manage/change-email/<token>"}),
    ("account.confirm_request", POST, {"/account/confirm-account"}),
    ("account.confirm", FORM, {"/account/confirm-account/<token>"}),
    ("account.join_from_invite", FORM, {"/account/join-from-invite/<int:user_id>/<token>"}),
    ("account.unconfirmed", GET, {"/account/unconfirmed"}),
    ("admin.index", GET, {"/admin/"}),
    ("admin.new_user", FORM, {"/admin/new-user"}),
    ("admin.invite_user", FORM, {"/admin/invite-user"}),
    ("admin.registered_users", GET, {"/admin/users"}),
    ("admin.user_info", GET, {USER_PATH, f"{USER_PATH}/info"}),
    ("admin.change_user_email", FORM, {f"{USER_PATH}/change-email"}),
    ("admin.change_account_type", FORM, {f"{USER_PATH}/change-account-type"}),
    ("admin.delete_user_request", GET, {f"{USER_PATH}/delete"}),
    ("admin.delete_user", POST, {f"{USER_PATH}/_delete"}),
    ("admin.update_editor_contents", POST, {"/admin/_update_editor_contents"}),
]

FORMS = {
    account_forms: {
        "LoginForm": ["email", "password", "remember_me", "submit"],
        "RegistrationForm": ["first_name", "last_name", "email", "password", "password2", "submit"],
        "RequestResetPasswordForm": ["email", "submit"],
        "ResetPasswordForm": ["new_password", "new_password2", "submit"],
        "CreatePasswordForm": ["password", "password2", "submit"],
        "ChangePasswordForm": ["old_password", "new_password", "new_password2", "submit"],
        "ChangeEmailForm": ["email", "password", "submit"],
    },
    admin_forms: {
        "ChangeUserEmailForm": ["email", "submit"],
        "ChangeAccountTypeForm": ["role", "submit"],
        "InviteUserForm": ["role", "first_name", "last_name", "email", "submit"],
        "NewUserForm": ["role", "first_name", "last_name", "email", "password", "password2", "submit"],
    },
}

COMMANDS = [
    "runserver",
    "shell",
    "db",
    "test",
    "format",
    "recreate_db",
    "setup_dev",
    "setup_prod",
    "add_fake_data",
    "run_worker",
]

SETTINGS = [
    "APP_NAME",
    "SECRET_KEY",
    "ADMIN_EMAIL",
    "ADMIN_PASSWORD",
    "MAIL_SERVER",
    "MAIL_PORT",
    "MAIL_USE_TLS",
    "MAIL_USE_SSL",
    "MAIL_USERNAME",
    "MAIL_PASSWORD",
    "MAIL_DEFAULT_SENDER",
    "EMAIL_SUBJECT_PREFIX",
    "EMAIL_SENDER",
    "REDIS_URL",
    "RQ_DEFAULT_HOST",
    "RQ_DEFAULT_PORT",
    "RQ_DEFAULT_PASSWORD",
    "RQ_DEFAULT_DB",
    "SSL_DISABLE",
    "GOOGLE_ANALYTICS_ID",
    "SEGMENT_API_KEY",
    "RAYGUN_APIKEY",
]

# module, macro, its parameters with their defaults
MACROS = [
    ("form_macros", "render_form", "form, method='POST', extra_classes='', enctype=None"),
    ("form_macros", "begin_form", "form, flashes, method='POST', extra_classes='', enctype=None"),
    ("form_macros", "end_form", "form"),
    ("form_macros", "form_message", "messages, header=none, class=''"),
    ("form_macros", "render_form_field", "field, extra_classes=''"),
    ("form_macros", "render_form_input", "field"),
    ("nav_macros", "render_nav", "current_user, dropdown=[]"),
    ("nav_macros", "render_menu_items", "endpoints"),
    ("check_password", "password_check", "field, level"),
    ("page_macros", "render_inline_editor", "editable_html_obj, current_user"),
]


class TestRoutes:
    @pytest.mark.parametrize(("endpoint", "methods", "paths"), ROUTES, ids=[row[0] for row in ROUTES])
    def test_endpoint(self, app: Flask, endpoint: str, methods: set[str], paths: set[str]) -> None:
        rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint == endpoint]
        assert {rule.rule for rule in rules} == paths
        for rule in rules:
            assert rule.methods is not None
            assert rule.methods - {"HEAD", "OPTIONS"} == methods

    @pytest.mark.parametrize("path", ["/account/logout", "/account/confirm-account", "/admin/user/1/_delete"])
    def test_what_changes_something_is_no_longer_opened_by_a_link(self, client: FlaskClient, path: str) -> None:
        sign_in(client, make_admin())
        assert client.get(path).status_code == 405

    def test_who_is_unconfirmed_is_held(self, client: FlaskClient) -> None:
        let_in(client, make_user(confirmed=False))
        assert client.get("/account/manage").location == "/account/unconfirmed"
        assert client.get("/about").status_code == 200

    def test_the_landing_page_greets_by_full_name(self, client: FlaskClient) -> None:
        sign_in(client, make_user(first_name="Grace", last_name="Hopper"))
        assert "Grace Hopper" in client.get("/").text

    def test_login_returns_to_a_safe_next_only(self, app: Flask, client: FlaskClient) -> None:
        form = {"email": make_user().email, "password": PASSWORD}
        assert client.post("/account/login?next=/about", data=form).location == "/about"
        other_host = app.test_client().post("/account/login?next=//evil.example", data=form)
        assert other_host.location == "/"


class TestPermissionsAndRoles:
    def test_bits(self) -> None:
        assert (Permission.GENERAL, Permission.ADMINISTER) == (0x01, 0xFF)

    def test_insert_roles_makes_both_and_may_run_again(self, db: SQLAlchemy) -> None:
        Role.insert_roles()
        Role.insert_roles()
        rows = db.session.execute(select(Role.name, Role.permissions, Role.index, Role.default)).all()
        assert len(rows) == len({row.name for row in rows})
        assert {("Administrator", 0xFF, "admin", False), ("User", 0x01, "main", True)} <= set(map(tuple, rows))

    def test_users_of_a_role_can_be_queried(self, db: SQLAlchemy) -> None:
        admin = make_admin()
        make_user()
        assert Role.query.filter_by(name="Administrator").one().users.filter_by(email=admin.email).count() == 1

    @pytest.mark.usefixtures("db")
    def test_an_administrator_passes_a_check_for_a_bit_that_a_fork_adds(self) -> None:
        assert make_admin().can(0x100)
        assert not make_user().can(0x100)


class TestUser:
    def test_a_user_without_a_role_gets_the_default_one(self, db: SQLAlchemy) -> None:
        assert User(email="ada@example.org").role.name == "User"

    def test_a_user_can_be_made_before_there_are_roles(self, db: SQLAlchemy) -> None:
        db.session.execute(Role.__table__.delete())
        assert User(email="ada@example.org").role is None
        db.session.rollback()

    def test_the_administrator_s_address_makes_nobody_an_administrator(self, app: Flask, db: SQLAlchemy) -> None:
        assert not User(email=app.config["ADMIN_EMAIL"]).is_admin()

    @pytest.mark.usefixtures("db")
    def test_an_address_belongs_to_one_user_whatever_its_case(self) -> None:
        make_user(email="ada@example.org")
        with pytest.raises(IntegrityError):
            make_user(email="ADA@example.org")

    def test_the_database_requires_an_address_and_fills_in_names(self, db: SQLAlchemy) -> None:
        user = make_user()
        plain = User(email="plain@example.org")
        db.session.add(plain)
        db.session.commit()
        assert (plain.first_name, plain.last_name, plain.password_hash) == ("", "", None)
        user.email = None
        with pytest.raises(IntegrityError):
            db.session.commit()

    def test_full_name_and_password(self, db: SQLAlchemy) -> None:
        user = User(first_name="Ada", last_name="Lovelace", email="ada@example.org", password=PASSWORD)
        assert user.full_name() == "Ada Lovelace"
        assert user.verify_password(PASSWORD)
        assert not user.verify_password("something else")
        with pytest.raises(AttributeError):
            _ = user.password

    @pytest.mark.usefixtures("db")
    def test_rights(self) -> None:
        user, admin = make_user(), make_admin()
        assert user.can(Permission.GENERAL)
        assert not user.can(Permission.ADMINISTER)
        assert not user.is_admin()
        assert admin.is_admin()

    @pytest.mark.parametrize(
        ("purpose", "make_token", "lifetime_seconds"),
        [
            ("confirm", User.generate_confirmation_token, 604800),
            ("change_email", lambda user: user.generate_email_change_token("new@example.org"), 3600),
            ("reset_password", User.generate_password_reset_token, 3600),
        ],
        ids=["confirm", "change_email", "reset_password"],
    )
    def test_how_long_tokens_last(
        self,
        db: SQLAlchemy,
        monkeypatch: pytest.MonkeyPatch,
        purpose: str,
        make_token: Callable[[User], str],
        lifetime_seconds: int,
    ) -> None:
        token, now = make_token(make_user()), time.time()
        for age_seconds, is_valid in ((lifetime_seconds - 60, True), (lifetime_seconds + 1, False)):
            monkeypatch.setattr("app.kit.auth.tokens.time", lambda age_seconds=age_seconds: now + age_seconds)
            assert (tokens.read(purpose, token) is not None) is is_valid

    @pytest.mark.parametrize(
        ("redeem", "make_token", "further"),
        [
            (User.confirm_account, User.generate_confirmation_token, []),
            (User.change_email, lambda user: user.generate_email_change_token("new@example.org"), []),
            (User.reset_password, User.generate_password_reset_token, ["another-fine-password"]),
        ],
        ids=["confirm_account", "change_email", "reset_password"],
    )
    def test_links_answer_true_once_commit_and_never_raise(
        self,
        db: SQLAlchemy,
        redeem: Callable[..., bool],
        make_token: Callable[[User], str],
        further: list[str],
    ) -> None:
        user = make_user(confirmed=False)
        before = state(user)
        assert redeem(user, "no token", *further) is False
        token = make_token(user)
        assert redeem(user, token, *further) is True
        db.session.rollback()
        assert state(user) != before
        assert redeem(user, token, *further) is False

    def test_an_expired_token_is_refused(self, db: SQLAlchemy) -> None:
        user = make_user(confirmed=False)
        assert not user.confirm_account(user.generate_confirmation_token(expiration=0))

    def test_users_can_be_queried_the_old_way(self, db: SQLAlchemy) -> None:
        user = make_user()
        assert User.query.filter_by(email=user.email).first() is user
        assert User.__tablename__ == "users"
        assert Role.__tablename__ == "roles"

    def test_fake_users_are_made_outside_the_model(self) -> None:
        assert not hasattr(User, "generate_fake")

    def test_a_stranger_may_do_nothing(self) -> None:
        assert issubclass(AnonymousUser, AnonymousUserMixin)
        assert not AnonymousUser().can(Permission.GENERAL)
        assert not AnonymousUser().is_admin()


class TestEditableHTML:
    def test_an_unknown_page_is_an_unsaved_empty_one(self, db: SQLAlchemy) -> None:
        page = EditableHTML.get_editable_html("about")
        assert (page.editor_name, page.value, page.id) == ("about", "", None)
        page.value = "Hello"
        db.session.add(page)
        db.session.commit()
        assert EditableHTML.get_editable_html("about").value == "Hello"


class TestPythonNames:
    def test_extensions(self) -> None:
        assert isinstance(package.db, flask_sqlalchemy.SQLAlchemy)
        assert isinstance(package.mail, flask_mail.Mail)
        assert isinstance(package.csrf, flask_wtf.CSRFProtect)
        assert isinstance(package.compress, flask_compress.Compress)
        assert isinstance(package.login_manager, LoginManager)
        assert inspect.ismodule(package.assets)

    def test_factory(self, app: Flask) -> None:
        assert list(inspect.signature(package.create_app).parameters) == ["config_name"]
        assert isinstance(app, Flask)

    def test_send_email_joins_the_caller_s_transaction(self, db: SQLAlchemy) -> None:
        send_email("ada@example.org", "Hello", "account/email/confirm", confirm_link="https://example.org/x")
        assert db.session.scalar(select(Email.recipient)) == "ada@example.org"
        db.session.rollback()
        assert db.session.scalar(select(Email.id)) is None

    @pytest.mark.usefixtures("db")
    def test_decorators(self, app: Flask) -> None:
        guarded = {
            "/for-administrators": admin_required(lambda: "in"),
            "/for-users": permission_required(Permission.GENERAL)(lambda: "in"),
        }
        assert {path: statuses(app, view) for path, view in guarded.items()} == {
            "/for-administrators": [302, 403, 200],
            "/for-users": [302, 200, 200],
        }

    def test_jinja(self, app: Flask) -> None:
        environment = app.jinja_env
        with app.test_request_context():
            assert environment.globals["index_for_role"](Role(index="admin")) == "/admin/"
        assert environment.from_string("{{ 1 is equalto 1 }}").render() == "True"

        class SomeForm(FlaskForm):
            secret, shown = HiddenField(), StringField()

        with app.test_request_context():
            form = SomeForm()
            assert environment.globals["is_hidden_field"](form.secret)
            assert not environment.globals["is_hidden_field"](form.shown)


@pytest.mark.parametrize(
    ("form", "names"),
    [(getattr(module, name), names) for module, forms in FORMS.items() for name, names in forms.items()],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_forms_have_their_fields(app: Flask, form: type[FlaskForm], names: list[str]) -> None:
    with app.test_request_context():
        arguments = [User(email="ada@example.org", role=Role())] if takes_owner(form) else []
        fields = [field.short_name for field in form(*arguments) if field.short_name != "csrf_token"]
    assert sorted(fields) == sorted(names)


class TestCommands:
    @pytest.mark.parametrize("name", COMMANDS)
    def test_command_has_a_help_text(self, name: str) -> None:
        assert commands()[name].get_short_help_str()

    def test_add_fake_data_takes_a_number(self) -> None:
        option = next(option for option in commands()["add_fake_data"].params if option.name == "number_users")
        assert set(option.opts) == {"-n", "--number-users"}
        assert option.default == 10

    def test_the_site_is_served_to_this_machine_only(self) -> None:
        host = next(option for option in commands()["runserver"].params if option.name == "host")
        assert host.default == "127.0.0.1"

    def test_shell_has_the_usual_names(self, app: Flask) -> None:
        with app.app_context():
            assert {"app", "db", "User", "Role"} <= app.make_shell_context().keys()


class TestSettings:
    def test_environments(self) -> None:
        assert config.keys() == {"development", "testing", "production", "heroku", "unix", "default"}

    @pytest.mark.thorough
    def test_a_script_may_import_config_first(self) -> None:
        script = "from config import config; config['testing']({}); import app"
        subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)

    @pytest.mark.parametrize("name", SETTINGS)
    def test_setting(self, app: Flask, name: str) -> None:
        assert name in app.config

    @pytest.mark.parametrize(
        ("environment", "name"),
        [("development", "DEV_DATABASE_URL"), ("testing", "TEST_DATABASE_URL"), ("production", "DATABASE_URL")],
    )
    def test_database(self, environment: str, name: str) -> None:
        needed = {
            "SECRET_KEY": "x" * 48,
            "DATA_KEYS": "y" * 48,
            "BASE_URL": "https://example.org",
            "MAIL_SERVER": "mail.example.org",
        }
        settings = config[environment]({**needed, "REDIS_URL": "redis://queue", name: "postgres://db/kit"})
        assert settings.SQLALCHEMY_DATABASE_URI == "postgresql+psycopg://db/kit"

    def test_redis_can_be_named_as_heroku_did(self) -> None:
        settings = config["development"]({"REDISTOGO_URL": "rediss://user:secret@queue.example.org:6380/3"})
        assert settings.REDIS_URL.startswith("rediss://")
        derived = [getattr(settings, f"RQ_DEFAULT_{part}") for part in ("HOST", "PORT", "PASSWORD", "DB")]
        assert derived == ["queue.example.org", 6380, "secret", 3]

    @pytest.mark.parametrize("word", ["true", "1", "yes", "on", "True", "ON"])
    def test_words_for_true(self, word: str) -> None:
        assert config["development"]({"SSL_DISABLE": word}).SSL_DISABLE is True

    @pytest.mark.parametrize("word", ["false", "0", "no", "off", "False"])
    def test_words_for_false(self, word: str) -> None:
        assert config["development"]({"SSL_DISABLE": word}).SSL_DISABLE is False

    def test_any_other_word_is_an_error_that_names_the_setting(self) -> None:
        with pytest.raises(Exception, match="SSL_DISABLE: 'perhaps'"):
            config["development"]({"SSL_DISABLE": "perhaps"})


class TestTemplates:
    def test_blocks(self, app: Flask) -> None:
        template = app.jinja_env.get_template("layouts/base.html")
        assert {"page_title", "custom_head_tags", "nav", "content", "scripts"} <= template.blocks.keys()

    @pytest.mark.parametrize("name", ["partials/_head.html", "partials/_flashes.html"])
    def test_partial(self, app: Flask, name: str) -> None:
        assert app.jinja_env.get_template(name)

    @pytest.mark.parametrize("category", ["error", "warning", "info", "success", "message"])
    def test_flashes_show(self, app: Flask, category: str) -> None:
        with app.test_request_context():
            session["_flashes"] = [(category, "Something happened.")]
            assert "Something happened." in render_template_string("{% include 'partials/_flashes.html' %}")

    @pytest.mark.parametrize(("module", "macro", "parameters"), MACROS, ids=[row[1] for row in MACROS])
    def test_macro(self, app: Flask, module: str, macro: str, parameters: str) -> None:
        """Parameters with defaults may be added after the known ones."""
        source = app.jinja_env.loader.get_source(app.jinja_env, f"macros/{module}.html")[0]
        found = re.search(rf"{{%-? macro {macro}\((.*?)\) -?%}}", source)
        assert found is not None
        known, actual = split(parameters), split(found.group(1))
        assert [name.partition("=")[0] for name in actual[: len(known)]] == [name.partition("=")[0] for name in known]
        assert all(had in actual for had in known if "=" in had)
        assert all("=" in added for added in actual[len(known) :])

    @pytest.mark.parametrize("name", ["confirm", "reset_password", "change_email", "invite"])
    @pytest.mark.parametrize("part", ["html", "txt"])
    def test_email(self, app: Flask, name: str, part: str) -> None:
        assert app.jinja_env.get_template(f"account/email/{name}.{part}")


class TestMacros:
    """The HTML that the macros make, not only that they exist."""

    def test_a_form_puts_hidden_fields_first_and_buttons_last(self, app: Flask) -> None:
        html = draw_form(app)
        places = [html.index(f'name="{name}"') for name in ("secret", "password", "attachment", "submit")]
        assert places == sorted(places)

    def test_a_file_field_makes_the_form_multipart(self, app: Flask) -> None:
        assert 'enctype="multipart/form-data"' in draw_form(app)

    @pytest.mark.parametrize("category", ["form-error", "form-check-email", "form-info", "form-success"])
    def test_messages_show_inside_the_form(self, app: Flask, category: str) -> None:
        html = draw_form(app, flashes=[(category, "Look here.")])
        assert html.index("<form") < html.index("Look here.") < html.index("</form>")

    def test_dropdowns_nest(self, app: Flask) -> None:
        rows = [("More", [("main.about", "About us", ""), ("Even more", [("main.index", "Home again", "")])])]
        source = "{% import 'macros/nav_macros.html' as m %}{{ m.render_nav(current_user, rows) }}"
        with app.test_request_context():
            html = render_template_string(source, rows=rows)
        assert html.index("More") < html.index("About us") < html.index("Even more") < html.index("Home again")
        assert html.count("<details") == 2

    def test_menu_items_are_links(self, app: Flask) -> None:
        source = (
            "{% import 'macros/nav_macros.html' as m %}{{ m.render_menu_items([('main.about', 'About', 'user')]) }}"
        )
        with app.test_request_context():
            assert re.search(r'<a href="/about"[^>]*>.*About</a>', render_template_string(source), re.DOTALL)

    def test_the_inline_editor_is_for_administrators(self, app: Flask) -> None:
        source = "{% import 'macros/page_macros.html' as m %}{{ m.render_inline_editor(page, user) }}"
        page = EditableHTML(editor_name="about", value="Hello")
        with app.test_request_context():
            admin = User(role=Role(permissions=Permission.ADMINISTER))
            assert 'name="edit_data"' in render_template_string(source, page=page, user=admin)
            assert 'name="edit_data"' not in render_template_string(source, page=page, user=AnonymousUser())


def test_bundles(app: Flask) -> None:
    with app.test_request_context():
        addresses = [app.jinja_env.globals["asset_url"](name) for name in ("app_css", "app_js")]
    assert [address.rpartition(".")[2] for address in addresses] == ["css", "js"]
    assert (package.assets.SOURCES / "styles").is_dir()
    assert (package.assets.SOURCES / "scripts").is_dir()


class FullForm(FlaskForm):
    """One field of each kind that the macros treat in a special way, in the wrong order."""

    submit = SubmitField()
    password = PasswordField()
    attachment = FileField()
    secret = HiddenField()


def draw_form(app: Flask, flashes: list[tuple[str, str]] | None = None) -> str:
    """Return the HTML of ``render_form``."""
    source = "{% import 'macros/form_macros.html' as f %}{{ f.render_form(form) }}"
    with app.test_request_context():
        session["_flashes"] = flashes or []
        form = FullForm()
        return render_template_string(source, form=form)


def commands() -> dict[str, click.Command]:
    """Return every command of ``manage.py`` by its name."""
    return {command.name: command for section in SECTIONS for command in section.commands if command.name}


def takes_owner(form: type[FlaskForm]) -> bool:
    """Return whether a form is about the user of a link."""
    return "owner" in inspect.signature(form.__init__).parameters


def state(user: User) -> tuple[object, ...]:
    """Return the attributes that links change."""
    return user.confirmed, user.email, user.password_hash


def statuses(app: Flask, view: Callable[[], object]) -> list[int]:
    """Return a view's status for an anonymous visitor, a user, and an administrator."""
    return [status_for(app, view, person) for person in (AnonymousUser(), make_user(), make_admin())]


def status_for(app: Flask, view: Callable[[], object], person: User | AnonymousUser) -> int:
    """Return a view's status for one person."""
    with app.test_request_context():
        g._login_user = person
        try:
            return app.make_response(view()).status_code
        except HTTPException as error:
            return error.code or 500


def split(parameters: str) -> list[str]:
    """Return the parameters of a macro's definition."""
    return [part.strip() for part in parameters.split(",") if part.strip()]
