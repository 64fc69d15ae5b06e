"""Notifications that Graph seals and signs: believed where they are genuine, and counted where they are not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from ops.sandbox.graph.sealing import SPOILS
from ops.sandbox.process import free_port
from tests.conftest import a_store
from tests.e2e.conftest import NAMES
from tests.e2e.subscriber import Subscriber, let_go, metric
from tests.e2e.system import System, started, until
from tests.workers.authority import certificate


@pytest.fixture(scope="module")
def sealing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Graph seals what it tells, and nothing is found by looking: only what is told counts."""
    folder = tmp_path_factory.mktemp("sealing")
    ours = folder / "ours.pem"
    certificate(ours, rsa.generate_private_key(65537, 2048))

    def amend(toml: str) -> str:
        sealed = f'kind = "graph"\nnotification_certificate_files = ["{ours}"]\n'
        return toml.replace('kind = "graph"\n', sealed).replace("catch_up = 3\n", "catch_up = 3600\n")

    with a_store(folder) as url, started(folder, url, free_port(), NAMES, amend) as system:
        yield system
        let_go(system)


def test_what_graph_seals_is_told(sealing: System) -> None:
    sealing.sandbox.behave(notify_copies=3, notify_spoil="")
    subscriber = Subscriber(sealing)
    event = subscriber.event()
    subscriber.subscribe()
    assert subscriber.graph_subscription()["includeResourceData"] is True
    sealing.sandbox.edit(event.id, {"subject": "After"})
    (told,) = subscriber.hears(1)
    assert told["changed"] == {"subject": {"before": "Before", "after": "After"}}


def test_what_is_spoiled_in_any_respect_is_counted_and_not_believed(sealing: System) -> None:
    subscriber = Subscriber(sealing)
    event = subscriber.event()
    subscriber.subscribe()
    for spoil in sorted(SPOILS):
        series = f'rendezvous_notifications_doubted_total{{backend="cloud",reason="{spoil}"}}'

        def noticed(series: str = series) -> float | None:
            return metric(sealing, series) or None

        sealing.sandbox.behave(notify_copies=1, notify_spoil=spoil)
        sealing.sandbox.edit(event.id, {"subject": spoil})
        until(noticed, f"{spoil} is noticed", sealing.logs)
        assert metric(sealing, series) == 1
    assert subscriber.told() == []
    assert metric(sealing, 'rendezvous_changes_found_late_total{backend="cloud"}') == 0
    sealing.sandbox.behave(notify_spoil="")
    sealing.sandbox.lifecycle("missed")
    (told,) = subscriber.hears(1)
    assert told["changed"] == {"subject": {"before": "Before", "after": max(SPOILS)}}


def test_a_new_certificate_is_sealed_with_after_the_renewal_and_the_old_one_still_opens(
    sealing: System, tmp_path: Path
) -> None:
    sealing.sandbox.behave(notify_copies=1, notify_spoil="")
    subscriber = Subscriber(sealing)
    event = subscriber.event()
    subscriber.subscribe()
    old = subscriber.graph_subscription()["encryptionCertificateId"]
    newer = tmp_path / "newer.pem"
    certificate(newer, rsa.generate_private_key(65537, 2048))
    config = Path(sealing.environ["RENDEZVOUS_CONFIG"])
    config.write_text(config.read_text().replace('_files = ["', f'_files = ["{newer}", "'))
    assert sealing.end("worker") == 0
    sealing.start("worker")
    sealing.sandbox.edit(event.id, {"subject": "Sealed with the old one"})
    subscriber.hears(1)
    sealing.sandbox.lifecycle("reauthorizationRequired")
    until(
        lambda: subscriber.graph_subscription()["encryptionCertificateId"] != old or None, "it is renewed", sealing.logs
    )
    sealing.sandbox.edit(event.id, {"subject": "Sealed with the new one"})
    assert [one["changed"]["subject"]["after"] for one in subscriber.hears(2)] == [
        "Sealed with the old one",
        "Sealed with the new one",
    ]
