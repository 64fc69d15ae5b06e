"""What the configuration says about the console: operators' keys, the secret, where Flower is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.workers.test_settings import CLIENT, ENVIRONMENT, EWS, GRAPH
from workers.configuration import ConfigurationError, load
from workers.settings import Settings

DIGEST = "ab" * 32


def loaded(folder: Path, first: str = "", client: str = CLIENT, **environ: str) -> Settings:
    path = folder / "rendezvous.toml"
    path.write_text(first + "\n" + GRAPH + EWS + client, encoding="utf-8")
    return load({**ENVIRONMENT, "RENDEZVOUS_CONFIG": str(path), **environ})


def refusal(folder: Path, first: str = "", client: str = CLIENT, **environ: str) -> str:
    with pytest.raises(ConfigurationError) as raised:
        loaded(folder, first, client, **environ)
    return str(raised.value)


def test_nobody_is_an_operator_unless_it_is_said(tmp_path: Path) -> None:
    settings = loaded(tmp_path)
    assert (settings.operator_api_key_sha256, settings.console_secret) == ((), None)
    assert loaded(tmp_path, f'operator_api_key_sha256 = ["{DIGEST}"]').operator_api_key_sha256 == (DIGEST,)


def test_a_key_cannot_be_an_operators_and_a_clients(tmp_path: Path) -> None:
    client = CLIENT + f'api_key_sha256 = ["{DIGEST.upper()}"]\n'
    assert "holds a key of a [[client]]" in refusal(tmp_path, f'operator_api_key_sha256 = ["{DIGEST}"]', client)


@pytest.mark.parametrize("value", ['["key"]', f'"{DIGEST}"', '[""]'])
def test_an_operators_key_stands_there_as_its_digest(tmp_path: Path, value: str) -> None:
    said = refusal(tmp_path, f"operator_api_key_sha256 = {value}")
    assert "operator_api_key_sha256" in said and "\n" not in said


def test_the_secret_comes_from_the_environment_and_is_long(tmp_path: Path) -> None:
    secret = "s" * 32
    settings = loaded(tmp_path, RENDEZVOUS_CONSOLE_SECRET=secret)
    assert settings.console_secret is not None and settings.console_secret.get_secret_value() == secret
    assert secret not in repr(settings)
    for weak in ("short", " " * 40):
        assert refusal(tmp_path, RENDEZVOUS_CONSOLE_SECRET=weak).startswith("RENDEZVOUS_CONSOLE_SECRET: at least 32")
    assert "RENDEZVOUS_CONSOLE_SECRET" in refusal(tmp_path, f'console_secret = "{secret}"')


def test_flower_is_where_the_environment_says(tmp_path: Path) -> None:
    assert loaded(tmp_path).flower_url == "http://127.0.0.1:5555"
    assert loaded(tmp_path, FLOWER_PORT="5678").flower_url == "http://127.0.0.1:5678"
    there = "https://flower.example.com/flower"
    assert loaded(tmp_path, FLOWER_PORT="5678", RENDEZVOUS_FLOWER_URL=there).flower_url == there


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://a?b", "flower"])
def test_flowers_address_is_a_plain_url(tmp_path: Path, url: str) -> None:
    assert "RENDEZVOUS_FLOWER_URL" in refusal(tmp_path, RENDEZVOUS_FLOWER_URL=url)
