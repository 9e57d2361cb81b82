"""Sign-in with a provider: the requests and checks of OpenID Connect (code flow with PKCE) and of GitHub's OAuth.

Import it where it is used: Authlib and what it needs take 18 MiB. Every function raises ``ProviderError`` if the
provider does not answer, or with anything but what the standards demand; nobody is logged in then.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from time import monotonic
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from requests import RequestException, Response, Session
from urllib3.exceptions import HTTPError

from app.kit.auth.email_address import normalized_email
from app.kit.auth.provider_settings import Attempt, Identity, Provider, ProviderError, is_secure
from app.kit.http.outgoing_requests import limit

# Only signatures that need the provider's private key. With HS256, its public key would be the secret; and "none".
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
DISCOVERY_PATH = "/.well-known/openid-configuration"
CACHE_SECONDS = 3600
# By how much the clocks of two servers may differ.
LEEWAY_SECONDS = 60
TEXT_MAX_LENGTH = 255
# What the libraries raise for an answer that is not as it should be, such as a list in place of an object.
UNREADABLE: tuple[type[Exception], ...] = (
    *(RequestException, HTTPError, JoseError),
    *(ValueError, TypeError, KeyError, AttributeError, RecursionError),
)

# Documents of the providers by URL, each with the time until which it is used.
_documents: dict[str, tuple[float, dict[str, Any]]] = {}


def authorization_url(provider: Provider, attempt: Attempt) -> str:
    """Return the address at the provider to which the browser goes."""
    with _refusing_anything_odd(), _session(provider, attempt) as session:
        if provider.api:
            url, extras = f"{provider.issuer}/login/oauth/authorize", {}
        else:
            url, extras = _endpoint(provider, "authorization_endpoint"), {"nonce": attempt.nonce}
        made, _state = session.create_authorization_url(
            url, state=attempt.state, code_verifier=attempt.verifier, **extras
        )
        return str(made)


def identify(provider: Provider, attempt: Attempt, code: str, issuer: str | None) -> Identity:
    """Return whom the provider has identified, for the ``code`` that the browser brought back.

    ``issuer`` is the parameter ``iss`` of that request: another provider's answer must not be taken for this one's.
    """
    with _refusing_anything_odd(), _session(provider, attempt) as session:
        if provider.api:
            return _identity_at_github(provider, session, attempt, code)
        expects_issuer = _discover(provider).get("authorization_response_iss_parameter_supported") is True
        if issuer != provider.issuer and (issuer is not None or expects_issuer):
            raise ProviderError("the answer came from another issuer")
        return _identity(provider, session, attempt, code)


def _identity(provider: Provider, session: OAuth2Session, attempt: Attempt, code: str) -> Identity:
    token = _fetch_token(session, _endpoint(provider, "token_endpoint"), attempt, code)
    claims = dict(_verified_claims(provider, token["id_token"], attempt.nonce, token["access_token"]))
    if "email" not in claims and "userinfo_endpoint" in _discover(provider):
        told = _json(session.get(_endpoint(provider, "userinfo_endpoint")))
        if told["sub"] != claims["sub"]:
            raise ProviderError("the user information is about somebody else")
        claims = told | claims
    return _cleaned(provider, claims["sub"], claims)


def _verified_claims(provider: Provider, id_token: str, nonce: str, access_token: str) -> CodeIDToken:
    """Return what a token says that is signed by this provider, for us, for this login, and not too old."""
    try:
        token = jwt.decode(id_token, _keys(provider), algorithms=ALGORITHMS)
    except InvalidKeyIdError:
        # The provider has changed its keys since we asked.
        _documents.pop(_endpoint(provider, "jwks_uri"), None)
        token = jwt.decode(id_token, _keys(provider), algorithms=ALGORITHMS)
    options = {"iss": {"essential": True, "value": provider.issuer}, "aud": {"value": provider.client_id}}
    params = {"nonce": nonce, "client_id": provider.client_id, "access_token": access_token}
    claims = CodeIDToken(token.claims, token.header, options, params)
    claims.validate(leeway=LEEWAY_SECONDS)
    return claims


def _identity_at_github(provider: Provider, session: OAuth2Session, attempt: Attempt, code: str) -> Identity:
    """Return whom GitHub's API names. It has no ID token: the API is asked with the token that came over TLS."""
    _fetch_token(session, f"{provider.issuer}/login/oauth/access_token", attempt, code)
    user = _json(session.get(f"{provider.api}/user"))
    addresses = session.get(f"{provider.api}/user/emails")
    primary = [row for row in _decoded(addresses) if row["primary"] is True and row["verified"] is True]
    if not isinstance(user["id"], int):
        raise ProviderError("the user has no number")
    claims = {"name": user.get("name"), "email": primary[0]["email"] if primary else "", "email_verified": True}
    return _cleaned(provider, str(user["id"]), claims)


def _cleaned(provider: Provider, subject: str, claims: dict[str, Any]) -> Identity:
    """Return the identity with texts that can be stored and shown."""
    if not subject or len(subject) > TEXT_MAX_LENGTH or not subject.isascii() or not subject.isprintable():
        raise ProviderError("the subject is not as the standard demands")
    email = normalized_email(claims["email"]) if isinstance(claims.get("email"), str) else None
    first, _, last = _text(claims.get("name")).rpartition(" ")
    return Identity(
        issuer=provider.issuer,
        subject=subject,
        email=email or "",
        # Some providers write "true" as a text.
        email_is_verified=bool(email) and claims.get("email_verified") in (True, "true"),
        first_name=_text(claims.get("given_name")) or first or last,
        last_name=_text(claims.get("family_name")) or (last if first else ""),
    )


def _text(value: object) -> str:
    text = value[:TEXT_MAX_LENGTH] if isinstance(value, str) else ""
    return "".join(character for character in text if character.isprintable()).strip()


def _session(provider: Provider, attempt: Attempt) -> OAuth2Session:
    posts_secret = not provider.api and "client_secret_basic" not in _discover(provider).get(
        "token_endpoint_auth_methods_supported", ["client_secret_basic"]
    )
    session = OAuth2Session(
        provider.client_id,
        provider.client_secret,
        token_endpoint_auth_method="client_secret_post" if posts_secret else "client_secret_basic",
        scope="read:user user:email" if provider.api else "openid profile email",
        redirect_uri=attempt.redirect_uri,
        code_challenge_method="S256",
        # An access token is used at once, however short its life is.
        leeway=0,
    )
    limit(session)
    return session


def _fetch_token(session: OAuth2Session, url: str, attempt: Attempt, code: str) -> dict[str, Any]:
    return dict(session.fetch_token(url, code=code, code_verifier=attempt.verifier, grant_type="authorization_code"))


def _endpoint(provider: Provider, name: str) -> str:
    url = _discover(provider)[name]
    if not is_secure(url, http_allowed=provider.issuer.startswith("http:")):
        raise ProviderError(f"{name} is no https address")
    return str(url)


def _discover(provider: Provider) -> dict[str, Any]:
    document = _document(provider.issuer.removesuffix("/") + DISCOVERY_PATH)
    if document["issuer"] != provider.issuer:
        raise ProviderError("it calls itself another issuer than the settings do")
    return document


def _keys(provider: Provider) -> KeySet:
    return KeySet.import_key_set(_document(_endpoint(provider, "jwks_uri")))  # type: ignore[arg-type]


def _document(url: str) -> dict[str, Any]:
    until, document = _documents.get(url, (0.0, {}))
    if monotonic() < until:
        return document
    with Session() as session:
        limit(session)
        document = _json(session.get(url))
    _documents[url] = monotonic() + CACHE_SECONDS, document
    return document


def _json(response: Response) -> dict[str, Any]:
    return dict(_decoded(response))


def _decoded(response: Response) -> Any:
    if response.status_code != HTTPStatus.OK:
        raise ProviderError(f"status {response.status_code}")
    if "json" not in response.headers.get("Content-Type", ""):
        raise ProviderError("the answer is no JSON")
    return response.json()


@contextmanager
def _refusing_anything_odd() -> Iterator[None]:
    try:
        yield
    except AuthlibBaseError as error:
        # The provider's code, such as invalid_client. Its description may quote what we sent.
        raise ProviderError(f"{type(error).__name__}: {error.error}"[:TEXT_MAX_LENGTH]) from error
    except UNREADABLE as error:
        raise ProviderError(f"{type(error).__name__}: {error}"[:TEXT_MAX_LENGTH]) from error
