"""A real provider over HTTP that can misbehave: the one of `manage.py dev`, and a GitHub beside it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import ClassVar
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from app.kit.auth.provider_settings import Provider
from development.identity_provider import CLIENT_ID, CLIENT_SECRET, Claims, IdentityProvider, QuietHandler, as_json

# Made once: a key of 2048 bits takes a tenth of a second.
KEY, OTHER_KEY = (RSAKey.generate_key(2048, {"kid": kid}) for kid in ("first", "second"))
View = Callable[[Request], Response]


class FaultyProvider(IdentityProvider):
    """The provider, in which a test replaces parts: what tokens say, how they are signed, and whole answers."""

    paths: ClassVar[dict[str, str]] = {
        **IdentityProvider.paths,
        "/login/oauth/access_token": "github_token",
        "/api/user": "github_user",
        "/api/user/emails": "github_emails",
    }

    def __init__(self, issuer: str) -> None:
        super().__init__(issuer)
        self._key = KEY
        self.person: Claims = {}
        self.claims_of_token: Callable[[Claims], Claims] = dict
        self.signature: Callable[[Claims], str] | None = None
        self.answers: dict[str, View] = {}
        self.asked: list[str] = []
        self.addresses: list[dict[str, object]] = [{"email": "ada@example.net", "primary": True, "verified": True}]

    def answer(self, request: Request) -> Response:
        """Return the response that the test wishes."""
        self.asked.append(request.path)
        view = self.answers.get(request.path)
        return view(request) if view else super().answer(request)

    def claims(self, granted: dict[str, str]) -> Claims:
        """Return the claims, as the test changes them."""
        return self.claims_of_token({**super().claims(granted), **self.person})

    def sign(self, claims: Claims) -> str:
        """Return the token, as the test signs it."""
        return self.signature(claims) if self.signature else super().sign(claims)

    def rotate_key(self) -> None:
        """Sign with another key from now on."""
        self._key = OTHER_KEY

    def github_token(self, request: Request) -> Response:
        """Give GitHub's kind of token: it names nobody, and is no JWT."""
        return self.token(request)

    def github_user(self, request: Request) -> Response:
        """Tell who it is."""
        if request.authorization is None or request.authorization.token not in self.granted:
            return as_json({"message": "Bad credentials"}, 401)
        return as_json({"id": 583231, "login": "ada", "name": "Ada Lovelace"})

    def github_emails(self, _request: Request) -> Response:
        """Tell the addresses."""
        return as_json(self.addresses)

    def settings(self, name: str = "example", *, is_github: bool = False) -> Provider:
        """Return the settings for this provider."""
        api = f"{self.issuer}/api" if is_github else ""
        return Provider(name, name.title(), self.issuer, CLIENT_ID, CLIENT_SECRET, api)

    def choose(self, url: str, person: str = "ada") -> str:
        """Pick a person on the page at ``url``, and return the path to which the browser is sent back."""
        query = urlsplit(url).query
        response = Client(self).post(f"/authorize?{query}", data={"person": person})
        assert response.status_code == 303, response.text
        back = urlsplit(response.location)
        return f"{back.path}?{back.query}"


def signed(claims: Claims, key: RSAKey, algorithm: str = "RS256", kid: str = "first") -> str:
    """Return a token signed with this key."""
    return jwt.encode({"alg": algorithm, "kid": kid}, claims, key, algorithms=[algorithm])


def slowly(_request: Request) -> Response:
    """Send a byte every tenth of a second."""

    def drops() -> Iterator[bytes]:
        for _ in range(100):
            time.sleep(0.1)
            yield b" "

    return Response(drops(), mimetype="application/json")


@contextmanager
def start_identity_provider() -> Iterator[FaultyProvider]:
    """Start a provider on a free port, and stop it afterwards."""
    provider = FaultyProvider("")
    server = make_server("127.0.0.1", 0, provider, threaded=True, request_handler=QuietHandler)
    provider.issuer = f"http://localhost:{server.port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
