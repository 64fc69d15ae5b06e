"""Ids that sort by the moment they were made."""

from __future__ import annotations

import re
import time

import pytest

from workers.identifiers import new_id


def test_an_id_is_a_prefix_and_a_ulid() -> None:
    assert re.fullmatch(r"upd_[0-7][0-9A-HJKMNP-TV-Z]{25}", new_id("upd"))


def test_no_two_are_the_same() -> None:
    assert len({new_id("upd") for _ in range(10_000)}) == 10_000


def test_later_ones_sort_behind_earlier_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter((0, 1_000_000, 999_999_000_000, 1_795_000_000_000_000_000, 2**48 * 1_000_000 - 1))
    monkeypatch.setattr(time, "time_ns", lambda: next(moments))
    made = [new_id("upd") for _ in range(5)]
    assert made == sorted(made)


def test_the_moment_is_spelled_as_in_the_specifications_example(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_469_922_850_259 * 1_000_000)
    assert new_id("upd").startswith("upd_01ARZ3NDEK")
