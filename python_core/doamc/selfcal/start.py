"""What is believed of the coupling before anything is received: the array's own prior, widened to any reciprocal one.

    C = C_family + D,    D complex-symmetric, mean diagonal 0, entries normal

The array's family enters by its mean and covariance, a family drawn from antennas with all its blocks. D says that real
antennas leave a family (no two elements are alike; the ends of a line see other neighbours), and carries the gain and
phase of each channel on its diagonal. Optional gains of the channels behind the antennas, diag(g) C, break symmetry.
"""

import math

import torch

from doamc.coupling.drawn import DrawnFamily
from doamc.spec import ArraySpec

#: a broad spread learns faster from emitters that move; while they stand still it lets a circle of five elements, whose
#: response differs from the model by 4 %, take that for a coupling which turns bearings by degrees
SPREAD_DB, SPREAD_DRAWN_DB = -20.0, -25.0
MOMENT_DRAWS = 20000  #: draws of a family's prior that its mean and covariance are taken from


def start_family(
    spec: ArraySpec, spread_db: float | None = None, channel_db: float = 0.0, channel_deg: float = 0.0
) -> DrawnFamily:
    """The start prior as a family of independent standard normal parameters.

    spread_db: expected power of D over that of C; None: `SPREAD_DB` for a family of coefficients in ranges,
    `SPREAD_DRAWN_DB` for one drawn from antennas, which knows them better. channel_db, channel_deg: standard deviations
    of each channel's gain and phase beyond what a symmetric C can say; on a line a slope of phases turns all bearings
    alike, and nothing that is received tells the two apart.
    """
    if spread_db is None:
        spread_db = SPREAD_DRAWN_DB if spec.family.normal else SPREAD_DB
    mean, patterns, projection = family_moments(spec)
    n = spec.n_elements
    centre = mean[:, :n]
    power = centre.abs().square().sum() + patterns[:, :, :n].abs().square().sum()
    parts = [patterns, pad(reciprocal_patterns(n, 10 ** (spread_db / 10) * float(power)), mean.shape[1])]
    if channel_db or channel_deg:
        gain = math.log(10) / 20 * channel_db, 1j * math.radians(channel_deg)
        own = [torch.diag_embed(g * torch.eye(n, dtype=torch.complex128)) @ mean for g in gain if g]
        parts += own
    return DrawnFamily(mean, principal(torch.cat(parts)), projection, name=f"{spec.name}, widened")


def family_moments(spec: ArraySpec) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Mean (N, J N), patterns (K, N, J N) and projection (J N, N) of the array's own prior, taken as normal."""
    family = spec.family
    if isinstance(family, DrawnFamily):
        return family.mean, family.patterns, family.projection
    theta = family.draw((MOMENT_DRAWS,), torch.Generator().manual_seed(0))
    root = torch.linalg.cholesky(theta.T.cov() + 1e-12 * torch.eye(theta.shape[1], dtype=theta.dtype))
    patterns = torch.einsum("kj,knm->jnm", root.to(torch.complex128), family.basis)
    return family.matrix(theta.mean(0)), patterns, torch.eye(spec.n_elements, dtype=torch.complex128)


def reciprocal_patterns(n: int, power: float) -> torch.Tensor:
    """Independent patterns (K, N, N) of all symmetric matrices of trace 0, whose total power is expected."""
    out = []
    for i in range(n):
        for j in range(i + 1, n):
            e = torch.zeros(n, n, dtype=torch.complex128)
            e[i, j] = e[j, i] = 1
            out.append(e)
    for k in range(1, n):  # Helmert's contrasts: a decomposition would leave the choice of axes to the library
        diagonal = torch.zeros(n, dtype=torch.complex128)
        diagonal[:k], diagonal[k] = 1.0, -k
        out.append(torch.diag(diagonal / math.sqrt(k * (k + 1))))
    unit = torch.stack(out)
    unit = torch.cat([unit, 1j * unit])
    return unit * math.sqrt(power / float(unit.abs().square().sum()))


def pad(patterns: torch.Tensor, width: int) -> torch.Tensor:
    """Patterns (K, N, N) as the first block of (K, N, width)."""
    return torch.nn.functional.pad(patterns, (0, width - patterns.shape[2]))


def principal(patterns: torch.Tensor) -> torch.Tensor:
    """As many patterns as there are independent ones, with the same covariance of entries."""
    flat = torch.view_as_real(patterns.resolve_conj().contiguous()).flatten(1)
    _, size, axes = torch.linalg.svd(flat, full_matrices=False)
    kept = size > 1e-6 * size[0]
    rows = (size[:, None] * axes)[kept].unflatten(1, (*patterns.shape[1:], 2))
    return torch.view_as_complex(rows.contiguous())
