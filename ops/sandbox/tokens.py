"""The OpenID provider that msal talks to: configuration and token endpoint of any tenant.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow and
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#refresh-the-access-token.
Client credentials with a secret or a registered certificate's assertion, and refresh tokens.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from urllib.parse import parse_qsl

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.x509 import load_pem_x509_certificate

from ops.sandbox.call import Call, Json, Reply
from ops.sandbox.event import utc_now

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
KEY_ID = "sandbox"
TENANT = "6f4a2b1e-6d1b-4c0e-9a53-2b6a1f0c7d10"


class Refusal(Exception):
    """The token endpoint refuses: OAuth's error, Microsoft's number and text."""

    def __init__(self, error: str, number: int, text: str):
        super().__init__(text)
        self.error = error
        self.number = number


@dataclass(frozen=True, slots=True)
class Token:
    """What an access token stands for. ``user`` is the address of who signed in; None for the application itself."""

    client_id: str
    user: str | None
    scope: str
    expires: float


@dataclass(slots=True)
class Provider:
    """Registered applications, refresh tokens and the access tokens given out. Thread-safe."""

    clients: dict[str, str] = field(default_factory=dict)
    """client id → secret"""
    certificates: dict[str, str] = field(default_factory=dict)
    """client id → PEM certificate whose key may sign assertions"""
    refresh_tokens: dict[str, str] = field(default_factory=dict)
    """refresh token → address of who signed in"""
    lifetime: float = 3599
    _tokens: dict[str, Token] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def find(self, token: str | None) -> Token | None:
        """What a live access token stands for."""
        found = self._tokens.get(token or "")
        return found if found is not None and found.expires > time.time() else None

    def adopt(self, other: Provider) -> None:
        """Keep the access tokens that another provider gave out valid."""
        with self._lock:
            self._tokens.update(other._tokens)

    def revoke_all(self) -> None:
        """Make all access tokens invalid."""
        with self._lock:
            self._tokens.clear()

    def answer(self, call: Call) -> Reply:
        """``…/.well-known/openid-configuration``, ``…/keys`` and ``…/token`` below a tenant."""
        tenant = call.path.strip("/").split("/")[0]
        if call.path.endswith("/.well-known/openid-configuration"):
            return Reply.of_json(configuration(f"{call.base}/{tenant}"))
        if call.path.endswith("/discovery/v2.0/keys"):
            return Reply.of_json(published_keys())
        if not call.path.endswith("/oauth2/v2.0/token"):
            return Reply(404)
        form = dict(parse_qsl(call.body.decode(errors="replace")))
        try:
            return Reply.of_json(self._grant(form, f"{call.base}/{call.path}"))
        except Refusal as refusal:
            return _refused(refusal)

    def _grant(self, form: Mapping[str, str], endpoint: str) -> Json:
        client_id = self._authenticated(form, endpoint)
        match form.get("grant_type"):
            case "client_credentials":
                return self._issue(client_id, None, form.get("scope", ""))
            case "refresh_token":
                user = self.refresh_tokens.get(form.get("refresh_token", ""))
                if user is None:
                    raise Refusal("invalid_grant", 9002313, "The refresh token is malformed or not valid.")
                return {**self._issue(client_id, user, form.get("scope", "")), "refresh_token": form["refresh_token"]}
            case other:
                raise Refusal(
                    "unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{other}'."
                )

    def _authenticated(self, form: Mapping[str, str], endpoint: str) -> str:
        client_id = form.get("client_id", "")
        if client_id not in self.clients:
            raise Refusal("unauthorized_client", 700016, f"Application with identifier '{client_id}' was not found.")
        if form.get("client_assertion_type") == ASSERTION:
            self._check_assertion(client_id, form.get("client_assertion", ""), endpoint)
        elif not secrets.compare_digest(form.get("client_secret", "").encode(), self.clients[client_id].encode()):
            raise Refusal("invalid_client", 7000215, "Invalid client secret provided.")
        return client_id

    def _check_assertion(self, client_id: str, assertion: str, endpoint: str) -> None:
        pem = self.certificates.get(client_id)
        if pem is None:
            raise Refusal("invalid_client", 700027, "The certificate is not registered on the application.")
        key = load_pem_x509_certificate(pem.encode()).public_key()
        if not isinstance(key, RSAPublicKey | EllipticCurvePublicKey):
            raise Refusal("invalid_client", 700027, "The certificate's kind of key is not supported.")
        try:
            claims = jwt.decode(
                assertion,
                key,
                algorithms=["RS256", "PS256", "ES256"],
                audience=endpoint,
                issuer=client_id,
            )
        except jwt.PyJWTError as error:
            raise Refusal("invalid_client", 700027, f"Client assertion failed signature validation: {error}") from error
        if claims.get("sub") != client_id:
            raise Refusal("invalid_client", 700021, "Client assertion application identifier does not match.")

    def _issue(self, client_id: str, user: str | None, scope: str) -> Json:
        token = secrets.token_urlsafe(48)
        with self._lock:
            self._tokens[token] = Token(client_id, user, scope, time.time() + self.lifetime)
        seconds = int(self.lifetime)
        return {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}


@cache
def signer() -> RSAPrivateKey:
    """The key that signs tokens meant for others than the sandbox itself: one for each process."""
    return generate_private_key(65537, 2048)


def published_keys() -> Json:
    """https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-tokens"""
    key = jwt.algorithms.RSAAlgorithm.to_jwk(signer().public_key(), as_dict=True)
    return {"keys": [{**key, "use": "sig", "kid": KEY_ID}]}


def configuration(authority: str) -> Json:
    """The OpenID configuration of a tenant whose authority is ``https://host/<tenant>``."""
    return {
        "issuer": f"{authority}/v2.0",
        "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
        "token_endpoint": f"{authority}/oauth2/v2.0/token",
        "device_authorization_endpoint": f"{authority}/oauth2/v2.0/devicecode",
        "jwks_uri": f"{authority}/discovery/v2.0/keys",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "response_types_supported": ["code", "id_token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
    }


def _refused(refusal: Refusal) -> Reply:
    status = 401 if refusal.error in ("invalid_client", "unauthorized_client") else 400
    body = {
        "error": refusal.error,
        "error_description": f"AADSTS{refusal.number}: {refusal}",
        "error_codes": [refusal.number],
        "timestamp": utc_now().strftime("%Y-%m-%d %H:%M:%SZ"),
    }
    return Reply.of_json(body, status)
