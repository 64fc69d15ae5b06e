"""Rich notifications: forged, tampered with, out of date - and Microsoft's own vector."""

from __future__ import annotations

import json
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import hmac as hmacs
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from tests.served import dripping
from tests.workers.authority import certificate as write_certificate
from tests.workers.graph.wire import backend
from workers.engine import provers
from workers.exchange import Unavailable
from workers.graph.proof import Prover
from workers.graph.rich_notification import CHANGE_TRACKING, Certificate, NotGenuine, certificate, check_token, opened
from workers.graph.signing_keys import SigningKeys
from workers.settings import Settings

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
TENANT = "84bd8158-6d4d-4958-8b9f-9d6445542f95"
ISSUERS = ("https://sts.windows.net/{tid}/", "https://login.microsoftonline.com/{tid}/v2.0")
KEY = bytes(range(32))


@pytest.fixture(scope="module")
def signer() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    path: Path = tmp_path_factory.mktemp("certificates") / "ours.pem"
    write_certificate(path, rsa.generate_private_key(65537, 2048))
    return certificate(path.read_bytes())


def a_token(signer: rsa.RSAPrivateKey, **changes: Any) -> str:
    claims = {
        "aud": "app", "iss": f"https://sts.windows.net/{TENANT}/", "tid": TENANT, "appid": CHANGE_TRACKING,
        "exp": int((NOW + timedelta(hours=1)).timestamp()),
    }  # fmt: skip
    told = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return jwt.encode(told, signer, algorithm="RS256", headers={"kid": "k1"})


def checked(signer: rsa.RSAPrivateKey, token: str) -> None:
    keys = {"k1": signer.public_key()}
    check_token(token, keys.get, audience="app", issuers=ISSUERS, now=NOW)


def sealed(ours: Certificate, text: bytes, key: bytes = KEY, **changes: str) -> dict[str, str]:
    """As Graph does it: a key for each item, wrapped for the owner of the certificate."""
    fill = 16 - len(text) % 16
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    data = encryptor.update(text + bytes([fill]) * fill) + encryptor.finalize()
    signature = hmacs.HMAC(key, SHA256())
    signature.update(data)
    content = {
        "data": b64encode(data).decode(),
        "dataSignature": b64encode(signature.finalize()).decode(),
        "dataKey": wrapped(ours, key),
        "encryptionCertificateId": ours.id,
        "encryptionCertificateThumbprint": ours.id.upper(),
    }
    return {**content, **changes}


def wrapped(ours: Certificate, key: bytes) -> str:
    oaep = padding.OAEP(padding.MGF1(SHA1()), SHA1(), None)  # noqa: S303 - what Graph uses
    return b64encode(ours.key.public_key().encrypt(key, oaep)).decode()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"appid": None, "azp": CHANGE_TRACKING, "iss": f"https://login.microsoftonline.com/{TENANT}/v2.0"},
    ],
)
def test_a_token_of_either_version_is_good(signer: rsa.RSAPrivateKey, changes: dict[str, Any]) -> None:
    checked(signer, a_token(signer, **changes))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"aud": "another application"}, "audience"),
        ({"aud": None}, "token"),
        ({"exp": int(NOW.timestamp())}, "expired"),
        ({"exp": None}, "token"),
        ({"iss": "https://sts.windows.net/another/"}, "issuer"),
        ({"iss": "https://evil.example/{tid}"}, "issuer"),
        ({"appid": "11111111-1111-1111-1111-111111111111"}, "application"),
        ({"appid": None}, "application"),
        ({"azp": "11111111-1111-1111-1111-111111111111"}, "application"),
    ],
)
def test_a_token_that_is_not_for_us_from_graph_and_in_time_is_not_good(
    signer: rsa.RSAPrivateKey, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(NotGenuine) as refused:
        checked(signer, a_token(signer, **changes))
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda token: token[:-8] + "AAAAAAAA", "signature"),
        (lambda token: ".".join([token.split(".")[0], token.split(".")[1], ""]), "signature"),
        (lambda token: "nonsense", "token"),
        (lambda token: "", "token"),
        (lambda token: token + "x" * 10_000, "size"),
        (lambda token: jwt.encode({"aud": "app"}, "", algorithm="none", headers={"kid": "k1"}), "signature"),
        (lambda token: jwt.encode({"aud": "app"}, "x" * 64, algorithm="HS256", headers={"kid": "k1"}), "signature"),
        (lambda token: jwt.encode({"aud": "app"}, "x" * 64, algorithm="HS256", headers={"kid": "k2"}), "key"),
    ],
)
def test_a_token_that_nobody_we_know_signed_is_not_good(
    signer: rsa.RSAPrivateKey, spoil: Callable[[str], str], reason: str
) -> None:
    with pytest.raises(NotGenuine) as refused:
        checked(signer, spoil(a_token(signer)))
    assert refused.value.reason == reason


def test_what_is_sealed_for_us_is_opened(ours: Certificate) -> None:
    for text in (b"{}", b"x" * 16, b"y" * 31):
        assert opened(sealed(ours, text), [ours]) == text


def test_an_older_certificate_opens_what_was_sealed_before_the_rotation(ours: Certificate, tmp_path: Path) -> None:
    path = tmp_path / "new.pem"
    write_certificate(path, rsa.generate_private_key(65537, 2048))
    newer = certificate(path.read_bytes())
    assert opened(sealed(ours, b"{}"), [newer, ours]) == b"{}"
    with pytest.raises(NotGenuine, match="do not have"):
        opened(sealed(ours, b"{}"), [newer])


@pytest.mark.parametrize("part", ["data", "dataSignature", "dataKey"])
def test_a_part_that_was_changed_on_its_way_is_noticed(ours: Certificate, part: str) -> None:
    content = sealed(ours, b'{"id": "E"}')
    raw = bytearray(b64decode(content[part]))
    raw[-1] ^= 1
    with pytest.raises(NotGenuine):
        opened({**content, part: b64encode(raw).decode()}, [ours])


def test_nothing_is_decrypted_before_the_signature_is_right(ours: Certificate) -> None:
    content = sealed(ours, b"{}", dataSignature=b64encode(bytes(32)).decode(), data=b64encode(b"no block").decode())
    with pytest.raises(NotGenuine, match="changed on its way"):
        opened(content, [ours])


@pytest.mark.parametrize("content", [None, 7, {}, {"data": "?"}, {"data": None, "dataSignature": "", "dataKey": ""}])
def test_what_is_no_sealed_content_is_not_genuine(ours: Certificate, content: Any) -> None:
    with pytest.raises(NotGenuine):
        opened(content, [ours])


def test_microsofts_own_vector_is_opened(ours: Certificate, reference: Path) -> None:
    vector = json.loads((reference / "graph/notifications/encrypted-vector.json").read_text())
    key = wrapped(ours, b64decode(vector["symmetricKeyBase64"]))
    content = {**vector["encryptedContent"], "dataKey": key, "encryptionCertificateThumbprint": ours.id}
    assert opened(content, [ours]).decode() == vector["expectedPlaintextUtf8"]


WEAK = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that is the point


@pytest.mark.parametrize("key", [WEAK, ec.generate_private_key(ec.SECP256R1())])
def test_a_key_that_graph_does_not_take_is_refused(tmp_path: Path, key: Any) -> None:
    write_certificate(tmp_path / "weak.pem", key)
    with pytest.raises(ValueError, match="2048"):
        certificate((tmp_path / "weak.pem").read_bytes())


def a_proof(ours: Certificate, *tokens: str, event: str = "E") -> str:
    content = sealed(ours, json.dumps({"id": event}).encode())
    return json.dumps({"tokens": tokens, "content": content})


def test_a_notification_is_proved_by_its_tokens_and_what_is_sealed(
    signer: rsa.RSAPrivateKey, ours: Certificate
) -> None:
    prover = Prover(backend(), [ours], {"k1": signer.public_key()}.get, lambda: NOW)
    good, bad = a_token(signer), a_token(signer, aud="other")
    prover.check("E", a_proof(ours, good))
    for proof in (a_proof(ours), a_proof(ours, bad), a_proof(ours, good, bad), a_proof(ours, good, event="F")):
        with pytest.raises(NotGenuine):
            prover.check("E", proof)


@pytest.mark.parametrize(
    "issuer",
    ["https://sts.windows.net/{}/", "https://login.microsoftonline.com/{}/v2.0", "https://login.example/{}/v2.0"],
)
def test_only_the_tenant_vouches_where_the_authority_names_it_by_its_id(
    signer: rsa.RSAPrivateKey, ours: Certificate, issuer: str
) -> None:
    other = "00000000-0000-0000-0000-000000000000"
    theirs = a_proof(ours, a_token(signer, tid=other, iss=issuer.format(other)))
    sealing = backend(authority=f"https://login.example/{TENANT}")
    prover = Prover(sealing, [ours], {"k1": signer.public_key()}.get, lambda: NOW)
    prover.check("E", a_proof(ours, a_token(signer, iss=issuer.format(TENANT))))
    with pytest.raises(NotGenuine, match="of another issuer"):
        prover.check("E", theirs)


@pytest.mark.parametrize("named", ["organizations", "contoso.com"])
def test_any_tenant_vouches_where_the_authority_names_none_by_its_id(
    signer: rsa.RSAPrivateKey, ours: Certificate, named: str
) -> None:
    sealing = backend(authority=f"https://login.microsoftonline.com/{named}")
    prover = Prover(sealing, [ours], {"k1": signer.public_key()}.get, lambda: NOW)
    prover.check("E", a_proof(ours, a_token(signer)))


def test_a_collection_that_is_also_for_another_backend_of_ours_is_believed_and_one_for_strangers_is_not(
    signer: rsa.RSAPrivateKey, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ours.pem"
    write_certificate(path, rsa.generate_private_key(65537, 2048))
    ours, sealing = certificate(path.read_bytes()), backend(notification_certificate_files=(path,))
    other = sealing.model_copy(update={"name": "branch", "client_id": "branch"})
    monkeypatch.setattr(SigningKeys, "find", lambda _, key_id: {"k1": signer.public_key()}.get(key_id))
    both = provers(settings.model_copy(update={"backend": (sealing, other)}), lambda: NOW)
    first, second, stranger = (a_token(signer, aud=audience) for audience in ("app", "branch", "stranger"))
    for prover in both.values():
        prover.check("E", a_proof(ours, first, second))
        with pytest.raises(NotGenuine):
            prover.check("E", a_proof(ours, first, second, stranger))
    both["branch"].check("E", a_proof(ours, second))
    with pytest.raises(NotGenuine, match="not for our application"):
        both["branch"].check("E", a_proof(ours, first))


def test_signing_keys_are_fetched_when_they_are_needed_and_not_for_every_stranger(signer: rsa.RSAPrivateKey) -> None:
    jwk = {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(signer.public_key())), "kid": "k1", "use": "sig"}
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if request.url.path.endswith("openid-configuration"):
            return httpx.Response(200, json={"jwks_uri": "https://login.example/keys"})
        return httpx.Response(200, json={"keys": [jwk]})

    keys = SigningKeys(backend(), httpx.MockTransport(answer))
    assert keys.find("k1").public_numbers() == signer.public_key().public_numbers()
    assert (keys.find("k1") is not None, keys.find("stranger")) == (True, None)
    assert asked == ["/contoso/v2.0/.well-known/openid-configuration", "/keys"]


def test_an_authority_that_does_not_tell_its_keys_is_asked_by_one_for_all_and_again_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        time.sleep(0.1)
        return httpx.Response(503)

    def unavailable() -> bool:
        try:
            keys.find("k1")
        except Unavailable:
            return True
        return False

    keys = SigningKeys(backend(), httpx.MockTransport(answer))
    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(lambda _: unavailable(), range(8)))
    assert len(asked) == 1
    monkeypatch.setattr("workers.graph.signing_keys.AT_MOST_EVERY", 0.0)
    assert unavailable()
    assert len(asked) == 2


def test_an_authority_that_drips_its_keys_for_ever_is_given_up_in_time() -> None:
    def drip(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=dripping(100))

    keys = SigningKeys(backend().model_copy(update={"timeout": 0.05}), httpx.MockTransport(drip))
    with pytest.raises(Unavailable, match="did not end in time"):
        keys.find("k1")
