"""Whom Spark asks for Python workers on this machine: a process that has loaded what they need, and forks them.

Usage: ``python -m spark_jobs.daemon pyspark.worker``, as Spark says it (``spark.python.daemon.module``). Loading takes
seconds. Where a process was started ahead (``spark_jobs.ahead``), it is that one that serves, and this one that waits.
"""

from __future__ import annotations

from spark_jobs import ahead


def main() -> None:
    """Serves until Spark ends it."""
    if not ahead.hand_over():
        from spark_jobs import loaded  # only where no other process has

        loaded.serve()


if __name__ == "__main__":
    main()
