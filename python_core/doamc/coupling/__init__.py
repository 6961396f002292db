"""Mutual coupling: matrix families, their parameters and their priors."""

from doamc.coupling.coefficients import CoefficientFamily
from doamc.coupling.directional import DirectionalCoupling
from doamc.coupling.drawn import DrawnFamily
from doamc.coupling.drawn_file import load_drawn_family
from doamc.coupling.families import FAMILIES, make_family
from doamc.coupling.family import CouplingFamily

__all__ = [
    "FAMILIES",
    "CoefficientFamily",
    "CouplingFamily",
    "DirectionalCoupling",
    "DrawnFamily",
    "load_drawn_family",
    "make_family",
]
