"""The regular expression that finds the size asked for in a URL's path."""

from __future__ import annotations

from conf.patterns import checked, compiled


def checked_size(pattern: str) -> str:
    """The pattern as it is; ValueError says what is wrong with it."""
    groups = compiled(pattern).groupindex
    missing = [name for name in ("width", "height") if name not in groups]
    if missing:
        raise ValueError(f"it must have the groups (?P<width>…) and (?P<height>…); {' and '.join(missing)} is missing")
    checked(pattern)
    return pattern
