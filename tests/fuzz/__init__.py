"""Broken and hostile input: what is drawn, what must come of it, and the program that tries it for an hour.

``python -m tests.fuzz`` runs every target (see `tests.fuzz.targets`); docs/robustness.md tells what it found.
"""
