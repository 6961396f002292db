"""Streams in: simulated arrays, recordings, receivers."""
