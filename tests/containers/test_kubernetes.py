"""docker/kubernetes: against the schemas of Kubernetes, and what its parts say of each other."""

from __future__ import annotations

import configparser
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from conf.client import load_client
from conf.environment import unknown
from conf.grants import load_grants
from conf.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "docker/kubernetes").glob("*.yaml"))
# The oldest that knows a StatefulSet's pod-index, and the newest that the validator knows.
VERSIONS = ("1.28", kubernetes_validate.latest_version())


def documents() -> list[dict[str, Any]]:
    return [one for file in FILES for one in yaml.safe_load_all(file.read_text(encoding="utf-8"))]


DOCUMENTS = documents()


def named(kind: str, name: str) -> Any:
    (found,) = [one for one in DOCUMENTS if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    return found


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for one in DOCUMENTS:
        if one["kind"] in ("Deployment", "StatefulSet"):
            yield one["metadata"]["name"], one["spec"]["template"]["spec"]


def containers() -> list[Any]:
    return [
        pytest.param(container, its, id=f"{name}-{container['name']}")
        for name, its in pods()
        for container in [*its.get("initContainers", []), *its["containers"]]
    ]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_each_is_what_the_schema_says(document: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(document, version, strict=True)
    assert document["kind"] == "Namespace" or document["metadata"]["namespace"] == "landfall"


@pytest.mark.parametrize("container", [case.values[0] for case in containers()], ids=lambda one: one["name"])
def test_containers_have_few_rights_and_known_needs(container: dict[str, Any]) -> None:
    security = container["securityContext"]
    assert security == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
    assert container["resources"]["limits"]["memory"]
    assert "/" not in container["image"], "which registry is yours to say"


@pytest.mark.parametrize(("name", "pod"), list(pods()), ids=[name for name, _ in pods()])
def test_pods_run_as_nobody_and_are_looked_after(name: str, pod: dict[str, Any]) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()
    volumes = {volume["name"] for volume in pod["volumes"]}
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
    for volume in pod["volumes"]:
        for key, kind, field in (
            ("configMap", "ConfigMap", "name"),
            ("secret", "Secret", "secretName"),
            ("persistentVolumeClaim", "PersistentVolumeClaim", "claimName"),
        ):
            if key in volume:
                named(kind, volume[key][field])


def runner() -> Any:
    return named("StatefulSet", "runner")["spec"]


def environment() -> dict[str, Any]:
    (container,) = runner()["template"]["spec"]["containers"]
    return {one["name"]: one.get("value") for one in container["env"]}


def test_as_many_shares_as_runners() -> None:
    (container,) = runner()["template"]["spec"]["containers"]
    words = container["args"]
    assert words[:2] == ["landfall", "run-share"]
    assert words[words.index("--of") + 1] == "$(RUNNERS)"
    assert words[words.index("--index") + 1] == "$(RUNNER)"
    assert environment()["RUNNERS"] == str(runner()["replicas"])
    alive = words[words.index("--alive") + 1]
    assert alive in " ".join(container["livenessProbe"]["exec"]["command"])
    service = named("Service", "luigid")["spec"]["ports"][0]["port"]
    assert words[words.index("--scheduler") + 1] == f"http://luigid:{service}"


def test_the_settings_are_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "clients").mkdir()
    for name, text in named("ConfigMap", "landfall-conf")["data"].items():
        (tmp_path / name).write_text(text)
    for name, text in named("ConfigMap", "landfall-clients")["data"].items():
        (tmp_path / "clients" / name).write_text(text)
    ours = {name: value for name, value in environment().items() if name.startswith("LANDFALL_")}
    assert unknown(Settings, ours) == []
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LANDFALL_CONF", str(tmp_path))
    load_settings.cache_clear()
    assert load_settings().env == "prod"
    assert load_client("demo").feeds
    assert [grant.role for grant in load_grants()] == ["operator"]


def test_luigi_runs_as_everywhere() -> None:
    ours, theirs = configparser.ConfigParser(), configparser.ConfigParser()
    ours.read(ROOT / "conf/luigi.cfg")
    theirs.read_string(named("ConfigMap", "landfall-conf")["data"]["luigi.cfg"])
    assert {name: dict(ours[name]) for name in ours} == {name: dict(theirs[name]) for name in theirs}


def test_no_secret_stands_in_the_manifests() -> None:
    assert named("Secret", "landfall-secrets").keys() == {"apiVersion", "kind", "metadata", "type"}
    for name, value in environment().items():
        assert "PASSWORD" not in name or (name.endswith("_FILE") and value.startswith("/run/landfall/secrets/"))
    settings = tomllib.loads(named("ConfigMap", "landfall-conf")["data"]["prod.toml"])
    assert settings["ldap"]["bind_password_file"].startswith("/run/landfall/secrets/")


def test_nothing_is_open_that_no_policy_opens() -> None:
    shut = named("NetworkPolicy", "nothing")["spec"]
    assert shut == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    (rule,) = named("NetworkPolicy", "luigid")["spec"]["ingress"]
    assert rule["from"] == [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "runner"}}}]
    web = [rule for rule in named("NetworkPolicy", "runner")["spec"]["egress"] if rule["ports"][0]["port"] == 80]
    assert "169.254.0.0/16" in web[0]["to"][0]["ipBlock"]["except"]
