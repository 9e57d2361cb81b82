"""Between sign-up and confirmation nobody is logged in, and the email address belongs to nobody."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select
from sqlalchemy.orm.exc import StaleDataError

from app.extensions import db
from app.kit.db.database import utc_now
from app.models import RecipientLimit, User, UserSession
from tests.account.mailed import mailed_kinds, mailed_link
from tests.factories import PASSWORD, let_in, make_admin, make_invited, make_user
from tests.together import together, wait_for_lock

ADDRESS = "grace@example.org"
FIRST, SECOND = "nanosecond wire in hand", "compiler moth in a relay"


def sign_up(client: FlaskClient, password: str = FIRST, first_name: str = "Grace", address: str = ADDRESS) -> None:
    person = {"first_name": first_name, "last_name": "Hopper", "email": address}
    answer = client.post("/account/register", data={**person, "password": password, "password2": password})
    assert answer.location == "/account/unconfirmed"


def log_in(client: FlaskClient, password: str = FIRST) -> int:
    return client.post("/account/login", data={"email": ADDRESS, "password": password}).status_code


def test_nobody_is_in_before_the_address_is_confirmed(app: Flask, client: FlaskClient) -> None:
    sign_up(client)
    assert log_in(client) == 200
    assert db.session.scalar(select(func.count()).select_from(UserSession)) == 0
    assert app.test_client().post(mailed_link("confirm")).location == "/account/login"
    assert log_in(client) == 302
    assert client.get("/account/manage").status_code == 200


def test_what_was_verified_before_a_newer_sign_up_lets_nobody_in(client: FlaskClient) -> None:
    sign_up(client)
    verified = db.session.scalars(select(User)).one()
    db.session.expunge(verified)  # as another request has it
    sign_up(client, SECOND)
    db.session.add(verified)
    with pytest.raises(StaleDataError):
        UserSession.start(verified, remembered=False, ip_address="", user_agent="")


def test_the_browser_that_signed_up_is_told_where_the_email_went(client: FlaskClient) -> None:
    sign_up(client)
    page = client.get("/account/unconfirmed").text
    assert ADDRESS in page
    assert 'action="/account/confirm-account"' in page
    assert 'href="/account/register"' in page
    login = client.post("/account/login", data={"email": ADDRESS, "password": FIRST}).text
    assert "Wrong email address or password." in login
    assert 'href="/account/unconfirmed"' in login


def test_another_browser_is_told_nothing(app: Flask, client: FlaskClient) -> None:
    sign_up(client)
    other = app.test_client()
    assert other.get("/account/unconfirmed").location.startswith("/account/login")
    assert other.post("/account/confirm-account").location.startswith("/account/login")
    assert ADDRESS not in other.get("/account/login").text


def test_a_mistyped_address_is_corrected_by_signing_up_again(client: FlaskClient) -> None:
    sign_up(client, address="grcae@example.org")
    sign_up(client)
    assert ADDRESS in client.get("/account/unconfirmed").text
    assert mailed_kinds() == ["confirm", "confirm"]


def test_confirming_and_logging_in_end_the_memory_of_the_sign_up(app: Flask, client: FlaskClient) -> None:
    sign_up(client)
    client.post(mailed_link("confirm"))
    assert client.get("/account/unconfirmed").location.startswith("/account/login")
    other = app.test_client()
    sign_up(other)
    log_in(other)
    other.post("/account/logout")
    assert other.get("/account/unconfirmed").location.startswith("/account/login")


def test_the_newest_sign_up_takes_the_place_of_one_that_nobody_confirmed(app: Flask, client: FlaskClient) -> None:
    sign_up(app.test_client(), FIRST, "Squatter")
    squatter = User.with_email(ADDRESS)
    stale_link = mailed_link("confirm")
    let_in(squatters_browser := app.test_client(), squatter)
    sign_up(client, SECOND, "Grace")
    assert "not valid" in app.test_client().post(stale_link, follow_redirects=True).text
    client.post(mailed_link("confirm"))
    owner = User.with_email(ADDRESS)
    assert (owner.first_name, owner.confirmed) == ("Grace", True)
    assert (log_in(app.test_client(), FIRST), log_in(app.test_client(), SECOND)) == (200, 302)
    assert squatters_browser.get("/account/manage").location.startswith("/account/login")


def test_a_dead_link_leads_to_where_a_new_one_is_sent(client: FlaskClient) -> None:
    sign_up(client)
    assert client.get("/account/confirm-account/dead").location == "/account/unconfirmed"


def test_a_reset_password_confirms_too(app: Flask, client: FlaskClient) -> None:
    sign_up(client, FIRST)
    owner = app.test_client()
    owner.post("/account/reset-password", data={"email": ADDRESS})
    form = {"new_password": SECOND, "new_password2": SECOND}
    assert owner.post(owner.get(mailed_link("reset_password")).location, data=form).location == "/account/login"
    assert log_in(owner, SECOND) == 302


@pytest.mark.parametrize(
    "make",
    [
        make_user,
        make_invited,
        lambda email: make_admin(email=email, confirmed=False),
        lambda email: make_user(email=email, confirmed=False, disabled_at=utc_now()),
    ],
    ids=["user", "invited", "promoted", "disabled"],
)
def test_no_other_account_is_touched_by_a_sign_up(client: FlaskClient, make: Callable[..., User]) -> None:
    user = make(email=ADDRESS)
    let_in(client.application.test_client(), user)
    before = (user.first_name, user.password_hash, user.role_id, user.confirmed)
    sign_up(client)
    db.session.refresh(user)
    assert (user.first_name, user.password_hash, user.role_id, user.confirmed) == before
    assert db.session.scalar(select(func.count()).select_from(UserSession)) == 1
    assert mailed_kinds() == ["already_registered"]


def test_a_sign_up_whose_email_cannot_leave_does_not_kill_the_link_that_was_mailed(
    app: Flask, client: FlaskClient
) -> None:
    sign_up(client, FIRST)
    link = mailed_link("confirm")
    db.session.execute(RecipientLimit.__table__.update().values(slots=[utc_now().timestamp()] * 5))
    db.session.execute(db.text("UPDATE emails SET state = 'sent'"))
    sign_up(app.test_client(), SECOND)
    client.post(link)
    assert log_in(client, FIRST) == 302


def test_confirming_while_somebody_signs_up_never_confirms_the_other_password(app: Flask, client: FlaskClient) -> None:
    user = make_user(email=ADDRESS, confirmed=False)
    path = f"/account/confirm-account/{user.generate_confirmation_token()}"
    db.session.commit()
    with ThreadPoolExecutor(2) as others, db.engine.begin() as counting:
        counting.execute(insert(RecipientLimit).values(address=ADDRESS, slots=[]))
        # The sign-up has found an unconfirmed account, and waits before it replaces the password.
        signing_up = others.submit(sign_up, app.test_client(), SECOND)
        wait_for_lock(db.engine)
        confirming = others.submit(app.test_client().post, path)
        wait([confirming], timeout=0.5)
        counting.commit()
        signing_up.result(timeout=60)
        confirming.result(timeout=60)
    db.session.expire_all()
    assert user.verify_password(PASSWORD if user.confirmed else SECOND)


def test_a_confirmation_and_a_sign_up_at_once_do_not_mix(app: Flask, client: FlaskClient) -> None:
    for number in range(4):
        address = f"grace{number}@example.org"
        user = make_user(email=address, confirmed=False)
        path = f"/account/confirm-account/{user.generate_confirmation_token()}"
        db.session.commit()
        together(
            [
                lambda address=address: sign_up(app.test_client(), SECOND, address=address),
                lambda path=path: app.test_client().post(path),
            ]
        )
        db.session.expire_all()
        assert user.verify_password(PASSWORD if user.confirmed else SECOND)
