"""What is left for whoever looks for the cause of a broken promise."""

from __future__ import annotations

import json
from pathlib import Path

from tests.chaos.judge import Delivered
from tests.chaos.witness import write_down


def test_every_callback_that_was_caught_is_written_down_with_its_id_and_body(tmp_path: Path) -> None:
    posts = [
        Delivered("upd_1", webhook_id, b'{"data": {"id": "upd_1"}}', 204, 12.5) for webhook_id in ("msg_1", "msg_2")
    ]
    write_down(tmp_path / "callbacks.jsonl", posts)
    lines = [json.loads(line) for line in (tmp_path / "callbacks.jsonl").read_text().splitlines()]
    assert [(line["update"], line["webhook_id"]) for line in lines] == [("upd_1", "msg_1"), ("upd_1", "msg_2")]
    assert {line["body"]["data"]["id"] for line in lines} == {"upd_1"}
