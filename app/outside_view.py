"""The site as visitors reach it: `manage.py doctor` asks it through BASE_URL, by way of every proxy.

The question is signed with SECRET_KEY, and so is the answer: nobody else learns anything, and another site that
happens to be at this address cannot answer.
"""

import hashlib
import json
import secrets
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from flask import Request, current_app
from itsdangerous import BadData, URLSafeTimedSerializer

from app.kit.core.signing import signing_keys

QUESTION_SECONDS = 60
TIMEOUT_SECONDS = 10
# An address that belongs to nobody (RFC 5737). A visitor who names it must not be believed.
CLAIMED_ADDRESS = "192.0.2.1"
CURE_OF_OTHER_SITE = "Is BASE_URL right? Does the running site have this SECRET_KEY and this release?"


class NoAnswerError(Exception):
    """The site did not answer. The message says what happened, and ``cure`` what to do."""

    def __init__(self, what: str, cure: str) -> None:
        self.cure = cure
        super().__init__(what)


@dataclass(frozen=True)
class View:
    """What the site saw of our request."""

    address: str
    forwarded_for: list[str]
    proxy_count: int

    @property
    def proxies(self) -> int | None:
        """How many proxies added an address, or None if one deleted them all."""
        if not self.forwarded_for:
            return None
        own = self.forwarded_for.index(CLAIMED_ADDRESS) + 1 if CLAIMED_ADDRESS in self.forwarded_for else 0
        return len(self.forwarded_for) - own


def ask_site() -> View:
    """Ask the site at BASE_URL what it sees of us. Raises :class:`NoAnswerError`."""
    question = secrets.token_urlsafe(16)
    request = urllib.request.Request(f"{current_app.config['BASE_URL']}/up/doctor")  # noqa: S310 # config.py checks the scheme
    request.add_header("Authorization", f"Bearer {_serializer('question').dumps(question)}")
    request.add_header("X-Forwarded-For", CLAIMED_ADDRESS)
    try:
        answer = _serializer("answer").loads(_read(request), max_age=QUESTION_SECONDS)
    except BadData:
        answer = {}
    if answer.get("question") != question:
        raise NoAnswerError("something else answers than this site", CURE_OF_OTHER_SITE)
    return View(answer["address"], answer["forwarded_for"], answer["proxy_count"])


def _read(request: urllib.request.Request) -> bytes:
    # No redirects, and no proxy of this machine: the way is what is tested.
    opener = urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as response:  # nosec B310
            return response.read(10_000)
    except urllib.error.HTTPError as error:
        raise _explain_status(error) from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLError):
            cure = "Renew the certificate, or let the web server send its whole chain."
            raise NoAnswerError(f"its certificate is refused ({error.reason.reason})", cure) from error
        raise _silence(error.reason) from error
    except (OSError, HTTPException) as error:
        raise _silence(error) from error


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any) -> None:
        return None


def _explain_status(error: urllib.error.HTTPError) -> NoAnswerError:
    text = error.read(1000).decode(errors="replace")
    error.close()
    if error.code == 400 and "TRUSTED_HOSTS" in text:
        cure = "Let the proxy pass on the Host header (nginx: proxy_set_header Host $host)."
        return NoAnswerError("the site was asked for another host name", cure)
    if error.code in {301, 302, 307, 308}:
        cure = "Let the proxy set X-Forwarded-Proto, and set PROXY_COUNT; or correct BASE_URL."
        return NoAnswerError("it redirects us instead of answering", cure)
    if error.code in {502, 503, 504}:
        return NoAnswerError(f"the proxy gets no answer ({error.code})", "Start the web server: gunicorn.")
    return NoAnswerError(f"something else answers than this site ({error.code})", CURE_OF_OTHER_SITE)


def _silence(reason: object) -> NoAnswerError:
    cure = "Does its name lead to this server? Are the proxy and gunicorn running?"
    if current_app.config["NAME"] == "development":
        cure = "Start: manage.py dev. If the site runs on another port, set PORT or BASE_URL."
    return NoAnswerError(f"nothing answers ({type(reason).__name__})", cure)


def answer(request: Request) -> str | None:
    """Return the signed answer to a question of ``manage.py doctor``, or None if it is not signed with our key."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    try:
        question = _serializer("question").loads(token, max_age=QUESTION_SECONDS)
    except BadData:
        return None
    forwarded_for = request.headers.get("X-Forwarded-For", "")
    seen = {
        "question": question,
        "address": request.remote_addr or "",
        "forwarded_for": [part.strip() for part in forwarded_for.split(",") if part.strip()],
        "proxy_count": current_app.config["PROXY_COUNT"],
    }
    return str(_serializer("answer").dumps(seen))


def _serializer(purpose: str) -> URLSafeTimedSerializer:
    keys = signing_keys(current_app.config)
    options = {"digest_method": hashlib.sha256}
    return URLSafeTimedSerializer(keys, salt=f"doctor:{purpose}", signer_kwargs=options, serializer=json)
