"""Tests for rate limits: how often, who is counted, and that a limit is no bypass and no error page."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.extensions import limiter
from tests.factories import PASSWORD, let_in, make_user, sign_in

pytestmark = pytest.mark.usefixtures("limits", "_without_proof_of_work")

WRONG = "wrong"
Try = Callable[[int], TestResponse]


@pytest.fixture
def _without_proof_of_work(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Accept many forms of one network, up to the limits."""
    monkeypatch.setitem(app.config, "PROOF_OF_WORK", "never")


def tries_until_stopped(attempt: Try, at_most: int) -> int:
    """Return how many tries passed before the first 429, which must say when to come back."""
    for number in range(at_most):
        answer = attempt(number)
        assert answer.status_code < 500
        if answer.status_code == 429:
            assert 0 < int(answer.headers["Retry-After"]) <= 24 * 3600 + 1
            return number
    return at_most


def login(client: FlaskClient, address: str, password: str = WRONG, ip: str = "198.51.100.7") -> TestResponse:
    form = {"email": address, "password": password}
    return client.post("/account/login", data=form, environ_overrides={"REMOTE_ADDR": ip})


def test_failed_logins_are_limited_per_address_from_wherever_they_come(client: FlaskClient) -> None:
    user = make_user()
    assert tries_until_stopped(lambda n: login(client, user.email, ip=f"198.51.100.{n}"), 9) == 5


def test_an_unknown_address_is_limited_like_a_known_one(client: FlaskClient) -> None:
    assert tries_until_stopped(lambda n: login(client, "nobody@example.org", ip=f"198.51.100.{n}"), 9) == 5


def test_failed_logins_are_limited_per_network_address(client: FlaskClient) -> None:
    assert tries_until_stopped(lambda n: login(client, f"nobody{n}@example.org"), 15) == 10


def test_a_success_is_no_failure_but_does_not_clear_the_count(app: Flask, client: FlaskClient) -> None:
    user = make_user()
    for _ in range(6):
        assert login(app.test_client(), user.email, PASSWORD).status_code == 302
    for _ in range(4):
        login(client, user.email)
    assert login(app.test_client(), user.email, PASSWORD).status_code == 302
    assert tries_until_stopped(lambda _: login(client, user.email), 5) == 1
    assert login(app.test_client(), user.email, PASSWORD).status_code == 429


def test_all_logins_are_limited_per_network_address(app: Flask, client: FlaskClient) -> None:
    users = [make_user() for _ in range(3)]
    assert tries_until_stopped(lambda n: login(app.test_client(), users[n % 3].email, PASSWORD), 40) == 30


def test_typing_errors_of_many_do_not_add_up(client: FlaskClient) -> None:
    assert tries_until_stopped(lambda n: reset(client, "no address", f"198.51.100.{n}"), 9) == 9


def reset(client: FlaskClient, address: str, ip: str = "198.51.100.7") -> TestResponse:
    return client.post("/account/reset-password", data={"email": address}, environ_overrides={"REMOTE_ADDR": ip})


def test_asking_for_reset_mails_is_limited_per_network_address(client: FlaskClient) -> None:
    assert tries_until_stopped(lambda n: reset(client, f"ada{n}@example.org"), 30) == 20


def test_one_ipv6_customer_counts_once(client: FlaskClient) -> None:
    one_customer = (f"2001:db8:1:2:{n:x}::1" for n in range(100))
    assert tries_until_stopped(lambda n: login(client, f"nobody{n}@example.org", ip=next(one_customer)), 15) == 10
    neighbor = login(client, "somebody@example.org", ip="2001:db8:1:3::1")
    assert neighbor.status_code == 200


def register(client: FlaskClient, number: int) -> TestResponse:
    person = {"first_name": "Ada", "last_name": "Wren", "email": f"new{number}@example.org"}
    return client.post("/account/register", data={**person, "password": PASSWORD, "password2": PASSWORD})


def test_registering_is_limited(client: FlaskClient) -> None:
    assert tries_until_stopped(lambda number: register(client, number), 30) == 20


@pytest.mark.parametrize("path", ["/account/register", "/account/login", "/account/reset-password"])
def test_typing_errors_count_only_as_requests(client: FlaskClient, path: str) -> None:
    assert tries_until_stopped(lambda _: client.post(path, data={"email": "no address"}), 70) == 60


@pytest.mark.parametrize("path", ["/account/manage/change-password", "/account/manage/change-email"])
def test_typing_errors_in_ones_own_forms_count_only_as_requests(client: FlaskClient, path: str) -> None:
    let_in(client, make_user())
    assert tries_until_stopped(lambda _: client.post(path, data={"email": "no address"}), 70) == 60


def test_typing_errors_leave_all_registrations(client: FlaskClient) -> None:
    for _ in range(25):
        assert client.post("/account/register", data={"email": "no address"}).status_code == 200
    assert tries_until_stopped(lambda number: register(client, number), 30) == 20


def test_a_stopped_form_says_how_long_and_keeps_what_was_typed_but_passwords(client: FlaskClient) -> None:
    for number in range(20):
        register(client, number)
    stopped = register(client, 99)
    assert stopped.status_code == 429
    seconds = int(stopped.headers["Retry-After"])
    assert 0 < seconds <= 61
    assert re.search(r"Too many attempts. Try again in (\d+ seconds|a second)\.", stopped.text)
    assert 'value="new99@example.org"' in stopped.text
    assert 'value="Wren"' in stopped.text
    assert PASSWORD not in stopped.text
    assert "Too many attempts" not in client.get("/account/register").text


def test_a_stopped_login_is_the_form_again(client: FlaskClient) -> None:
    user = make_user()
    for _ in range(5):
        login(client, user.email)
    stopped = login(client, user.email)
    assert stopped.status_code == 429
    assert f'value="{user.email}"' in stopped.text
    assert "Try again in 5 minutes." in stopped.text
    assert WRONG not in stopped.text


def test_a_stopped_link_can_be_opened_again_later(client: FlaskClient) -> None:
    for _ in range(21):
        stopped = client.post("/account/not-me/x")
    assert stopped.status_code == 429
    assert 'href="/account/not-me/x">Go back' in stopped.text


def test_a_stopped_button_leads_back(client: FlaskClient) -> None:
    let_in(client, make_user(confirmed=False))
    page = {"Referer": "http://localhost/account/unconfirmed"}
    for _ in range(21):
        stopped = client.post("/account/confirm-account", headers=page)
    assert stopped.status_code == 429
    assert 'href="/account/unconfirmed"' in stopped.text
    assert re.search(r"Try again in \d+ seconds", stopped.text)


def test_asking_for_confirmations_is_limited_per_network_address(client: FlaskClient) -> None:
    let_in(client, make_user(confirmed=False))
    assert tries_until_stopped(lambda _: client.post("/account/confirm-account"), 30) == 20


@pytest.mark.parametrize(
    "path",
    ["/account/confirm-account/x", "/account/reset-password/x", "/account/not-me/x", "/account/join-from-invite/1/x"],
)
def test_guessing_links_is_limited(client: FlaskClient, path: str) -> None:
    assert tries_until_stopped(lambda _: client.get(path), 30) == 20


def test_a_day_has_ten_exports(client: FlaskClient) -> None:
    sign_in(client, make_user())
    assert tries_until_stopped(lambda _: client.post("/account/manage/export"), 12) == 10


def test_looking_at_forms_is_not_limited(client: FlaskClient) -> None:
    assert tries_until_stopped(lambda _: client.get("/account/login"), 40) == 40


def test_redis_counts_without_learning_addresses(
    client: FlaskClient, redis_url: str, limits_in: Callable[[str], None]
) -> None:
    limits_in(redis_url)
    limiter.reset()
    assert tries_until_stopped(lambda n: login(client, "lovelace@example.org", ip=f"198.51.100.{n}"), 9) == 5
    keys = limiter.storage.get_connection().keys("*limits*")
    assert keys
    # Longer than any word that a digest spells by chance: it has no letter beyond f.
    assert not [key for key in keys if b"lovelace" in key]


def test_with_redis_away_the_process_counts_and_says_so(
    client: FlaskClient, limits_in: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    limits_in("redis://127.0.0.1:1/0")
    user = make_user()
    assert tries_until_stopped(lambda n: login(client, user.email, ip=f"198.51.100.{n}"), 9) == 5
    assert "falling back to in-memory storage" in caplog.text


def test_an_unavailable_redis_is_asked_again_after_a_pause(
    app: Flask, limits_in: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    limits_in("redis://127.0.0.1:1/0")
    redis = limiter.storage
    assert limiter.count("key", 60)[1] == 1
    assert limiter.storage is not redis
    assert limiter.count("key", 60)[1] == 2
    monkeypatch.setattr("app.kit.auth.limits.time.monotonic", lambda: 2**40)
    assert limiter.storage is redis
