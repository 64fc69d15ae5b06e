from __future__ import annotations

from base64 import b64encode

import pytest

from workers.ews.ids import entry_format, ews_form

ENTRY = bytes(4) + bytes(range(1, 67))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("AAMk" + "AGI2Xm_jXRIyi-JP" * 7, "AAMk" + "AGI2Xm+jXRIyi/JP" * 7),
        ("AAMk" + "AGI2Xm_jXRIyiAJP" * 7, "AAMk" + "AGI2Xm+jXRIyiAJP" * 7),
        ("AAMk" + "AGI2XmAjXRIyi-JP" * 7, "AAMk" + "AGI2XmAjXRIyi/JP" * 7),
        ("AAMk" + "AGI2Xm+jXRIyi/JP" * 7, "AAMk" + "AGI2Xm+jXRIyi/JP" * 7),
        ("event-1_of-somebody-elses-server", "event-1_of-somebody-elses-server"),
        ("AAMkAGI2", "AAMkAGI2"),
    ],
)
def test_graphs_id_is_spelled_as_exchange_does(given: str, expected: str) -> None:
    assert ews_form(given) == expected


def test_an_entry_id_is_known_by_its_length_and_its_first_bytes() -> None:
    assert entry_format(b64encode(ENTRY).decode()) == "EntryId"
    assert entry_format(ENTRY.hex()) == "HexEntryId"
    assert entry_format(ENTRY.hex().upper()) == "HexEntryId"


@pytest.mark.parametrize(
    "given",
    [
        "",
        "AAMkAGI2Xm+jXRIyi/JP8=",
        b64encode(ENTRY[:-1]).decode(),
        b64encode(b"\1" + ENTRY[1:]).decode(),
        ENTRY.hex()[:-2],
        "ö" * 140,
    ],
)
def test_anything_else_is_no_entry_id(given: str) -> None:
    assert entry_format(given) is None
