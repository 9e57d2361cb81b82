"""Set second factors up as users do, and read what their pages show."""

import re
from base64 import b32decode

from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from app.extensions import db
from app.kit.auth import totp
from app.models import AuthenticatorApp, User
from tests.factories import PASSWORD

APP_PAGE, CODES_PAGE, SECOND_STEP = (
    "/account/manage/authenticator-app",
    "/account/manage/recovery-codes",
    "/account/second-factor",
)


def shown_secret(page: str) -> bytes:
    """Return the secret that a page shows as text."""
    text = re.search(r'id="secret">(.*?)</code>', page, re.DOTALL)
    assert text is not None, "the page shows no secret"
    return b32decode(re.sub(r"<[^>]*>", "", text.group(1)))


def shown_codes(page: str) -> list[str]:
    """Return the recovery codes that a page shows."""
    return re.findall(r"<li><code>([0-9a-z-]+)</code>", page)


def code_of(secret: bytes, steps_off: int = 0) -> str:
    """Return the code that an app shows, whose clock is some steps off."""
    return totp.code_at(secret, totp.current_step() + steps_off)


def add_app(client: FlaskClient) -> tuple[bytes, TestResponse]:
    """Set an app up in a browser that is logged in; return its secret and the last response."""
    client.post(APP_PAGE)
    secret = shown_secret(client.get(APP_PAGE).text)
    return secret, client.post(APP_PAGE, data={"code": code_of(secret)})


def save_codes(client: FlaskClient) -> list[str]:
    """Make recovery codes, and say that they are saved."""
    client.post(CODES_PAGE)
    page = client.get(CODES_PAGE).text
    client.post(CODES_PAGE, data=saying_saved(page))
    return shown_codes(page)


def saying_saved(page: str) -> dict[str, str]:
    """Return the form that says that the codes of this page are saved."""
    shown = re.search(r'name="shown"[^>]*value="(\w+)"', page)
    assert shown is not None, "the page shows no codes"
    return {"saved": "y", "shown": shown.group(1)}


def turn_on(client: FlaskClient, user: User) -> tuple[bytes, list[str]]:
    """Set up an app and recovery codes; return its secret and the codes. The app's code can be used at once."""
    secret, _response = add_app(client)
    codes = save_codes(client)
    db.session.execute(update(AuthenticatorApp).where(AuthenticatorApp.user_id == user.id).values(last_step=0))
    db.session.commit()
    return secret, codes


def first_step(client: FlaskClient, user: User, address: str = "/account/login") -> TestResponse:
    """Give the password."""
    return client.post(address, data={"email": user.email, "password": PASSWORD})


def second_step(client: FlaskClient, code: str) -> TestResponse:
    """Give a code as the second factor."""
    return client.post(SECOND_STEP, data={"code": code})
