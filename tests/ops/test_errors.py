"""The error catalogue names what the code can say, no more and no less."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from webhooks.problems import KINDS
from workers.job import TITLES, ErrorClass

ROOT = Path(__file__).resolve().parents[2]
PROBLEMS, CLASSES = (ROOT / "ops" / "ERRORS.md").read_text().split("## Error classes of dead letters")


def entries(text: str) -> Iterator[tuple[str, str]]:
    for entry in text.split("\n### ")[1:]:
        name, _, said = entry.partition("\n")
        yield name, said


def test_every_problem_has_an_entry_with_its_status() -> None:
    stated = {name: int(said.split(".", 1)[0]) for name, said in entries(PROBLEMS)}
    assert stated == {name: kind.status for name, kind in KINDS.items()}


def test_every_error_class_has_an_entry() -> None:
    assert [name for name, _ in entries(CLASSES)] == list(TITLES) == list(get_args(ErrorClass))


def test_every_code_of_ours_is_told_about() -> None:
    errors = r"(?:Refused|NotFound|AccessDenied|Unavailable)\(\s*"
    ends = r"(?:_dead|failure)\((?:\"\w+\"(?: if \w+(?:\.\w+)? else \"\w+\")?|error_class),\s*(?:code or )?"
    raised = re.compile(rf'\b(?:{errors}|{ends})"([A-Za-z]+)"')
    engine = [path for path in (ROOT / "workers").rglob("*.py") if "cli" not in path.parts]
    sources = "\n".join(path.read_text() for path in engine)
    codes = set(raised.findall(sources)) - {"LocalProtocolError", "SigningKeys"}  # of subscriptions: it ends nothing
    assert {"NotApplied", "MarkerForgotten", "Poisoned"} <= codes
    assert not {code for code in codes if f"`{code}`" not in CLASSES and f"### {code}\n" not in CLASSES}


def test_the_runbook_has_the_entries_that_the_catalogue_leads_to() -> None:
    runbook = (ROOT / "ops" / "RUNBOOK.md").read_text()
    referred = re.findall(r"RUNBOOK\.md,\s+\*([^*]+)\*", PROBLEMS + CLASSES)
    assert referred and all(f"## {' '.join(name.split())}\n" in runbook for name in referred)
