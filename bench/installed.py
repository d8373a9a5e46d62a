"""Installations with a feed of records, as an operator has them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.pictures import prepare
from landfall.onboarding import toml
from tests.installation import Installation

FEED = "orders"
_NO_WEB = 9  # the discard port: nothing is fetched


def installed(root: Path, feed: Mapping[str, Any]) -> Installation:
    """A client with this feed of orders, with the settings that come with Landfall."""
    installation = prepare(root, _NO_WEB)
    plain = {name: given for name, given in feed.items() if name not in ("columns", "rules")}
    tables = [toml.table("", plain)]
    for name in ("columns", "rules"):
        tables += [toml.table(f"[[feeds.{FEED}.{name}]]", one) for one in feed.get(name, ())]
    installation.add_feed(FEED, toml.text(tables))
    return installation


def incoming(installation: Installation, name: str) -> Path:
    """Where a client's file of orders goes; it is complete once it has a name without a dot in front."""
    return installation.incoming.parent / FEED / name


def counts(installation: Installation) -> list[Mapping[str, int]]:
    """What the client was answered, by the names of its files; SystemExit unless all lines are accounted for."""
    found = sorted(installation.receipts(FEED), key=lambda one: str(one["name"]))
    for receipt in found:
        its = receipt["counts"]
        if receipt["status"] != "published" or its["lines"] != its["ok"] + its["quarantined"] + its["duplicate"]:
            raise SystemExit(f"Landfall answered {receipt}")
    return [receipt["counts"] for receipt in found]
