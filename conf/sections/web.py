"""How pictures are fetched."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from conf.hosts import pattern
from conf.sections.kinds import Bytes, Count, Number, Port, Seconds, Section, shaped


def _address(text: str) -> str:
    found = pattern(text)
    try:
        ip_address(found.host)
    except ValueError:
        raise ValueError("it must be an address, not a name, such as 127.0.0.1:8200") from None
    if found.port is None:
        raise ValueError("it must name a port, or * for all, such as 127.0.0.1:8200")
    return str(found)


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
    user_agent: Annotated[str, shaped(r"[!-~][ -~]{0,199}", "1 to 200 printable ASCII characters")] = Field(
        "Landfall", description="how we name ourselves to sources"
    )

    @field_validator("buffer_bytes")
    @classmethod
    def _holds_one_answer(cls, value: int, info: ValidationInfo) -> int:
        largest = info.data.get("max_bytes", 0)
        if value < largest:
            raise ValueError(f"it must be at least web.max_bytes ({largest}), or the largest answer never fits")
        return value
