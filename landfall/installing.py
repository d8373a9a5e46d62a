"""Installs a module of a client's workflows: trusted code, so an admin does it, and what is wrong is found first."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from auth.gate import authorize
from conf.actions import Python
from conf.client import ClientConfig, load_client
from conf.errors import ConfigError, NotFound
from conf.problems import nearest, shown
from conf.settings import load_settings
from spark_jobs.actions.modules import MOST_BYTES, Module, modules_of, read_module
from targets.faults import faults
from targets.whole_file import replace_whole

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}", re.IGNORECASE)
_FILE_MODE, _DIRECTORY_MODE = 0o644, 0o755


@dataclass(frozen=True)
class Installed:
    """What was installed.

    Attributes:
        module: as a run reads it.
        before: sha-256 of what was there; empty: nothing was.
        actions: that run it, as ``workflow/action``.
    """

    module: Module
    before: str
    actions: tuple[str, ...]


def install(client: str, file: Path) -> Installed:
    """Installs a file as the client's module of the same name, in place of one that is there. It is not run.

    Raises:
        AccessDenied: the caller is no admin of the whole client; nothing was read.
        NotFound: there is no such client or file.
        ConfigError: it is no module, or lacks functions that the client's workflows name; every mistake.
    """
    authorize(client, "install")
    config = load_client(client)
    named = {f"{workflow}/{action.name}": action.function for workflow, action in _pythons(config)}
    its = {action: function for action, function in named.items() if function.partition(":")[0] == file.stem}
    source = _read(file)
    problems = list(_problems(file, source, its.values()))
    if problems:
        raise ConfigError(*problems)
    settings = load_settings()
    directory = modules_of(settings, client)
    goal = directory / f"{file.stem}.py"
    before = Module(goal, goal.read_bytes()).digest if goal.is_file() and not goal.is_symlink() else ""
    with faults(goal):
        if not directory.is_dir():
            directory.mkdir(parents=True)
            directory.chmod(_DIRECTORY_MODE)  # whatever the mask is: who runs reads it
        if directory.stat().st_mode & 0o022:
            raise ConfigError(f"Others may write to {directory}: have it belong to root or to you, with mode 0755.")
        replace_whole(goal, source, _FILE_MODE)
    return Installed(read_module(settings, client, file.stem), before, tuple(its))


def _pythons(config: ClientConfig) -> Iterator[tuple[str, Python]]:
    for workflow in config.workflow:
        yield from ((workflow.name, action) for _, action in workflow.actions() if isinstance(action, Python))


def _read(file: Path) -> bytes:
    if not file.is_file():
        raise NotFound(f"There is no file {shown(str(file))}.", "Name the module's file.")
    if file.suffix != ".py" or _NAME.fullmatch(file.stem) is None:
        raise ConfigError(
            f"{shown(file.name)} cannot be a module: its name is one of letters, digits and _, and ends with .py."
        )
    with faults(file), file.open("rb") as opened:
        source = opened.read(MOST_BYTES + 1)
    if len(source) > MOST_BYTES:
        raise ConfigError(f"{file} has more than {MOST_BYTES:,} bytes.")
    return source


def _problems(file: Path, source: bytes, functions: Iterable[str]) -> Iterator[str]:
    """What is wrong with a module; the code is parsed, not run."""
    try:
        with warnings.catch_warnings(action="ignore"):  # such as of an escape in a text
            tree = ast.parse(source, str(file))
            compile(tree, str(file), "exec")
    except SyntaxError as error:
        yield f"{file} is no Python: line {error.lineno}: {error.msg}."
        return
    except (ValueError, RecursionError, MemoryError) as error:
        yield f"{file} is no Python: {error}."
        return
    defined = sorted(set(_defined(tree.body)))
    for function in sorted({function.partition(":")[2] for function in functions}):
        if function not in defined:
            yield f"{file} defines no {function}, which the client's workflows name{nearest(function, defined)}"


def _defined(body: Sequence[ast.AST]) -> Iterator[str]:
    """Names that a module has once it has run, those of branches included."""
    for one in body:
        match one:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                yield from (alias.asname or alias.name for alias in names)
            case ast.Assign(targets=targets):
                yield from (target.id for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
                yield name
            case ast.If() | ast.Try() | ast.With() | ast.ExceptHandler():
                for part in ("body", "handlers", "orelse", "finalbody"):
                    yield from _defined(getattr(one, part, []))
