"""What Publish is told by each kind of drop."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.fetch import Fetch
from pipelines.load import Load, star_inputs
from pipelines.load_records import LoadRecords, record_inputs
from pipelines.stage import Stage
from pipelines.store import Store
from pipelines.transform import Transform
from pipelines.validate import Validate
from pipelines.validate_records import ValidateRecords
from spark_jobs import receipt
from spark_jobs.index import Index
from spark_jobs.proof import Ledger, ledger_of_images, ledger_of_records
from spark_jobs.rejected import Rejected, header_of
from spark_jobs.schemas import PROFILE
from spark_jobs.star.described import fact_name, line_name, line_table
from spark_jobs.star.reading import spark_schema


@dataclass(frozen=True)
class Answering:
    """What the proof is made from, and what its client is answered.

    Attributes:
        ledger: what is said of every line.
        rejected: the quarantined lines.
        counts, details: what the receipt says of a drop of this kind besides.
    """

    ledger: Ledger
    rejected: Rejected
    counts: Mapping[str, int]
    details: Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """A kind of drop.

    Attributes:
        stages: those between Land and Publish.
        answering: of the publish stage of such a drop.
        at_once: those of the stages that nothing but what comes before all of them keeps waiting.
    """

    stages: tuple[type[Stage], ...]
    answering: Callable[[Stage, Index], Answering]
    at_once: tuple[type[Stage], ...] = ()


def _of_images(publish: Stage, index: Index) -> Answering:
    inputs, load = star_inputs(publish), publish.inputs["load"].dataset
    return Answering(
        ledger=ledger_of_images(inputs, load.table("fact_image_request")),
        rejected=Rejected.of_images(inputs, len(index.entries) > 1, header_of(index)),
        counts={"images": load.manifest().counts["images"]},
        details={},
    )


def _of_records(publish: Stage, index: Index) -> Answering:
    inputs, load = record_inputs(publish), publish.inputs["load"].dataset
    fact, lines = (load.table(name(publish.feed)) for name in (fact_name, line_name))
    validated = publish.inputs["validate"].dataset
    profile = json.loads(validated.fs.read(f"{validated.path}/{PROFILE}"))
    told = publish.spark().read.schema(spark_schema(line_table(publish.feed).columns)).parquet(load.fs.uri(lines))
    return Answering(
        ledger=ledger_of_records(inputs, fact, lines),
        rejected=Rejected.of_records(inputs, len(index.entries) > 1, header_of(index)),
        counts={"warned": load.manifest().counts["warned"]},
        details={**receipt.of_records(told), "drift": profile["drift"]},
    )


KINDS = {
    "images": Kind((Validate, Fetch, Transform, Store, Load), _of_images, at_once=(Store, Load)),
    "records": Kind((ValidateRecords, LoadRecords), _of_records),
}
