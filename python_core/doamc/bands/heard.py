"""A signal as the array has heard it, for fits of one coupling over many."""

from dataclasses import dataclass, replace

import torch

from doamc.bands.model_error import counted
from doamc.selfcal.observation import Observation, at_level
from doamc.spec import ArraySpec


@dataclass(frozen=True)
class Heard:
    """One signal: the array at its wavelength, and what was observed.

    azimuth: (P,) rad, near which its sources are. coupling: (N, N), that it alone suggests. snr: of a source at one
    element, linear.
    """

    spec: ArraySpec
    observed: Observation
    azimuth: torch.Tensor
    coupling: torch.Tensor
    snr: float

    def under(self, error: float) -> "Heard":
        """The same, with as many snapshots as have the noise of what responses err by, and of the noise, together."""
        o = self.observed
        least = min(o.snapshots, 2.0 * o.covariance.shape[1])
        return replace(self, observed=replace(o, snapshots=max(least, counted(o.snapshots, self.snr, error))))


def heard(
    spec: ArraySpec, covariance: torch.Tensor, snapshots: float, azimuth: torch.Tensor, coupling: torch.Tensor
) -> Heard:
    """A signal of covariance (N, N), in the order of the elements, of so many snapshots; what it alone suggested."""
    values, p = torch.linalg.eigvalsh(covariance), len(azimuth)
    noise = values[:-p].mean()
    snr = float((values[-p:].mean() - noise) / noise) / len(values)
    return Heard(spec, at_level(covariance[None], snapshots, None, p), azimuth, coupling, max(snr, 1e-9))
