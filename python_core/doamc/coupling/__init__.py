"""Mutual coupling: matrix families, their parameters and their priors."""

from doamc.coupling.directional import DirectionalCoupling
from doamc.coupling.families import FAMILIES, CouplingFamily, make_family

__all__ = ["FAMILIES", "CouplingFamily", "DirectionalCoupling", "make_family"]
