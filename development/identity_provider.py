"""A small provider for sign-in on a developer's machine: `python -m development.identity_provider PORT`.

It speaks OpenID Connect over HTTP as a large one does, with PKCE, signed tokens and a page that asks; but it asks for
no password: one picks who one is. The tests use it too, and let it misbehave (tests/servers/identity_provider.py).
"""

import base64
import hashlib
import json
import os
import secrets
import sys
import threading
import time
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlencode
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from app.kit.core.environment import LAST_PORT, Environment
from development import ports

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "example", "no-secret-on-this-machine"
PORT_DISTANCE = 4000
CODE_SECONDS = 60
Claims = dict[str, object]
# One whose address is verified, one whose is not, and one who tells none.
PEOPLE: dict[str, Claims] = {
    "ada": {
        "given_name": "Ada",
        "family_name": "Lovelace",
        "email": "ada.lovelace@example.com",
        "email_verified": True,
    },
    "grace": {
        "given_name": "Grace",
        "family_name": "Hopper",
        "email": "grace.hopper@example.com",
        "email_verified": False,
    },
    "alan": {"name": "Alan Turing"},
}
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>Example: who are you?</title><style>
body {{ font: 1rem/1.5 system-ui, sans-serif; color-scheme: light dark; display: grid; place-items: center; margin: 0 }}
main {{ max-width: 24rem; padding: 2rem }}
button {{ font: inherit; width: 100%; padding: .7rem; margin: .3rem 0; border-radius: .5rem; border: 1px solid gray }}
</style></head><body><main><h1>Who are you?</h1>
<p>This provider runs on your machine, and believes everybody.</p>
<form method="post">{fields}{buttons}<button name="person" value="">Cancel</button></form></main></body></html>"""


def variables(web_port: int) -> dict[str, str]:
    """Return what the site on ``web_port`` needs for this provider; nothing if SAMPLE_PROVIDER is off."""
    if not Environment(os.environ).flag("SAMPLE_PROVIDER", default=True):
        return {}
    # The same port at each start, where it is free: accounts are linked to its address.
    away = PORT_DISTANCE if web_port + PORT_DISTANCE <= LAST_PORT else -PORT_DISTANCE
    with ports.listen_near(ports.LOOPBACK, web_port + away) as listener:
        port = listener.getsockname()[1]
    return {
        "PROVIDER_PORT": str(port),
        "OIDC_EXAMPLE_ISSUER": f"http://localhost:{port}",
        "OIDC_EXAMPLE_CLIENT_ID": CLIENT_ID,
        "OIDC_EXAMPLE_CLIENT_SECRET": CLIENT_SECRET,
    }


class IdentityProvider:
    """The provider as a WSGI application. Subclasses change an answer to see what comes of it."""

    paths: ClassVar[dict[str, str]] = {
        "/.well-known/openid-configuration": "discovery",
        "/authorize": "authorize",
        "/token": "token",
        "/keys": "keys",
        "/userinfo": "user_info",
    }

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        # What was granted, by code and by access token.
        self.granted: dict[str, dict[str, str]] = {}
        self._key: RSAKey | None = None
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Handle a request."""
        request = Request(environ)
        try:
            response = self.answer(request)
        except HTTPException as error:
            return error(environ, start_response)
        return response(environ, start_response)

    def answer(self, request: Request) -> Response:
        """Return the response to a request."""
        response: Response = getattr(self, self.paths.get(request.path, "missing"))(request)
        return response

    def missing(self, _request: Request) -> Response:
        """Refuse an unknown path."""
        return Response("There is nothing here.", 404)

    def discovery(self, _request: Request) -> Response:
        """Tell where everything is."""
        return as_json(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    def authorize(self, request: Request) -> Response:
        """Ask who somebody is, and send the browser back with a code."""
        asked = request.values
        if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
            raise BadRequest("PKCE with S256 is missing.")
        if asked.get("client_id") != CLIENT_ID or asked.get("response_type") != "code" or "redirect_uri" not in asked:
            raise BadRequest("This is no request of a client that is known here.")
        if request.method == "GET":
            return Response(_page(asked), mimetype="text/html")
        answer = {"state": asked.get("state", ""), "iss": self.issuer}
        if asked.get("person") in PEOPLE:
            answer["code"] = secrets.token_urlsafe()
            self.granted[answer["code"]] = {**asked.to_dict(), "until": str(time.time() + CODE_SECONDS)}
        else:
            answer["error"] = "access_denied"
        return Response(status=303, headers={"Location": f"{asked['redirect_uri']}?{urlencode(answer)}"})

    def token(self, request: Request) -> Response:
        """Give tokens for a code, once, to the client that began the login."""
        granted = self.granted.pop(request.form.get("code", ""), None)
        given = request.authorization
        if given is None or (given.username, given.password) != (CLIENT_ID, CLIENT_SECRET):
            return as_json({"error": "invalid_client"}, 401)
        if (
            granted is None
            or time.time() > float(granted["until"])
            or granted["redirect_uri"] != request.form.get("redirect_uri")
            or granted["code_challenge"] != challenge(request.form.get("code_verifier", ""))
        ):
            return as_json({"error": "invalid_grant"}, 400)
        access_token = secrets.token_urlsafe()
        self.granted[access_token] = granted
        id_token = self.sign(self.claims(granted))
        return as_json({"access_token": access_token, "token_type": "Bearer", "expires_in": 60, "id_token": id_token})

    def claims(self, granted: dict[str, str]) -> Claims:
        """Return what the ID token says."""
        now = int(time.time())
        times = {"iat": now, "exp": now + 300, "nonce": granted.get("nonce", "")}
        about = {"iss": self.issuer, "aud": granted["client_id"], "sub": granted["person"]}
        return {**about, **times, **PEOPLE[granted["person"]]}

    def sign(self, claims: Claims) -> str:
        """Return the ID token."""
        # Imported here: 10 MiB, until somebody logs in.
        from joserfc import jwt

        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    def keys(self, _request: Request) -> Response:
        """Tell the public keys."""
        return as_json({"keys": [self.key.as_dict(private=False, use="sig", alg="RS256")]})

    def user_info(self, request: Request) -> Response:
        """Tell what is known about the owner of an access token."""
        token = request.authorization.token if request.authorization else None
        granted = self.granted.get(token or "")
        if granted is None:
            return as_json({"error": "invalid_token"}, 401)
        return as_json({"sub": granted["person"], **PEOPLE[granted["person"]]})

    @property
    def key(self) -> "RSAKey":
        """The key that signs, made when it is used first."""
        # Imported here: 10 MiB, until somebody logs in.
        from joserfc.jwk import RSAKey

        with self._lock:
            self._key = self._key or RSAKey.generate_key(2048, auto_kid=True)
            return self._key


def as_json(value: object, status: int = 200) -> Response:
    """Return a response of JSON."""
    return Response(json.dumps(value), status, mimetype="application/json")


def challenge(verifier: str) -> str:
    """Return the challenge of PKCE for a verifier (RFC 7636, S256)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _page(asked: MultiDict[str, str]) -> str:
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(text)}">' for name, text in asked.items()
    )
    buttons = "".join(
        f'<button name="person" value="{name}">{_title(claims)}</button>' for name, claims in PEOPLE.items()
    )
    return PAGE.format(fields=fields, buttons=buttons)


def _title(claims: Claims) -> str:
    name = claims.get("name") or f"{claims['given_name']} {claims['family_name']}"
    notes = {True: "address verified", False: "address not verified", None: "tells no address"}
    return f"{name} ({notes[claims.get('email_verified')]})"  # type: ignore[index]


class QuietHandler(WSGIRequestHandler):
    """A handler that prints no line for each request."""

    def log_request(self, *_arguments: object) -> None:
        """Print nothing."""


def main(argv: list[str]) -> None:
    """Serve on 127.0.0.1, on the port in ``argv[1]``, until a signal."""
    port = int(argv[1])
    provider = IdentityProvider(f"http://localhost:{port}")
    make_server("127.0.0.1", port, provider, threaded=True, request_handler=QuietHandler).serve_forever()


if __name__ == "__main__":
    main(sys.argv)
