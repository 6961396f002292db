"""Bounds on what any estimator can do."""

from doamc.bounds.crb import CramerRao, cramer_rao, crb

__all__ = ["CramerRao", "cramer_rao", "crb"]
