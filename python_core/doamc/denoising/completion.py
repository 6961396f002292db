"""Dead channels filled in by DDRM: an array with lost elements made whole, for methods that need the whole array.

H picks the live elements. The prior is Gaussian and learned from the batch itself: a sparse spectrum over
directions, fitted to the live elements by multiplicative expectation-maximisation (iterative SPICE and SBL lead to
the same kind of fix point), gives the covariance of all elements; DDRM ([Kawar]) then draws the clean snapshots of the
whole array. What comes back holds no more about the directions than the live elements do: the bound is theirs.
"""

import math
from collections.abc import Sequence

import torch

from doamc.arrays.steering import steering
from doamc.diffusion.denoiser import GaussianDenoiser
from doamc.diffusion.grid import log_snr_grid
from doamc.diffusion.guidance.ddrm import Ddrm
from doamc.diffusion.linear_operator import LinearOperator
from doamc.diffusion.samplers import SharedNoise, sample
from doamc.diffusion.schedule import VPSchedule
from doamc.errors import SamplerError
from doamc.spec import ArraySpec


def sparse_spectrum(
    covariance: torch.Tensor,  # shape: (B, M, M), of the live elements
    dictionary: torch.Tensor,  # shape: (M, G), their responses over a grid of directions
    noise_power: torch.Tensor,  # shape: (B,)
    iterations: int = 150,
) -> torch.Tensor:
    """Powers (B, G) that explain the covariance, with R = A diag(g) A^H + s2 I.

    g <- g sqrt(a^H R^-1 S R^-1 a / a^H R^-1 a): a fix point satisfies the likelihood equations of every power that is
    not zero; zeros are approached from above.
    """
    m, g = dictionary.shape
    # a^H Q a = Re sum_ij Q_ij a_i* a_j of all directions at once, and R's directions likewise: real matrix products
    outer = (dictionary.conj()[:, None] * dictionary[None]).flatten(0, 1)
    both = torch.cat([outer.real, -outer.imag])  # (2 M^2, G)
    noise = torch.diag_embed(noise_power[:, None].expand(-1, m))

    def forms(q: torch.Tensor) -> torch.Tensor:
        flat = q.flatten(1)
        return torch.cat([flat.real, flat.imag], 1) @ both

    power = covariance.diagonal(dim1=1, dim2=2).real.mean(1, keepdim=True).expand(-1, g) / g
    for _ in range(iterations):
        model = torch.complex(*(power @ both.mT).unflatten(1, (2, m, m)).unbind(1)) + noise
        inverse = torch.linalg.inv(model)
        power = power * (forms(inverse @ covariance @ inverse).clamp_min(0) / forms(inverse)).sqrt()
    return power


def complete_channels(
    snapshots: torch.Tensor,  # shape: (B, N, L), dead channels hold anything
    live: Sequence[int],
    spec: ArraySpec,
    noise_power: torch.Tensor,  # shape: (B,), per element
    coupling: torch.Tensor | None = None,  # shape: (N, N), of a calibrated array
    steps: int = 80,
    eta: float = 1.0,
    seed: int = 0,
    spacing_deg: float = 0.1,
) -> torch.Tensor:
    """Clean snapshots (B, N, L) of the whole array, drawn by DDRM given the live channels.

    One draw for each snapshot. eta is 1, not the published 0.85: a chain that keeps a part of its old noise closes in
    on a least-squares solution, which costs 2 % of accuracy at 20 dB. The noise of the chain is the item's own, so an
    item's result does not depend on its batch. Raises SamplerError when a live element does not exist or none is live.
    """
    n, length = snapshots.shape[1:]
    if n != spec.n_elements:
        raise SamplerError(f"array {spec.name} has {spec.n_elements} elements, found {n} channels")
    operator = LinearOperator.selection(n, live)
    margin = math.radians(4.0)  # sources at the edge of the sector lean on directions beyond it
    low, high = spec.sector_rad
    count = round((high - low + 2 * margin) / math.radians(spacing_deg)) + 1
    dictionary = steering(spec.positions, torch.linspace(low - margin, high + margin, count, dtype=torch.float64)[None])
    dictionary = dictionary[0].to(torch.complex128)
    dictionary = dictionary if coupling is None else coupling @ dictionary
    y = snapshots[:, list(live)].to(torch.complex128)
    power = sparse_spectrum(y @ y.mH / length, dictionary[list(live)], noise_power)
    prior = (dictionary * power[:, None].to(dictionary.dtype)) @ dictionary.mH
    result = torch.empty_like(snapshots, dtype=torch.complex128)
    for b in range(len(y)):
        # in units of the received power, so that one grid fits every level
        scale = float(y[b].abs().square().mean())
        denoiser = GaussianDenoiser(torch.zeros(n, dtype=torch.complex128), prior[b] / scale)
        chain = Ddrm(operator, y[b].mT / scale**0.5, float(noise_power[b]) / scale, eta)
        grid = log_snr_grid(VPSchedule(), steps, -8.0, 10.0)
        x = sample(denoiser, chain, grid, SharedNoise(seed, (length, n)), end="none")
        result[b] = scale**0.5 * x.mT
    return result
