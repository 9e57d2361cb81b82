"""A page is remembered for who is not logged in, and only when it says the same to all of them."""

from collections.abc import Callable, Iterator
from secrets import token_hex
from typing import Any

import pytest
from flask import Flask, flash, make_response, session
from flask_sqlalchemy import SQLAlchemy

from app.kit.http.page_for_strangers import same_for_strangers
from app.kit.http.security_headers import csp_nonce

db = SQLAlchemy()


@pytest.fixture
def site() -> Iterator[Flask]:
    """A site that reloads no templates, with a page that counts how often it was made."""
    app = Flask("strangers")
    app.config.update(SECRET_KEY="key", SQLALCHEMY_DATABASE_URI="sqlite://")
    db.init_app(app)
    app.add_url_rule("/sign-in", view_func=lambda: session.update(user=1) or "", endpoint="sign_in")
    yield app
    with app.app_context():
        db.engine.dispose()


def add_page(site: Flask, what_it_does: Callable[[], object] = lambda: None) -> list[int]:
    made: list[int] = []

    @site.get("/")
    @same_for_strangers
    def page() -> str:
        made.append(1)
        what_it_does()
        return f"made {len(made)}"

    return made


def test_it_is_made_once_for_strangers_and_anew_for_who_has_a_session(site: Flask) -> None:
    made = add_page(site)
    client = site.test_client()
    assert [client.get("/").text for _ in range(3)] == ["made 1"] * 3
    client.get("/sign-in")
    assert [client.get("/").text for _ in range(2)] == ["made 2", "made 3"]
    assert site.test_client().get("/").text == "made 1"
    assert len(made) == 3


def test_caches_on_the_way_are_told_that_cookies_matter(site: Flask) -> None:
    add_page(site)
    client = site.test_client()
    assert {client.get("/").headers["Vary"] for _ in range(2)} == {"Cookie"}


def test_each_choice_of_colors_has_its_own_and_other_cookies_none(site: Flask) -> None:
    add_page(site)

    def answered(cookie: str) -> str:
        return site.test_client(use_cookies=False).get("/", headers={"Cookie": cookie}).text

    assert [answered(cookie) for cookie in ("theme=dark", "theme=light", "theme=dark")] == [
        "made 1",
        "made 2",
        "made 1",
    ]
    assert [answered("theme=<b>"), answered("theme=<b>")] == ["made 3", "made 4"]


def test_a_query_makes_it_anew(site: Flask) -> None:
    add_page(site)
    client = site.test_client()
    assert [client.get("/?a=1").text, client.get("/?a=1").text] == ["made 1", "made 2"]


@pytest.mark.parametrize("where", [{"SCRIPT_NAME": "//evil.example"}, {"SCRIPT_NAME": "//"}, {"HTTP_HOST": "evil"}])
def test_a_page_asked_for_under_another_address_is_another_one(site: Flask, where: dict[str, str]) -> None:
    add_page(site)
    assert site.test_client().get("/", environ_overrides=where).text == "made 1"
    assert site.test_client().get("/").text == "made 2"


def test_made_up_addresses_do_not_fill_the_memory(site: Flask) -> None:
    add_page(site)
    for number in range(250):
        site.test_client().get("/", environ_overrides={"SCRIPT_NAME": f"/{number}"})
    assert len(site.extensions["pages_for_strangers"]) <= 100


def test_an_answer_with_headers_of_its_own_is_not_handed_to_the_next(site: Flask) -> None:
    @site.get("/")
    @same_for_strangers
    def page() -> Any:  # what a type checker would refuse
        response = make_response(token_hex(8))
        response.set_cookie("visitor", response.get_data(as_text=True))
        return response

    answers = [site.test_client().get("/") for _ in range(2)]
    assert answers[0].text != answers[1].text
    assert [len(answer.headers.getlist("Set-Cookie")) for answer in answers] == [1, 1]


@pytest.mark.parametrize(
    "what_it_does",
    [
        lambda: db.session.execute(db.select(1)),
        lambda: flash("Welcome."),
        lambda: session.update(csrf_token="for one browser"),
        csp_nonce,
    ],
)
def test_what_may_differ_is_never_kept(site: Flask, what_it_does: Callable[[], object]) -> None:
    add_page(site, what_it_does)
    answers = {site.test_client().get("/").text for _ in range(3)}
    assert len(answers) == 3


@pytest.mark.parametrize("mode", ["debug", "testing"])
def test_nothing_is_kept_while_templates_are_reloaded(site: Flask, mode: str) -> None:
    setattr(site, mode, True)
    add_page(site)
    client = site.test_client()
    assert [client.get("/").text, client.get("/").text] == ["made 1", "made 2"]
