"""Chains with their random tables, resampling, and the samples that come of them."""
