"""The configuration: what is taken, and one line that names the key for everything that is not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from tests.workers.authority import certificate
from workers.configuration import ConfigurationError, load
from workers.settings import EwsBackend, GraphBackend, Settings

ROOT = Path(__file__).resolve().parents[2]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ENVIRONMENT = {"CLOUD_CLIENT_SECRET": "c10ud-s3cret", "CLOUD_REFRESH_TOKEN": "r3fresh", "HQ_USER": "svc",
               "HQ_PASSWORD": "pa55word", "HR_WEBHOOK_SECRET": SECRET}  # fmt: skip
GRAPH = """
[[backend]]
name = "cloud"
kind = "graph"
authority = "https://login.microsoftonline.com/tenant"
client_id = "app"
client_secret_env = "CLOUD_CLIENT_SECRET"
mailboxes = ["*@contoso.com"]
"""
EWS = """
[[backend]]
name = "hq"
kind = "ews"
url = "https://mail.hq.example/EWS/Exchange.asmx"
auth = "ntlm"
username_env = "HQ_USER"
password_env = "HQ_PASSWORD"
mailboxes = ["*@hq.example"]
"""
CLIENT = """
[[client]]
name = "hr"
webhook_secrets_env = ["HR_WEBHOOK_SECRET"]
mailboxes = ["*@contoso.com"]
"""
# As it stands in the contract, the placeholders filled in.
CONTRACT = """
[[backend]]
name = "cloud"
kind = "graph"
base_url = "https://graph.microsoft.com/v1.0"
authority = "https://login.microsoftonline.com/0d1"
client_id = "…"
client_secret_env = "CLOUD_CLIENT_SECRET"      # or client_certificate_file
refresh_token_env = "CLOUD_REFRESH_TOKEN"      # optional: delegated sign-in, for `me` and groups
mailboxes = ["*@contoso.com"]
max_concurrency = 4                            # per mailbox

[[backend]]
name = "hq"
kind = "ews"
url = "https://mail.hq.example/EWS/Exchange.asmx"
auth = "ntlm"                                  # basic, ntlm, oauth
username_env = "HQ_USER"
password_env = "HQ_PASSWORD"
impersonation = true
server_version = "Exchange2013_SP1"
mailboxes = ["*@hq.example"]

[[client]]
name = "hr"
api_key_sha256 = ["ea756a7c24e01316c36329f27e7102bdc1f5fedcfe1c805bc07796ae352a995f"]
webhook_secrets_env = ["HR_WEBHOOK_SECRET"]    # whsec_…, newest first; signs callbacks and verifies requests
mailboxes = ["*@contoso.com", "*@hq.example"]  # what this client may touch
callback_networks = []                         # CIDRs beyond the public internet, e.g. ["127.0.0.1/32"]
"""


class Written:
    """Loads what a test writes."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "rendezvous.toml"

    def load(self, text: str | bytes = GRAPH + CLIENT, **environ: str) -> Settings:
        self.path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load({**ENVIRONMENT, "RENDEZVOUS_CONFIG": str(self.path), **environ})

    def complaint(self, text: str | bytes = GRAPH + CLIENT, **environ: str) -> str:
        with pytest.raises(ConfigurationError) as raised:
            self.load(text, **environ)
        said = str(raised.value)
        assert len(said.splitlines()) == 1
        assert "c10ud-s3cret" not in said
        assert "pa55word" not in said
        return said


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return Written(tmp_path)


def test_the_contracts_example_is_taken(written: Written) -> None:
    settings = written.load(CONTRACT)
    cloud, hq = settings.backends["cloud"], settings.backends["hq"]
    assert isinstance(cloud, GraphBackend)
    assert isinstance(hq, EwsBackend)
    assert cloud.client_secret is not None
    assert cloud.client_secret.get_secret_value() == "c10ud-s3cret"
    assert hq.password is not None
    assert hq.password.get_secret_value() == "pa55word"
    assert [secret.get_secret_value() for secret in settings.clients["hr"].webhook_secrets] == [SECRET]


def test_a_byte_order_mark_is_no_mistake(written: Written) -> None:
    assert written.load(b"\xef\xbb\xbf" + (GRAPH + CLIENT).encode()) == written.load(GRAPH + CLIENT)


def test_the_example_that_comes_with_the_project_is_taken() -> None:
    assert load({**ENVIRONMENT, "RENDEZVOUS_CONFIG": str(ROOT / "rendezvous.example.toml")}).backend


def test_no_secret_shows_when_the_settings_are_printed(written: Written) -> None:
    shown = repr(written.load(CONTRACT))
    assert not any(secret in shown for secret in ENVIRONMENT.values() if secret != "svc")


def test_the_defaults_are_the_contracts(written: Written) -> None:
    settings = written.load(GRAPH + EWS + CLIENT)
    assert settings.store_url == "redis://127.0.0.1:6379/0"
    assert settings.broker_url == "redis://127.0.0.1:6379/1"
    assert settings.backends["cloud"].max_concurrency == 4


@pytest.mark.parametrize(
    ("store", "broker"),
    [
        ("redis://:pw@redis.example:6380/3", "redis://:pw@redis.example:6380/1"),
        ("rediss://redis.example", "rediss://redis.example/1"),
        ("rediss://redis.example/0?db=5&ssl_cert_reqs=none", "rediss://redis.example/1?ssl_cert_reqs=none"),
        ("redis://h/0?health_check_interval=30&socket_timeout=5", "redis://h/1"),
        ("redis://h/0?username=me&password=p%40w", "redis://me:p%40w@h/1"),
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock?virtual_host=1"),
        ("unix://:p%40w@/run/redis.sock?db=3", "redis+socket://:p%40w@/run/redis.sock?virtual_host=1"),
        ("unix:///run/redis.sock?password=pw", "redis+socket://:pw@/run/redis.sock?virtual_host=1"),
    ],
)
def test_the_broker_is_the_stores_server_unless_it_is_named(written: Written, store: str, broker: str) -> None:
    assert written.load(RENDEZVOUS_STORE_URL=store).broker_url == broker
    named = written.load(RENDEZVOUS_STORE_URL=store, RENDEZVOUS_BROKER_URL="amqp://rabbit.example//")
    assert named.broker_url == "amqp://rabbit.example//"


@pytest.mark.parametrize("store", ["redis://h/1", "redis://h?db=1", "unix:///run/redis.sock?db=1"])
def test_a_broker_that_is_not_named_is_not_in_the_stores_database(written: Written, store: str) -> None:
    assert "RENDEZVOUS_STORE_URL: database 1 is the broker's" in written.complaint(RENDEZVOUS_STORE_URL=store)
    assert written.load(RENDEZVOUS_STORE_URL=store, RENDEZVOUS_BROKER_URL="redis://h/2").store_url == store


@pytest.mark.parametrize("name", ["RENDEZVOUS_STORE_URL", "RENDEZVOUS_BROKER_URL"])
@pytest.mark.parametrize(
    "url",
    ["http://x", "redis", "redis://[::1", "redis://x:99999/0", "redis://x:y/0", "postgres://x", "redis://x/prod",
     "rediss://x/0/1"],
)  # fmt: skip
def test_a_server_that_cannot_be_one_is_named(written: Written, name: str, url: str) -> None:
    assert name in written.complaint(**{name: url})


@pytest.mark.parametrize("option", ["db=prod", "socket_timeout=soon", "ssl_cert_reqs=perhaps", "nope=1", "protocol=9"])
def test_an_option_that_the_store_cannot_be_reached_with_is_told_at_the_start(written: Written, option: str) -> None:
    assert "RENDEZVOUS_STORE_URL" in written.complaint(RENDEZVOUS_STORE_URL=f"rediss://x/0?{option}")


@pytest.mark.parametrize("option", ["health_check_interval=30", "nope=1", "ssl_cert_reqs=perhaps"])
def test_an_option_that_kombu_does_not_know_is_told_at_the_start(written: Written, option: str) -> None:
    assert "RENDEZVOUS_BROKER_URL: an option" in written.complaint(RENDEZVOUS_BROKER_URL=f"rediss://x/0?{option}")


@pytest.mark.parametrize("port", ["abc", "0", "65536", "55 55"])
def test_a_port_of_flower_that_is_none_is_told_by_its_name(written: Written, port: str) -> None:
    assert written.load(FLOWER_PORT="5556").flower_url == "http://127.0.0.1:5556"
    assert written.complaint(FLOWER_PORT=port).startswith(f"FLOWER_PORT: {port!r} is not a number")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("surprise = 1" + GRAPH + CLIENT, "surprise: unknown key"),
        (GRAPH + "surprise = 1" + CLIENT, "backend.0.surprise: unknown key"),
        (GRAPH + CLIENT + "surprise = 1", "client.0.surprise: unknown key"),
        (GRAPH + CLIENT + "[engine]\nsurprise = 1", "engine.surprise: unknown key"),
        (GRAPH + 'client_secret = "x"' + CLIENT, "[[backend]] cloud: client_secret: unknown key"),
        (EWS + 'password = "x"' + CLIENT, "[[backend]] hq: password: unknown key"),
        (GRAPH + CLIENT + 'webhook_secrets = ["x"]', "[[client]] hr: webhook_secrets: unknown key"),
        ('store_url = "redis://x"' + GRAPH + CLIENT, "store_url: unknown key"),
        (GRAPH + GRAPH + CLIENT, "two [[backend]] tables are named 'cloud'"),
        (GRAPH + CLIENT + CLIENT, "two [[client]] tables are named 'hr'"),
        (
            GRAPH
            + CLIENT
            + f'api_key_sha256 = ["{64 * "A"}"]'
            + CLIENT.replace("hr", "rooms", 1)
            + f'api_key_sha256 = ["{64 * "a"}"]',
            "two [[client]] tables have the same api_key_sha256",
        ),
        (CLIENT, "backend: "),
        (GRAPH, "client: "),
        ("backend = 5" + CLIENT, "backend: write it as [[backend]] tables"),
        ("client = [1]" + GRAPH, "client: write it as [[client]] tables"),
        (GRAPH.replace('kind = "graph"', "") + CLIENT, 'backend.0: kind is missing: "graph" or "ews"'),
        (GRAPH.replace('"graph"', '"imap"') + CLIENT, "backend.0: kind must be one of 'graph', 'ews'"),
        (GRAPH.replace('name = "cloud"', "") + CLIENT, "name: this key is missing"),
        (GRAPH.replace('"cloud"', '"a b"') + CLIENT, "backend.0.name"),
        (GRAPH.replace('"cloud"', "7") + CLIENT, "backend.0.name"),
        (GRAPH.replace('"cloud"', '"callback"') + CLIENT, "callback is a name that Rendezvous uses itself"),
        (GRAPH.replace('["*@contoso.com"]', '"*@contoso.com"') + CLIENT, "backend.0.mailboxes: write it as a list"),
        (GRAPH.replace('["*@contoso.com"]', "[]") + CLIENT, "backend.0.mailboxes: at least 1 is needed"),
        (GRAPH.replace('client_id = "app"', "") + CLIENT, "client_id must be set"),
        (GRAPH.replace('client_secret_env = "CLOUD_CLIENT_SECRET"', "") + CLIENT, "client_secret_env"),
        (GRAPH + 'client_certificate_file = "/nowhere.pem"' + CLIENT, "client_certificate_file: the file /nowhere.pem"),
        (
            GRAPH.replace('client_secret_env = "CLOUD_CLIENT_SECRET"', 'client_certificate_file = "/dev/null"')
            + CLIENT,
            "client_certificate_file: the file /dev/null does not hold a certificate and its private key",
        ),
        (GRAPH.replace("https://login.microsoftonline.com/tenant", "nonsense") + CLIENT, "authority: write it as"),
        (GRAPH.replace("https://", "http://") + CLIENT, "authority: write it as"),
        (GRAPH.replace("microsoftonline.com/tenant", "microsoftonline.com/") + CLIENT, "authority: write it as"),
        (GRAPH + CLIENT.replace("[[client]]", "[[clients]]"), "clients: unknown key"),
        (GRAPH + 'ca_file = "/nowhere.pem"' + CLIENT, "ca_file: the file /nowhere.pem cannot be read"),
        (GRAPH + 'base_url = "graph.microsoft.com"' + CLIENT, "base_url must be a plain https:// URL"),
        (GRAPH + 'base_url = "https://[::1"' + CLIENT, "base_url must be a plain https:// URL"),
        (GRAPH + 'base_url = "https://10.0.0.256/v1.0"' + CLIENT, "base_url must be a plain https:// URL"),
        (GRAPH + 'base_url = "https://u:p@x/"' + CLIENT, "base_url must be a plain https:// URL"),
        (GRAPH + 'base_url = "https://:p@x/"' + CLIENT, "base_url must be a plain https:// URL"),
        (GRAPH + "max_concurrency = 0" + CLIENT, "backend.0.max_concurrency"),
        (GRAPH + 'max_concurrency = "many"' + CLIENT, "backend.0.max_concurrency"),
        (GRAPH + "timeout = nan" + CLIENT, "backend.0.timeout"),
        (GRAPH + "timeout = true" + CLIENT, "backend.0.timeout"),
        (EWS + 'impersonation = "yes"' + CLIENT, "backend.0.impersonation"),
        (EWS + "enforces_version = 1" + CLIENT, "backend.0.enforces_version"),
        (GRAPH.replace('["*@contoso.com"]', '[""]') + CLIENT, "backend.0.mailboxes.0"),
        (GRAPH + 'base_url = "https://graph example/v1.0"' + CLIENT, "base_url must be a plain https:// URL"),
        (EWS.replace('"ntlm"', '"kerberos"') + CLIENT, "backend.0.auth"),
        (EWS.replace('"ntlm"', '"oauth"') + CLIENT, "authority and client_id must be set"),
        (EWS.replace('password_env = "HQ_PASSWORD"', "") + CLIENT, "password_env must be set"),
        (EWS + 'server_version = "Exchange5.5"' + CLIENT, "backend.0.server_version"),
        (
            GRAPH + CLIENT + 'callback_networks = ["10.0.0.1/8"]',
            "client.0.callback_networks: '10.0.0.1/8' is not a network in CIDR notation; did you mean 10.0.0.0/8",
        ),
        (
            GRAPH + CLIENT + 'callback_networks = ["fd00::/8", "everything"]',
            "client.0.callback_networks: 'everything' is not a network in CIDR notation; write it like 10.0.0.0/8",
        ),
        (GRAPH + CLIENT + "callback_networks = [{}]", "client.0.callback_networks: {} is not a network"),
        (GRAPH + CLIENT + "callback_networks = 7", "client.0.callback_networks: "),
        (GRAPH + CLIENT + "callback_networks = [1]", "client.0.callback_networks: 1 is not a network"),
        (GRAPH + CLIENT + "max_backlog = true", "client.0.max_backlog"),
        (GRAPH + CLIENT + 'api_key_sha256 = ["secret"]', "client.0.api_key_sha256.0: 64 hexadecimal digits are needed"),
        (GRAPH + CLIENT.replace('["HR_WEBHOOK_SECRET"]', '"HR_WEBHOOK_SECRET"'), "webhook_secrets_env"),
        (GRAPH + CLIENT.replace('["HR_WEBHOOK_SECRET"]', "[7]"), "webhook_secrets_env"),
        (GRAPH + CLIENT + "[engine]\nlease = 0", "engine.lease"),
        (GRAPH + CLIENT + '[engine]\nlease = "15"', "engine.lease"),
        (GRAPH + CLIENT + "[engine]\nlease = 2", "engine: sweep must be at most a third of lease"),
        ("[[backend]", "this is not TOML"),
        (b"\xff\xfe", "this is not TOML"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_that_names_the_key(written: Written, text: str | bytes, said: str) -> None:
    complaint = written.complaint(text)
    assert said in complaint
    assert complaint.startswith(f"{written.path}: ")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("CLOUD_CLIENT_SECRET", "[[backend]] cloud: client_secret_env"),
        ("HQ_USER", "[[backend]] hq: username_env"),
        ("HQ_PASSWORD", "[[backend]] hq: password_env"),
        ("HR_WEBHOOK_SECRET", "[[client]] hr: webhook_secrets_env"),
    ],
)
@pytest.mark.parametrize("nothing", ["", " \t"])
def test_an_empty_secret_is_named(written: Written, name: str, key: str, nothing: str) -> None:
    said = written.complaint(GRAPH + EWS + CLIENT, **{name: nothing})
    assert f"{key}: the environment variable {name} is empty or not set" in said


@pytest.mark.parametrize("secret", [SECRET, "p~S3CRET.value", "Sup3rS3cret"])
def test_a_secret_in_place_of_its_variables_name_is_not_repeated(written: Written, secret: str) -> None:
    said = written.complaint(GRAPH.replace("CLOUD_CLIENT_SECRET", secret) + CLIENT)
    assert "[[backend]] cloud: client_secret_env: the environment variable that is named here" in said
    assert secret not in said


KEY = rsa.generate_private_key(65537, 2048)
WEAK = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that is the point
CURVE = ec.generate_private_key(ec.SECP256R1())


def pem(folder: Path, key: Any = KEY) -> bytes:
    certificate(folder / "pair.pem", key)
    return (folder / "pair.pem").read_bytes()


def of_two(folder: Path) -> bytes:
    beginning, _, _ = pem(folder, WEAK).partition(b"-----BEGIN PRIVATE KEY")
    return beginning + b"-----BEGIN PRIVATE KEY" + pem(folder).partition(b"-----BEGIN PRIVATE KEY")[2]


def locked(folder: Path) -> bytes:
    passphrase = BestAvailableEncryption(b"opensesame")
    return pem(folder)[: pem(folder).index(b"-----BEGIN PRIVATE KEY")] + KEY.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, passphrase
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda _: b"-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----", "does not hold a certificate and its"),
        (lambda folder: pem(folder).partition(b"-----BEGIN PRIVATE KEY")[0], "does not hold a certificate and its"),
        (
            lambda folder: b"-----BEGIN PRIVATE KEY" + pem(folder).partition(b"-----BEGIN PRIVATE KEY")[2],
            "does not hold",
        ),
        (of_two, "do not belong together"),
        (locked, "has a passphrase"),
        (None, "cannot be read"),
    ],
)
@pytest.mark.parametrize("place", ["client", "notification"])
def test_a_certificate_and_key_that_cannot_be_used_is_told_at_the_start(
    written: Written, tmp_path: Path, content: Any, said: str, place: str
) -> None:
    file = tmp_path / "app.pem"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content(tmp_path))
    assert said in written.complaint(with_certificate(place, file))


@pytest.mark.parametrize("key", [WEAK, CURVE])
@pytest.mark.parametrize("place", ["client", "notification"])
def test_microsoft_takes_rsa_keys_that_are_long_enough_only(
    written: Written, tmp_path: Path, key: Any, place: str
) -> None:
    pem(tmp_path, key)
    said = written.complaint(with_certificate(place, tmp_path / "pair.pem"))
    assert "needs an RSA key of 2048 bits or more" in said
    pem(tmp_path)
    assert written.load(with_certificate(place, tmp_path / "pair.pem"))


def with_certificate(place: str, file: Path) -> str:
    if place == "notification":
        return GRAPH + f'notification_certificate_files = ["{file}"]' + CLIENT
    return GRAPH.replace('client_secret_env = "CLOUD_CLIENT_SECRET"', f'client_certificate_file = "{file}"') + CLIENT


@pytest.mark.parametrize("secret", ["whsec_", "whsec_not base64!", "whsec_abc", "plain text"])
def test_a_webhook_secret_is_base64_and_not_empty(written: Written, secret: str) -> None:
    assert "client.0.webhook_secrets_env: a webhook secret must be" in written.complaint(HR_WEBHOOK_SECRET=secret)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.toml", tmp_path):
        with pytest.raises(ConfigurationError, match=str(path)):
            load({"RENDEZVOUS_CONFIG": str(path)})


def test_a_folder_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="this is a folder; name a TOML file in RENDEZVOUS_CONFIG"):
        load({"RENDEZVOUS_CONFIG": str(tmp_path)})


def test_the_front_doors_say_so_in_one_line_and_exit_with_2(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text(GRAPH + "surprise = 1" + CLIENT)
    for path, said in ((tmp_path / "nowhere.toml", "there is no such file"), (broken, "surprise: unknown key")):
        ended = subprocess.run(
            [sys.executable, "-c", "from workers.configuration import load_or_exit; load_or_exit()"],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
            env={**os.environ, **ENVIRONMENT, "RENDEZVOUS_CONFIG": str(path)},
        )  # fmt: skip
        assert ended.returncode == 2
        assert ended.stdout == ""
        assert len(ended.stderr.splitlines()) == 1
        assert ended.stderr.startswith("rendezvous: ")
        assert said in ended.stderr


def graph_and_ews(written: Written, **client: Any) -> Settings:
    lines = "".join(f"{key} = {value}\n" for key, value in client.items())
    return written.load(EWS + GRAPH + f'[[client]]\nname = "hr"\n{lines}')


@pytest.mark.parametrize(
    ("owner", "backend"),
    [
        ("anna@contoso.com", "cloud"),
        ("ANNA@CONTOSO.COM", "cloud"),
        ("anna@hq.example", "hq"),
        ("anna@elsewhere.example", None),
        ("anna@contoso.com.evil.example", None),
        ("me", "cloud"),
        ("group:6a1", "cloud"),
        ("00000000-0000-0000-0000-000000000001", "cloud"),
    ],
)
def test_the_first_backend_that_serves_a_mailbox_is_asked(written: Written, owner: str, backend: str | None) -> None:
    found = graph_and_ews(written).backend_for(owner)
    assert (found.name if found else None) == backend


MAY: Mapping[str, list[tuple[str, bool]]] = {
    '["*@contoso.com"]': [("anna@contoso.com", True), ("ANNA@Contoso.com", True), ("anna@hq.example", False),
                          ("me", True), ("group:6a1", True)],
    '["anna@*"]': [("anna@contoso.com", True), ("ben@contoso.com", False), ("me", False), ("group:6a1", False)],
    '["me", "6a1"]': [("me", True), ("group:6a1", True), ("group:6a2", False), ("anna@contoso.com", False)],
    '["*"]': [("anna@contoso.com", True), ("me", True), ("group:6a1", True)],
    "[]": [("anna@contoso.com", False), ("me", False)],
}  # fmt: skip


@pytest.mark.parametrize(("patterns", "owner", "allowed"), [(p, o, a) for p, cases in MAY.items() for o, a in cases])
def test_a_client_touches_what_its_patterns_name(written: Written, patterns: str, owner: str, allowed: bool) -> None:
    settings = graph_and_ews(written, mailboxes=patterns)
    assert settings.clients["hr"].may_touch(owner, settings.backends["cloud"]) is allowed


@pytest.mark.parametrize(
    ("named", "tenant"),
    [
        ("6F4A2B1E-6d1b-4c0e-9a53-2b6a1f0c7d10", "6f4a2b1e-6d1b-4c0e-9a53-2b6a1f0c7d10"),
        ("6f4a2b1e-6d1b-4c0e-9a53-2b6a1f0c7d10/", "6f4a2b1e-6d1b-4c0e-9a53-2b6a1f0c7d10"),
        ("contoso.com", None),
        ("organizations", None),
    ],
)
def test_a_tenant_is_known_where_the_authority_names_it_by_its_id(
    written: Written, named: str, tenant: str | None
) -> None:
    text = GRAPH.replace("https://login.microsoftonline.com/tenant", f"https://login.microsoftonline.com/{named}")
    (cloud,) = written.load(text + CLIENT).backend
    assert isinstance(cloud, GraphBackend)
    assert cloud.tenant == tenant
