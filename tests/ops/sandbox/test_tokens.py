"""msal signs in on the sandbox, over its TLS."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msal
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ops.sandbox import seed
from ops.sandbox.control import Sandbox
from ops.sandbox.faults import Fault
from tests.ops.sandbox.conftest import TENANT, plain


def application(sandbox: Sandbox, credential: object) -> msal.ConfidentialClientApplication:
    transport = requests.Session()
    transport.trust_env = False  # a bundle named in the environment would win over ours
    transport.verify = str(sandbox.ca_file)
    return msal.ConfidentialClientApplication(
        seed.CLIENT_ID,
        client_credential=credential,
        authority=f"{sandbox.url}/{TENANT}",
        instance_discovery=False,
        http_client=transport,
    )


def own_certificate() -> tuple[str, str, str]:
    """PEM key, PEM certificate, SHA-1 thumbprint."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "client")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    return private.decode(), public.decode(), certificate.fingerprint(hashes.SHA1()).hex()  # noqa: S303


def test_an_application_signs_in_with_its_secret(sandbox: Sandbox) -> None:
    answer = application(sandbox, seed.CLIENT_SECRET).acquire_token_for_client([f"{sandbox.url}/.default"])
    assert answer["token_type"] == "Bearer"


def test_an_application_signs_in_with_its_certificate(sandbox: Sandbox) -> None:
    key, certificate, thumbprint = own_certificate()
    credential = {"private_key": key, "thumbprint": thumbprint}
    scopes = [f"{sandbox.url}/.default"]
    assert application(sandbox, credential).acquire_token_for_client(scopes)["error"] == "invalid_client"
    sandbox.register_client(seed.CLIENT_ID, secret=seed.CLIENT_SECRET, certificate=certificate)
    assert "access_token" in application(sandbox, credential).acquire_token_for_client(scopes)


def test_a_refresh_token_stands_for_a_person(sandbox: Sandbox) -> None:
    answer = application(sandbox, seed.CLIENT_SECRET).acquire_token_by_refresh_token(
        seed.REFRESH_TOKEN, [f"{sandbox.url}/.default"]
    )
    bearer = {"Authorization": f"Bearer {answer['access_token']}"}
    assert plain(sandbox, headers=bearer).get(f"{sandbox.graph_url}/me/events").status_code == 200


@pytest.mark.parametrize("secret", ["wrong", "fälschlich"])
def test_a_wrong_secret_is_refused(sandbox: Sandbox, secret: str) -> None:
    answer = application(sandbox, secret).acquire_token_for_client([f"{sandbox.url}/.default"])
    assert (answer["error"], "AADSTS7000215" in answer["error_description"]) == ("invalid_client", True)


def test_an_unknown_refresh_token_is_refused(sandbox: Sandbox) -> None:
    answer = application(sandbox, seed.CLIENT_SECRET).acquire_token_by_refresh_token("1.old", ["x/.default"])
    assert answer["error"] == "invalid_grant"


def test_tokens_can_fail_too(sandbox: Sandbox) -> None:
    client = application(sandbox, seed.CLIENT_SECRET)
    sandbox.fail(Fault(api="token", status=400, code="temporarily_unavailable"))
    assert client.acquire_token_for_client([f"{sandbox.url}/.default"])["error"] == "temporarily_unavailable"


def test_secrets_are_not_in_the_record_of_calls(sandbox: Sandbox) -> None:
    application(sandbox, seed.CLIENT_SECRET).acquire_token_for_client([f"{sandbox.url}/.default"])
    assert not any(seed.CLIENT_SECRET in str(call) for call in sandbox.calls())
    assert sandbox.calls()[-1].operation == "token"
