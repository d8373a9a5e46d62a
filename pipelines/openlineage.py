"""OpenLineage events (https://openlineage.io/spec/2-0-2/OpenLineage.json): which run read and wrote which datasets.

A dataset is named by what it is, ``<client>/<feed>/<stage>`` or ``<client>/<table>``, so that a graph over all runs has
one node of it; which build it is, and where it lies, is in its facets.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from conf.feeds.values import family
from targets.dataset import Manifest

Kind = Literal["START", "COMPLETE", "FAIL"]
_SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_FACETS = "https://openlineage.io/spec/facets/"
_RUNS = uuid.UUID("9d1c1b8e-5f0e-5b7c-9c1f-0f6a3c2b7d41")  # runs have ids of their own; theirs are UUIDs
_MOST_OF_ERROR = 2000


@dataclass(frozen=True)
class Traffic:
    """What a task is, reads and writes.

    Attributes:
        job: its name, such as ``acme/orders/validate``.
        inputs: names of datasets, each with its version (empty: unknown).
        output: the name of what it writes; its tables, if it has any, are named beside it.
    """

    job: str
    inputs: Mapping[str, str]
    output: str


@dataclass(frozen=True)
class Told:
    """Events of one attempt of a task.

    Attributes:
        namespace: of jobs and datasets.
        producer: the URI of Landfall's version.
        run: id of the run of the client; ``attempt`` is this attempt's own.
    """

    namespace: str
    producer: str
    traffic: Traffic
    client: str
    run: str
    attempt: uuid.UUID

    def event(
        self, kind: Kind, when: datetime, manifest: Manifest | None = None, where: str = "", error: str = ""
    ) -> dict[str, Any]:
        """One event.

        Args:
            manifest: of what was made.
            where: the URI of it.
            error: why it was not.
        """
        facets: dict[str, Any] = {"parent": self._parent()}
        if error:
            facets["errorMessage"] = self._facet(
                "1-0-1/ErrorMessageRunFacet.json", message=error[:_MOST_OF_ERROR], programmingLanguage="PYTHON"
            )
        return {
            "eventType": kind,
            "eventTime": when.isoformat(),
            "producer": self.producer,
            "schemaURL": _SCHEMA,
            "run": {"runId": str(self.attempt), "facets": facets},
            "job": {"namespace": self.namespace, "name": self.traffic.job, "facets": {"jobType": self._job_type()}},
            "inputs": [self._dataset(name, version) for name, version in self.traffic.inputs.items()],
            "outputs": self._outputs(manifest, where) if kind != "FAIL" else [],
        }

    def _outputs(self, manifest: Manifest | None, where: str) -> list[dict[str, Any]]:
        if manifest is None:
            return [self._dataset(self.traffic.output, "")]
        whole = self._dataset(self.traffic.output, manifest.build)
        whole["facets"]["symlinks"] = self._facet(
            "1-0-1/SymlinksDatasetFacet.json",
            identifiers=[
                {"namespace": where.partition("//")[0].rstrip(":") or "file", "name": where, "type": "LOCATION"}
            ],
        )
        whole["outputFacets"] = {"outputStatistics": self._statistics(manifest.files)}
        return [whole, *(self._table(manifest, name, said) for name, said in manifest.tables.items())]

    def _table(self, manifest: Manifest, name: str, said: Mapping[str, Any]) -> dict[str, Any]:
        dataset = self._dataset(f"{self.client}/{name}", manifest.build)
        fields = [{"name": column, "type": family(kind)} for column, kind in said["columns"]]
        dataset["facets"]["schema"] = self._facet("1-1-1/SchemaDatasetFacet.json", fields=fields)
        its = {file: size for file, size in manifest.files.items() if file.startswith(f"{name}/")}
        dataset["outputFacets"] = {"outputStatistics": self._statistics(its)}
        return dataset

    def _dataset(self, name: str, version: str) -> dict[str, Any]:
        facets = {}
        if version:
            facets["version"] = self._facet("1-0-1/DatasetVersionDatasetFacet.json", datasetVersion=version)
        return {"namespace": self.namespace, "name": name, "facets": facets}

    def _statistics(self, files: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        size = sum(int(file["bytes"]) for file in files.values())
        return self._facet("1-0-2/OutputStatisticsOutputDatasetFacet.json", size=size, fileCount=len(files))

    def _parent(self) -> dict[str, Any]:
        run = {"runId": str(uuid.uuid5(_RUNS, f"{self.client}/{self.run}"))}
        job = {"namespace": self.namespace, "name": f"{self.client}/run"}
        return self._facet("1-1-0/ParentRunFacet.json", run=run, job=job)

    def _job_type(self) -> dict[str, Any]:
        return self._facet("2-0-3/JobTypeJobFacet.json", processingType="BATCH", integration="LANDFALL", jobType="TASK")

    def _facet(self, schema: str, **fields: Any) -> dict[str, Any]:
        return {"_producer": self.producer, "_schemaURL": f"{_FACETS}{schema}", **fields}
