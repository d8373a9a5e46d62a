"""A graph as a drawing (SVG 1.1): data passes from left to right, one layer after the other."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import NamedTuple

from landfall.lineage.graph import Graph, Kind, Node

_HEIGHT, _GAP, _BETWEEN, _EDGE = 34, 14, 70, 20
_CHARACTER = 7.2  # width of one at 12 pixels
_FILLS: Mapping[Kind, str] = {
    "feed": "#dbeafe",
    "stage": "#f3f4f6",
    "table": "#dcfce7",
    "action": "#fef3c7",
    "outbox": "#fce7f3",
}
_STYLE = "text{font:12px monospace;fill:#111}.d{font-size:9px;fill:#555}path{fill:none;stroke:#888}rect{stroke:#888}"


class _Box(NamedTuple):
    x: float
    y: float
    width: float


def svg(graph: Graph) -> str:
    """The drawing. A node's layer is one behind the last of what leads to it."""
    boxes, width, height = _placed(graph)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
        f"<title>Lineage of {escape(graph.client)}</title><style>{_STYLE}</style>",
        *(_edge(boxes[source], boxes[goal]) for source, goal in graph.edges),
        *(_node(node, boxes[node.id]) for node in graph.nodes.values()),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def layers(graph: Graph) -> list[list[str]]:
    """Ids by layer; in a layer, each near the middle of what leads to it. A circle is cut where it was entered."""
    depth: dict[str, int] = {}

    def measure(place: str, above: frozenset[str]) -> int:
        if place not in depth:
            its = [node.id for node in graph.before(place) if node.id not in above]
            depth[place] = 1 + max((measure(one, above | {place}) for one in its), default=-1)
        return depth[place]

    for place in graph.nodes:
        measure(place, frozenset())
    rows: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    at: dict[str, float] = {}
    for number, row in enumerate(rows):
        here = [place for place in graph.nodes if depth[place] == number]
        here.sort(key=lambda place: _middle([at[one.id] for one in graph.before(place) if one.id in at]))
        row.extend(here)
        at |= {place: order / max(len(here) - 1, 1) for order, place in enumerate(here)}
    return rows


def _middle(places: list[float]) -> float:
    return sum(places) / len(places) if places else 0.5


def _placed(graph: Graph) -> tuple[dict[str, _Box], float, float]:
    boxes: dict[str, _Box] = {}
    rows = layers(graph)
    tallest = max((len(row) for row in rows), default=0)
    height = 2 * _EDGE + tallest * (_HEIGHT + _GAP)
    x = float(_EDGE)
    for row in rows:
        width = max(_width(graph.nodes[place]) for place in row)
        y = _EDGE + (tallest - len(row)) * (_HEIGHT + _GAP) / 2
        for place in row:
            boxes[place] = _Box(x, y, width)
            y += _HEIGHT + _GAP
        x += width + _BETWEEN
    return boxes, max(x - _BETWEEN, 0) + _EDGE, height


def _width(node: Node) -> float:
    return max(len(node.name) * _CHARACTER, len(node.detail) * _CHARACTER * 0.75) + 20


def _node(node: Node, box: _Box) -> str:
    lines = [
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{_HEIGHT}" rx="5" '
        f'fill="{_FILLS[node.kind]}"/>',
        f'<text x="{box.x + 10:.1f}" y="{box.y + 15:.1f}">{escape(node.name)}</text>',
    ]
    detail = node.detail or node.group
    if detail:
        lines.append(f'<text class="d" x="{box.x + 10:.1f}" y="{box.y + 28:.1f}">{escape(detail)}</text>')
    return f"<g>{''.join(lines)}</g>"


def _edge(source: _Box, goal: _Box) -> str:
    x, y = source.x + source.width, source.y + _HEIGHT / 2
    end_x, end_y = goal.x, goal.y + _HEIGHT / 2
    bend = max(abs(end_x - x) / 2, 20)
    return f'<path d="M{x:.1f},{y:.1f}C{x + bend:.1f},{y:.1f} {end_x - bend:.1f},{end_y:.1f} {end_x:.1f},{end_y:.1f}"/>'
