"""How a start goes wrong: what is said where the servers are not ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from ops.run import RunError, story
from ops.run.doors import any_free
from ops.run.supervisor import Supervisor
from workers.settings import Settings


@pytest.fixture
def lax(redis: Redis) -> Iterator[None]:
    """A store that a power cut takes seconds from."""
    redis.config_set("appendfsync", "everysec")
    yield
    redis.config_set("appendfsync", "always")


def test_a_store_that_is_not_there_is_named_without_its_password(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story, "PATIENCE_WITH_OTHERS", 0.2)
    port = any_free()
    nobody = settings.model_copy(update={"store_url": f"redis://:s3cret@127.0.0.1:{port}/0"})
    with pytest.raises(
        RunError, match=f"the store at 127.0.0.1:{port} was not ready within .*it is not ours"
    ) as caught:
        story.wait_for_servers(Supervisor(tmp_path, print), nobody)
    assert "s3cret" not in str(caught.value)


@pytest.mark.usefixtures("lax")
def test_a_store_that_would_not_keep_anything_is_told_at_once(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="set appendfsync always"):
        story.wait_for_servers(Supervisor(tmp_path, print), settings)
