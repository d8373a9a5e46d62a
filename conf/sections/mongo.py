"""MongoDB, where ``images.url`` names it."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, Field

from conf.sections.kinds import Bytes, Number, Seconds, Section, place, shaped

_SCHEMES = ("mongodb", "mongodb+srv")
_URL = re.compile(r"mongodb(?:\+srv)?://(?P<servers>[^/?#]*)/?(?:\?(?P<options>[^#]*))?")
# What says where the servers are. All else could undo what the settings promise: TLS, credentials, write concern.
_OPTIONS = ("replicaSet", "directConnection", "loadBalanced", "srvServiceName", "srvMaxHosts", "compressors")
_FILE = shaped(r"(/.*)?", "the absolute path of a file, or empty")


def check_store(url: str) -> str:
    """A directory, or MongoDB's servers (mongodb.com/docs/manual/reference/connection-string)."""
    if not url.startswith("mongodb"):
        return str(place(*_SCHEMES).func(url))  # type: ignore[call-arg]
    found = _URL.fullmatch(url)
    if "@" in url.partition("?")[0]:
        raise ValueError("it must not hold a user or password: there are settings for their files")
    if found is None:
        raise ValueError("it must be mongodb:// and servers, such as mongodb://a.example:27017,b.example/?replicaSet=r")
    for server in found["servers"].split(","):
        _check_server(server)
    for name, _ in parse_qsl(found["options"] or "", keep_blank_values=True):
        if name not in _OPTIONS:
            raise ValueError(f"its option {name!r} is none of {', '.join(_OPTIONS)}; the rest is set in [mongo]")
    return url


def _check_server(server: str) -> None:
    try:
        parts = urlsplit(f"//{server}")
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"it is no URL: {error}") from None
    if not host or not re.fullmatch(r"[0-9A-Za-z_.:-]+", host):
        raise ValueError(f"it names {server!r}, which is no server, such as db.example:27017")


def _template(*needed: str, shape: str = r"[A-Za-z0-9_-]+", signs: str = "letters, digits, _ and -") -> AfterValidator:
    """A text in which ``{client}`` and the like stand for what is known later."""

    def check(text: str) -> str:
        bare = re.sub(r"\{(client|env|database)\}", "x", text)
        if not re.fullmatch(shape, bare) or any(text.count(name) != 1 for name in needed):
            holds = (
                f"it must hold {' and '.join(needed)} once, and besides" if needed else "besides {client} it may hold"
            )
            raise ValueError(f"{holds} {signs} only")
        return text

    return AfterValidator(check)


class Mongo(Section):
    """How MongoDB is reached. {client} and {env} stand for the client's id and the environment."""

    database: Annotated[str, _template("{client}", "{env}")] = Field(
        "landfall_{env}_{client}", description="name of a client's database"
    )
    user: Annotated[str, _template(shape=r"[!-z|~]*", signs="printable ASCII characters")] = Field(
        "", description="a client's database user, such as landfall_{client}; empty: none, which prod refuses"
    )
    password_file: Annotated[str, _FILE, _template(shape=r"[^{}]*", signs="a path")] = Field(
        "", description="the file (mode 0600) that holds the user's password, such as /etc/landfall/mongo/{client}"
    )
    auth_source: Annotated[str, _template()] = Field(
        "admin", description="the database that knows the user; {database} is the client's own"
    )
    tls: bool = Field(True, description="speak TLS, and check certificate and host name; false is refused in prod")
    ca_file: Annotated[str, _FILE] = Field(
        "", description="PEM file of the authorities that are trusted; empty: the system's"
    )
    connect_seconds: Seconds = Field(10, description="time for a connection, and to find a server that takes writes")
    answer_seconds: Seconds = Field(60, description="time for an answer, a majority's acknowledgement included")
    retry_seconds: Annotated[float, Number, Field(ge=0, allow_inf_nan=False)] = Field(
        120, description="how long servers that are away, or not primary, are waited for"
    )
    batch_bytes: Annotated[Bytes, Field(le=40 << 20)] = Field(
        8 << 20, description="pictures of one bulk (bytes of base64)"
    )
