"""Names that strangers gave to files: how we write them down and how we call our own files after them."""

from __future__ import annotations

import re

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_LONGEST = 100


def printable(name: str) -> str:
    r"""The name as one line of text that any terminal, table or JSON file can hold.

    Bytes that are no printable UTF-8 text are written ``\xNN`` and a backslash twice, so different names stay
    different.

    Args:
        name: as ``os.fsdecode`` gives it: a byte that is not UTF-8 stands as a lone surrogate (PEP 383).
    """
    return "".join(map(_written, name))


def safe(name: str) -> str:
    """What a file of ours may be called after ``name``: ASCII letters, digits, ``.``, ``_`` and ``-``, at most 100,
    and never hidden or like an option. Different names may give the same.
    """
    text = _UNSAFE.sub("_", name)[:_LONGEST]
    return f"_{text[1:]}" if text[:1] in (".", "-", "") else text


def _written(character: str) -> str:
    if character == "\\":
        return r"\\"
    if character.isprintable():
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode(errors="surrogateescape"))
