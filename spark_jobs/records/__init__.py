"""Validate of a feed of records: bytes -> typed, deduplicated records, and every other line with its faults."""

from spark_jobs.records.duplicates import Earlier
from spark_jobs.records.validate import Counts, validate_records

__all__ = ["Counts", "Earlier", "validate_records"]
