"""Former place of `doamc.estimators.engine`; imports of it from here go on working."""

from doamc.estimators.engine import estimate_batch, open_estimator

__all__ = ["estimate_batch", "open_estimator"]
