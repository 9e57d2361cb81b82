"""Passkeys: what browsers are asked for, and which of their answers are believed."""

import json
import random
from collections.abc import Callable
from secrets import token_bytes
from typing import Any

import pytest
from fido2 import cbor

from app.kit.auth import webauthn
from app.kit.auth.webauthn import Refused, Site, encode
from tests.authenticator import BACKED_UP, ELIGIBLE, HAS_KEY, PRESENT, VERIFIED, Authenticator

SITE = Site("A site", "https://example.org")
ORIGIN = "https://example.org"
CHALLENGE, HANDLE = encode(token_bytes(16)), token_bytes(64)


def creation() -> dict[str, Any]:
    return webauthn.creation_options(SITE, CHALLENGE, HANDLE, ("ada@example.org", "Ada"), [(b"known", "usb,nfc")])


def request() -> dict[str, Any]:
    return webauthn.request_options(SITE, CHALLENGE)


def make(algorithm: int = -7, **lies: Any) -> tuple[Authenticator, webauthn.NewKey]:
    authenticator = Authenticator(ORIGIN, algorithm)
    return authenticator, webauthn.new_key(SITE, CHALLENGE, webauthn.read(authenticator.create(creation(), **lies)))


def sign(**lies: Any) -> webauthn.Signed:
    authenticator, key = make()
    return webauthn.signed(SITE, CHALLENGE, webauthn.read(authenticator.sign(request(), **lies)), key.public_key)


def test_a_browser_is_asked_for_a_key_that_checks_its_holder_and_is_found_without_its_id() -> None:
    options = creation()
    assert options["authenticatorSelection"] == {"residentKey": "required", "userVerification": "required"}
    assert options["attestation"] == "none"
    assert [row["alg"] for row in options["pubKeyCredParams"]] == [-7, -8, -257]
    assert options["excludeCredentials"] == [
        {"type": "public-key", "id": encode(b"known"), "transports": ["usb", "nfc"]}
    ]
    assert request() == {
        "challenge": CHALLENGE,
        "rpId": "example.org",
        "allowCredentials": [],
        "userVerification": "required",
    }


@pytest.mark.parametrize("algorithm", webauthn.ALGORITHMS)
def test_a_key_of_each_kind_signs(algorithm: int) -> None:
    authenticator, key = make(algorithm, flags=PRESENT | VERIFIED | HAS_KEY | ELIGIBLE)
    assert (key.credential_id, key.transports) == (authenticator.credential_id, "hybrid,internal")
    assert (key.backup_eligible, key.backed_up) == (True, False)
    answer = webauthn.read(authenticator.sign(request(), flags=PRESENT | VERIFIED | ELIGIBLE | BACKED_UP))
    assert answer.user_handle == HANDLE
    assert webauthn.signed(SITE, CHALLENGE, answer, key.public_key) == webauthn.Signed(sign_count=1, backed_up=True)


LIES: dict[str, dict[str, Any]] = {
    "nobody was there": {"flags": VERIFIED},
    "nobody was checked": {"flags": PRESENT},
    "another challenge": {"challenge": encode(token_bytes(16))},
    "another origin": {"origin": "https://example.org.evil.example"},
    "another port": {"origin": "https://example.org:8443"},
    "plain http": {"origin": "http://example.org"},
    "another site": {"host": "evil.example"},
    "a frame of another site": {"cross_origin": True},
    "the other ceremony": {"kind": "webauthn.create"},
    "the payment ceremony": {"kind": "payment.get"},
    "another signature": {"signature": b"0E\x02"},
    "no signature": {"signature": b""},
    "data of another moment": {"signed_later": bytes(32) + b"\x05" + bytes(4)},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_lie_about_a_signature_is_refused(lie: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        sign(**lie)


def test_flags_that_were_changed_after_signing_are_refused() -> None:
    """The browser may say that the holder was checked; only what was signed counts."""
    authenticator, key = make()
    answer = json.loads(authenticator.sign(request(), flags=PRESENT))
    data = bytearray(webauthn.decode(answer["response"]["authenticatorData"]))
    data[32] |= VERIFIED
    answer["response"]["authenticatorData"] = encode(bytes(data))
    with pytest.raises(Refused, match="signature"):
        webauthn.signed(SITE, CHALLENGE, webauthn.read(json.dumps(answer)), key.public_key)


@pytest.mark.parametrize(
    "lie",
    [
        {"flags": PRESENT | HAS_KEY},
        {"flags": PRESENT | VERIFIED},
        {"challenge": encode(token_bytes(16))},
        {"origin": "https://evil.example"},
        {"kind": "webauthn.get"},
        {"host": "evil.example"},
        {"cose": {3: -65535}},
        {"cose": {3: 0}},
        {"credential_id": token_bytes(1024)},
        {"attested": {"fmt": "none", "attStmt": {}, "authData": 2**40}},
        {"attested": []},
    ],
    ids=lambda lie: next(iter(lie)),
)
def test_a_lie_about_a_new_key_is_refused(lie: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        make(**lie)


GARBAGE = [
    "",
    "[]",
    "null",
    "5",
    '"x"',
    "{}",
    "[" * 9000,
    '{"a":' * 2000,
    '{"rawId":"\\ud800"}',
    "1" * 16_384,
    "{" * 17_000,
]


@pytest.mark.parametrize("text", GARBAGE, ids=lambda text: text[:12])
def test_garbage_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        webauthn.read(text)


def test_garbage_in_every_place_is_refused() -> None:
    """A number must not be taken for a length: fido2's own reader makes that many bytes of it."""
    authenticator, key = make()
    for honest, check in (
        (authenticator.create(creation()), lambda answer: webauthn.new_key(SITE, CHALLENGE, answer)),
        (authenticator.sign(request()), lambda answer: webauthn.signed(SITE, CHALLENGE, answer, key.public_key)),
    ):
        # The caller compares the id and the handle with what it knows.
        places = ["rawId", "response", *(f"response.{name}" for name in json.loads(honest)["response"])]
        for place in places:
            for value in (None, 10**13, -1, 1.5, True, [], {}, "", "\ud800", "é", "AAAA", "W10", ["a"], {"a": 1}):
                changed = with_value(honest, place, value)
                refuses(check, changed, is_honest=place.endswith(("rawId", "transports", "userHandle")))


def with_value(text: str, place: str, value: object) -> str:
    answer = json.loads(text)
    *path, name = place.split(".")
    holder = answer[path[0]] if path else answer
    holder[name] = value
    return json.dumps(answer)


def refuses(check: Callable[[webauthn.Answer], object], text: str, is_honest: bool = False) -> None:
    """Fail on any exception but a refusal, and on none, unless nothing important was changed."""
    try:
        check(webauthn.read(text))
    except Refused:
        return
    assert is_honest, text


def test_random_bytes_in_keys_and_data_are_refused() -> None:
    chance = random.Random(1)  # noqa: S311 - the same each time
    authenticator, key = make()
    signature, new = json.loads(authenticator.sign(request())), json.loads(authenticator.create(creation()))
    for _ in range(400):
        name = chance.choice(["authenticatorData", "clientDataJSON", "signature"])
        changed = mutated(signature, name, chance)
        refuses(lambda answer: webauthn.signed(SITE, CHALLENGE, answer, key.public_key), changed)
        name = chance.choice(["attestationObject", "clientDataJSON"])
        # Nothing is signed here, so that most changes make another key.
        refuses(lambda answer: webauthn.new_key(SITE, CHALLENGE, answer), mutated(new, name, chance), is_honest=True)
        stored = cbor.encode({1: 2, 3: chance.choice([-7, -8, -257, 0]), -1: 1, -2: chance.randbytes(32), -3: 1})
        refuses(lambda answer, stored=stored: webauthn.signed(SITE, CHALLENGE, answer, stored), json.dumps(signature))


def mutated(answer: dict[str, Any], name: str, chance: random.Random) -> str:
    data = bytearray(webauthn.decode(answer["response"][name]))
    place = chance.randrange(len(data))
    data[place : place + chance.randrange(1, 6)] = chance.randbytes(chance.randrange(6)) + b"\xff"
    return with_value(json.dumps(answer), f"response.{name}", encode(bytes(data)))


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Example.org", "https://example.org"),
        ("https://example.org:443", "https://example.org"),
        ("http://localhost:5000", "http://localhost:5000"),
        ("http://example.org:80/base", "http://example.org"),
        ("https://example.org:8443/base", "https://example.org:8443"),
    ],
)
def test_the_origin_is_written_as_browsers_do(url: str, origin: str) -> None:
    assert Site("A site", url).origin == origin
