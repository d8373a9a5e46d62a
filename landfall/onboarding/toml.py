"""Text of a client's file. ``tomllib`` reads what is written here back as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")


def value(given: Any) -> str:
    """A text, a number, a boolean or a list of these, as TOML writes it; ValueError for a text that is no Unicode."""
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, str):
        given.encode("utf-8")
        # TOML's basic strings are JSON's, but for DEL, which has to be escaped too.
        return json.dumps(given, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(given, list | tuple):
        return f"[{', '.join(map(value, given))}]"
    return repr(given)


def key(name: str) -> str:
    """A key, quoted where it has to be."""
    return name if _PLAIN_KEY.fullmatch(name) else value(name)


def table(header: str, fields: Mapping[str, Any], remarks: Mapping[str, str] | None = None) -> list[str]:
    """The lines of one table.

    Args:
        header: with its brackets; empty: the file's own keys.
        fields: its keys; what is None is left out.
        remarks: comments behind keys, by key.
    """
    lines = [header] if header else []
    for name, given in fields.items():
        if given is not None:
            remark = (remarks or {}).get(name, "")
            lines.append(f"{key(name)} = {value(given)}" + (f"  # {_one_line(remark)}" if remark else ""))
    return lines


def text(tables: Iterable[list[str]]) -> str:
    """Tables as one text, an empty line between two."""
    return "\n\n".join("\n".join(lines) for lines in tables if lines) + "\n"


def _one_line(remark: str) -> str:
    return "".join(one if one.isprintable() else " " for one in remark)
