from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from workers.changes.watch import Watch
from workers.store.watch_fields import Known, fields_of, watch_from

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
NEW = Watch("wch_1", "cloud", "anna@contoso.com", "s")


def test_a_watch_is_read_as_it_was_stored() -> None:
    moment = str(round(NOW.timestamp() * 1000))
    stored = {"backend": "cloud", "mailbox": "anna@contoso.com", "secret": "s", "expires": moment, "spelled:mir_1": "E"}
    assert watch_from("wch_1", stored) == replace(NEW, expires=NOW, spelled={"mir_1": "E"})
    moments = ("expires", "renewed", "walked", "caught_up", "missed", "reauthorize", "heard", "tended", "asked")
    texts = {"graph_id": "g", "terms": "open", "cursor": "c", "problem": "No."}
    mirrors = {"leads:mir_1": "F", "circle:mir_1": "mir_2 mir_3", "waits:mir_1": "Busy."}
    more = {
        "usual": "1500",
        "fence": "7",
        "learnt": "body showAs",
        **texts,
        **mirrors,
        **dict.fromkeys(moments, moment),
    }
    told: dict[str, Any] = {**dict.fromkeys(moments, NOW), **texts}
    assert watch_from("wch_1", stored | more) == Watch(
        "wch_1", "cloud", "anna@contoso.com", "s", **told,
        usual=timedelta(seconds=1.5), fence=7, learnt=("body", "showAs"), spelled={"mir_1": "E"}, leads={"mir_1": "F"},
        circles={"mir_1": ("mir_2", "mir_3")}, waits={"mir_1": "Busy."},
    )  # fmt: skip
    assert watch_from("wch_1", {**stored, "expires": "", "graph_id": ""}) == replace(NEW, spelled={"mir_1": "E"})


def test_what_is_known_by_mirror_has_a_field_for_each_and_what_is_empty_is_deleted() -> None:
    by_mirror: dict[str, Known] = {"mir_1": ("mir_2", "mir_3"), "mir_4": ()}
    assert fields_of(
        {"cursor": "c", "expires": NOW, "problem": None, "learnt": ("body", "showAs"), "circles": by_mirror}
    ) == {
        "cursor": "c",
        "expires": round(NOW.timestamp() * 1000),
        "problem": "",
        "learnt": "body showAs",
        "circle:mir_1": "mir_2 mir_3",
        "circle:mir_4": "",
    }
