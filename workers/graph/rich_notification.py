"""Rich notifications: who vouches for them, and what is sealed in them. Functions of values.

https://learn.microsoft.com/graph/change-notifications-with-resource-data. A token says that Graph's change tracking
sent them to our application; the content is sealed with a key that only the owner of our certificate can open. Not
here: fetching the keys that tokens are signed with (signing_keys).
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

from workers.changes.notification import Doubt
from workers.update import Json

CHANGE_TRACKING = "0bf30f3b-4a52-48df-9a82-234910c4a086"
"""Graph's change tracking, as an application: the ``appid`` (v1) or ``azp`` (v2) of its tokens."""
TOKEN_AT_MOST = 8 * 1024
"""Graph's have about 2 KiB."""
_BLOCK = 16

KeyOf = Callable[[str], Any]
"""A key's id → the public key, None where there is none of this id."""


class NotGenuine(Exception):
    """The notification was not sent by Graph to us, or was changed on its way. ``reason``: one word for the metrics;
    the message is a sentence."""

    def __init__(self, reason: Doubt, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Certificate:
    """One of ours. ``id``: its SHA-1 thumbprint in hex, by which notifications name it; ``text``: as Graph is given it,
    base64 of DER."""

    id: str
    text: str
    key: RSAPrivateKey


def certificate(pem: bytes) -> Certificate:
    """From a PEM file with a certificate and its private key. Raises ValueError."""
    der = load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    key = load_pem_private_key(pem, None)
    if not isinstance(key, RSAPrivateKey) or key.key_size < 2048:
        raise ValueError("Graph takes RSA keys of 2048 bits and more only")
    return Certificate(hashlib.sha1(der, usedforsecurity=False).hexdigest(), b64encode(der).decode(), key)


def check_token(token: str, key_of: KeyOf, *, audience: str, issuers: Sequence[str], now: datetime) -> None:
    """Raise NotGenuine unless Graph's change tracking made this token for us, and it is still good. ``issuers``: with
    ``{tid}`` where the tenant's id stands."""
    if len(token) > TOKEN_AT_MOST:
        raise NotGenuine("size", "the token is too long")
    try:
        key = key_of(str(jwt.get_unverified_header(token).get("kid")))
        if key is None:
            raise NotGenuine("key", "nobody knows the key that the token is signed with")
        wanted = {"require": ["exp", "aud", "iss"], "verify_exp": False, "verify_nbf": False, "verify_iat": False}
        # PyJWT's type for options leaves out what may be left out.
        claims = jwt.decode(token, key, algorithms=["RS256"], audience=audience, options=wanted)  # type: ignore[arg-type]
    except (jwt.InvalidSignatureError, jwt.InvalidAlgorithmError) as error:
        raise NotGenuine("signature", f"the token is not signed as it should be: {error}") from error
    except jwt.InvalidAudienceError as error:
        raise NotGenuine("audience", "the token is not for our application") from error
    except (jwt.PyJWTError, TypeError, ValueError) as error:
        raise NotGenuine("token", f"the token is not good: {error}") from error
    _check_claims(claims, issuers, now)


def _check_claims(claims: Mapping[str, Json], issuers: Sequence[str], now: datetime) -> None:
    if claims.get("azp", claims.get("appid")) != CHANGE_TRACKING:
        raise NotGenuine("application", "the token was not made for Graph's change tracking")
    if claims["iss"] not in [issuer.replace("{tid}", str(claims.get("tid"))) for issuer in issuers]:
        raise NotGenuine("issuer", "the token is of another issuer")
    if not isinstance(claims["exp"], int | float) or claims["exp"] <= now.timestamp():
        raise NotGenuine("expired", "the token has expired")


def opened(content: Json, certificates: Sequence[Certificate]) -> bytes:
    """What is sealed: the event's JSON in UTF-8. Raises NotGenuine.

    The signature is checked before anything is decrypted: the other way round the padding would tell secrets.
    """
    try:
        sealed, signature, wrapped = (b64decode(content[name], validate=True) for name in _PARTS)
        named = {
            str(content.get(name)).lower() for name in ("encryptionCertificateId", "encryptionCertificateThumbprint")
        }
    except (KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise NotGenuine("content", f"there is no sealed content: {error}") from error
    key = _unwrapped(wrapped, named, certificates)
    if not hmac.compare_digest(hmac.digest(key, sealed, "sha256"), signature):
        raise NotGenuine("content", "the sealed content was changed on its way")
    return _decrypted(key, sealed)


_PARTS = ("data", "dataSignature", "dataKey")


def _unwrapped(wrapped: bytes, named: set[str], certificates: Sequence[Certificate]) -> bytes:
    """The key of this one item, which only we can unwrap."""
    for one in certificates:
        if one.id in named:
            try:
                return one.key.decrypt(wrapped, padding.OAEP(padding.MGF1(SHA1()), SHA1(), None))  # noqa: S303 - Graph's
            except ValueError as error:
                raise NotGenuine("content", "the key of the sealed content cannot be unwrapped") from error
    raise NotGenuine("certificate", "the content is sealed for a certificate that we do not have")


def _decrypted(key: bytes, sealed: bytes) -> bytes:
    try:
        decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:_BLOCK])).decryptor()
        padded = decryptor.update(sealed) + decryptor.finalize()
        remover = PKCS7(8 * _BLOCK).unpadder()
        return remover.update(padded) + remover.finalize()
    except ValueError as error:
        raise NotGenuine("content", "the sealed content cannot be opened") from error
