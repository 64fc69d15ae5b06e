"""What the model checker said is read rightly."""

from __future__ import annotations

import pytest

from ops.model.check import outcome


def test_errors_and_states_are_read() -> None:
    said = "State-vector 92 byte, depth reached 85, errors: 0\n  2581383 states, stored\n"
    assert outcome(said) == (0, 2581383)


@pytest.mark.parametrize("said", ["", "error: max search depth too small\n errors: 0\n 5 states, stored\n"])
def test_a_search_that_did_not_get_through_proves_nothing(said: str) -> None:
    with pytest.raises(ValueError, match="did not get through"):
        outcome(said)
