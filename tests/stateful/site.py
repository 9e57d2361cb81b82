"""The site as people meet it: its pages through HTTP, and the mail that leaves while it can."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select
from werkzeug.test import TestResponse

from app.email import catalog
from app.extensions import db
from app.models import Email, RecipientLimit, User
from app.models.email import EmailState

BROWSERS = {
    "laptop": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "tablet": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
    "phone": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1",
}
PATHS = {
    "confirm": "confirm-account",
    "reset": "reset-password",
    "invite": "join-from-invite",
    "change_email": "manage/change-email",
    "not_me": "not-me",
}
LINK = re.compile(rf"https?://[^/\s]+(/account/({'|'.join(PATHS.values())})/\S+)")
KINDS = {path: kind for kind, path in PATHS.items()}


@dataclass(frozen=True)
class Mail:
    """An email that left; ``links`` are the kinds and paths of what it offers."""

    kind: str
    recipient: str
    user_id: int | None
    links: list[tuple[str, str]]


class Site:
    """Three browsers and a mail server that can be away."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.mail_waits = False
        self.browsers = {name: self._browser(agent) for name, agent in BROWSERS.items()}

    def _browser(self, agent: str) -> FlaskClient:
        client = self.app.test_client()
        client.environ_base["HTTP_USER_AGENT"] = agent
        return client

    def get(self, path: str, browser: str | None = None) -> TestResponse:
        return self._send("GET", path, {}, browser)

    def post(self, path: str, form: dict[str, object] | None = None, browser: str | None = None) -> TestResponse:
        """Send a form from this browser, or from one without a history."""
        return self._send("POST", path, form or {}, browser)

    def _send(self, method: str, path: str, form: dict[str, object], browser: str | None) -> TestResponse:
        client = self.browsers[browser] if browser else self.app.test_client()
        answer = client.open(path, method=method, data=form)
        assert answer.status_code < 500, f"{method} {path}: {answer.status}"
        return answer

    def try_to_log_in(self, address: str, password: str, browser: str | None = None) -> bool:
        form = {"email": address, "password": password}
        return self.post("/account/login", form, browser).status_code == 302

    def choose_password(self, path: str, password: str) -> None:
        """Open the link of a reset and choose a password, as one browser without a history."""
        client = self.app.test_client()
        if client.get(path).status_code == 303:
            form = {"new_password": password, "new_password2": password}
            assert client.post("/account/reset-password/form", data=form).status_code == 302

    def number_of(self, address: str) -> int:
        number = db.session.scalar(select(User.id).where(User.email == address))
        assert number is not None, f"nobody has the address {address}"
        return number

    def waits(self, kind: str, recipient: str) -> bool:
        """Tell whether such an email is about to leave."""
        waiting = (Email.kind == kind, Email.recipient == recipient, Email.state == EmailState.PENDING)
        return db.session.scalar(select(Email.id).where(*waiting)) is not None

    def deliver(self) -> Iterator[Mail]:
        """Send what waits, each composed only now, as the worker does; an hour goes by meanwhile."""
        for row in db.session.scalars(select(Email).where(Email.state == EmailState.PENDING).order_by(Email.id)).all():
            rendered = catalog.emails[row.kind].compose(row)
            row.state = EmailState.CANCELED if rendered is None else EmailState.SENT
            if rendered is not None:
                links = [(KINDS[found[2]], found[1]) for found in LINK.finditer(rendered.text)]
                yield Mail(row.kind, row.recipient, row.user_id, links)
        db.session.execute(delete(RecipientLimit))
        db.session.commit()
