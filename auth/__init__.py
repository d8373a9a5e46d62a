"""Who asks, what is granted to them, and what was decided."""
