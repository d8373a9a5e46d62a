"""The star: what the lines of one drop become, table by table."""
