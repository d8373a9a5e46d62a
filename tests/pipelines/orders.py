"""A feed of orders with faults, a correction and marts, taken the whole way: it comes to the same everywhere."""

from __future__ import annotations

from typing import Any

from tests.installation import Installation

ORDERS = """
kind = "records"
key = ["order_id"]
on_redrop = "upsert"
partition_by = "ordered_at"
rules = [{ name = "cheap", check = "total < 1000", message = "It costs much.", severity = "warn" }]
columns = [
    { name = "order_id", from = "Order ID", pattern = "o[0-9]+" },
    { name = "country", dimension = true, one_of = ["NL", "BE"] },
    { name = "ordered_at", type = "date", required = true },
    { name = "quantity", type = "int", min = 1 },
    { name = "price", type = "decimal(9,2)" },
    { name = "total", type = "decimal(12,2)", derive = "quantity * price" },
]
"""
HEADER = b"Order ID,country,ordered_at,quantity,price\n"
FIRST = HEADER + (
    b"o1,NL,2026-10-31,2,3.50\n"
    b"bad,XX,2026-11-01,0,1.00\n"
    b'o2,BE,2026-11-01,1,"2000.00"\n'
    b"\n"
    b"o1,NL,2026-11-02,1,1.00\n"
    b"short\n"
)
CORRECTED = HEADER + b"o1,BE,2026-11-03,4,3.50\n"
SALES = """
[[workflow]]
name = "sales"
after = ["orders"]
workers = 2
[[workflow.stages]]
[[workflow.stages.actions]]
name = "countries"
kind = "aggregate"
into = "mart_countries"
columns = { country = "string", orders = "long", amount = "decimal(14,2)" }
sql = '''SELECT c.country, count(*) AS orders, CAST(sum(f.total) AS DECIMAL(14,2)) AS amount
         FROM fact_orders AS f JOIN dim_country AS c USING (country_key) GROUP BY c.country'''
[[workflow.stages.actions]]
name = "months"
kind = "aggregate"
into = "mart_months"
mode = "replace_partitions"
partition_by = "of_month"
sql = "SELECT month(ordered_at) AS of_month, count(*) AS orders FROM fact_orders GROUP BY ALL"
[[workflow.stages]]
[[workflow.stages.actions]]
name = "shares"
kind = "python"
function = "demo_marts:shares"
reads = ["mart_countries"]
into = "mart_shares"
[[workflow.stages]]
[[workflow.stages.actions]]
name = "send"
kind = "deliver"
table = "mart_shares"
"""
MODULE = """
from pyspark.sql import functions as F

@F.udf("string")
def told(amount):
    return f"<{amount}>"

def shares(countries):
    return countries.select("country", told("amount").alias("told"))
"""


def take_orders(made: Installation, *luigi: str) -> dict[str, Any]:
    """Runs a client with a drop of orders, and again with one that corrects it; returns what came of it.

    Args:
        luigi: further arguments of the command.
    """
    made.add_feed("orders", ORDERS + SALES)
    modules = made.conf / "modules" / made.client
    modules.mkdir(parents=True)
    (modules / "demo_marts.py").write_text(MODULE)
    (modules / "demo_marts.py").chmod(0o644)
    for name, content in (("1.csv", FIRST), ("2.csv", CORRECTED)):
        made.upload(name, content, "orders")
        ran = made.luigi("RunClient", "--client", made.client, "--local-scheduler", *luigi)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    outbox = made.outbox.parent
    receipts = made.receipts("orders")
    sent = (outbox / "workflows").glob("*.csv")
    return {
        "digest": made.digest(),
        "receipts": [(one["name"], one["drop"], one["counts"], one["rules"], one["columns"]) for one in receipts],
        "rejects": [(outbox / "orders" / one["rejects"]).read_bytes() for one in receipts if one["rejects"]],
        "sent": sorted(file.read_bytes() for file in sent),
        "countries": made.rows("SELECT country, orders, amount FROM mart_countries ORDER BY country"),
        "months": made.rows("SELECT of_month, orders FROM mart_months ORDER BY of_month"),
    }


def check_orders(seen: dict[str, Any]) -> None:
    """The correction counts once, whatever else came of it."""
    counts = [counts for _, _, counts, _, _ in seen["receipts"]]
    assert [(one["lines"], one["ok"], one["quarantined"], one["duplicate"]) for one in counts] == [
        (5, 2, 2, 1),
        (1, 1, 0, 0),
    ]
    assert [tuple(row.values()) for row in seen["countries"]] == [("BE", 2, "2014.00")]
    assert [rejects.count(b"\n") for rejects in seen["rejects"]] == [3]
    assert seen["sent"] == [
        b"country,told\r\nBE,<2000.00>\r\nNL,<7.00>\r\n",
        b"country,told\r\nBE,<2014.00>\r\n",
    ]
