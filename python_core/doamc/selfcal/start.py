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


def start_family(
    spec: ArraySpec, spread_db: float | None = None, channel_db: float = 0.0, channel_deg: float = 0.0
) -> DrawnFamily:
    """The start prior as a family of independent standard normal parameters.

    spread_db: expected power of D over that of C; None: `outside_db` of the family. A larger one learns faster from
    emitters that move; while they stand still it lets a circle of five elements, whose response differs from the model
    by 4 %, take that for a coupling which turns bearings by degrees. channel_db, channel_deg: standard deviations of
    each channel's gain and phase beyond what a symmetric C can say; on a line a slope of phases turns all bearings
    alike, and nothing that is received tells the two apart.
    """
    spread_db = spec.family.outside_db if spread_db is None else spread_db
    mean, patterns, projection = spec.family.moments()
    n = spec.n_elements
    centre = mean[:, :n]
    power = centre.abs().square().sum() + patterns[:, :, :n].abs().square().sum()
    parts = [patterns, pad(reciprocal_patterns(n, 10 ** (spread_db / 10) * float(power)), mean.shape[1])]
    if channel_db or channel_deg:
        gain = math.log(10) / 20 * channel_db, 1j * math.radians(channel_deg)
        own = [torch.diag_embed(g * torch.eye(n, dtype=torch.complex128)) @ mean for g in gain if g]
        parts += own
    return DrawnFamily(mean, principal(torch.cat(parts)), projection, name=f"{spec.name}, widened")


def reciprocal_patterns(n: int, power: float) -> torch.Tensor:
    """Independent patterns (K, N, N) of all symmetric matrices of trace 0, of a given expected total power."""
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
