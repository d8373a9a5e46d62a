"""What Spark runs: DataFrame -> DataFrame functions, and what its Python workers do with batches. No Luigi here."""
