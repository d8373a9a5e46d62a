"""The way back from rows of a table: what made them, of which drops, of which lines of the client's files."""

from landfall.tracing.trace import DropSeen, Line, Made, Trace, trace

__all__ = ["DropSeen", "Line", "Made", "Trace", "trace"]
