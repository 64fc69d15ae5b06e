"""Microsoft's schema and the collected samples, where the reference folder is at hand."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from workers.ews.soap import Header, envelope

REFERENCE = Path(__file__).resolve().parents[3] / "../shared/reference"
SAMPLES = REFERENCE / "samples/ews"

needs_reference = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the reference folder is not here")


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(REFERENCE / "ews2016/ews-envelope.xsd"))


def assert_valid(document: bytes) -> None:
    _schema().assertValid(etree.fromstring(document))


def assert_valid_body(body: etree._Element) -> None:
    assert_valid(envelope(Header("Exchange2013_SP1", "anna@contoso.com", "UTC"), body))
