"""Counts by name, as manifests and journals hold them, in the words of a person."""

from __future__ import annotations

from collections.abc import Mapping


def say_counts(counts: Mapping[str, int]) -> str:
    """``1 line, 2 entries``; empty where there are none."""
    return ", ".join(f"{value:,} {_named(name, value)}" for name, value in counts.items())


def _named(name: str, value: int) -> str:
    """``1 entry``, ``2 entries``; what is no plural stays as it is."""
    if value != 1:
        return name
    return f"{name.removesuffix('ies')}y" if name.endswith("ies") else name.removesuffix("s")
