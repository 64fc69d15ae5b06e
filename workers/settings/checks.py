"""Whether a value of the configuration can be used: an address, a file, a secret. Raises ValueError, a sentence."""

from __future__ import annotations

import os
import re
import ssl
from base64 import b64decode
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate
from pydantic import AfterValidator

from workers.address import is_address


def check_url(name: str, url: str) -> None:
    """An address without a query, a fragment or a password in it."""
    parts = urlsplit(url) if is_address(url) else None
    if parts is None or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(f"{name} must be a plain https:// URL")


def certificates(path: Path) -> Path:
    """A file that holds certificates in PEM, one or more."""
    _check_readable(path)
    try:
        ssl.create_default_context(cafile=str(path))
    except OSError:
        raise ValueError(f"the file {path} holds no certificate in PEM") from None
    return path


def certificate_and_key(path: Path) -> Path:
    """A file that holds a certificate and its RSA key in PEM, without a passphrase: Microsoft Entra takes no other
    signature, and Graph seals notifications for no other key,
    https://learn.microsoft.com/graph/change-notifications-with-resource-data"""
    key = _private_key(path)
    if not isinstance(key, RSAPrivateKey) or key.key_size < 2048:
        raise ValueError(f"the file {path} needs an RSA key of 2048 bits or more: Microsoft takes no other")
    return path


def _private_key(path: Path) -> PrivateKeyTypes:
    """The key of a file that holds a certificate and its private key."""
    _check_readable(path)
    pem = path.read_bytes()
    try:
        key, certificate = load_pem_private_key(pem, None), load_pem_x509_certificate(pem)
    except TypeError:
        raise ValueError(f"the private key in {path} has a passphrase: nobody is there to type it") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError(f"the file {path} does not hold a certificate and its private key in PEM") from None
    if certificate.public_key() != key.public_key():
        raise ValueError(f"the file {path} holds a certificate and a private key that do not belong together")
    return key


def check_webhook_secret(text: str) -> None:
    """``whsec_`` and base64."""
    try:
        key = b64decode(text.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if not key:
        raise ValueError("a webhook secret must be whsec_ followed by base64")


def digest(text: str) -> str:
    """The SHA-256 of an API key, in hexadecimal digits. The message does not repeat the text, which may be the key."""
    if re.fullmatch("[0-9a-fA-F]{64}", text) is None:
        raise ValueError("64 hexadecimal digits are needed: the key's digest, not the key (`rendezvous keys new`)")
    return text


Digest = Annotated[str, AfterValidator(digest)]


def network(text: object) -> IPv4Network | IPv6Network:
    """The network in CIDR notation that ``text`` is."""
    try:
        return ip_network(str(text))
    except ValueError:
        pass
    try:
        hint = f"did you mean {ip_network(str(text), strict=False)}"
    except ValueError:
        hint = "write it like 10.0.0.0/8 or fd00::/8"
    raise ValueError(f"{text!r} is not a network in CIDR notation; {hint}")


def _check_readable(path: Path) -> None:
    if path.is_dir() or not os.access(path, os.R_OK):
        raise ValueError(f"the file {path} cannot be read")
