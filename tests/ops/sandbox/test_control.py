from __future__ import annotations

import pytest

from ops.sandbox.control import Sandbox


def test_a_proxy_of_the_environment_is_not_asked_for_the_sandbox(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    operator = Sandbox.at(sandbox.url, sandbox.ca_file)
    operator.reset()
    operator.close()
