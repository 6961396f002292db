"""Mutual coupling: matrix families, their parameters and their priors. Empty, since interpolation needs no torch."""
