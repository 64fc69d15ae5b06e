"""The web process stays small: what talks to Exchange is not loaded by it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_door_loads_no_exchange_client() -> None:
    code = "import sys, webhooks; print(sorted({'lxml', 'msal', 'exchangelib', 'httpx'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_configuration_that_cannot_be_used_ends_the_process_with_one_line(tmp_path: Path) -> None:
    code = "import webhooks; webhooks.create_app()"
    environment = {"RENDEZVOUS_CONFIG": str(tmp_path / "nowhere.toml"), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
