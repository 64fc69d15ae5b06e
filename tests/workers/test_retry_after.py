from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.retry_after import retry_after

NOW = datetime(2026, 12, 1, 9, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("10", 10.0),
        ("1.5", 1.5),
        ("0", 0.0),
        ("-3", 0.0),
        ("Tue, 01 Dec 2026 09:02:00 GMT", 120.0),
        ("Tue, 01 Dec 2026 09:02:00 -0000", 120.0),
        ("Tue, 01 Dec 2026 10:02:00 +0100", 120.0),
        ("Tue, 01 Dec 2026 08:00:00 GMT", 0.0),
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("Mon, 01 Jan 2026 00:00:99999999999999999999 GMT", None),
    ],
)
def test_a_wait_is_read_in_every_spelling(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


@given(st.text())
def test_no_header_breaks_it(value: str) -> None:
    wait = retry_after(value, NOW)
    assert wait is None or wait >= 0
