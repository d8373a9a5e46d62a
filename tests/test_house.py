"""The structure of the code: imports go one way."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# What each package may import besides itself.
BELOW = {
    "conf": set(),
    "targets": {"conf"},
    "auth": {"conf", "targets"},
    "spark_jobs": {"conf", "targets"},
    "pipelines": {"conf", "targets", "auth", "spark_jobs"},
    "landfall": {"conf", "targets", "auth", "spark_jobs", "pipelines"},
}


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            yield node.module or ""


@pytest.mark.parametrize("package", BELOW)
def test_nothing_imports_upward(package: str) -> None:
    files = list((ROOT / package).rglob("*.py"))
    assert files
    found = {
        f"{file.relative_to(ROOT)} imports {name}"
        for file in files
        for name in imported(file)
        if name.partition(".")[0] in BELOW.keys() - BELOW[package] - {package}
    }
    assert not found


def test_spark_jobs_know_nothing_of_luigi() -> None:
    for package in ("conf", "targets", "auth", "spark_jobs"):
        for file in (ROOT / package).rglob("*.py"):
            assert not any(name.partition(".")[0] == "luigi" for name in imported(file)), file
