"""The sections of the settings: each setting with its default, what it means, and what it may be."""

from __future__ import annotations

import os.path
import re
from ipaddress import ip_address
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from conf.hosts import pattern


def _not_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("it must be a number")  # noqa: TRY004  # pydantic collects ValueErrors
    return value


def _absolute(path: str) -> str:
    if path and not path.startswith("/"):
        raise ValueError("it must be an absolute path, or empty for the place below home")
    return os.path.normpath(path) if path else path


def _address(text: str) -> str:
    found = pattern(text)
    try:
        ip_address(found.host)
    except ValueError:
        raise ValueError("it must be an address, not a name, such as 127.0.0.1:8200") from None
    if found.port is None:
        raise ValueError("it must name a port, or * for all, such as 127.0.0.1:8200")
    return str(found)


def _shaped(shape: str, allowed: str) -> AfterValidator:
    """A text of a given shape."""

    def check(text: str) -> str:
        if not re.fullmatch(shape, text):
            raise ValueError(f"it must be {allowed}")
        return text

    return AfterValidator(check)


Number = BeforeValidator(_not_bool)
Count = Annotated[int, Number, Field(ge=1)]
Bytes = Annotated[int, Number, Field(ge=1)]
Seconds = Annotated[float, Number, Field(gt=0, allow_inf_nan=False)]
Port = Annotated[int, Number, Field(ge=1, le=65535)]
Directory = Annotated[str, AfterValidator(_absolute)]


class Section(BaseModel):
    """What all sections share. Defaults are checked too: a limit that is set may be at odds with one that is not."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Lake(Section):
    """Where stages, the register and the published entries lie."""

    root: Directory = Field("", description="directory of the lake; empty means <home>/lake")


class Landing(Section):
    """Where clients drop files, and how much is taken."""

    root: Directory = Field("", description="directory of the landing; empty means <home>/landing")
    max_upload_bytes: Bytes = Field(8 << 30, description="an upload larger than this is refused (bytes)")
    max_unpacked_bytes: Bytes = Field(8 << 30, description="an archive that unpacks to more is refused (bytes)")
    max_ratio: Count = Field(200, description="unpacked bytes to packed bytes, above 16 MiB; more is refused as a bomb")
    max_entries: Count = Field(1000, description="entries of a zip archive; more are refused")
    range_bytes: Bytes = Field(4 << 20, description="how many bytes of a drop one range of the index covers, at least")


class Lines(Section):
    """What one line may be."""

    max_bytes: Bytes = Field(64 << 10, description="a longer line is quarantined (bytes)")
    max_side: Count = Field(10_000, description="largest width or height that a URL may ask for (pixels)")


class Web(Section):
    """How pictures are fetched."""

    concurrency: Count = Field(64, description="requests under way at once, over all Spark tasks")
    per_host: Count = Field(32, description="requests under way at once to one host, over all Spark tasks")
    max_bytes: Bytes = Field(
        32 << 20, description="an answer larger than this after decompression is quarantined (bytes)"
    )
    buffer_bytes: Bytes = Field(256 << 20, description="answers being read at once, over all Spark tasks (bytes)")
    connect_seconds: Seconds = Field(10, description="time for a connection")
    total_seconds: Seconds = Field(60, description="time for one attempt, redirects and body included")
    attempts: Count = Field(4, description="attempts for what may pass: timeouts, resets, 429, 5xx")
    backoff_seconds: Seconds = Field(0.5, description="first pause between attempts; doubles each time, with jitter")
    max_retry_after_seconds: Seconds = Field(60, description="longest Retry-After that is waited for within a run")
    max_redirects: Annotated[int, Number, Field(ge=0)] = Field(5, description="redirects followed, each checked anew")
    ports: tuple[Port, ...] = Field((80, 443), description="ports that a source without a port may be asked on")
    allow_addresses: tuple[Annotated[str, AfterValidator(_address)], ...] = Field(
        (), description="addresses that are allowed although not public (address:port or address:*); dev and test only"
    )
    user_agent: Annotated[str, _shaped(r"[!-~][ -~]{0,199}", "1 to 200 printable ASCII characters")] = Field(
        "Landfall", description="how we name ourselves to sources"
    )

    @field_validator("buffer_bytes")
    @classmethod
    def _holds_one_answer(cls, value: int, info: ValidationInfo) -> int:
        largest = info.data.get("max_bytes", 0)
        if value < largest:
            raise ValueError(f"it must be at least web.max_bytes ({largest}), or the largest answer never fits")
        return value


class Images(Section):
    """What a picture may be, and how results are encoded."""

    max_pixels: Count = Field(100_000_000, description="a picture with more is quarantined before it is decoded")
    jpeg_quality: Annotated[int, Number, Field(ge=1, le=100)] = Field(85, description="quality of JPEG results")


class Spark(Section):
    """The Spark session."""

    master: Annotated[str, _shaped(r"local(\[(\*|\d+)\])?", "local, local[4] or local[*]")] = Field(
        "local[*]", description="Spark master; on this machine, as lake and image store are"
    )
    driver_memory: Annotated[str, _shaped(r"[1-9]\d*[kmgtKMGT]", "a number and k, m, g or t, such as 2g")] = Field(
        "1g", description="heap of the driver's JVM"
    )
    shard_rows: Count = Field(256, description="pictures in one shard: the unit of work, of progress and of resuming")
    shuffle_partitions: Count = Field(8, description="partitions of a shuffle")
    conf: dict[Annotated[str, _shaped(r"spark\.\S+", "a name that begins with spark.")], str] = Field(
        {}, description="further Spark properties"
    )


class Store(Section):
    """The image store."""

    kind: Literal["sqlite"] = Field("sqlite", description="which image store")
    root: Directory = Field("", description="directory of the SQLite stores; empty means <home>/images")


class Auth(Section):
    """Who may ask."""

    directory: Literal["file"] = Field("file", description="which directory proves who a person is")
    cache_seconds: Annotated[float, Number, Field(ge=0, le=60)] = Field(
        60, description="how long a proof and its groups are believed"
    )


class Query(Section):
    """SQL from people."""

    memory: Annotated[str, _shaped(r"[1-9]\d*([KMGT]i?B)", "a number and MB, MiB, GB or GiB, such as 1GB")] = Field(
        "1GB", description="memory that one query may use"
    )
    threads: Count = Field(2, description="threads that one query may use")
    seconds: Seconds = Field(300, description="time that one query may take")


class Log(Section):
    """The run log."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level that is written")
