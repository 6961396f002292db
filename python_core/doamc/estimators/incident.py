"""Powers of what is incident, where elements have a pattern: estimators report what the elements receive."""

from doamc.estimators.estimates import Estimates
from doamc.spec import ArraySpec


def incident(spec: ArraySpec, estimates: Estimates) -> Estimates:
    """Estimates with the powers that isotropic elements would receive.

    For reports alone: responses of the model go with the powers that are received.
    """
    if spec.element is None:
        return estimates
    azimuth = estimates.azimuth
    elevation = None if estimates.elevation is None else estimates.elevation.to(azimuth.dtype)
    return estimates.having(power=estimates.power / spec.element.power(azimuth, elevation))
