"""A proof of work at registration and at the request of a reset link: asked for, checked, and used once."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import altcha
import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import func, select

from app.extensions import limiter
from app.jobs import purge_sessions
from app.kit.db.database import utc_now
from app.models import SpentProof, User
from app.proof_of_work import NOT_SOLVED
from tests.account.test_registration import FORM
from tests.html_forms import forms_on
from tests.together import together

REGISTER, RESET = "/account/register", "/account/reset-password"


@pytest.fixture
def always(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """Ask for a proof in each form, one that is solved in a moment."""
    monkeypatch.setitem(app.config, "PROOF_OF_WORK", "always")
    monkeypatch.setitem(app.config, "PROOF_OF_WORK_COST", 1)
    return app


def task_on(page: str) -> dict[str, Any] | None:
    """Return the task of the form on a page."""
    _before, attribute, after = page.partition('data-task="')
    return json.loads(unescape(after.partition('"')[0])) if attribute else None


def solve(task: dict[str, Any]) -> str:
    """Return the solution as a browser sends it."""
    challenge = altcha.Challenge.from_dict(task)
    solution = altcha.solve_challenge(challenge)
    assert solution is not None
    return altcha.Payload(challenge, solution).to_base64()


def solved(client: FlaskClient, path: str = REGISTER) -> str:
    """Open a form and return the solution of its task."""
    task = task_on(client.get(path).text)
    assert task is not None
    return solve(task)


def changed(proof: str, **parameters: object) -> str:
    """Return a solution to another task than the one that was given, under the signature of that one."""
    sent = json.loads(b64decode(proof))
    sent["challenge"]["parameters"].update(parameters)
    return b64encode(json.dumps(sent).encode()).decode()


def register(client: FlaskClient, proof: str, **values: str) -> str:
    """Send the form, and return the page that shows it again, or ""."""
    answer = client.post(REGISTER, data={**FORM, **values, "proof": proof})
    return "" if answer.status_code == 302 else answer.text


def users(db: SQLAlchemy) -> int:
    return db.session.scalar(select(func.count()).select_from(User)) or 0


@pytest.mark.parametrize("path", [REGISTER, RESET])
def test_a_form_with_a_solved_task_is_accepted(always: Flask, client: FlaskClient, path: str) -> None:
    refused = client.post(path, data=FORM)
    assert NOT_SOLVED in refused.text
    assert f'value="{FORM["email"]}"' in refused.text, "nothing typed is lost"
    again = task_on(refused.text)
    assert again is not None
    assert client.post(path, data={**FORM, "proof": solve(again)}).status_code == 302


def test_the_policy_allows_a_worker_on_these_pages_only(always: Flask, client: FlaskClient) -> None:
    assert "worker-src 'self'" in client.get(REGISTER).headers["Content-Security-Policy"]
    assert "worker-src" not in client.get("/account/login").headers["Content-Security-Policy"]
    assert "proof" not in client.get("/account/login").text


def test_a_solution_works_once(always: Flask, client: FlaskClient, db: SQLAlchemy) -> None:
    proof = solved(client)
    assert not register(client, proof)
    page = register(client, proof, email="second@example.org")
    assert NOT_SOLVED in page
    assert [form.values["proof"] for form in forms_on(page) if "proof" in form.values] == [""]
    # The same solution in another spelling, and another solution of the same task.
    assert register(client, f" {proof}\n", email="second@example.org")
    task = json.loads(b64decode(proof))["challenge"]
    counter = json.loads(b64decode(proof))["solution"]["counter"] + 1
    other = altcha.solve_challenge(altcha.Challenge.from_dict(task), counter_start=counter)
    payload = altcha.Payload(altcha.Challenge.from_dict(task), other).to_base64()
    assert register(client, payload, email="second@example.org")
    assert users(db) == 1


def test_of_twenty_forms_at_once_one_is_accepted(always: Flask, client: FlaskClient, db: SQLAlchemy) -> None:
    proof = solved(client)
    cookie = client.get_cookie("session")
    assert cookie is not None

    def send(number: int) -> str:
        browser = always.test_client()
        browser.set_cookie("session", cookie.value)
        return register(browser, proof, email=f"robot{number}@example.org")

    pages = together([lambda number=number: send(number) for number in range(20)])
    assert pages.count("") == 1
    assert sum(NOT_SOLVED in page for page in pages) == 19
    assert users(db) == 1


def test_a_mistake_in_the_form_uses_nothing_up(always: Flask, client: FlaskClient, db: SQLAlchemy) -> None:
    proof = solved(client)
    assert "differ" in register(client, proof, password2="something else")
    assert not register(client, proof)


def test_a_solution_for_another_form_browser_task_or_site_is_refused(
    always: Flask, client: FlaskClient, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof = solved(client)
    other_browser = always.test_client()
    other_browser.get(REGISTER)
    assert NOT_SOLVED in register(other_browser, proof)
    assert NOT_SOLVED in register(client, solved(client, RESET))
    padded = b64encode(b64decode(proof) + 3000 * b" ").decode()
    assert NOT_SOLVED in register(client, padded), "reading what nobody has signed must not take long"
    parameters = json.loads(b64decode(proof))["challenge"]["parameters"]
    for forged in (
        {"cost": 0},
        {"keyPrefix": ""},
        {"keyLength": 0},
        {"expiresAt": parameters["expiresAt"] + 300},
        {"algorithm": "SHA-256"},
        {"data": {"for": ""}},
        # Splicing: what belongs to one field is moved to its neighbor.
        {"nonce": parameters["nonce"] + parameters["salt"][:2], "salt": parameters["salt"][2:]},
        {"salt": parameters["salt"] + "?expires=99999999999"},
    ):
        assert NOT_SOLVED in register(client, changed(proof, **forged)), forged
    with monkeypatch.context() as patch:
        patch.setitem(always.config, "SECRET_KEY", "the key of another site, with its 32 characters")
        theirs = solved(client)
    assert NOT_SOLVED in register(client, theirs)
    assert users(db) == 0


def test_a_solution_that_comes_too_late_is_refused(
    always: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(always.config, "PROOF_OF_WORK_LIFETIME", timedelta(seconds=-2))
    assert NOT_SOLVED in register(client, solved(client))


def test_a_solution_survives_a_new_secret_key(
    always: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof, old = solved(client), always.config["SECRET_KEY"]
    monkeypatch.setitem(always.config, "SECRET_KEY", "the next key of this site, with its 32 characters")
    monkeypatch.setitem(always.config, "SECRET_KEY_FALLBACKS", [old])
    assert not register(client, proof)


GARBAGE = [
    "",
    "x",
    "=" * 50,
    "é\ud800",
    "A" * 3999,
    "A" * 100_000,
    *(
        b64encode(text.encode()).decode()
        for text in (
            "[]",
            "null",
            "5",
            '"x"',
            "[" * 1200,
            '{"challenge": [], "solution": {}}',
            '{"challenge": {"parameters": "x", "signature": 5}, "solution": null}',
            '{"challenge": {"parameters": {"algorithm": [], "nonce": 1, "salt": {}, "cost": "x"}}, "solution": {}}',
            '{"challenge": {"parameters": {"algorithm": "SCRYPT", "nonce": "", "salt": "", "cost": 1e999, '
            '"expiresAt": 1e999}, "signature": "00"}, "solution": {"counter": 1e999, "derivedKey": "00"}}',
            '{"challenge": {"parameters": {"__proto__": 1}}, "solution": {"counter": -1, "derivedKey": "\\ud800"}}',
        )
    ),
]


@pytest.mark.parametrize("proof", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_an_unsolved_task(always: Flask, client: FlaskClient, proof: str) -> None:
    sent = {**FORM, "proof": proof.encode("utf-8", "surrogatepass")}
    answer = client.post(REGISTER, data=sent)
    assert answer.status_code == 200
    assert NOT_SOLVED in answer.text


def test_a_wrong_counter_costs_one_try_and_is_refused(always: Flask, client: FlaskClient) -> None:
    sent = json.loads(b64decode(solved(client)))
    for counter in (sent["solution"]["counter"] + 1, -1, 2**32, True, "1", None):
        sent["solution"]["counter"] = counter
        assert NOT_SOLVED in register(client, b64encode(json.dumps(sent).encode()).decode())


@pytest.mark.parametrize("storage", ["memory", "Redis"])
def test_a_network_that_sends_many_forms_has_to_work_more_and_more(
    app: Flask, client: FlaskClient, limits: None, limits_in: Callable[[str], None], redis_url: str, storage: str
) -> None:
    if storage == "Redis":
        limits_in(redis_url)
        limiter.reset()

    def send(address: str = "203.0.113.7") -> str:
        return client.post(RESET, data={"email": "no address"}, environ_base={"REMOTE_ADDR": address}).text

    costs = []
    for _ in range(31):
        page = send()
        task = task_on(page)
        costs.append(task["parameters"]["cost"] if task else 0)
    base = app.config["PROOF_OF_WORK_COST"]
    assert costs[:4] == [0] * 4, "nobody has to work for a first form"
    assert costs[4::5] == [base * 2, base * 4, base * 8, base * 16, base * 16, base * 16]
    assert task_on(send("198.51.100.1")) is None, "other networks are not concerned"
    environment = {"REMOTE_ADDR": "203.0.113.7"}
    assert task_on(client.get(REGISTER, environ_base=environment).text), "all forms count together"


def test_under_suspicion_the_first_forms_need_no_proof(app: Flask, client: FlaskClient, limits: None) -> None:
    pages = [register(client, "", email=f"person{number}@example.org") for number in range(6)]
    assert pages[:5] == [""] * 5
    assert NOT_SOLVED in pages[5]
    assert "come back later" in pages[5]
    limiter.reset()
    assert not register(client, ""), "without JavaScript too, once the network is quiet"


def test_a_form_is_never_refused_where_it_was_shown_without_a_task(
    app: Flask, client: FlaskClient, limits: None
) -> None:
    """What is drawn after four mistakes has a task, because the next form will need it."""
    pages = [register(client, "", password2="differs") for _ in range(5)]
    assert task_on(pages[3]) is None
    task = task_on(pages[4])
    assert task is not None
    assert not register(client, solve(task))


@pytest.mark.parametrize("path", [REGISTER, RESET])
def test_it_can_be_switched_off(
    app: Flask, client: FlaskClient, limits: None, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setitem(app.config, "PROOF_OF_WORK", "never")
    pages = [client.post(path, data={"email": "no address"}).text for _ in range(8)]
    assert not any("proof" in page for page in pages)


def test_without_the_storage_of_limits_forms_are_accepted(
    app: Flask, client: FlaskClient, limits: None, limits_in: Callable[[str], None]
) -> None:
    limits_in("redis://127.0.0.1:1")
    assert client.get(REGISTER).status_code == 200
    assert not register(client, "")


def test_spent_proofs_are_deleted_once_they_expired(always: Flask, client: FlaskClient, db: SQLAlchemy) -> None:
    register(client, solved(client))
    purge_sessions()
    [spent] = db.session.scalars(select(SpentProof)).all()
    assert timedelta(minutes=4) < spent.expires_at - utc_now() <= timedelta(minutes=5)
    spent.expires_at = utc_now() - timedelta(seconds=1)
    db.session.commit()
    purge_sessions()
    assert not db.session.scalars(select(SpentProof)).all()
