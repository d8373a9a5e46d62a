from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import conf
from auth.directory.file import FileDirectory
from landfall.home import GROUP, OPERATOR
from tests.landfall.cli.conftest import Ended

Call = Callable[..., Ended]
OURS = Path(conf.__file__).parent
REPO = OURS.parent


@pytest.fixture
def outside(house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is no checkout, with nothing said of where the configuration is."""
    place = tmp_path / "outside"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.delenv("LANDFALL_CONF")
    monkeypatch.setenv("LANDFALL_HOME", str(place / "var"))
    return place


def tree(place: Path) -> Mapping[str, tuple[int, bytes]]:
    """Mode and content of everything below."""
    return {
        str(path.relative_to(place)): (stat.S_IMODE(path.stat().st_mode), path.read_bytes() if path.is_file() else b"")
        for path in place.rglob("*")
        if "logs" not in path.parts
    }


def sourced(environment: Path) -> dict[str, str]:
    """What a shell has after ``set -a; . demo.env``."""
    script = f"set -a; . {environment}; set +a; env -0"
    clean = {"PATH": os.environ["PATH"]}
    out = subprocess.run(["sh", "-c", script], check=True, capture_output=True, text=True, env=clean).stdout
    return dict(item.split("=", 1) for item in out.split("\0") if item)


def test_it_makes_state_a_conf_to_edit_and_an_operator(landfall: Call, outside: Path) -> None:
    ended = landfall("init")
    assert ended.code == 0, ended.err
    home = outside / "var"
    assert {"demo.env", "directory.json", "secrets", "lake", "landing", "images", "logs"} <= set(os.listdir(home))
    for file in ("dev.toml", "grants.toml", "luigi.cfg", "clients/demo.toml"):
        assert (outside / "conf" / file).read_bytes() == (OURS / file).read_bytes()
    assert (home / "landing" / "demo" / "incoming" / "photos").is_dir()
    assert str(home / "demo.env") in ended.out


def test_it_is_for_its_owner_alone(landfall: Call, outside: Path) -> None:
    landfall("init")
    home = outside / "var"
    for directory in (home, home / "secrets", home / "landing", home / "images", home / "logs"):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700, directory
    for file in (home / "demo.env", home / "secrets" / OPERATOR, home / "directory.json"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_demo_env_says_who_one_is(landfall: Call, outside: Path) -> None:
    landfall("init")
    said = sourced(outside / "var" / "demo.env")
    assert said["LANDFALL_HOME"] == str(outside / "var")
    assert said["LANDFALL_CONF"] == str(outside / "conf")
    assert said["LUIGI_CONFIG_PATH"] == str(outside / "conf" / "luigi.cfg")
    password = Path(said["LANDFALL_PASSWORD_FILE"]).read_text().strip()
    person = FileDirectory.of(outside / "var").authenticate(said["LANDFALL_USER"], password)
    assert person.groups == {GROUP}
    assert len(password) >= 24


def test_again_changes_nothing(landfall: Call, outside: Path) -> None:
    landfall("init")
    before = tree(outside)
    assert landfall("init").code == 0
    assert tree(outside) == before


def test_what_was_edited_stays(landfall: Call, outside: Path) -> None:
    landfall("init")
    (outside / "conf" / "clients" / "demo.toml").unlink()
    (outside / "conf" / "clients" / "acme.toml").write_text(
        (OURS / "clients" / "demo.toml").read_text().replace('client = "demo"', 'client = "acme"')
    )
    (outside / "conf" / "grants.toml").write_text("# mine\n")
    assert landfall("init").code == 0
    assert (outside / "conf" / "grants.toml").read_text() == "# mine\n"
    assert not (outside / "conf" / "clients" / "demo.toml").exists()
    assert (outside / "var" / "landing" / "acme" / "incoming" / "photos").is_dir()


def test_a_conf_that_a_kill_left_half_is_completed(landfall: Call, outside: Path) -> None:
    (outside / "conf" / "clients").mkdir(parents=True)
    (outside / "conf" / "grants.toml").write_text("# mine\n")
    assert landfall("init").code == 0
    assert (outside / "conf" / "clients" / "demo.toml").exists()
    assert (outside / "conf" / "grants.toml").read_text() == "# mine\n"


def test_home_may_be_named(landfall: Call, outside: Path) -> None:
    ended = landfall("init", "--home", "elsewhere with 'quotes")
    assert ended.code == 0
    home = outside / "elsewhere with 'quotes"
    assert not (outside / "var").exists()
    assert "LANDFALL_HOME=" in (home / "demo.env").read_text()
    said = ended.out.splitlines()[-1]
    out = subprocess.run(
        ["sh", "-c", f"{said}; echo $LANDFALL_HOME"], check=True, capture_output=True, text=True
    ).stdout
    assert out.strip() == str(home)


def test_a_lost_secret_is_made_anew(landfall: Call, outside: Path) -> None:
    landfall("init")
    secret = outside / "var" / "secrets" / OPERATOR
    before = secret.read_text()
    secret.unlink()
    assert landfall("init").code == 0
    assert secret.read_text() != before
    FileDirectory.of(outside / "var").authenticate(OPERATOR, secret.read_text().strip())


def test_a_named_conf_is_used(landfall: Call, house: Path) -> None:
    ended = landfall("init")
    assert ended.code == 0, ended.err
    assert str(house / "conf") in ended.out
    assert "written to edit" not in ended.out
    assert not (house / "conf" / "dev.toml").exists()
    assert (house / "home" / "landing" / "rival" / "outbox" / "scans").is_dir()


def test_mistakes_of_all_client_files_are_told_after_the_sound_ones_are_ready(landfall: Call, house: Path) -> None:
    (house / "conf" / "clients" / "wrong.toml").write_text("x = 1")
    (house / "conf" / "clients" / "acme.toml").write_text("y = 2")
    ended = landfall("init")
    assert ended.code == 78
    assert "wrong.toml" in ended.err
    assert "acme.toml" in ended.err
    assert (house / "home" / "landing" / "rival" / "incoming" / "photos").is_dir()
    assert (house / "home" / "demo.env").exists()


def test_a_home_that_cannot_be_made_is_a_sentence(landfall: Call, outside: Path) -> None:
    (outside / "file").write_text("")
    ended = landfall("init", "--home", outside / "file" / "below")
    assert ended.code == 74
    assert "Traceback" not in ended.err


def test_prod_has_no_demo_operator(landfall: Call, outside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFALL_ENV", "prod")
    monkeypatch.setenv("LANDFALL_LANDING__ROOT", str(outside / "landing"))
    monkeypatch.setenv("LANDFALL_LAKE__URL", str(outside / "lake"))
    monkeypatch.setenv("LANDFALL_IMAGES__URL", str(outside / "images"))
    ended = landfall("init")
    assert ended.code == 0, ended.err
    assert "no demo operator" in ended.out
    assert not (outside / "var" / "secrets" / OPERATOR).exists()
    assert not (outside / "var" / "directory.json").exists()


def test_the_wheel_is_all_that_it_needs(outside: Path, tmp_path: Path) -> None:
    """Unpacked, and found by a Python that has our libraries and not this checkout."""
    source, site, wheels = tmp_path / "source", tmp_path / "site", tmp_path / "wheels"
    shutil.copytree(REPO, source, ignore=shutil.ignore_patterns(".*", "tests", "var", "build", "*.egg-info"))
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    built = subprocess.run([*pip, "--wheel-dir", wheels, source], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    (wheel,) = wheels.iterdir()
    zipfile.ZipFile(wheel).extractall(site)
    packages = ("auth", "conf", "landfall", "pipelines", "spark_jobs", "targets")
    modules = {path.relative_to(REPO) for package in packages for path in (REPO / package).rglob("*.py")}
    assert {path for path in modules if not (site / path).exists()} == set()

    def run(*command: str) -> None:
        paths = os.pathsep.join([str(site), sysconfig.get_path("purelib")])
        environment = {**os.environ, "LANDFALL_ENV": "dev", "PYTHONPATH": paths}
        if "luigi" in command:
            environment |= sourced(outside / "var" / "demo.env")
        python = [sys.executable, "-S", "-P", "-m"]
        ended = subprocess.run([*python, *command], env=environment, cwd=outside, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stdout + ended.stderr

    run("landfall", "init")
    assert (outside / "conf" / "clients" / "demo.toml").exists()
    run("luigi", "--module", "pipelines", "RunClient", "--client", "demo", "--local-scheduler")
