"""Scenes, and comparisons with them, for tests of several rooms; what one room alone needs lies beside its tests."""
