"""Mutual coupling: matrix families, their parameters and their priors."""

from doamc.coupling.directional import DirectionalCoupling
from doamc.coupling.drawn import DrawnFamily, load_drawn_family
from doamc.coupling.families import FAMILIES, CouplingFamily, make_family

__all__ = ["FAMILIES", "CouplingFamily", "DirectionalCoupling", "DrawnFamily", "load_drawn_family", "make_family"]
