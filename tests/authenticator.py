"""A passkey in software, with a browser around it that can lie."""

import hashlib
import json
import struct
from secrets import token_bytes
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from fido2 import cbor
from fido2.cose import ES256, RS256, CoseKey, EdDSA

from app.kit.auth.webauthn import decode, encode

PRESENT, VERIFIED, ELIGIBLE, BACKED_UP, HAS_KEY = 0x01, 0x04, 0x08, 0x10, 0x40
Json = dict[str, Any]


class Authenticator:
    """Holds one key. Each keyword of ``create`` and ``sign`` replaces something that an honest one would return."""

    def __init__(self, origin: str = "http://localhost:5000", algorithm: int = ES256.ALGORITHM) -> None:
        self.origin, self.algorithm = origin, algorithm
        self.credential_id, self.handle, self.count = token_bytes(32), b"", 0
        self._key = {
            ES256.ALGORITHM: lambda: ec.generate_private_key(ec.SECP256R1()),
            EdDSA.ALGORITHM: ed25519.Ed25519PrivateKey.generate,
            RS256.ALGORITHM: lambda: rsa.generate_private_key(65537, 2048),
        }[algorithm]()

    def create(self, options: Json, flags: int = PRESENT | VERIFIED | HAS_KEY, **lies: Any) -> str:
        """Return what a browser sends after making the passkey that ``options`` ask for."""
        self.handle = decode(options["user"]["id"])
        cose: Json = dict(CoseKey.for_alg(self.algorithm).from_cryptography_key(self._key.public_key()))
        cose |= lies.get("cose", {})
        credential_id = lies.get("credential_id", self.credential_id)
        key = bytes(16) + struct.pack(">H", len(credential_id)) + credential_id + cbor.encode(cose)
        data = self._data(options["rp"]["id"], flags, key if flags & HAS_KEY else b"", lies)
        attested = lies.get("attested", {"fmt": "none", "attStmt": {}, "authData": data})
        response = {
            "clientDataJSON": encode(self._client_data("webauthn.create", options, lies)),
            "attestationObject": encode(cbor.encode(attested)),
            "transports": ["internal", "hybrid", "unheard-of"],
        }
        return self._answer(credential_id, response)

    def sign(self, options: Json, flags: int = PRESENT | VERIFIED, **lies: Any) -> str:
        """Return what a browser sends after the passkey signed the challenge in ``options``."""
        self.count += 1
        data = self._data(options["rpId"], flags, b"", lies)
        client_data = self._client_data("webauthn.get", options, lies)
        signature = self._sign(data + hashlib.sha256(client_data).digest())
        handle = lies.get("handle", self.handle)
        response = {
            "clientDataJSON": encode(client_data),
            "authenticatorData": encode(lies.get("signed_later", data)),
            "signature": encode(lies.get("signature", signature)),
            "userHandle": None if handle is None else encode(handle),
        }
        return self._answer(lies.get("credential_id", self.credential_id), response)

    def _data(self, host: str, flags: int, key: bytes, lies: Json) -> bytes:
        count = lies.get("count", self.count)
        return hashlib.sha256(lies.get("host", host).encode()).digest() + struct.pack(">BI", flags, count) + key

    def _client_data(self, kind: str, options: Json, lies: Json) -> bytes:
        said = {
            "type": lies.get("kind", kind),
            "challenge": lies.get("challenge", options["challenge"]),
            "origin": lies.get("origin", self.origin),
            "crossOrigin": lies.get("cross_origin", False),
        }
        return json.dumps(said).encode()

    def _sign(self, message: bytes) -> bytes:
        key = self._key
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key.sign(message, ec.ECDSA(hashes.SHA256()))
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return key.sign(message)

    @staticmethod
    def _answer(credential_id: bytes, response: Json) -> str:
        name = encode(credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})
