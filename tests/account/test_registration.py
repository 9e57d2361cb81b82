"""Tests for signing up, confirming and joining by invitation."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.email import confirm
from app.email import invite as invitation
from app.extensions import db
from app.kit.db.database import utc_now
from app.models import Role, User, ids_of_people
from tests.account.mailed import mailed_kinds, mailed_link
from tests.factories import PASSWORD, let_in, make_admin, make_invited, make_user, sign_in

FORM = {
    "first_name": "Grace",
    "last_name": "Hopper",
    "email": "grace@example.org",
    "password": "nanosecond wire in hand",
    "password2": "nanosecond wire in hand",
}


def test_a_stranger_signs_up_confirms_and_logs_in(client: FlaskClient) -> None:
    assert client.post("/account/register", data=FORM).status_code == 302
    link = mailed_link("confirm")
    assert b"grace@example.org" in client.get(link).data
    assert not User.with_email(FORM["email"]).confirmed, "opening a link must change nothing"
    assert client.post(link).location == "/account/login"
    assert User.with_email(FORM["email"]).confirmed
    client.post("/account/login", data=FORM)
    assert client.get("/account/manage").status_code == 200


def test_a_confirmation_link_works_once(client: FlaskClient) -> None:
    client.post("/account/register", data=FORM)
    link = mailed_link("confirm")
    client.post(link)
    assert b"not valid" in client.post(link, follow_redirects=True).data


def test_a_new_user_gets_the_default_role_whatever_the_form_says(client: FlaskClient) -> None:
    administrator = Role.with_name("Administrator")
    forged = {**FORM, "role": administrator.id, "role_id": administrator.id, "confirmed": "y", "id": "1"}
    client.post("/account/register", data=forged)
    user = User.with_email(FORM["email"])
    assert user.role.name == "User"
    assert not user.confirmed


def test_registering_the_administrators_address_makes_nobody_an_administrator(client: FlaskClient) -> None:
    address = client.application.config["ADMIN_EMAIL"]
    client.post("/account/register", data={**FORM, "email": address})
    assert not User.with_email(address).is_admin()


def test_the_owner_of_a_taken_address_is_told(client: FlaskClient) -> None:
    owner = make_user(email="Grace@Example.org")
    client.post("/account/register", data=FORM)
    assert mailed_kinds() == ["already_registered"]
    assert db.session.scalar(select(func.count()).select_from(User)) == 1
    assert owner.verify_password(PASSWORD)


@pytest.mark.parametrize(
    ("field", "typed", "complaint"),
    [
        ("email", "grace", "not an email address"),
        ("email", "grâce@example.org", "not an email address"),
        ("email", "grace\u200f@example.org", "not an email address"),
        ("first_name", "https://evil.example", "leave out links"),
        ("first_name", "Grace\nBcc: all@example.org", "control character"),
        ("last_name", "x" * 65, "at most 64"),
        ("last_name", " \u00a0 ", "Enter a last name."),
        ("password", "short", "at least 12"),
        ("password", "p" * 129, "at most 128"),
        ("password", "gracehopper1", "too easy"),
        ("password2", "something else", "differ"),
    ],
)
def test_a_refused_form_says_why_and_keeps_what_was_typed(
    client: FlaskClient, field: str, typed: str, complaint: str
) -> None:
    form = {**FORM, field: typed}
    form["password2"] = form["password2"] if field == "password2" else form["password"]
    page = client.post("/account/register", data=form)
    assert page.status_code == 200
    assert complaint in page.text
    assert page.text.count('class="field__error"') == 1
    kept = "last_name" if field == "first_name" else "first_name"
    assert f'value="{FORM[kept]}"' in page.text
    assert User.with_email(FORM["email"]) is None


def test_a_sign_up_is_found_by_the_newest_name(client: FlaskClient) -> None:
    for last_name in ("Hopper", "Murray"):
        client.post("/account/register", data={**FORM, "last_name": last_name})
    assert [len(ids_of_people(words)) for words in ("grace@", "murray", "hopper")] == [1, 1, 0]


def test_the_address_is_stored_in_one_spelling(client: FlaskClient) -> None:
    client.post("/account/register", data={**FORM, "email": " ｇrace@Bücher.example.org "})
    assert User.with_email("grace@xn--bcher-kva.example.org") is not None


def test_an_unconfirmed_user_is_held_and_may_ask_again(client: FlaskClient) -> None:
    let_in(client, make_user(confirmed=False))
    assert client.get("/account/manage").location == "/account/unconfirmed"
    assert client.get("/").status_code == 200
    assert client.get("/account/unconfirmed").status_code == 200
    client.post("/account/confirm-account")
    assert mailed_kinds() == ["confirm"]


def test_a_confirmed_user_is_not_held(client: FlaskClient) -> None:
    sign_in(client, make_user())
    assert client.get("/account/unconfirmed").location == "/"
    client.post("/account/confirm-account")
    assert mailed_kinds() == []


def test_a_confirmation_of_somebody_else_confirms_that_one(client: FlaskClient) -> None:
    newcomer = make_user(confirmed=False)
    confirm.send(newcomer)
    db.session.commit()
    sign_in(client, make_admin(email="root@example.org"))
    page = client.post(mailed_link("confirm"), follow_redirects=True)
    assert newcomer.confirmed
    assert f"{newcomer.email} is confirmed. You are still logged in as root@example.org." in page.text


def test_an_invited_user_joins_once(client: FlaskClient) -> None:
    user = make_invited(created_at=utc_now() - timedelta(days=3))
    invitation.send(user)
    db.session.commit()
    link = mailed_link("invite")
    form = {"password": FORM["password"], "password2": FORM["password"]}
    assert client.get(link).status_code == 200
    assert b"too easy" in client.post(link, data={"password": "aaaaaaaaaaaa", "password2": "aaaaaaaaaaaa"}).data
    assert client.post(link, data=form).location == "/"
    assert user.confirmed
    assert b"you are logged in" in client.get("/").data
    assert client.get_cookie("known_browser") is not None
    assert utc_now() - user.created_at < timedelta(minutes=1)
    assert user.verify_password(FORM["password"])
    assert b"not valid" in client.post(link, data=form, follow_redirects=True).data


def test_a_disabled_invited_user_may_join_but_not_log_in(client: FlaskClient) -> None:
    user = make_invited(disabled_at=utc_now())
    link = f"/account/join-from-invite/{user.id}/{user.generate_invitation_token()}"
    form = {"password": FORM["password"], "password2": FORM["password"]}
    assert client.post(link, data=form).location == "/account/login"
    assert client.get("/account/manage").status_code == 302


def test_an_invitation_fits_only_its_own_user(client: FlaskClient) -> None:
    user, other = make_invited(), make_invited()
    token = user.generate_invitation_token()
    page = client.get(f"/account/join-from-invite/{other.id}/{token}", follow_redirects=True)
    assert b"not valid" in page.data


def test_the_meter_and_the_form_have_one_rule(client: FlaskClient) -> None:
    def judged(password: str) -> dict:
        form = {"password": password, "email": FORM["email"], "first_name": "Grace", "last_name": "Hopper"}
        return client.post("/account/password-strength", data=form).json

    assert judged(FORM["password"])["acceptable"]
    personal = judged("gracehopper1")
    assert not personal["acceptable"]
    assert personal["advice"]
    assert judged("")["score"] == 0
