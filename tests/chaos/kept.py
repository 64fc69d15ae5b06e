"""Rows of a long run as files, so that a run that was cut off goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.chaos.judge import Verdict
from tests.chaos.report import Tried
from tests.chaos.trial import Row, Scenario


def keep(folder: Path, tried: Tried) -> None:
    """Keep what came of it, beside what came of it before, and also where a promise was broken: only what proves
    nothing is thrown away."""
    if tried.row.hurts:
        folder.mkdir(parents=True, exist_ok=True)
        for earlier in kept(folder, [tried.scenario]):
            row, took = earlier.row + tried.row, earlier.took + tried.took
            tried = Tried(tried.scenario, row, took, (*earlier.runs, *tried.runs))
        text = json.dumps({"runs": tried.runs, "took": tried.took, "row": asdict(tried.row)})
        (folder / f"{tried.scenario.name}.json").write_text(text, encoding="utf-8")


def kept(folder: Path, scenarios: Iterable[Scenario]) -> list[Tried]:
    """What was kept of these."""
    files = ((one, folder / f"{one.name}.json") for one in scenarios)
    return [_read(one, file.read_text(encoding="utf-8")) for one, file in files if file.exists()]


def _read(scenario: Scenario, text: str) -> Tried:
    data = json.loads(text)
    row: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in data["row"].items()
    }
    verdict = Verdict(**row.pop("verdict"))
    return Tried(scenario, Row(**row, verdict=verdict), data["took"], tuple(data["runs"]))
