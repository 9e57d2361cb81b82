"""What was begun before an update of the site, which keeps something else in flows, is begun again without an error."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import update

from app.kit.auth.provider_settings import Provider
from app.kit.core.data_keys import encrypt
from app.models import Flow, Way
from app.models.flow import digest
from tests.factories import let_in, make_flow, make_user
from tests.test_sign_in import set_up

TOKEN = "token"
CODE, CODES = {"code": "000000"}, "/account/manage/recovery-codes"
# purpose, path, what a POST sends (None for a GET), and what the page says in the end
BEGUN = [
    ("second_step", "/account/second-factor", None, "Log in again"),
    ("second_step", "/account/second-factor", CODE, "Log in again"),
    ("mailed_code", "/account/email-code/enter", None, "Ask for a new code"),
    ("mailed_code", "/account/email-code/enter", CODE, "Ask for a new code"),
    ("provider", f"/account/providers/example/callback?state={TOKEN}&code=1", None, "took too long"),
    ("provider_sign_up", "/account/register/provider", None, "took too long"),
    ("sudo_code", "/account/confirm-password", CODE, "Confirm that it is you"),
    ("new_app", "/account/manage/authenticator-app", CODE, "took too long"),
    ("new_recovery_codes", CODES, None, "Show my codes"),
    ("new_recovery_codes", CODES, {"saved": "y", "shown": digest(TOKEN)[:16]}, "made anew already"),
]


@pytest.mark.parametrize(("purpose", "path", "sent", "said"), BEGUN)
@pytest.mark.parametrize("older", [{}, {"access_version": 0, "codes": ["a"], "use": "login"}, {"secret": b"\xff"}])
def test_what_an_older_release_began_is_begun_again(
    app: Flask,
    client: FlaskClient,
    db: SQLAlchemy,
    monkeypatch: pytest.MonkeyPatch,
    purpose: str,
    path: str,
    sent: dict[str, str] | None,
    said: str,
    older: dict[str, object],
) -> None:
    example = Provider("example", "Example", "http://localhost:1", "id", "secret")
    monkeypatch.setitem(app.config, "PROVIDERS", {"example": example})
    monkeypatch.setitem(app.config, "MAGIC_LINK", True)
    user = make_user()
    if purpose in {"sudo_code", "new_app", "new_recovery_codes"}:
        let_in(client, user)
    if purpose == "new_recovery_codes":
        set_up(db, user, Way.APP)
    with client.session_transaction() as session:
        session["browser"] = "browser"
    flow = make_flow("browser", purpose, None if purpose.startswith("provider") else user)
    data = {name: encrypt(value) if isinstance(value, bytes) else value for name, value in older.items()}
    db.session.execute(update(Flow).where(Flow.id == flow.id).values(data=data, token_hash=digest(TOKEN)))
    db.session.commit()
    page = client.open(path, method="GET" if sent is None else "POST", data=sent, follow_redirects=True)
    assert page.status_code == 200
    assert said in page.text
