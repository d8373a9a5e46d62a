"""What settings may be: the kinds of their values, and what all sections share."""

from __future__ import annotations

import os.path
import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

_PATTERN = "*?[]{}\\"


def _not_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("it must be a number")  # noqa: TRY004  # pydantic collects ValueErrors
    return value


def _absolute(path: str) -> str:
    if path and not path.startswith("/"):
        raise ValueError("it must be an absolute path, or empty for the place below home")
    return os.path.normpath(path) if path else path


def shaped(shape: str, allowed: str) -> AfterValidator:
    """A text of a given shape."""

    def check(text: str) -> str:
        if not re.fullmatch(shape, text):
            raise ValueError(f"it must be {allowed}")
        return text

    return AfterValidator(check)


def _check_plain(path: str) -> None:
    if any(sign in path for sign in _PATTERN):
        raise ValueError(f"its path must hold none of {_PATTERN}, which Spark takes for a pattern")


def place(*schemes: str) -> AfterValidator:
    """A directory of this machine (an absolute path; empty for its default), or the URLs of servers.

    Args:
        schemes: of the URLs that are allowed. Several servers are separated by spaces.
    """
    allowed = f"it must be an absolute path, or begin with {' or '.join(f'{scheme}://' for scheme in schemes)}"

    def check(text: str) -> str:
        if not text or text.startswith("/"):
            _check_plain(text)
            return _absolute(text)
        for one in text.split():
            try:
                parts = urlsplit(one)
                host, _ = parts.hostname, parts.port
            except ValueError as error:
                raise ValueError(f"it is no URL: {error}") from None
            if parts.scheme not in schemes or not host:
                raise ValueError(allowed)
            _check_plain(parts.path)
            if "@" in parts.netloc:
                raise ValueError("it must not hold a user or password: there are settings for their files")
        return text

    return AfterValidator(check)


Number = BeforeValidator(_not_bool)
Count = Annotated[int, Number, Field(ge=1)]
Bytes = Annotated[int, Number, Field(ge=1)]
Days = Annotated[int, Number, Field(ge=0, le=36_500)]
Seconds = Annotated[float, Number, Field(gt=0, allow_inf_nan=False)]
Port = Annotated[int, Number, Field(ge=1, le=65535)]
Directory = Annotated[str, AfterValidator(_absolute)]
Memory = Annotated[str, shaped(r"[1-9]\d*[kmgtKMGT]", "a number and k, m, g or t, such as 2g")]


class Section(BaseModel):
    """What all sections share. Defaults are checked too: a limit that is set may be at odds with one that is not."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
