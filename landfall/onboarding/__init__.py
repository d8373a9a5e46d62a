"""A client made by one command: its file, proposed from a sample where there is one, its places, its grant."""
