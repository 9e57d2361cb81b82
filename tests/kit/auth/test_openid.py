"""The checks of a provider's answers, against a real provider over HTTP that lies, breaks and dawdles."""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator

import pytest
from werkzeug.exceptions import InternalServerError
from werkzeug.wrappers import Request, Response

from app.kit.auth import openid
from app.kit.auth.openid import authorization_url, identify
from app.kit.auth.provider_settings import Attempt, Identity, Provider, ProviderError
from app.kit.http import outgoing_requests
from development.identity_provider import CLIENT_ID, CLIENT_SECRET, Claims, as_json
from tests.servers.identity_provider import (
    KEY,
    OTHER_KEY,
    FaultyProvider,
    signed,
    slowly,
    start_identity_provider,
)

ATTEMPT = Attempt("http://localhost:5000/callback", "a-state", "a-nonce", "v" * 64)


@pytest.fixture(scope="module")
def running() -> Iterator[FaultyProvider]:
    """Yield one provider for the module."""
    with start_identity_provider() as provider:
        yield provider


@pytest.fixture
def provider(running: FaultyProvider) -> FaultyProvider:
    """Return the provider as it is when it behaves, and forget what was cached."""
    openid._documents.clear()
    issuer = running.issuer
    running.__init__(issuer)  # type: ignore[misc]
    return running


def log_in(provider: FaultyProvider, settings: Provider | None = None, attempt: Attempt = ATTEMPT) -> Identity:
    """Go to the provider and back."""
    settings = settings or provider.settings()
    answer = provider.choose(authorization_url(settings, attempt))
    code = answer.partition("code=")[2].partition("&")[0]
    return identify(settings, attempt, code, provider.issuer)


def test_the_provider_says_who_it_is(provider: FaultyProvider) -> None:
    told = Identity(provider.issuer, "ada", "ada.lovelace@example.com", True, "Ada", "Lovelace")
    assert log_in(provider) == told
    # Its documents are asked for once.
    log_in(provider)
    assert provider.asked.count("/.well-known/openid-configuration") == provider.asked.count("/keys") == 1


def changed(**claims: object) -> Callable[[Claims], Claims]:
    """Return a function that changes claims; None removes one."""
    return lambda told: {name: value for name, value in {**told, **claims}.items() if value is not None}


NOW = int(time.time())
LIES: dict[str, Callable[[Claims], Claims]] = {
    "another audience": changed(aud="another-client"),
    "no audience": changed(aud=None),
    "audience of another type": changed(aud=[CLIENT_ID, 7]),
    "further audiences without azp": changed(aud=[CLIENT_ID, "another-client"]),
    "issued to another party": changed(azp="another-client"),
    "another issuer": changed(iss="https://evil.example"),
    "issuer with a slash more": lambda told: {**told, "iss": f"{told['iss']}/"},
    "no issuer": changed(iss=None),
    "expired": changed(exp=NOW - 300),
    "expires never": changed(exp=None),
    "expires in words": changed(exp="tomorrow"),
    "issued in the future": changed(iat=NOW + 3600),
    "issued never": changed(iat=None),
    "not valid yet": changed(nbf=NOW + 3600),
    "another nonce": changed(nonce="another-nonce"),
    "no nonce": changed(nonce=None),
    "a nonce of another type": changed(nonce=["a-nonce"]),
    "hash of another access token": changed(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
    "nobody": changed(sub=None),
    "an empty subject": changed(sub=""),
    "a subject of another type": changed(sub=7),
    "a subject that is too long": changed(sub="x" * 256),
    "a subject with a null character": changed(sub="ada\x00"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_signed_lie_logs_nobody_in(provider: FaultyProvider, lie: str) -> None:
    provider.claims_of_token = LIES[lie]
    refuse(provider)


def refuse(provider: FaultyProvider) -> None:
    """Fail unless the login is refused for what the provider says, not because it broke."""
    with pytest.raises(ProviderError) as caught:
        log_in(provider)
    assert not str(caught.value).startswith(("HTTPError", "ConnectionError"))


def by_hand(claims: Claims, algorithm: str, secret: bytes = b"") -> str:
    """Return a token as an attacker makes it, whose library refuses nothing."""
    parts = [json.dumps(part).encode() for part in ({"alg": algorithm, "kid": "first"}, claims)]
    text = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    signature = hmac.digest(secret, text, "sha256") if secret else b""
    return b".".join([text, urlsafe_b64encode(signature).rstrip(b"=")]).decode()


FORGERIES: dict[str, Callable[[Claims], str]] = {
    "no algorithm": lambda claims: by_hand(claims, "none"),
    "no algorithm, in capitals": lambda claims: by_hand(claims, "NONE"),
    "the public key as a secret": lambda claims: by_hand(claims, "HS256", KEY.as_pem(private=False)),
    "the client secret as a key": lambda claims: by_hand(claims, "HS256", CLIENT_SECRET.encode()),
    "another key": lambda claims: signed(claims, OTHER_KEY),
    "an unknown key": lambda claims: signed(claims, OTHER_KEY, kid="second"),
    "a changed payload": lambda claims: signed(claims, KEY)[:-8] + "AAAAAAAA",
    "no token": lambda _claims: "",
    "three dots": lambda _claims: "...",
    "no JSON inside": lambda _claims: "bm8.bm8.bm8",
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_token_logs_nobody_in(provider: FaultyProvider, forgery: str) -> None:
    provider.signature = FORGERIES[forgery]
    refuse(provider)


def test_a_new_key_is_asked_for_once(provider: FaultyProvider) -> None:
    log_in(provider)
    provider.rotate_key()
    assert log_in(provider).subject == "ada"
    assert provider.asked.count("/keys") == 2


def test_clocks_may_differ_by_a_minute(provider: FaultyProvider) -> None:
    provider.claims_of_token = changed(exp=int(time.time()) - 30, iat=int(time.time()) + 30)
    assert log_in(provider).subject == "ada"


def test_a_code_is_worth_nothing_without_its_verifier(provider: FaultyProvider) -> None:
    settings = provider.settings()
    code = provider.choose(authorization_url(settings, ATTEMPT)).partition("code=")[2].partition("&")[0]
    other = Attempt(ATTEMPT.redirect_uri, ATTEMPT.state, ATTEMPT.nonce, "w" * 64)
    with pytest.raises(ProviderError, match="invalid_grant"):
        identify(settings, other, code, provider.issuer)


def _answer(value: object) -> Callable[[Request], Response]:
    return lambda _request: as_json(value)


def _fail(_request: Request) -> Response:
    raise InternalServerError


def _huge(_request: Request) -> Response:
    return Response((b'{"x": "' + b"x" * 1000 for _ in range(1000)), mimetype="application/json")


def _redirect(_request: Request) -> Response:
    return Response(status=302, headers={"Location": "http://127.0.0.1:1/internal"})


TROUBLES: dict[str, Callable[[Request], Response]] = {
    "status 500": _fail,
    "a huge body": _huge,
    "a redirect": _redirect,
    "another type": lambda _request: Response("{}", mimetype="text/html"),
    "broken JSON": lambda _request: Response("{", mimetype="application/json"),
    "deep JSON": lambda _request: Response("[" * 100_000, mimetype="application/json"),
    "not even text": lambda _request: Response(b"\xff\xfe\x00", mimetype="application/json"),
    "a list": _answer([1]),
    "a number": _answer(7),
    "null": _answer(None),
    "an empty object": _answer({}),
    "fields of other types": _answer({"issuer": 1, "keys": 1, "access_token": [], "id_token": {}, "sub": 7}),
}
PATHS = ["/.well-known/openid-configuration", "/keys", "/token", "/userinfo"]


@pytest.mark.parametrize("path", PATHS)
def test_trouble_of_any_kind_logs_nobody_in(provider: FaultyProvider, path: str) -> None:
    provider.claims_of_token = changed(email=None)  # so that the user information is asked for
    for name, trouble in TROUBLES.items():
        openid._documents.clear()
        provider.answers[path] = trouble
        with pytest.raises(ProviderError):
            pytest.fail(f"{name}: {log_in(provider)}")


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token"])
def test_nobody_waits_longer_than_the_limit(
    provider: FaultyProvider, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing_requests, "SECONDS", 0.2)
    provider.claims_of_token = changed(email=None)
    provider.answers[path] = slowly
    started = time.monotonic()
    with pytest.raises(ProviderError):
        log_in(provider)
    assert time.monotonic() - started < 5


def test_a_provider_that_is_down_is_an_error_in_words(provider: FaultyProvider) -> None:
    settings = Provider("down", "Down", "http://localhost:1", CLIENT_ID, "secret-text")
    with pytest.raises(ProviderError, match="ConnectionError") as caught:
        authorization_url(settings, ATTEMPT)
    assert "secret-text" not in str(caught.value)


def test_a_provider_that_calls_itself_something_else_is_refused(provider: FaultyProvider) -> None:
    settings = Provider("x", "X", f"{provider.issuer}/", CLIENT_ID, "secret")
    with pytest.raises(ProviderError, match="another issuer"):
        authorization_url(settings, ATTEMPT)


@pytest.mark.parametrize(
    "url",
    ["http://login.example/x", "https://a@login.example", "https://login.example/\n", "https://漢.example", "x", 7],
)
def test_no_endpoint_is_asked_or_opened_that_is_not_secure(provider: FaultyProvider, url: object) -> None:
    document = provider.discovery(Request({})).get_json()
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        openid._documents.clear()
        provider.answers[PATHS[0]] = _answer({**document, name: url})
        with pytest.raises(ProviderError):
            log_in(provider)


def test_user_information_is_of_the_same_person(provider: FaultyProvider) -> None:
    provider.claims_of_token = changed(email=None)
    assert log_in(provider).email == "ada.lovelace@example.com"
    provider.answers["/userinfo"] = _answer({"sub": "grace", "email": "x@example.com", "email_verified": True})
    with pytest.raises(ProviderError, match="somebody else"):
        log_in(provider)


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"email_verified": "true"}, ("ada.lovelace@example.com", True, "Ada", "Lovelace")),
        ({"email_verified": "false"}, ("ada.lovelace@example.com", False, "Ada", "Lovelace")),
        ({"email_verified": None}, ("ada.lovelace@example.com", False, "Ada", "Lovelace")),
        ({"email": "no address"}, ("", False, "Ada", "Lovelace")),
        ({"email": ["ada@example.com"]}, ("", False, "Ada", "Lovelace")),
        ({"given_name": None, "family_name": None, "name": "Ada King Noel"}, (..., True, "Ada King", "Noel")),
        ({"given_name": "A\x00da\n", "family_name": 7, "name": "Ada"}, (..., True, "Ada", "")),
    ],
)
def test_what_is_told_is_cleaned(provider: FaultyProvider, claims: Claims, expected: tuple[object, ...]) -> None:
    provider.claims_of_token = changed(**claims)
    told = log_in(provider)
    found = (told.email, told.email_is_verified, told.first_name, told.last_name)
    assert all(wanted in (..., value) for wanted, value in zip(expected, found, strict=True)), found


# GitHub


def at_github(provider: FaultyProvider) -> Identity:
    settings = provider.settings("github", is_github=True)
    url = authorization_url(settings, ATTEMPT)
    assert url.startswith(f"{provider.issuer}/login/oauth/authorize?")
    code = provider.choose(url).partition("code=")[2].partition("&")[0]
    return identify(settings, ATTEMPT, code, None)


def test_github_tells_by_its_api(provider: FaultyProvider) -> None:
    expected = Identity(provider.issuer, "583231", "ada@example.net", True, "Ada", "Lovelace")
    assert at_github(provider) == expected
    provider.answers["/api/user"] = _answer({"id": 7, "name": "A\x00d\ud800a"})
    assert at_github(provider).first_name == "Ada"


@pytest.mark.parametrize(("primary", "verified"), [(True, False), (False, True), ("true", "true")])
def test_at_github_only_the_primary_verified_address_counts(
    provider: FaultyProvider, primary: object, verified: object
) -> None:
    provider.addresses = [{"email": "ada@example.net", "primary": primary, "verified": verified}]
    assert (at_github(provider).email, at_github(provider).email_is_verified) == ("", False)


@pytest.mark.parametrize("path", ["/login/oauth/access_token", "/api/user", "/api/user/emails"])
def test_trouble_at_github_logs_nobody_in(provider: FaultyProvider, path: str) -> None:
    for name, trouble in TROUBLES.items():
        if (path, name) == ("/api/user/emails", "an empty object"):  # no address
            continue
        provider.answers[path] = trouble
        with pytest.raises(ProviderError):
            pytest.fail(f"{name}: {at_github(provider)}")
