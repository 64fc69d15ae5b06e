from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.workers.authority import certificate
from workers.tls import trust


def test_a_private_authority_is_trusted_beside_the_public_ones(tmp_path: Path) -> None:
    pem = tmp_path / "ca.pem"
    certificate(pem, ec.generate_private_key(ec.SECP256R1()))
    public = len(trust(None).get_ca_certs())
    assert public > 10
    assert len(trust(pem).get_ca_certs()) == public + 1


def test_a_file_without_a_certificate_is_no_authority(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("")
    with pytest.raises(OSError, match=r"(?i)certificate"):
        trust(tmp_path / "ca.pem")


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_of_the_environment_that_cannot_be_used_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    path = tmp_path / "mistyped.pem"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with pytest.raises(OSError, match=r"^SSL_CERT_FILE = .*mistyped\.pem holds no certificate: "):
        trust()
