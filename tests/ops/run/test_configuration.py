import hashlib
import stat
from pathlib import Path

from ops.run.configuration import credentials_in, secrets_for, toml
from ops.sandbox import certificates
from workers.configuration import load
from workers.settings import Settings


def settings_from(directory: Path) -> Settings:
    ca_file = directory / 'a "quoted" \\ folder' / "ca.pem"
    ca_file.parent.mkdir()
    certificates.ensure(ca_file.parent)
    credentials = credentials_in(directory / "demo.env")
    file = directory / "rendezvous.toml"
    file.write_text(
        toml("https://127.0.0.1:8443", ca_file, credentials.api_key, "http://127.0.0.1:8000", credentials.operator_key)
    )
    return load({"RENDEZVOUS_CONFIG": str(file), **secrets_for(credentials)})


def test_the_product_can_read_what_is_made_for_it(tmp_path: Path) -> None:
    settings = settings_from(tmp_path)
    assert {name: backend.kind for name, backend in settings.backends.items()} == {"cloud": "graph", "hq": "ews"}
    assert all(str(backend.ca_file).endswith('a "quoted" \\ folder/ca.pem') for backend in settings.backend)


def test_the_seeds_mailboxes_lead_to_their_backends(tmp_path: Path) -> None:
    settings = settings_from(tmp_path)
    for mailbox, name in (("otto@hq.example", "hq"), ("anna@contoso.com", "cloud")):
        backend = settings.backend_for(mailbox)
        assert backend is not None and backend.name == name
        assert settings.clients["demo"].may_touch(mailbox, backend)


def test_the_operators_key_opens_the_console_to_whoever_started_it(tmp_path: Path) -> None:
    settings = settings_from(tmp_path)
    key = credentials_in(tmp_path / "demo.env").operator_key
    assert settings.operator_api_key_sha256 == (hashlib.sha256(key.encode()).hexdigest(),)


def test_the_credentials_are_for_their_owner_only(tmp_path: Path) -> None:
    credentials_in(tmp_path / "demo.env")
    assert stat.S_IMODE((tmp_path / "demo.env").stat().st_mode) == 0o600


def test_the_credentials_stay_the_same_over_starts(tmp_path: Path) -> None:
    assert credentials_in(tmp_path / "demo.env") == credentials_in(tmp_path / "demo.env")


def test_an_earlier_versions_credentials_are_kept_and_completed(tmp_path: Path) -> None:
    file = tmp_path / "demo.env"
    file.write_text("DEMO_API_KEY=a\nDEMO_WEBHOOK_SECRET=b\n")
    credentials = credentials_in(file)
    assert (credentials.api_key, credentials.webhook_secret) == ("a", "b")
    assert credentials.operator_key
    assert credentials == credentials_in(file)


def test_two_machines_have_different_credentials(tmp_path: Path) -> None:
    first, second = credentials_in(tmp_path / "a"), credentials_in(tmp_path / "b")
    assert first.api_key != second.api_key and first.webhook_secret != second.webhook_secret
