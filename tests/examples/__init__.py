"""Writes the imports under examples/: each with its file and what has to become of it."""
