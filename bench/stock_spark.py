"""Stock Spark: starts, counts once, writes one Parquet file.

Usage: ``python bench/stock_spark.py GOAL``.
"""

from __future__ import annotations

import sys

from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[*]").getOrCreate()
rows = spark.range(100)
rows.count()
rows.coalesce(1).write.parquet(sys.argv[1])
spark.stop()
