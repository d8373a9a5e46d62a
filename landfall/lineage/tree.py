"""A graph as a tree of text: each feed with its stages and tables, each workflow with its actions and marts."""

from __future__ import annotations

from rich.tree import Tree

from landfall.lineage.graph import Graph, Node
from landfall.terminal import said


def tree(graph: Graph) -> Tree:
    """The tree, for a console."""
    root = Tree(said(graph.client, "bold"))
    for feed in graph.of_kind("feed"):
        branch = root.add(said(_told(feed)))
        stages = [node for node in graph.of_kind("stage") if node.group == feed.name]
        tables = list(graph.after(f"stage:{feed.name}/load")) if stages else list(graph.after(feed.id))
        if stages:
            branch = branch.add(said(" → ".join(stage.name for stage in stages)))
        for table in tables:
            if table.kind == "table":
                branch.add(said(_told(table)))
    workflows = dict.fromkeys(node.group for node in graph.of_kind("action"))
    for workflow in workflows:
        branch = root.add(said(f"workflow {workflow}"))
        for action in (node for node in graph.of_kind("action") if node.group == workflow):
            reads = ", ".join(node.name for node in graph.before(action.id))
            leaf = branch.add(said(f"{_told(action)} ← {reads}"))
            for table in graph.after(action.id):
                leaf.add(said(_told(table)))
    return root


def _told(node: Node) -> str:
    return f"{node.name} ({node.detail})" if node.detail else node.name
