"""``landfall lineage``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landfall.arguments import ClientOption, JsonOption


def lineage(
    client: ClientOption,
    svg: Annotated[
        Path | None,
        typer.Option("--svg", help="Draw it into this file instead.", dir_okay=False, show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show where a client's data comes from and goes to: feeds, stages, tables, actions of workflows, marts."""
    from landfall.lineage.drawing import svg as drawn
    from landfall.lineage.graph import client_graph
    from landfall.lineage.tree import tree
    from landfall.terminal import console, say, show_json
    from targets.faults import faults

    graph = client_graph(client)
    if svg is not None:
        with faults(svg):
            svg.write_text(drawn(graph), encoding="utf-8")
        say(f"Drawn into {svg}")
    elif as_json:
        nodes = [vars(node) for node in graph.nodes.values()]
        show_json({"client": client, "nodes": nodes, "edges": [list(edge) for edge in graph.edges]})
    else:
        console().print(tree(graph))
