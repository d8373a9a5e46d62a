"""docker/compose.yaml, read as Docker would: nothing here runs it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from conf.client import load_client
from conf.environment import unknown
from conf.grants import load_grants
from conf.settings import Settings, load_settings

DOCKER = Path(__file__).parents[2] / "docker"
TEXT = (DOCKER / "compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONCE = {name for name, service in SERVICES.items() if service.get("restart") == "no"}
OURS = {name for name, service in SERVICES.items() if "LANDFALL_CONF" in service.get("environment", {})}
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|CREDENTIAL|PRIVATE", re.IGNORECASE)


def example() -> dict[str, str]:
    lines = (DOCKER / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def secrets_of(service: dict[str, Any]) -> dict[str, str]:
    """Its secrets, by the name of the file under /run/secrets."""
    found = service.get("secrets", [])
    return {
        one if isinstance(one, str) else one["target"]: one if isinstance(one, str) else one["source"] for one in found
    }


def test_every_part_is_there() -> None:
    assert SERVICES.keys() >= {"luigid", "namenode", "datanode", "mongo", "openldap", "sftp", "runner"}


@pytest.mark.parametrize("name", SERVICES)
def test_what_stays_up_is_looked_after(name: str) -> None:
    service = SERVICES[name]
    if name in ONCE:
        assert "healthcheck" not in service
        return
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert {"interval", "timeout", "retries", "start_period"} <= service["healthcheck"].keys()
    assert service["deploy"]["resources"]["limits"]["memory"]


@pytest.mark.parametrize("name", SERVICES)
def test_what_starts_after_what(name: str) -> None:
    """Each waits for the end of what ends, and for the health of what stays; and nothing waits for itself."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        for other, how in SERVICES[waiting.pop()].get("depends_on", {}).items():
            assert other != name
            wanted = "service_completed_successfully" if other in ONCE else "service_healthy"
            assert how["condition"] == wanted
            if other not in seen:
                seen.add(other)
                waiting.append(other)


def test_the_runner_waits_for_all() -> None:
    assert SERVICES["runner"]["depends_on"].keys() >= {"luigid", "lake", "mongo-users", "openldap", "sftp", "init"}


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_stands_inline(name: str) -> None:
    service = SERVICES[name]
    for variable, value in service.get("environment", {}).items():
        if SECRET.search(variable):
            assert variable.endswith("_FILE")
            assert value.removeprefix("/run/secrets/") in secrets_of(service)
    told = " ".join([*map(str, service.get("command", [])), *map(str, service.get("entrypoint", []))])
    for file in re.findall(r"/run/secrets/([\w-]+)", told):
        assert file in secrets_of(service)
    assert not re.search(r"passw(or)?d[= ]", told, re.IGNORECASE)


def test_secrets_are_files_that_the_script_makes() -> None:
    script = (DOCKER / "make-secrets.sh").read_text(encoding="utf-8")
    for name, secret in COMPOSE["secrets"].items():
        assert secret.keys() == {"file"}, name
        path = secret["file"].removeprefix("${SECRETS_DIR:?}/")
        assert f"$place/{path}" in script or path.endswith("-password"), name
    used = {source for service in SERVICES.values() for source in secrets_of(service).values()}
    assert used == COMPOSE["secrets"].keys()


def test_every_variable_is_in_the_example_and_no_other() -> None:
    asked = set(re.findall(r"(?<!\$)\$\{(\w+)", TEXT))
    assert asked == example().keys()
    assert all(example().values())
    assert not [name for name in example() if SECRET.search(name) and name != "SECRETS_DIR"]
    assert not re.findall(r"(?<!\$)\$\w", TEXT), "every variable is written ${…:?}"


def test_nothing_but_sftp_is_open_to_the_world() -> None:
    for name, service in SERVICES.items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:") or name == "sftp"
    assert COMPOSE["networks"]["inside"]["internal"] is True
    for name in ("namenode", "datanode", "mongo", "openldap"):
        assert SERVICES[name]["networks"] == ["inside"]


@pytest.mark.parametrize("name", SERVICES)
def test_rights_are_few(name: str) -> None:
    service = SERVICES[name]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged")
    assert service.get("pid") != "host"
    assert "docker.sock" not in str(service.get("volumes"))
    if "LANDFALL" in service["image"]:
        assert service["cap_drop"] == ["ALL"]
        assert (service["user"] == "10001:10001") == (name not in ("volumes",))


@pytest.mark.parametrize("name", sorted(OURS))
def test_the_settings_are_sound(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example's configuration, with this service's variables."""
    environment: dict[str, str] = SERVICES[name]["environment"]
    assert unknown(Settings, environment) == []
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("LANDFALL_CONF", str(DOCKER / "conf"))
    load_settings.cache_clear()
    settings = load_settings()
    for client in (DOCKER / "conf/clients").glob("*.toml"):
        load_client(client.stem)
    assert {grant.role for grant in load_grants()} == {"operator", "admin"}
    hosts = set(re.findall(r"//([\w-]+):", f"{settings.lake.url} {settings.images.url} {settings.auth.url}"))
    assert hosts == {"namenode", "mongo", "openldap"}
    for file in re.findall(r"/run/secrets/([\w-]+)", (DOCKER / "conf/prod.toml").read_text()):
        assert file in secrets_of(SERVICES[name])


def test_volumes_are_declared() -> None:
    named = {
        volume.split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if not volume.startswith((".", "$"))
    }
    assert named == COMPOSE["volumes"].keys()
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            if volume.startswith("./"):
                assert (DOCKER / volume.split(":")[0]).exists()


def test_configuration_and_modules_are_mounted() -> None:
    for name in ("runner", "sftp", "init"):
        mounted = SERVICES[name]["volumes"]
        assert "${CONF_DIR:?}:/etc/landfall/conf:ro" in mounted
        assert "${MODULES_DIR:?}:/opt/landfall-modules:ro" in mounted


def test_luigi_runs_as_everywhere() -> None:
    ours = (DOCKER.parent / "conf/luigi.cfg").read_text()
    assert (DOCKER / "conf/luigi.cfg").read_text() == ours
