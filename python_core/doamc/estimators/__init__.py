"""Estimators of directions and coupling, all behind one interface and listed by name."""

from doamc.estimators.base import DEFAULT_METHOD, METHODS, Estimator, estimator_class, make_estimator
from doamc.estimators.estimates import Estimates

__all__ = ["DEFAULT_METHOD", "METHODS", "Estimates", "Estimator", "estimator_class", "make_estimator"]
