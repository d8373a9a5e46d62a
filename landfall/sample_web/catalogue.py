"""A catalogue to try everything with: URLs of the sample web, with every kind of fault mixed in by a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import NamedTuple

from yarl import URL


class Line(NamedTuple):
    """A line of a catalogue.

    Attributes:
        content: the line without its end; not always UTF-8, never with a line end in it.
        rule: the code that its outcome is to carry.
    """

    content: bytes
    rule: str


class _Chance:
    """Draws the parts of a line; no two lines drawn are alike."""

    def __init__(self, base_url: str, seed: int) -> None:
        self.base = base_url.rstrip("/")
        self.random = random.Random(seed)  # noqa: S311 (a seeded mixture, no secret)
        self._drawn = 0

    def url(self, query: str = "") -> str:
        """A picture of a small size; ``random`` tells it from all others, as users of picsum do."""
        width, height = self.random.randrange(40, 121), self.random.randrange(40, 121)
        self._drawn += 1
        way = self.random.choice(("", "", "", f"/id/{self.random.randrange(1000)}", f"/seed/s{self._drawn}"))
        return f"{self.base}{way}/{width}/{height}?random={self._drawn}{query and '&'}{query}"

    def path(self, path: str) -> str:
        self._drawn += 1
        return f"{self.base}{path}?random={self._drawn}"


Kind = tuple[str, Callable[[_Chance], str | bytes]]


def _fault(name: str, rule: str) -> Kind:
    return rule, lambda chance: chance.url(f"fault={name}")


def _format(name: str, rule: str = "ok") -> Kind:
    return rule, lambda chance: chance.url(f"format={name}")


def _credentials(chance: _Chance) -> str:
    return str(URL(chance.url()).with_user("user").with_password("secret"))


def _shouted(chance: _Chance) -> str:
    scheme, rest = chance.url().split(":", 1)
    return f"{scheme.upper()}:{rest}#top"


KINDS: dict[str, Kind] = {
    # what becomes a picture all the same
    **{name: _format(name) for name in ("png", "webp", "gif", "tiff", "bmp")},
    **{name: _format(name) for name in ("cmyk", "png16", "alpha", "palette", "exif")},
    "grayscale": ("ok", lambda chance: chance.url("grayscale")),
    "blur": ("ok", lambda chance: chance.url("blur=2")),
    "spaces": ("ok", lambda chance: f"  {chance.url()}\t"),
    "shouted": ("ok", _shouted),
    "429": _fault("429", "ok"),
    "flaky": _fault("flaky", "ok"),
    # what the line itself lacks
    "encoding": ("line.encoding", lambda chance: chance.url("name=").encode() + b"caf\xe9"),
    "nul": ("line.nul", lambda chance: chance.url("name=") + "a\0b"),
    "too_long": ("line.too_long", lambda chance: chance.url("name=") + "x" * (64 << 10)),
    "malformed": ("url.malformed", lambda chance: f"http://[::1/{chance.random.randrange(999)}/300"),
    "scheme": ("url.scheme", lambda chance: "ftp" + chance.url().removeprefix(URL(chance.base).scheme)),
    "credentials": ("url.credentials", _credentials),
    "host": ("url.host_not_allowed", lambda chance: str(URL(chance.url()).with_host("elsewhere.example"))),
    "no_size": ("url.no_size", lambda chance: chance.path("/about")),
    "size": ("url.size_out_of_range", lambda chance: chance.path(chance.random.choice(("/0/300", "/300/99999")))),
    # what the source does
    "404": _fault("404", "fetch.status"),
    "410": _fault("410", "fetch.status"),
    "loop": _fault("loop", "fetch.redirects"),
    "far": _fault("far", "fetch.redirects"),
    "redirect": _fault("redirect", "fetch.redirects"),
    "private": _fault("private", "fetch.blocked_address"),
    "large": _fault("large", "fetch.too_large"),
    "gzipbomb": _fault("gzipbomb", "fetch.too_large"),
    "protocol": _fault("protocol", "fetch.protocol"),
    "500": _fault("500", "fetch.unavailable"),
    "503": _fault("503", "fetch.unavailable"),
    "cut": _fault("cut", "fetch.connection"),
    "reset": _fault("reset", "fetch.connection"),
    # what the picture is
    "damaged": _fault("damaged", "image.corrupt"),
    "truncated": _fault("truncated", "image.truncated"),
    "wrongsize": _fault("wrongsize", "image.wrong_size"),
    "html": _fault("html", "image.not_an_image"),
    "empty": _fault("empty", "image.empty"),
    "pixels": _fault("pixels", "image.too_many_pixels"),
    "ico": _format("ico", "image.format"),
}
DUPLICATE = "duplicate"
PASSING = frozenset({"500", "503", "cut", "reset"})  # hold a drop when they are many: a small share by default


def shares() -> dict[str, float]:
    """The share of each kind when nothing is asked for: a third of the lines in all, passing failures below 1%."""
    given = dict.fromkeys(KINDS, 0.007) | dict.fromkeys(PASSING, 0.0015)
    return {**given, "large": 0.002, "gzipbomb": 0.001, "too_long": 0.001, DUPLICATE: 0.03}


def catalogue(base_url: str, lines: int, seed: int = 0, faults: Mapping[str, float] | None = None) -> list[Line]:
    """The lines of a text catalogue, and what is to become of each under a feed as the demo's.

    Args:
        base_url: of a SampleWeb, such as ``http://127.0.0.1:8200``.
        lines: how many.
        seed: of the mixture.
        faults: share of each kind (KINDS, and "duplicate"), 0 to 1; the rest are plain pictures. A share above 0 gives
            one line at least, except that of a passing failure when none is given. ValueError for an unknown kind.
    """
    wanted = shares() if faults is None else dict(faults)
    if unknown := wanted.keys() - KINDS.keys() - {DUPLICATE}:
        raise ValueError(f"there is no kind {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}, {DUPLICATE}")
    chance = _Chance(base_url, seed)
    twice = min(_count(wanted.pop(DUPLICATE, 0), lines, 1), lines // 2)
    made: list[Line] = []
    for kind, share in wanted.items():
        rule, make = KINDS[kind]
        for _ in range(_count(share, lines, 0 if faults is None and kind in PASSING else 1)):
            content = make(chance)
            made.append(Line(content.encode() if isinstance(content, str) else content, rule))
    made = made[: max(0, lines - 2 * twice)]
    plain = [Line(chance.url().encode(), "ok") for _ in range(lines - twice - len(made))]
    mixed = made + plain
    chance.random.shuffle(mixed)
    return _with_duplicates(mixed, twice, {line.content for line in plain}, chance.random)


def _count(share: float, lines: int, least: int) -> int:
    return max(least, round(share * lines)) if share > 0 else 0


def _with_duplicates(lines: list[Line], count: int, plain: set[bytes], chance: random.Random) -> list[Line]:
    """Repeats some plain lines further down; the first stays what it was."""
    at = [place for place, line in enumerate(lines) if line.content in plain]
    after: dict[int, list[Line]] = {}
    for place in chance.choices(at, k=count) if at else ():
        again = lines[place].content + chance.choice((b"", b"#again", b" "))
        after.setdefault(chance.randrange(place, len(lines)), []).append(Line(again, "duplicate.in_drop"))
    return [each for place, line in enumerate(lines) for each in (line, *after.get(place, ()))]
