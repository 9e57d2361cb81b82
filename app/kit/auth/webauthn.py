"""WebAuthn: what a browser is asked to sign with a passkey, and the check of what it returns.

The package fido2 decodes keys and verifies signatures. Its readers of JSON are not used: they allocate as many bytes as
a number says.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hmac import compare_digest
from struct import error as StructError  # noqa: N812 - a class
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from fido2.webauthn import AuthenticatorData

T = TypeVar("T")
Json = dict[str, object]
# The id of a passkey, and over what it is reached, separated by commas.
Known = tuple[bytes, str]

# ES256, EdDSA and RS256.
ALGORITHMS = (-7, -8, -257)
TRANSPORTS = frozenset({"usb", "nfc", "ble", "smart-card", "hybrid", "internal"})
CREDENTIAL_ID_MAX_LENGTH = 1023
# Several times the longest of real ones. Decoding takes quadratic time.
ANSWER_MAX_LENGTH = 16_384
NEW, SIGNED = "webauthn.create", "webauthn.get"
DEFAULT_PORTS = {"http": 80, "https": 443}


class Refused(Exception):  # noqa: N818 - what happened
    """An answer is malformed, or not what was asked for. The message is for the log alone."""


@dataclass(frozen=True)
class Site:
    """The site that asks. Browsers let no page of another origin use its passkeys."""

    name: str
    url: str

    @property
    def host(self) -> str:
        """The host, to which passkeys are bound ("RP ID")."""
        return urlsplit(self.url).hostname or ""

    @property
    def origin(self) -> str:
        """Scheme, host and port as browsers write them."""
        parts = urlsplit(self.url)
        port = "" if parts.port in (None, DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
        return f"{parts.scheme}://{self.host}{port}"


@dataclass(frozen=True)
class Answer:
    """What a browser returned; unchecked."""

    credential_id: bytes
    challenge: str
    user_handle: bytes | None
    client_data: bytes
    said: Json
    response: Json


@dataclass(frozen=True)
class NewKey:
    """A passkey that was made for the site."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    backup_eligible: bool
    backed_up: bool
    transports: str


@dataclass(frozen=True)
class Signed:
    """What a passkey states with its signature."""

    sign_count: int
    backed_up: bool


def creation_options(
    site: Site, challenge: str, handle: bytes, user_names: tuple[str, str], known: Sequence[Known]
) -> Json:
    """Return what a browser needs to make a passkey; ``user_names`` are the address and the name that it shows.

    The authenticator keeps the passkey with ``handle`` and finds it without being told its id ("discoverable"). It
    has to check who holds it. The one that has one of the ``known`` passkeys makes no second one.
    """
    name, display_name = user_names
    return {
        "challenge": challenge,
        "rp": {"id": site.host, "name": site.name},
        "user": {"id": encode(handle), "name": name, "displayName": display_name},
        "pubKeyCredParams": [{"type": "public-key", "alg": algorithm} for algorithm in ALGORITHMS],
        "excludeCredentials": _descriptors(known),
        "authenticatorSelection": {"residentKey": "required", "userVerification": "required"},
        "attestation": "none",
    }


def request_options(site: Site, challenge: str, known: Sequence[Known] = ()) -> Json:
    """Return what a browser needs to ask for a passkey: for one of the ``known``, or without these for any one."""
    return {
        "challenge": challenge,
        "rpId": site.host,
        "allowCredentials": _descriptors(known),
        "userVerification": "required",
    }


def _descriptors(known: Sequence[Known]) -> list[Json]:
    return [
        {"type": "public-key", "id": encode(credential_id), "transports": transports.split(",") if transports else []}
        for credential_id, transports in known
    ]


def read(text: str) -> Answer:
    """Return the answer that a browser sent as JSON (``PublicKeyCredential.toJSON``). Raises :class:`Refused`."""
    if len(text) > ANSWER_MAX_LENGTH:
        raise Refused("too long")
    with _refusing_what_is_malformed():
        sent = _a(dict, json.loads(text))
        response = _a(dict, sent["response"])
        client_data = _bytes(response["clientDataJSON"])
        said = _a(dict, json.loads(client_data))
        handle = response.get("userHandle")
        return Answer(
            credential_id=_bytes(sent["rawId"]),
            challenge=encode(_bytes(said["challenge"])),
            user_handle=None if handle is None else _bytes(handle),
            client_data=client_data,
            said=said,
            response=response,
        )


def new_key(site: Site, challenge: str, answer: Answer) -> NewKey:
    """Return the passkey that was made for ``challenge``. Raises :class:`Refused`.

    Who made the authenticator is not asked for ("attestation"), and what is said about it is ignored.
    """
    # Here, to save the memory until the first passkey.
    from fido2 import cbor
    from fido2.webauthn import AuthenticatorData

    with _refusing_what_is_malformed():
        attested = _a(dict, cbor.decode(_bytes(answer.response["attestationObject"])))
        data = AuthenticatorData(_a(bytes, attested["authData"]))
        _check(site, NEW, challenge, answer, data)
        key = data.credential_data
        if key is None or key.credential_id != answer.credential_id:
            raise Refused("no key")
        if len(key.credential_id) > CREDENTIAL_ID_MAX_LENGTH or key.public_key.get(3) not in ALGORITHMS:
            raise Refused("another kind of key")
        return NewKey(
            credential_id=key.credential_id,
            public_key=cbor.encode(key.public_key),
            sign_count=data.counter,
            backup_eligible=data.is_backup_eligible(),
            backed_up=data.is_backed_up(),
            transports=_transports(answer.response.get("transports")),
        )


def signed(site: Site, challenge: str, answer: Answer, public_key: bytes) -> Signed:
    """Return what the passkey with ``public_key`` states, having signed ``challenge``. Raises :class:`Refused`."""
    # As above.
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from fido2 import cbor
    from fido2.cose import CoseKey
    from fido2.webauthn import AuthenticatorData

    with _refusing_what_is_malformed():
        data = AuthenticatorData(_bytes(answer.response["authenticatorData"]))
        _check(site, SIGNED, challenge, answer, data)
        message = bytes(data) + hashlib.sha256(answer.client_data).digest()
        key = CoseKey.parse(_a(dict, cbor.decode(public_key)))
        try:
            key.verify(message, _bytes(answer.response["signature"]))
        except (InvalidSignature, UnsupportedAlgorithm) as error:
            raise Refused("wrong: signature") from error
        return Signed(data.counter, data.is_backed_up())


def _check(site: Site, kind: str, challenge: str, answer: Answer, data: AuthenticatorData) -> None:
    """Raise :class:`Refused` unless the browser and the authenticator did what they were asked for, at this site."""
    fits = {
        "kind": answer.said["type"] == kind,
        "challenge": compare_digest(answer.challenge, challenge),
        "origin": answer.said["origin"] == site.origin,
        "frame": not answer.said.get("crossOrigin"),
        "site": compare_digest(data.rp_id_hash, hashlib.sha256(site.host.encode()).digest()),
        "presence": data.is_user_present(),
        "user verification": data.is_user_verified(),
    }
    if wrong := [name for name, is_right in fits.items() if not is_right]:
        raise Refused(f"wrong: {', '.join(wrong)}")


@contextmanager
def _refusing_what_is_malformed() -> Iterator[None]:
    """Raise :class:`Refused` for all that JSON, CBOR and keys of a stranger's making make their readers raise."""
    try:
        yield
    # RuntimeError: what is nested too deeply, and a key of an unknown kind.
    except (ValueError, TypeError, LookupError, AttributeError, RuntimeError, StructError) as error:
        raise Refused(f"malformed: {type(error).__name__}") from error


def _bytes(value: object) -> bytes:
    return decode(_a(str, value))


def _a(kind: type[T], value: object) -> T:
    """Return ``value``, which must be of this kind: a number in place of bytes would be taken for their count."""
    if not isinstance(value, kind):
        raise TypeError(f"not {kind.__name__}")
    return value


def _transports(value: object) -> str:
    return ",".join(sorted(TRANSPORTS.intersection(value))) if isinstance(value, list) else ""


def encode(data: bytes) -> str:
    """Return bytes as text in a JSON of WebAuthn (base64url without padding)."""
    return urlsafe_b64encode(data).decode().rstrip("=")


def decode(text: str) -> bytes:
    """Return the bytes of such a text. Raises ValueError."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
