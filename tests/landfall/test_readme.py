"""README.md tells of every command and every setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from conf.environment import OTHERS
from conf.settings import Setting, describe
from tests.landfall.commands import COMMANDS, Command

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture(scope="module")
def readme() -> str:
    return README.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.path))
def test_every_command_is_in_the_readme(command: Command, readme: str) -> None:
    assert f"`landfall {' '.join(command.path)}`" in readme


@pytest.mark.parametrize("setting", describe(), ids=lambda setting: setting.name)
def test_every_setting_is_in_the_readme_as_it_is(setting: Setting, readme: str) -> None:
    row = next((line for line in readme.splitlines() if line.startswith(f"| `{setting.name}` |")), "")
    assert f"`{setting.default}`" in row
    assert setting.description in row


@pytest.mark.parametrize("variable", OTHERS)
def test_every_other_variable_is_in_the_readme(variable: str, readme: str) -> None:
    assert variable in readme
