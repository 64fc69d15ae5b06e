"""schemathesis, which knows nothing of us but our OpenAPI document, with every check it has against the web process.

``FUZZ=1000`` in the environment makes it that many examples for each operation.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.webhooks.given import KEY
from tests.webhooks.wire import ROOT, serving

EXAMPLES = int(os.environ.get("FUZZ", "5"))
CONFIGURATION = """
# What no schema says: rules between fields (422); numbers of more than 64 bits, cursors that we never gave out (400).
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "401", "403", "404", "409", "422", "429"]

# Headers that are left out on purpose would be signed all the same; what is wrong with bodies POST /v1/updates hears.
[[operations]]
include-path = "/v1/clients/{client}/updates"
parameters = { "path.client" = "hr" }
generation.mode = "positive"
"""


def test_no_check_of_schemathesis_fails(store_url: str, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION)
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.webhooks.schemathesis_signing"}
    with serving(store_url, tmp_path) as wire:
        done = subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "run",
             f"http://127.0.0.1:{wire.port}/openapi.json", "--header", f"Authorization: Bearer {KEY}",
             "--checks", "all", "--max-examples", str(EXAMPLES), "--no-color",
             "--generation-deterministic"],
            cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60 * EXAMPLES,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    said = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines() if '"route"' in line]
    signed = {one["status"] for one in said if one["route"] == "/v1/clients/<string:client>/updates"}
    assert 202 in signed and 401 not in signed, "the signatures were not taken"
