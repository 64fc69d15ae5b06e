"""How a start goes wrong: what is said where the servers are not ours."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from redis import Redis
from werkzeug.serving import make_server

from ops.run import RunError, story
from ops.run.layout import Layout
from ops.run.process import Command
from ops.run.supervisor import Supervisor
from ops.sandbox.process import free_port
from tests.configured import configured
from tests.served import served
from webhooks import create_app
from webhooks.door import Door
from workers.settings import Settings
from workers.store import Store


@pytest.fixture
def lax(redis: Redis) -> Iterator[None]:
    """A store that a power cut takes seconds from."""
    with configured(redis, appendfsync="everysec"):
        yield


def test_a_store_that_is_not_there_is_named_without_its_password(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story, "PATIENCE_WITH_OTHERS", 0.2)
    port = free_port()
    nobody = settings.model_copy(update={"store_url": f"redis://:s3cret@127.0.0.1:{port}/0"})
    with pytest.raises(
        RunError, match=f"the store at 127.0.0.1:{port} was not ready within .*it is not ours"
    ) as caught:
        story.wait_for_servers(Supervisor(tmp_path, print), nobody)
    assert "s3cret" not in str(caught.value)


def test_a_store_that_does_not_know_us_is_told_as_that(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story, "PATIENCE_WITH_OTHERS", 0.2)
    stranger = settings.model_copy(update={"store_url": settings.store_url.replace("redis://", "redis://me:s3cret@")})
    with pytest.raises(RunError, match=r"was not ready within .*: .*password.*it is not ours") as caught:
        story.wait_for_servers(Supervisor(tmp_path, print), stranger)
    assert "s3cret" not in str(caught.value)


def test_a_web_process_that_is_up_and_not_ready_says_what_it_lacks(
    settings: Settings, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story, "PATIENCE", 0.2)
    lame = settings.model_copy(update={"broker_url": f"redis://127.0.0.1:{free_port()}/0"})
    app, supervisor = create_app(lame), Supervisor(tmp_path, print)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    where = Layout(tmp_path, {}, web=server.server_port, flower=1, store=None, broker=None, sandbox=None)
    code = "print('our own asking', flush=True); import time; time.sleep(60)"
    supervisor.start(Command("web", (sys.executable, "-c", code), dict(os.environ), where.directory / "web.log"))
    try:
        with served(server), pytest.raises(RunError, match="up and not ready: the broker does not answer") as caught:
            story.wait_for_processes(supervisor, where, story.product_questions(where, lame, store, None))
    finally:
        supervisor.hurry = True
        supervisor.stop()
        cast(Door, app.extensions["rendezvous"]).store.close()
    assert "web.log" in str(caught.value) and "our own asking" not in str(caught.value)


def test_beat_is_up_when_it_has_swept_and_not_when_it_had_swept_before_the_start(
    settings: Settings, store: Store, redis: Redis, tmp_path: Path
) -> None:
    where = Layout(tmp_path, {}, web=1, flower=2, store=None, broker=None, sandbox=None)
    assert not story.product_questions(where, settings, store, None)["beat"]()
    list(store.sweep())
    assert story.product_questions(where, settings, store, None)["beat"]()
    is_up = story.product_questions(where, settings, store, store.swept_at())["beat"]
    assert not is_up()
    redis.incrby("rdv:swept", 5_000)
    assert is_up()
    redis.delete("rdv:swept")
    assert not is_up(), "a store that does not tell was not swept"


def test_a_store_that_answers_only_later_is_waited_for(settings: Settings, redis: Redis, tmp_path: Path) -> None:
    """It answers a PING, as one does that is about to be ready, and tells nothing yet."""
    redis.acl_setuser("early", enabled=True, nopass=True, keys="*", commands=["+ping", "+client", "+hello"])
    early = settings.model_copy(update={"store_url": settings.store_url.replace("redis://", "redis://early:any@")})

    def later(_: float) -> None:
        redis.acl_setuser("early", categories=["+@all"])

    try:
        story.wait_for_servers(Supervisor(tmp_path, print, later), early)
    finally:
        redis.acl_deluser("early")


@pytest.mark.usefixtures("lax")
def test_a_store_that_would_not_keep_anything_is_told_at_once(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="set appendfsync always"):
        story.wait_for_servers(Supervisor(tmp_path, print), settings)
