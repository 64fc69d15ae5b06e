"""The manifests, the compose file and the image run what the Procfile runs."""

import re
import subprocess
from functools import cache
from pathlib import Path
from shutil import which
from typing import Any

import pytest
import yaml

from ops.run.procfile import parse
from workers import drain

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "ops" / "kubernetes"
PROCESSES = {entry.name: list(entry.command) for entry in parse((ROOT / "Procfile").read_text())}
KUBECTL = which("kubectl")
EVERYWHERE = "--address=0.0.0.0"


@cache
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text()))


@cache
def manifests(folder: Path = FOLDER) -> list[dict[str, Any]]:
    """What the kustomization names, in its order."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    return [one for name in kustomization["resources"] for one in yaml.safe_load_all((folder / name).read_text())]


def named(kind: str, name: str) -> dict[str, Any]:
    (found,) = [one for one in manifests() if one["kind"] == kind and one["metadata"]["name"] == name]
    return found


def pod(name: str) -> dict[str, Any]:
    kind = "StatefulSet" if name == "store" else "Deployment"
    return dict(named(kind, name)["spec"]["template"]["spec"])


def container(name: str) -> dict[str, Any]:
    (found,) = pod(name)["containers"]
    return dict(found)


def test_every_manifest_is_named_by_a_kustomization() -> None:
    for folder in (FOLDER, FOLDER / "scaling"):
        resources = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
        assert sorted(resources) == sorted({path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"})


@pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")
@pytest.mark.parametrize("folder", [FOLDER, FOLDER / "scaling"], ids=["all", "scaling"])
def test_kustomize_builds_it(folder: Path) -> None:
    done = subprocess.run([str(KUBECTL), "kustomize", folder], capture_output=True, text=True, timeout=60, check=True)
    built = [one["kind"] for one in yaml.safe_load_all(done.stdout)]
    assert sorted(built) == sorted(one["kind"] for one in manifests(folder))


@pytest.mark.parametrize("name", PROCESSES)
def test_kubernetes_starts_what_the_procfile_starts(name: str) -> None:
    said = container(name)
    expected = [EVERYWHERE if word.startswith("--address") else word for word in PROCESSES[name]]
    assert (said["image"], said["command"]) == ("rendezvous", expected)


def test_pods_keep_to_the_restricted_standard_and_no_service_becomes_an_environment_variable() -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted"""
    for name in (*PROCESSES, "store"):
        security = pod(name)["securityContext"]
        assert security["runAsNonRoot"] and security["runAsUser"] > 0, name
        assert pod(name)["enableServiceLinks"] is False, name  # else FLOWER_PORT is an address
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert container(name)["securityContext"] == {
            "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}
        }, name  # fmt: skip
    uid = container_uid()
    assert all(pod(name)["securityContext"]["runAsUser"] == uid for name in PROCESSES)


def container_uid() -> int:
    (uid,) = re.findall(r"^USER (\d+)$", (ROOT / "ops" / "Dockerfile").read_text(), re.MULTILINE)
    return int(uid)


def test_the_web_process_is_probed_where_it_answers() -> None:
    web = container("web")
    assert web["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert web["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert web["ports"] == [{"name": "http", "containerPort": 8000}]


def test_a_pod_has_longer_to_end_than_its_process_takes() -> None:
    for name in ("worker", "callbacks"):
        assert pod(name)["terminationGracePeriodSeconds"] > drain.AT_LATEST
    (graceful,) = re.findall(r"^graceful_timeout = (\d+)$", (ROOT / "ops" / "gunicorn.conf.py").read_text(), re.M)
    waits = int(container("web")["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod("web")["terminationGracePeriodSeconds"] > waits + int(graceful)


def test_the_store_runs_with_our_configuration_on_a_disk() -> None:
    assert named("ConfigMap", "store")["data"]["redis.conf"] == (ROOT / "ops" / "redis.conf").read_text()
    store = container("store")
    assert store["command"][:4] == ["valkey-server", "/etc/valkey/redis.conf", "--dir", "/data"]
    assert {"name": "data", "mountPath": "/data"} in store["volumeMounts"]
    (claim,) = named("StatefulSet", "store")["spec"]["volumeClaimTemplates"]
    assert claim["metadata"]["name"] == "data"
    assert store["image"] == compose()["services"]["store"]["image"]


def test_every_process_finds_the_store_and_the_configuration() -> None:
    for name in PROCESSES:
        environment = {one["name"]: one.get("value") for one in container(name)["env"]}
        assert environment["RENDEZVOUS_STORE_URL"] == "redis://:$(STORE_PASSWORD)@store:6379/0"
        assert environment["RENDEZVOUS_CONFIG"].startswith(container(name)["volumeMounts"][0]["mountPath"])
    assert named("Service", "store")["spec"]["ports"] == [{"name": "redis", "port": 6379}]


def test_flower_in_the_cluster_asks_for_a_sign_in() -> None:
    secrets = {one["name"]: one["valueFrom"] for one in container("flower")["env"] if "valueFrom" in one}
    assert secrets["FLOWER_BASIC_AUTH"] == {"secretKeyRef": {"name": "rendezvous", "key": "FLOWER_BASIC_AUTH"}}


def test_what_scales_is_there_and_counts_a_metric_that_is_there() -> None:
    metrics = (ROOT / "webhooks" / "metrics.py").read_text()
    for scaled in manifests(FOLDER / "scaling"):
        assert named("Deployment", scaled["spec"]["scaleTargetRef"]["name"])["spec"].get("replicas") is None
        (trigger,) = scaled["spec"]["triggers"]
        (metric,) = re.findall(r"\brendezvous_\w+", trigger["metadata"]["query"])
        assert re.search(rf'GaugeMetricFamily\(\s*"{metric}"', metrics)


def test_the_image_holds_every_file_that_a_command_names() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    files = {name for command in PROCESSES.values() for name in re.findall(r"\bops/[\w.]+", " ".join(command))}
    assert files and files <= kept


def test_compose_starts_flower_as_the_procfile_does_but_for_its_address() -> None:
    words = compose()["services"]["flower"]["command"].split()
    assert words == [EVERYWHERE if word.startswith("--address") else word for word in PROCESSES["flower"]]


def test_compose_draws_the_metrics_of_its_web_process() -> None:
    services, configs = compose()["services"], compose()["configs"]
    scraped = yaml.safe_load(configs["prometheus"]["content"])
    assert scraped["scrape_configs"][0]["static_configs"] == [{"targets": ["web:8000"]}] and "web" in services
    for service in services.values():
        for config in service.get("configs", []):
            assert yaml.safe_load(configs[config["source"]]["content"])
        for volume in service.get("volumes", []):
            if volume.startswith("./ops/"):
                assert (ROOT / volume.split(":")[0]).is_file()
    assert yaml.safe_load((ROOT / "ops" / "grafana" / "alerts.yml").read_text())["groups"]
