"""The graph of a client: feeds, stages, tables, actions, and what leads from one to the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from auth.gate import authorize
from conf.actions import Deliver, reads
from conf.client import ClientConfig, load_client
from conf.settings import load_settings
from spark_jobs.star.daily import built_in
from spark_jobs.star.described import feed_tables, known_tables
from targets.catalog import Catalog, published_tables
from targets.lake import client_layout, open_lake

Kind = Literal["feed", "stage", "table", "action", "outbox"]

# What each stage reads.
_STAGES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "images": {
        "land": (),
        "validate": ("land",),
        "fetch": ("validate",),
        "transform": ("fetch",),
        "store": ("transform",),
        "load": ("validate", "fetch", "transform"),
        "publish": ("store", "load"),
    },
    "records": {"land": (), "validate": ("land",), "load": ("validate",), "publish": ("load",)},
}


@dataclass(frozen=True)
class Node:
    """One thing.

    Attributes:
        id: unique; kind and name.
        detail: what else there is to say; may be empty.
        group: the feed or workflow that a stage or action is of.
    """

    id: str
    kind: Kind
    name: str
    detail: str = ""
    group: str = ""


@dataclass
class Graph:
    """Nodes by id, in the order in which data passes, and edges along which it does."""

    client: str
    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)

    def add(self, kind: Kind, name: str, detail: str = "", group: str = "") -> str:
        """Adds a node, unless it is there; its id."""
        place = f"{kind}:{group}/{name}" if group else f"{kind}:{name}"
        self.nodes.setdefault(place, Node(place, kind, name, detail, group))
        return place

    def join(self, source: str, goal: str) -> None:
        if (source, goal) not in self.edges:
            self.edges.append((source, goal))

    def after(self, source: str) -> Iterator[Node]:
        """What a node leads to."""
        return (self.nodes[goal] for start, goal in self.edges if start == source)

    def before(self, goal: str) -> Iterator[Node]:
        """What leads to a node."""
        return (self.nodes[source] for source, end in self.edges if end == goal)

    def of_kind(self, kind: Kind) -> Iterator[Node]:
        return (node for node in self.nodes.values() if node.kind == kind)


def client_graph(client: str) -> Graph:
    """The graph of what the caller may query of the client.

    Raises:
        AccessDenied: the caller may not; nothing of the client's was read.
        NotFound: there is no such client.
    """
    permit = authorize(client, "query")
    settings = load_settings()
    config = load_client(client)
    feeds = {name: feed for name, feed in config.feeds.items() if permit.feeds is None or name in permit.feeds}
    fs, layout = open_lake(settings, client), client_layout(settings, client)
    catalog = published_tables(fs, layout, permit.feeds, known_tables(feeds))
    return graph(client, config.model_copy(update={"feeds": feeds}), catalog)


def graph(client: str, config: ClientConfig, catalog: Catalog) -> Graph:
    """The graph of feeds and workflows, and of what is published of them."""
    made = Graph(client)
    for name in config.feeds:
        _feed(made, name, config, catalog)
    for table, parts in catalog.parts.items():
        for part in parts:
            # A feed that is configured no more may have published tables all the same.
            if part.feed and part.feed not in config.feeds:
                made.join(made.add("feed", part.feed, "configured no more"), _table(made, table, catalog))
    for workflow in (*built_in(config.feeds), *config.workflow):
        for _, action in workflow.actions():
            read = sorted(reads(action, client))
            if not all(f"table:{table}" in made.nodes for table in read):
                continue  # of feeds that whoever asks may not see
            place = made.add("action", action.name, action.kind, workflow.name)
            for table in read:
                made.join(f"table:{table}", place)
            if isinstance(action, Deliver):
                made.join(place, made.add("outbox", f"{action.table}.{action.format}", "outbox", workflow.name))
            else:
                made.join(place, _table(made, action.into, catalog))
    return made


def _feed(made: Graph, name: str, config: ClientConfig, catalog: Catalog) -> None:
    feed = config.feeds[name]
    drops = {part.drop for parts in catalog.parts.values() for part in parts if part.feed == name}
    start = made.add("feed", name, f"{feed.kind}, {_counted(len(drops), 'published drop')}")
    for stage, inputs in _STAGES[feed.kind].items():
        place = made.add("stage", stage, group=name)
        for source in inputs or ("",):
            made.join(f"stage:{name}/{source}" if source else start, place)
    tables = dict.fromkeys(
        [*feed_tables(name, feed), *(table for table, its in catalog.parts.items() if any(p.feed == name for p in its))]
    )
    for table in tables:
        made.join(f"stage:{name}/load", _table(made, table, catalog))


def _table(made: Graph, table: str, catalog: Catalog) -> str:
    kind = catalog.tables[table].kind if table in catalog.tables else ""
    return made.add("table", table, f"{kind}, {_counted(len(catalog.parts.get(table, ())), 'part')}")


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
