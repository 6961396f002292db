"""Source powers once directions and coupling are known, by least squares on the covariance."""

import numpy as np
import torch

from doamc.likelihood.backend import loops_for
from doamc.likelihood.estimator_loops import powers

LEAST_PART = 1e-13  #: of the square of a response that is more than rounding errors; less is a direction named twice


def source_powers(
    covariance: torch.Tensor,  # shape: (B, N, N)
    response: torch.Tensor,  # shape: (B, N, P), C A
    noise_power: torch.Tensor,  # shape: (B,)
) -> torch.Tensor:
    """Powers (B, P) = diagonal of V^+ (R - s2 I) V^+^H, at least a thousandth of the noise power each."""
    v, r, noise = (x.resolve_conj().cpu().numpy() for x in (response, covariance, noise_power))
    loops = loops_for(covariance.device)
    if loops is not None:
        return torch.from_numpy(powers(loops, r, v, noise))
    noise = noise[:, None]
    inverse = pseudo_inverse(v)
    conjugate = inverse.conj()
    received = ((inverse @ r) * conjugate).real.sum(2)
    power = np.maximum(received - noise * (inverse * conjugate).real.sum(2), 1e-3 * noise)
    return torch.from_numpy(power)


def pseudo_inverse(response: np.ndarray) -> np.ndarray:
    """V^+ (B, P, N) of V (B, N, P), by the eigenvectors of V^H V: P is small, and sources may share a direction."""
    adjoint = response.conj().swapaxes(1, 2)
    size, basis = np.linalg.eigh(adjoint @ response)
    seen = size > LEAST_PART * size[:, -1:]
    return (basis * (seen / np.where(seen, size, 1.0))[:, None]) @ basis.conj().swapaxes(1, 2) @ adjoint
