"""Sign-in with a provider, against a real one over HTTP."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import func, select
from werkzeug.test import TestResponse
from werkzeug.wrappers import Response

from app.kit.auth import openid
from app.kit.auth.provider_settings import Provider
from app.models import (
    AuditEvent,
    AuthenticatorApp,
    DataExport,
    Flow,
    LinkedIdentity,
    RecoveryCode,
    User,
    UserSession,
    delete_user,
)
from app.models.flow import digest
from tests.account.mailed import mailed_kinds, mailed_link
from tests.factories import browser_of, make_invited, make_user, sign_in
from tests.queries import recorded_queries
from tests.servers.identity_provider import FaultyProvider, start_identity_provider
from tests.together import together

START, CALLBACK, FORM = (
    "/account/providers/example",
    "/account/providers/example/callback",
    "/account/register/provider",
)
LOGIN, SECURITY = "/account/login", "/account/manage/security"
NAMES = {"first_name": "Ada", "last_name": "Lovelace"}
ADA = "ada.lovelace@example.com"


@pytest.fixture
def provider(app: Flask, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProvider]:
    """Yield a running provider that the site offers."""
    with start_identity_provider() as running:
        monkeypatch.setitem(app.config, "PROVIDERS", {"example": running.settings()})
        yield running


def begin(client: FlaskClient, path: str = START) -> str:
    """Press the button, and return the address at the provider."""
    response = client.post(path)
    assert response.status_code == 200, response.location
    return response.headers["Refresh"].removeprefix("0; url=")


def come_back(client: FlaskClient, provider: FaultyProvider, person: str = "ada", path: str = START) -> TestResponse:
    """Press the button, pick a person, and return the response to the provider's answer."""
    return client.get(provider.choose(begin(client, path), person))


def make_linked(db: SQLAlchemy, provider: FaultyProvider, subject: str = "ada", **attributes: object) -> User:
    """Return a user without a password who logs in with the provider."""
    user = make_user(**attributes)
    user.password_hash = None
    db.session.add(LinkedIdentity(user=user, issuer=provider.issuer, subject=subject, provider="example"))
    db.session.commit()
    return user


def count(db: SQLAlchemy, model: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def shown_at(client: FlaskClient, path: str) -> str:
    return re.sub(r"\s+", " ", client.get(path).text)


# Logging in


def test_a_linked_identity_logs_in_and_leads_back(
    client: FlaskClient, db: SQLAlchemy, provider: FaultyProvider
) -> None:
    user = make_linked(db, provider)
    response = come_back(client, provider, path=f"{START}?next=/account/sessions")
    assert response.location == "/account/sessions"
    row = db.session.scalar(select(UserSession).where(UserSession.user_id == user.id))
    assert row is not None
    assert (row.ways, row.has_two_factors) == ("provider", False)
    assert LinkedIdentity.of(user)[0].last_used_at is not None


def test_the_request_carries_what_the_answer_must_fit(
    app: Flask, client: FlaskClient, db: SQLAlchemy, provider: FaultyProvider
) -> None:
    response = client.post(START, headers={"Host": "evil.example"})
    query = {name: values[0] for name, values in parse_qs(urlsplit(response.headers["Refresh"][7:]).query).items()}
    assert query["redirect_uri"] == app.config["BASE_URL"] + CALLBACK
    assert query["code_challenge_method"] == "S256"
    assert set(query["scope"].split()) == {"openid", "profile", "email"}
    assert len({query["state"], query["nonce"], query["code_challenge"]}) == 3
    assert all(len(query[name]) >= 22 for name in ("state", "nonce", "code_challenge"))
    # A copy of the database continues nothing.
    flow = db.session.scalars(select(Flow)).one()
    assert query["state"] not in f"{flow.token_hash} {flow.browser_hash} {flow.data}"
    assert (response.headers["Cache-Control"], response.headers["Referrer-Policy"]) == ("no-store", "no-referrer")


def test_a_get_begins_nothing(client: FlaskClient, provider: FaultyProvider) -> None:
    assert client.get(START).status_code == 405
    assert client.get(CALLBACK).location == LOGIN
    assert provider.asked == []


def test_a_token_is_needed_to_begin(csrf_app: Flask, provider: FaultyProvider) -> None:
    assert csrf_app.test_client().post(START).status_code == 400


def test_the_login_page_offers_what_is_set_up_and_never_waits_for_it(
    app: Flask, client: FlaskClient, provider: FaultyProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path, label in ((LOGIN, "Log in with Example"), ("/account/register", "Register with Example")):
        assert label in shown_at(client, path)
    assert provider.asked == []
    monkeypatch.setitem(app.config, "PROVIDERS", {})
    assert "/account/providers" not in client.get(LOGIN).text
    assert client.post(START).status_code == 404


def test_an_answer_is_used_once_and_in_its_own_browser(
    app: Flask, client: FlaskClient, db: SQLAlchemy, provider: FaultyProvider
) -> None:
    make_linked(db, provider)
    answer = provider.choose(begin(client))
    other = app.test_client()
    other.post(START)
    assert other.get(answer).location == LOGIN
    assert "began in another browser" in shown_at(other, LOGIN)
    copied = client.get_cookie("session")
    assert client.get(answer).location == "/"
    assert client.get(answer).location == SECURITY
    if copied:
        other.set_cookie("session", copied.value)
    assert other.get(answer).location == LOGIN
    assert (count(db, UserSession), provider.asked.count("/token")) == (1, 1)


def test_an_answer_of_one_provider_is_none_of_another(
    app: Flask, client: FlaskClient, db: SQLAlchemy, provider: FaultyProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_linked(db, provider)
    monkeypatch.setitem(app.config, "PROVIDERS", {**app.config["PROVIDERS"], "other": provider.settings("other")})
    assert client.get(provider.choose(begin(client)).replace("/example/", "/other/")).location == LOGIN
    assert count(db, UserSession) == 0


@pytest.mark.parametrize("iss", ["https://evil.example", None])
def test_the_answer_names_its_issuer(
    client: FlaskClient, db: SQLAlchemy, provider: FaultyProvider, iss: str | None
) -> None:
    make_linked(db, provider)
    answer = re.sub(r"&iss=[^&]+", f"&iss={iss}" if iss else "", provider.choose(begin(client)))
    assert client.get(answer).location == LOGIN
    assert "/token" not in provider.asked


def test_25_logins_can_be_begun_at_once(client: FlaskClient, db: SQLAlchemy, provider: FaultyProvider) -> None:
    make_linked(db, provider)
    first, *_others = [begin(client) for _ in range(25)]
    cookie = client.get_cookie("session")
    assert cookie is not None
    assert len(cookie.value) < 300
    assert client.get(provider.choose(first)).location == "/"


def test_who_cancels_reads_why_nothing_happened(client: FlaskClient, provider: FaultyProvider) -> None:
    assert come_back(client, provider, person="").location == LOGIN
    assert "You did not continue with Example" in shown_at(client, LOGIN)


def test_whoever_may_not_log_in_does_not(client: FlaskClient, db: SQLAlchemy, provider: FaultyProvider) -> None:
    user = make_linked(db, provider)
    user.disable("spam")
    db.session.commit()
    assert come_back(client, provider).location == LOGIN
    assert count(db, UserSession) == 0


@pytest.mark.thorough
def test_of_20_requests_with_one_answer_one_logs_in(
    app: Flask, client: FlaskClient, db: SQLAlchemy, provider: FaultyProvider
) -> None:
    make_linked(db, provider)
    answer = provider.choose(begin(client))
    cookie = client.get_cookie("session")
    assert cookie is not None

    def ask() -> str:
        browser = app.test_client()
        browser.set_cookie("session", cookie.value)
        return str(browser.get(answer).location)

    assert sorted(together([ask] * 20)) == ["/", *[LOGIN] * 19]
    assert count(db, UserSession) == 1
    assert provider.asked.count("/token") == 1


TROUBLES = {
    "fails": lambda _request: Response("", 500),
    "is no JSON": lambda _request: Response("<p>", mimetype="text/html"),
    "is nonsense": lambda _request: Response("[[1]]", mimetype="application/json"),
}


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token"])
def test_a_provider_in_trouble_is_explained_and_logged_without_secrets(
    client: FlaskClient,
    db: SQLAlchemy,
    provider: FaultyProvider,
    path: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    make_linked(db, provider)
    for trouble in TROUBLES.values():
        openid._documents.clear()
        provider.answers = {}
        answer = provider.choose(begin(client))
        openid._documents.clear()
        provider.answers[path] = trouble
        assert client.get(answer).location == LOGIN
        assert "Example did not answer as it should" in shown_at(client, LOGIN)
        secrets = [*parse_qs(urlsplit(answer).query)["code"], *parse_qs(urlsplit(answer).query)["state"]]
        assert not any(secret in str(vars(record)) for record in caplog.records for secret in secrets)
    assert "a provider's answer was refused" in caplog.messages
    assert count(db, UserSession) == 0


def test_a_provider_that_is_down_leaves_the_other_ways(
    app: Flask, client: FlaskClient, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch
) -> None:
    down = Provider("example", "Example", "http://localhost:1", "id", "secret")
    monkeypatch.setitem(app.config, "PROVIDERS", {"example": down})
    assert client.post(START).location == LOGIN
    assert "or log in another way" in shown_at(client, LOGIN)
    sign_in(client, make_user())


HOSTILE = ["x" * 5000, "\x00", "\ud800", "%00%ff", "../../etc", "' OR 1=1 --", "ü"]


@pytest.mark.parametrize("name", ["state", "code", "iss", "error"])
def test_any_text_in_the_answer_is_refused_in_words(
    client: FlaskClient, db: SQLAlchemy, provider: FaultyProvider, name: str
) -> None:
    make_linked(db, provider)
    for text in HOSTILE:
        answer = dict(parse_qsl(urlsplit(provider.choose(begin(client))).query))
        response = client.get(CALLBACK, query_string=urlencode({**answer, name: text}, errors="surrogatepass"))
        assert response.status_code in {302, 400}, (name, text)
    assert count(db, UserSession) == 0


# Signing up


def test_somebody_new_says_the_rest_and_is_in(client: FlaskClient, db: SQLAlchemy, provider: FaultyProvider) -> None:
    response = come_back(client, provider, path=f"{START}?next=/account/sessions")
    assert response.location == FORM
    page = shown_at(client, FORM)
    assert ADA in page
    assert 'value="Lovelace"' in page
    assert 'name="email"' not in page
    assert client.post(FORM, data={**NAMES, "email": "other@example.com"}).location == "/account/sessions"
    user = db.session.scalars(select(User)).one()
    assert (user.email, user.confirmed, user.password_hash, user.state) == (ADA, True, None, "active")
    assert [row.subject for row in LinkedIdentity.of(user)] == ["ada"]
    assert come_back(client.application.test_client(), provider).location == "/"


def test_github_works_without_openid_connect(
    app: Flask, client: FlaskClient, db: SQLAlchemy, provider: FaultyProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "PROVIDERS", {"github": provider.settings("github", is_github=True)})
    path = "/account/providers/github"
    assert come_back(client, provider, path=path).location == FORM
    assert client.post(FORM, data=NAMES).location == "/"
    row = db.session.scalars(select(LinkedIdentity)).one()
    assert (row.subject, row.provider, row.user.email) == ("583231", "github", "ada@example.net")
    assert come_back(app.test_client(), provider, path=path).location == "/"


def test_what_is_wrong_in_the_form_loses_nothing(client: FlaskClient, db: SQLAlchemy, provider: FaultyProvider) -> None:
    come_back(client, provider)
    response = client.post(FORM, data={"first_name": "Ada", "last_name": ""})
    assert "Enter a last name" in response.text
    assert client.post(FORM, data=NAMES).location == "/"


@pytest.mark.parametrize("person", ["grace", "alan"])
def test_an_address_that_is_not_verified_is_confirmed_by_mail(
    client: FlaskClient, db: SQLAlchemy, provider: FaultyProvider, person: str
) -> None:
    assert come_back(client, provider, person).location == FORM
    assert 'name="email"' in client.get(FORM).text
    form = {**NAMES, "email": "new@example.com"}
    assert client.post(FORM, data=form).location == "/account/unconfirmed"
    assert come_back(client, provider, person).location == FORM
    assert count(db, UserSession) == 0
    client.post(mailed_link("confirm"))
    assert come_back(client, provider, person).location == "/"


@pytest.mark.parametrize("person", ["grace", "alan"])
def test_a_taken_address_that_is_not_verified_looks_like_a_free_one(
    app: Flask, client: FlaskClient, db: SQLAlchemy, provider: FaultyProvider, person: str
) -> None:
    owner = make_user()
    answers = []
    for address in (owner.email, "free@example.com"):
        browser = app.test_client()
        begun = come_back(browser, provider, person)
        with recorded_queries(db.engine) as sent_queries:
            sent = browser.post(FORM, data={**NAMES, "email": address})
        page = shown_at(browser, sent.location).replace(address, "X")
        with recorded_queries(db.engine) as queries:
            again = come_back(browser, provider, person)
        seen = (begun.location, sent.location, page, again.location, shown_at(browser, FORM))
        answers.append((*seen, str(len(sent_queries)), str(len(queries))))
        db.session.rollback()
        if address == owner.email:
            assert LinkedIdentity.of(owner) == []
    assert without_token(answers[0]) == without_token(answers[1])
    assert mailed_kinds() == ["already_registered", "confirm"]


def without_token(answer: tuple[str, ...]) -> str:
    return re.sub(r'value="[^"]{40,}"', "", str(answer))


def test_a_verified_address_with_an_account_is_told_to_log_in_first(
    client: FlaskClient, db: SQLAlchemy, provider: FaultyProvider
) -> None:
    user = make_user(email=ADA)
    assert come_back(client, provider).location == f"{LOGIN}?next={SECURITY}"
    assert "Log in to it first, then link Example" in shown_at(client, LOGIN)
    assert LinkedIdentity.of(user) == []


@pytest.mark.parametrize("make", [make_user, make_invited])
def test_an_account_that_came_up_since_the_form_was_opened_stays_as_it_is(
    client: FlaskClient, db: SQLAlchemy, provider: FaultyProvider, make: Callable[..., User]
) -> None:
    assert come_back(client, provider).location == FORM
    user = make(email=ADA)
    assert client.post(FORM, data=NAMES).location == f"{LOGIN}?next={SECURITY}"
    assert [row.id for row in db.session.scalars(select(User))] == [user.id]
    assert (count(db, LinkedIdentity), count(db, UserSession)) == (0, 0)


def test_an_invited_address_is_told_to_open_the_invitation(client: FlaskClient, provider: FaultyProvider) -> None:
    make_invited(email=ADA)
    assert come_back(client, provider).location == LOGIN
    assert "Open the link in our email first" in shown_at(client, LOGIN)


def test_an_unconfirmed_account_with_the_address_is_replaced_never_joined(
    app: Flask, client: FlaskClient, db: SQLAlchemy, provider: FaultyProvider
) -> None:
    squatter = make_linked(db, provider, "squatter", email=ADA, confirmed=False)
    squatter.password = "the squatter knows this one"
    db.session.commit()
    uid, old_link = squatter.uid, squatter.generate_confirmation_token()
    reset = squatter.generate_password_reset_token()
    thief = browser_of(app, squatter)
    come_back(client, provider)
    assert client.post(FORM, data=NAMES).location == "/"
    user = db.session.scalars(select(User)).one()
    assert (user.uid != uid, user.password_hash) == (True, None)
    assert [row.subject for row in LinkedIdentity.of(user)] == ["ada"]
    assert User.with_token("confirm", old_link) is None
    assert User.with_token("reset_password", reset) is None
    assert thief.get("/account/unconfirmed").location.startswith(LOGIN)


def test_who_signs_up_with_another_address_takes_the_identity_along(
    client: FlaskClient, db: SQLAlchemy, provider: FaultyProvider
) -> None:
    for address in ("mistyped@example.com", "right@example.com"):
        come_back(client, provider, "grace")
        client.post(FORM, data={**NAMES, "email": address})
    client.post(mailed_link("confirm"))
    assert come_back(client, provider, "grace").location == "/"
    row = db.session.scalars(select(LinkedIdentity)).one()
    assert row.user.email == "right@example.com"


def test_a_later_sign_up_unlinks_who_signed_up_before(
    client: FlaskClient, db: SQLAlchemy, provider: FaultyProvider
) -> None:
    come_back(client, provider, "grace")
    client.post(FORM, data={**NAMES, "email": "victim@example.com"})
    password = "the owner typed this one"
    form = {**NAMES, "email": "victim@example.com", "password": password, "password2": password}
    assert count(db, LinkedIdentity) == 1
    client.post("/account/register", data=form)
    assert count(db, LinkedIdentity) == 0


def test_resetting_the_password_of_an_unconfirmed_account_unlinks(
    client: FlaskClient, db: SQLAlchemy, provider: FaultyProvider
) -> None:
    user = make_linked(db, provider, "squatter", confirmed=False)
    path = f"/account/reset-password/{user.generate_password_reset_token()}"
    new = "the owner typed this one"
    client.post(client.get(path).location, data={"new_password": new, "new_password2": new})
    assert (user.confirmed, LinkedIdentity.of(user)) == (True, [])


@pytest.mark.parametrize("person", ["ada", "grace"])
def test_two_sign_ups_at_once_with_one_identity_make_one_user(
    app: Flask, db: SQLAlchemy, provider: FaultyProvider, person: str
) -> None:
    browsers = [app.test_client(), app.test_client()]
    for browser in browsers:
        come_back(browser, provider, person)
    posts: list[Callable[[], TestResponse]] = [
        lambda browser=browser: browser.post(FORM, data={**NAMES, "email": "grace@example.com"}) for browser in browsers
    ]
    answers = together(posts)
    assert [answer.status_code for answer in answers] == [302, 302]
    assert (count(db, User), count(db, LinkedIdentity)) == (1, 1)


# What else knows of it


def test_a_second_factor_is_asked_for_after_the_provider(
    client: FlaskClient, db: SQLAlchemy, provider: FaultyProvider
) -> None:
    user = make_linked(db, provider)
    db.session.add(AuthenticatorApp(user_id=user.id, encrypted_secret="-"))
    db.session.add(RecoveryCode(user_id=user.id, code_hash=digest("c0de")))
    db.session.commit()
    assert come_back(client, provider, path=f"{START}?next=/account/sessions").location == "/account/second-factor"
    assert count(db, UserSession) == 0
    assert client.post("/account/second-factor", data={"code": "code"}).location == "/account/sessions"


def test_export_and_deletion_know_of_linked_accounts(db: SQLAlchemy, provider: FaultyProvider) -> None:
    user = make_linked(db, provider)
    export = DataExport(user_id=user.id)
    db.session.add(export)
    db.session.commit()
    export.write()
    assert [row["subject"] for row in json.loads(export.content or "")["linked_accounts"]] == ["ada"]
    delete_user(user)
    db.session.commit()
    assert count(db, LinkedIdentity) == 0


@pytest.mark.thorough
def test_nothing_of_it_is_loaded_until_somebody_presses_the_button() -> None:
    heavy = "{'authlib', 'requests', 'joserfc'}"
    program = f"import sys, tests, app.account, app.sign_in; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# Linking


def test_linking_tells_the_owner_and_logs_in_from_then_on(app: Flask, db: SQLAlchemy, provider: FaultyProvider) -> None:
    user = make_user()
    client = browser_of(app, user)
    assert '>Link<span class="visually-hidden"> Example<' in shown_at(client, SECURITY)
    assert come_back(client, provider, path=f"{START}/link").location == SECURITY
    assert [(row.subject, row.email) for row in LinkedIdentity.of(user)] == [("ada", ADA)]
    assert mailed_kinds() == ["identity_linked"]
    assert "identity.linked" in db.session.scalars(select(AuditEvent.event)).all()
    assert "Unlink" in shown_at(client, SECURITY)
    assert come_back(app.test_client(), provider).location == "/"


def test_without_sudo_nothing_is_linked_or_unlinked(
    app: Flask, db: SQLAlchemy, provider: FaultyProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_linked(db, provider)
    client = browser_of(app, user)
    monkeypatch.setitem(app.extensions, "password_is_recent", lambda: False)
    for path in (f"{START}/link", f"/account/identities/{LinkedIdentity.of(user)[0].id}/unlink"):
        assert client.post(path).location.startswith("/account/confirm-password")
    assert len(LinkedIdentity.of(user)) == 1
    assert provider.asked == []


def test_an_identity_belongs_to_one_account(app: Flask, db: SQLAlchemy, provider: FaultyProvider) -> None:
    owner, other = make_linked(db, provider), make_user()
    for user, whose in ((other, "another account here"), (owner, "your account already")):
        client = browser_of(app, user)
        assert come_back(client, provider, path=f"{START}/link").location == SECURITY
        assert f"is linked to {whose}" in shown_at(client, SECURITY)
    assert [row.user_id for row in db.session.scalars(select(LinkedIdentity))] == [owner.id]


def test_a_link_is_for_the_account_that_began_it(app: Flask, db: SQLAlchemy, provider: FaultyProvider) -> None:
    user = make_user()
    client = browser_of(app, user)
    answer = provider.choose(begin(client, f"{START}/link"))
    user.password = "changed by somebody meanwhile"
    db.session.commit()
    assert client.get(answer).location == SECURITY
    assert count(db, LinkedIdentity) == 0


def test_the_last_way_in_stays(app: Flask, db: SQLAlchemy, provider: FaultyProvider) -> None:
    user = make_linked(db, provider)
    client = browser_of(app, user)
    path = f"/account/identities/{LinkedIdentity.of(user)[0].id}/unlink"
    client.post(path)
    assert "This is your only way to log in" in shown_at(client, SECURITY)
    # One whose provider is not offered any more is none.
    gone = LinkedIdentity(user=user, issuer="https://gone.example", subject="1", provider="gone")
    db.session.add(gone)
    db.session.commit()
    client.post(path)
    assert len(LinkedIdentity.of(user)) == 2
    client.post(f"/account/identities/{gone.id}/unlink")
    assert len(LinkedIdentity.of(user)) == 1
    user.password = "another way to log in"
    db.session.commit()
    client = browser_of(app, user)
    client.post(path)
    assert LinkedIdentity.of(user) == []
    assert mailed_kinds()[-1] == "identity_unlinked"


def test_of_two_last_identities_that_are_unlinked_at_once_one_stays(
    app: Flask, db: SQLAlchemy, provider: FaultyProvider
) -> None:
    user = make_linked(db, provider)
    db.session.add(LinkedIdentity(user=user, issuer=provider.issuer, subject="2", provider="example"))
    db.session.commit()
    paths = [f"/account/identities/{row.id}/unlink" for row in LinkedIdentity.of(user)]
    browsers = [browser_of(app, user), browser_of(app, user)]
    together([lambda b=b, p=p: b.post(p).status_code for b, p in zip(browsers, paths, strict=True)])
    assert count(db, LinkedIdentity) == 1


def test_nobody_unlinks_what_is_not_theirs(app: Flask, db: SQLAlchemy, provider: FaultyProvider) -> None:
    owner = make_linked(db, provider)
    path = f"/account/identities/{LinkedIdentity.of(owner)[0].id}/unlink"
    assert browser_of(app, make_user()).post(path).status_code == 404
    assert len(LinkedIdentity.of(owner)) == 1


def test_this_was_not_me_unlinks(client: FlaskClient, db: SQLAlchemy, provider: FaultyProvider) -> None:
    user = make_linked(db, provider)
    client.post(f"/account/not-me/{user.generate_not_me_token(user.email)}")
    assert LinkedIdentity.of(user) == []
