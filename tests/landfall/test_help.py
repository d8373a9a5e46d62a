from __future__ import annotations

import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from landfall.app import app
from tests.landfall.commands import COMMANDS, GROUPS, Command


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.path))
def test_every_command_says_what_it_does_with_an_example(command: Command) -> None:
    result = CliRunner().invoke(app, [*command.path, "--help"])
    assert result.exit_code == 0
    said = " ".join(result.output.split())
    assert command.help in said
    assert f"Example: landfall {' '.join(command.path)}" in said


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.path))
def test_every_option_and_argument_has_help(command: Command) -> None:
    assert [name for name, text in command.parameters.items() if not text] == []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.path))
def test_an_example_names_real_options(command: Command) -> None:
    options = {word for word in command.example.split() if word.startswith("--")}
    assert options <= set(command.options)


def test_the_commands_are_those_of_the_issue() -> None:
    assert {" ".join(command.path) for command in COMMANDS} >= {
        *("init", "demo", "sample-web", "sample-catalogue", "check", "drop", "status", "logs", "query", "tables"),
        *("images list", "images get", "images verify", "digest", "explain-access"),
    }


@pytest.mark.parametrize("group", GROUPS, ids=" ".join)
def test_a_group_alone_shows_its_help(group: tuple[str, ...]) -> None:
    assert "Usage" in CliRunner().invoke(app, list(group)).output


def test_help_loads_nothing_heavy() -> None:
    code = "import sys; import landfall.app; print(*sorted(sys.modules))"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    )
    heavy = {"pyspark", "pyarrow", "duckdb", "luigi", "pandas", "numpy", "aiohttp", "pydantic", "PIL"}
    assert loaded & heavy == set()


def test_the_completion_offers_clients_and_feeds(monkeypatch: pytest.MonkeyPatch) -> None:
    def complete(line: str, word: int) -> list[str]:
        variables = {"_LANDFALL_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(word)}
        return CliRunner().invoke(app, env=variables, prog_name="landfall").output.split()

    assert complete("landfall drop de", 2) == ["demo"]
    assert complete("landfall drop demo ph", 3) == ["photos"]
    assert complete("landfall status --client ", 3) == ["demo"]
    assert complete("landfall drop nobody ", 3) == []


def test_the_app_is_one_typer_app() -> None:
    assert isinstance(app, typer.Typer)
