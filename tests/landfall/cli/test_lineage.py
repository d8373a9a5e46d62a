from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfall.lineage.drawing import layers, svg
from landfall.lineage.graph import Graph
from tests.landfall.cli.conftest import Ended

Call = Callable[..., Ended]
ORDERS = """
[feeds.orders]
kind = "records"
[[feeds.orders.columns]]
name = "id"
[[feeds.orders.columns]]
name = "country"
dimension = true
"""
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def _orders(house: Path) -> None:
    file = house / "conf/clients/demo.toml"
    file.write_text(file.read_text() + ORDERS)


def graph(landfall: Call, user: str = "vera") -> tuple[set[str], set[tuple[str, str]]]:
    ended = landfall("lineage", "--client", "demo", "--json", user=user)
    assert ended.code == 0, ended.err
    said: dict[str, Any] = json.loads(ended.out)
    return {node["id"] for node in said["nodes"]}, {(source, goal) for source, goal in said["edges"]}


def test_feeds_lead_by_their_stages_to_their_tables(landfall: Call) -> None:
    nodes, edges = graph(landfall)
    assert {"feed:photos", "feed:scans", "feed:orders", "table:fact_orders", "table:dim_country"} <= nodes
    for edge in (
        ("feed:orders", "stage:orders/land"),
        ("stage:orders/land", "stage:orders/validate"),
        ("stage:orders/validate", "stage:orders/load"),
        ("stage:orders/load", "table:fact_orders"),
        ("stage:orders/load", "table:dim_date"),
        ("stage:photos/fetch", "stage:photos/transform"),
        ("stage:photos/load", "table:fact_image_request"),
        ("stage:scans/load", "table:fact_image_request"),
    ):
        assert edge in edges
    assert "stage:orders/fetch" not in nodes
    assert all(source in nodes and goal in nodes for source, goal in edges)


def test_a_tree_of_text(landfall: Call) -> None:
    ended = landfall("lineage", "--client", "demo")
    assert ended.code == 0, ended.err
    assert "orders (records, 0 published drops)" in ended.out
    assert "land → validate → load → publish" in ended.out
    assert "fact_orders (fact, 0 parts)" in ended.out


def test_a_drawing(landfall: Call, house: Path) -> None:
    ended = landfall("lineage", "--client", "demo", "--svg", house / "a.svg")
    assert ended.code == 0, ended.err
    drawn = ET.parse(house / "a.svg").getroot()  # our own
    nodes, edges = graph(landfall)
    assert drawn.tag == f"{SVG}svg"
    assert len(list(drawn.iter(f"{SVG}rect"))) == len(nodes)
    assert len(list(drawn.iter(f"{SVG}path"))) == len(edges)
    assert "fact_orders" in {text.text for text in drawn.iter(f"{SVG}text")}
    assert landfall("lineage", "--client", "demo", "--svg", house / "no" / "a.svg").code == 74


def test_nobody_sees_what_they_may_not(landfall: Call) -> None:
    assert landfall("lineage", "--client", "demo", user="eve").code == 77
    nodes, _ = graph(landfall, user="sam")
    assert {node for node in nodes if node.startswith("feed:")} == {"feed:scans"}
    assert "table:fact_orders" not in nodes


@given(edges=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=40))
def test_data_passes_from_left_to_right(edges: list[tuple[int, int]]) -> None:
    made = Graph("demo")
    for source, goal in edges:
        if source < goal:
            made.join(made.add("table", f"t{source}"), made.add("table", f"t{goal}"))
    rows = layers(made)
    at = {place: number for number, row in enumerate(rows) for place in row}
    assert sorted(at) == sorted(made.nodes)
    assert all(at[source] < at[goal] for source, goal in made.edges)
    ET.fromstring(svg(made))


def test_a_circle_and_a_name_with_signs_are_drawn() -> None:
    made = Graph("<&>")
    one, other = made.add("table", 'a<b"'), made.add("action", "c&d", "<x>", "w")
    made.join(one, other)
    made.join(other, one)
    drawn = ET.fromstring(svg(made))
    assert {text.text for text in drawn.iter(f"{SVG}text")} == {'a<b"', "c&d", "<x>"}
