"""The users who visit the pages, and the rows that the pages show."""

from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from app import email as emails
from app.admin.bulk_tasks import change_batch, start
from app.admin.user_export import export_users
from app.extensions import db
from app.fake_data import add_fake_users
from app.kit.db.database import utc_now
from app.mailed_codes import ask_to_log_in
from app.models import (
    AuditEvent,
    AuthenticatorApp,
    Consent,
    DataExport,
    EditableHTML,
    Email,
    FactorRemoval,
    Passkey,
    Permission,
    Role,
    TextRevision,
    User,
)
from tests import areas
from tests.factories import PASSWORD, let_in, make_admin, make_invited, make_user

FAKE_USERS = 60


@dataclass
class People:
    """A user, an administrator, an unconfirmed and an invited user, and their browsers' cookies."""

    user: User
    administrator: User
    unconfirmed: User
    invited: User
    cookies: dict[str, str]
    export_id: int = 0
    task_id: int = 0
    users_export_id: int = 0
    # The latest text of a published page.
    page: TextRevision | None = None
    role_id: int = 0
    message_name: str = "sample.eml"
    # Of a mailed link to log in, which another browser asked for.
    code_token: str = ""
    # The rows of areas, by the names of the URL variables that they are for.
    rows_of_areas: dict[str, list[object]] = field(default_factory=dict)

    @classmethod
    def make(cls, app: Flask) -> "People":
        """Save the users, and rows for every list."""
        people = cls(
            user=make_user(first_name="Ada", last_name="Wren"),
            administrator=make_admin(first_name="Grace", last_name="Keeper"),
            unconfirmed=make_user(confirmed=False),
            invited=make_invited(),
            cookies={"visitor": ""},
        )
        add_fake_users(FAKE_USERS)
        people._fill_lists()
        people._ask_for_code(app)
        people.rows_of_areas = areas.sample_rows(people.user)
        people._fill_mailbox(app.config["MAILBOX_DIR"])
        for name in ("user", "administrator"):
            people.cookies[name] = log_in(app, getattr(people, name).email)
        people.cookies["unconfirmed"] = cookie_of_session(app, people.unconfirmed)
        return people

    def _fill_lists(self) -> None:
        emails.confirm.send(self.unconfirmed)
        emails.reset_password.send(self.user)
        AuditEvent.record("user.disabled", subject=self.user)
        db.session.add(EditableHTML(editor_name="about", value="# About\n\nA *page* with a [link](/)."))
        page = EditableHTML(editor_name="terms", title="Terms", published=True, listed=True)
        TextRevision.write(page, "# Terms\n\nNone yet.", self.administrator.id)
        TextRevision.write(page, "# Terms\n\nBe kind.", self.administrator.id, asks_again=True)
        export = DataExport(user=self.user)
        role = Role(name="Support", permissions=int(Permission.GENERAL | Permission.VIEW_USERS), index="main")
        # One that is not asked for yet, so that the user sees the page of recovery codes.
        unfinished = AuthenticatorApp(user=self.user, encrypted_secret="-")
        key = {"credential_id": b"1", "user_handle": bytes(64), "public_key": b"", "name": "Chrome on Linux"}
        passkey = Passkey(user=self.user, **key)
        removal = FactorRemoval(user=self.user, requested_by=self.administrator, reason="Lost", due_at=utc_now())
        db.session.add_all([export, role, unfinished, passkey, removal])
        export.write()
        db.session.commit()
        self.export_id = export.id
        self.page = TextRevision.query.order_by(TextRevision.id.desc()).first()
        # The unconfirmed user is asked to agree again.
        agreed = {"document": page.editor_name, "digest": page.fingerprint, "revision_id": self.page.id}
        for person in (self.user, self.administrator):
            db.session.add(Consent(user_id=person.id, **agreed, ip_address="192.0.2.1", how="asked again"))
        db.session.commit()
        self.role_id, self.passkey_id = role.id, passkey.id
        self.task_id, self.users_export_id = self._start("enable"), self._start("export")
        change_batch(self.task_id)
        export_users(self.users_export_id)

    def _ask_for_code(self, app: Flask) -> None:
        with app.test_request_context(method="POST", data={"email": self.user.email}):
            ask_to_log_in(self.user.email, False, "")
            db.session.commit()
        row = Email.query.filter_by(kind="mailed_code").one()
        rendered = emails.catalog.emails["mailed_code"].compose(row)
        assert rendered is not None
        self.code_token = rendered.text.split("/account/email-code/")[1].split()[0]

    def _start(self, action: str) -> int:
        chosen = {"ids": [self.administrator.id, self.user.id]}
        task = start(self.administrator, action, chosen, 2, {})
        db.session.commit()
        return task.id

    def _fill_mailbox(self, folder: Path) -> None:
        message = EmailMessage()
        message["From"], message["To"] = "site@example.org", self.user.email
        message["Subject"] = "Confirm your account"
        message.set_content("Open https://example.org/confirm")
        message.add_alternative("<p>Open <a href='https://example.org/confirm'>the link</a>.</p>", subtype="html")
        (folder / self.message_name).write_bytes(message.as_bytes())


def log_in(app: Flask, address: str) -> str:
    """Return the session cookie of a login through the form."""
    client = app.test_client()
    protected, app.config["WTF_CSRF_ENABLED"] = app.config["WTF_CSRF_ENABLED"], False
    response = client.post("/account/login", data={"email": address, "password": PASSWORD})
    app.config["WTF_CSRF_ENABLED"] = protected
    assert response.status_code == 302, "the login was refused"
    client.get("/")  # shows the greeting, so that no later page does
    return cookie_of(client)


def cookie_of_session(app: Flask, user: User) -> str:
    """Return the session cookie of a user whom the login form would refuse."""
    client = app.test_client()
    let_in(client, user)
    return cookie_of(client)


def cookie_of(client: FlaskClient) -> str:
    """Return the browser's session cookie."""
    cookie = client.get_cookie("session")
    assert cookie is not None
    return cookie.value
