"""Pages are cached for anonymous visitors, and only while they say the same to all of them."""

import gzip
from collections.abc import Callable, Iterator
from secrets import token_hex
from typing import Any

import pytest
from flask import Flask, flash, make_response, request, session
from flask.testing import FlaskClient
from flask_caching import Cache
from flask_compress import Compress
from flask_sqlalchemy import SQLAlchemy

from app.kit.http import caching
from app.kit.http.caching import SafeSerializer, cached_for_anonymous
from app.kit.http.security_headers import csp_nonce

db = SQLAlchemy()
LONG = "x" * 1000
GZIP = b"\x1f\x8b"


def look() -> tuple[str, ...]:
    return request.accept_languages.best_match(["en", "de"]) or "en", request.cookies.get("theme", "")


def make_site(**settings: object) -> Flask:
    app = Flask("cached")
    app.config.update(SECRET_KEY="key", SQLALCHEMY_DATABASE_URI="sqlite://", CACHE_TYPE="SimpleCache")
    app.config.update(COMPRESS_EVALUATE_CONDITIONAL_REQUEST=False, **settings)
    db.init_app(app)
    caching.init_app(app, Cache(with_jinja2_ext=False), look, frozenset({"theme"}))
    Compress().init_app(app)
    app.add_url_rule("/sign-in", view_func=lambda: session.update(user=1) or "", endpoint="sign_in")
    return app


@pytest.fixture
def site() -> Iterator[Flask]:
    """A site with a page that counts how often it was rendered."""
    app = make_site()
    yield app
    with app.app_context():
        db.engine.dispose()


def add_page(site: Flask, what_it_does: Callable[[], object] = lambda: None) -> list[int]:
    made: list[int] = []

    @site.get("/")
    @cached_for_anonymous(seconds=60)
    def page() -> str:
        made.append(1)
        what_it_does()
        return f"made {len(made)} in {' '.join(look())}{LONG}"

    return made


def get(client: FlaskClient, **headers: str) -> str:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get("/", headers=sent).text.removesuffix(LONG)


def test_it_is_rendered_once_for_anonymous_visitors_and_anew_for_who_has_a_session(site: Flask) -> None:
    made = add_page(site)
    client = site.test_client()
    assert len({get(client) for _ in range(3)}) == 1
    client.get("/sign-in")
    assert get(client) != get(client)
    assert get(site.test_client()).startswith("made 1 ")
    assert len(made) == 3


def test_languages_and_themes_are_kept_apart(site: Flask) -> None:
    add_page(site)

    def drawn(lang: str, theme: str) -> str:
        return get(site.test_client(use_cookies=False), Accept_Language=lang, Cookie=f"theme={theme}")

    looks = [("en", "dark"), ("de", "dark"), ("en", "dark"), ("en", "light"), ("en", "dark"), ("de", "dark")]
    pages = [drawn(*one) for one in looks]
    assert [page.partition(" in ")[2] for page in pages] == [" ".join(one) for one in looks]
    assert [page.split()[1] for page in pages] == ["1", "2", "1", "3", "1", "2"]


def test_each_encoding_is_compressed_once(site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    add_page(site)
    compressed: list[bytes] = []
    real = gzip.compress
    monkeypatch.setattr(gzip, "compress", lambda data, *level, **options: compressed.append(data) or real(data, *level))
    answers = [site.test_client().get("/", headers={"Accept-Encoding": "gzip"}) for _ in range(3)]
    assert len(compressed) <= 1
    assert {answer.headers["Content-Encoding"] for answer in answers} == {"gzip"}
    assert {gzip.decompress(answer.data)[:6] for answer in answers} == {b"made 1"}
    assert site.test_client().get("/", headers={"Accept-Encoding": "br"}).headers["Content-Encoding"] == "br"
    assert get(site.test_client()).startswith("made 1 ")


def test_a_page_that_the_browser_has_is_not_sent_again(site: Flask) -> None:
    add_page(site)
    client = site.test_client()
    first = client.get("/", headers={"Accept-Encoding": "gzip"})
    assert {"Cookie", "Accept-Encoding"} <= {name.strip() for name in first.headers["Vary"].split(",")}
    again = client.get("/", headers={"Accept-Encoding": "br", "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert client.get("/", headers={"If-None-Match": 'W/"another"'}).status_code == 200


def test_other_cookies_and_queries_are_rendered_anew(site: Flask) -> None:
    add_page(site)
    client = site.test_client(use_cookies=False)
    assert get(client, Cookie="currency=eur") != get(client, Cookie="currency=eur")
    assert client.get("/?a=1").text != client.get("/?a=1").text


@pytest.mark.parametrize("where", [{"SCRIPT_NAME": "//evil.example"}, {"SCRIPT_NAME": "//"}, {"HTTP_HOST": "evil"}])
def test_a_page_asked_for_under_another_address_is_another_one(site: Flask, where: dict[str, str]) -> None:
    add_page(site)
    assert site.test_client().get("/", environ_overrides=where).text.startswith("made 1 ")
    assert get(site.test_client()).startswith("made 2 ")


def test_made_up_addresses_do_not_fill_the_memory() -> None:
    site = make_site(CACHE_THRESHOLD=20)
    add_page(site)
    for number in range(60):
        site.test_client().get("/", environ_overrides={"SCRIPT_NAME": f"/{number}"})
    assert get(site.test_client()).startswith("made 61 ")
    assert len(site.extensions["page_cache"]._cache) <= 22  # no public way to count


def test_an_answer_with_headers_of_its_own_is_not_handed_to_the_next(site: Flask) -> None:
    @site.get("/")
    @cached_for_anonymous(seconds=60)
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
    for encoding in ("identity", "gzip"):
        pages = {site.test_client().get("/", headers={"Accept-Encoding": encoding}).data for _ in range(3)}
        assert len(pages) == 3


def test_it_can_be_cleared_and_ends_by_itself(site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    add_page(site)
    assert get(site.test_client()).startswith("made 1 ")
    with site.app_context():
        caching.clear(site)
    assert get(site.test_client()).startswith("made 2 ")
    monkeypatch.setattr("cachelib.simple.time", lambda: 2**40)
    assert get(site.test_client()).startswith("made 3 ")


def test_nothing_is_cached_while_templates_are_reloaded() -> None:
    site = make_site(CACHE_TYPE="NullCache", CACHE_NO_NULL_WARNING=True)
    add_page(site)
    client = site.test_client()
    assert get(client) != get(client)


def test_redis_keeps_it_for_all_processes_without_a_pickle(redis_url: str) -> None:
    import redis

    sites = [make_site(CACHE_TYPE="RedisCache", CACHE_REDIS_URL=redis_url, CACHE_KEY_PREFIX="t:") for _ in range(2)]
    for site in sites:
        add_page(site)
        assert site.test_client().get("/", headers={"Accept-Encoding": "gzip"}).data
    pages = [get(site.test_client()) for site in sites]
    assert pages[0] == pages[1]
    server = redis.from_url(redis_url)
    kept = [server.get(key) for key in server.keys("t:*")]
    assert len(kept) == 2
    assert all(value[33:37] == b"made" or value[1:3] == GZIP for value in kept)
    assert all(0 < server.ttl(key) <= 60 for key in server.keys("t:*"))
    with sites[0].app_context():
        caching.clear(sites[0])
    assert not server.keys("t:*")


def test_without_redis_pages_are_rendered_anew() -> None:
    site = make_site(CACHE_TYPE="RedisCache", CACHE_REDIS_URL="redis://127.0.0.1:1/0")
    add_page(site)
    client = site.test_client()
    assert client.get("/", headers={"Accept-Encoding": "gzip"}).data[:2] == GZIP
    assert get(client).startswith("made 2 ")


@pytest.mark.parametrize("value", [b"bytes", b"", "text", {"a": [1, None]}, 5])
def test_what_is_kept_comes_back(value: object) -> None:
    serializer = SafeSerializer()
    assert serializer.loads(serializer.dumps(value)) == value
    assert serializer.loads(None) is None
