"""The Luigi tasks. ``luigi --module pipelines RunClient --client acme``, or ``RunAll`` for every client."""

import atexit
import gc
import sys

from pipelines import luigi_sentences, luigi_settings

luigi_settings.apply()
luigi_sentences.apply()


def _leave_garbage() -> None:
    """Looks for none among what is there by now. DuckDB would tell the terminal what is left of it at the end."""
    if "duckdb" not in sys.modules:
        gc.freeze()


# What is imported stays: to look through it for garbage takes a tenth of its time, and a quarter second at the end.
gc.disable()
atexit.register(_leave_garbage)

from pipelines.action import Action  # noqa: E402  # Luigi's settings come before the first task is made
from pipelines.fetch import Fetch  # noqa: E402
from pipelines.land import Land  # noqa: E402
from pipelines.load import Load  # noqa: E402
from pipelines.load_records import LoadRecords  # noqa: E402
from pipelines.publish import Publish  # noqa: E402
from pipelines.publish_in_order import PublishInOrder  # noqa: E402
from pipelines.run_all import RunAll  # noqa: E402
from pipelines.run_client import RunClient  # noqa: E402
from pipelines.run_workflow import RunWorkflow  # noqa: E402
from pipelines.store import Store  # noqa: E402
from pipelines.transform import Transform  # noqa: E402
from pipelines.validate import Validate  # noqa: E402
from pipelines.validate_records import ValidateRecords  # noqa: E402

_leave_garbage()
gc.enable()

__all__ = [
    "Action",
    "Fetch",
    "Land",
    "Load",
    "LoadRecords",
    "Publish",
    "PublishInOrder",
    "RunAll",
    "RunClient",
    "RunWorkflow",
    "Store",
    "Transform",
    "Validate",
    "ValidateRecords",
]
