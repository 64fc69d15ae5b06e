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
