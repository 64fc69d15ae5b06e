"""Rich notifications: sealed for a subscriber's certificate, vouched for by a signed token - or spoiled in one respect.

https://learn.microsoft.com/graph/change-notifications-with-resource-data. The key that tokens are signed with is the
sandbox's own, and told where its OpenID configuration says.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from base64 import b64decode, b64encode
from dataclasses import dataclass

import jwt
from cryptography.hazmat.primitives import hmac
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.x509 import load_der_x509_certificate

from ops.sandbox.call import Json
from ops.sandbox.tokens import KEY_ID, TENANT, signer

CHANGE_TRACKING = "0bf30f3b-4a52-48df-9a82-234910c4a086"
SPOILS = frozenset({
    "signature", "key", "audience", "issuer", "application", "expired", "size", "content", "certificate", "event",
})  # fmt: skip
"""What may be wrong with a rich notification."""


@dataclass(frozen=True, slots=True)
class Seal:
    """What a subscription's notifications are sealed with. ``certificate``: base64 of DER; ``application``: whose."""

    certificate: str
    certificate_id: str
    application: str

    def content(self, resource: Json, spoil: str) -> Json:
        """``encryptedContent`` of one item, with a key of its own that is wrapped for the certificate's owner."""
        der = b64decode(self.certificate)
        key = secrets.token_bytes(32)
        told = {**resource, "id": "another"} if spoil == "event" else resource
        data = _encrypted(key, json.dumps(told).encode())
        public = load_der_x509_certificate(der).public_key()
        assert isinstance(public, rsa.RSAPublicKey)  # noqa: S101 - looked at when the subscription was made
        oaep = padding.OAEP(padding.MGF1(SHA1()), SHA1(), None)  # noqa: S303 - what Graph uses
        thumbprint = hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()
        unknown = spoil == "certificate"
        return {
            "data": b64encode(data[::-1] if spoil == "content" else data).decode(),
            "dataSignature": b64encode(_signature(key, data)).decode(),
            "dataKey": b64encode(public.encrypt(key, oaep)).decode(),
            "encryptionCertificateId": "another" if unknown else self.certificate_id,
            "encryptionCertificateThumbprint": "00" * 20 if unknown else thumbprint,
        }

    def token(self, spoil: str) -> str:
        """One of ``validationTokens``: that Graph's change tracking sends this to the application."""
        now = int(time.time())
        claims = {
            "aud": "another application" if spoil == "audience" else self.application,
            "iss": f"https://sts.windows.net/{'another' if spoil == 'issuer' else TENANT}/",
            "tid": TENANT,
            "appid": "another" if spoil == "application" else CHANGE_TRACKING,
            "iat": now - 7200,
            "exp": now - 3600 if spoil == "expired" else now + 3600,
            "padding": "x" * (10_000 if spoil == "size" else 0),
        }
        made = jwt.encode(claims, signer(), algorithm="RS256", headers={"kid": "another" if spoil == "key" else KEY_ID})
        return f"{made[:-8]}AAAAAAAA" if spoil == "signature" else made


def _encrypted(key: bytes, text: bytes) -> bytes:
    padder = PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return encryptor.update(padder.update(text) + padder.finalize()) + encryptor.finalize()


def _signature(key: bytes, data: bytes) -> bytes:
    made = hmac.HMAC(key, SHA256())
    made.update(data)
    return made.finalize()
