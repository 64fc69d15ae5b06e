from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

PROGRAM = """
import logging, structlog
from workers import logs
logs.configure()
log = structlog.get_logger("here")
log.debug("not this")
log.info("ours", job="upd_1", seconds=0.5)
logging.getLogger("elsewhere").warning("of a %s", "library")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("failed")
print("alive")
"""


def run(stderr: int | IO[bytes]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=stderr, text=True, timeout=60, check=False
    )


def test_whoever_says_it_each_line_is_one_json_object_with_its_level_and_moment() -> None:
    lines = [json.loads(line) for line in run(subprocess.PIPE).stderr.splitlines()]
    assert [(line["level"], line["event"]) for line in lines] == [
        ("info", "ours"), ("warning", "of a library"), ("error", "failed"),
    ]  # fmt: skip
    assert (lines[0]["job"], lines[0]["seconds"]) == ("upd_1", 0.5)
    assert "ZeroDivisionError" in lines[2]["exception"]
    assert all(line["timestamp"].endswith("Z") for line in lines)


def test_work_goes_on_when_nobody_reads_the_log_any_more() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert run(writer).stdout == "alive\n"
    finally:
        os.close(writer)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk here that is always full")
def test_work_goes_on_when_the_logs_disk_is_full() -> None:
    with Path("/dev/full").open("wb") as full:
        assert run(full).stdout == "alive\n"
