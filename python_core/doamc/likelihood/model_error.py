"""How far the model is off, as the batch itself tells, and how far that moves the scene: errors marginalised.

No array is its model. The response of element n to source p is V_np (1 + e_np), and e, real parts before imaginary
ones, is eps T u: eps the size, T a kind of error (`error_kinds`), u standard normal. Around a scene x and e = 0 the log
likelihood is quadratic, with gradient (g_x, g_e) and Fisher information F. With A = F_xx + the prior's precision,

    J = A^-1 F_xe             an error e moves the best scene by -J e (implicit function theorem)
    S = F_ee - F_ex J         what the batch says of e whatever the scene is
    h = g_e - J^T g_x         its slope at e = 0, at the best scene

Given eps and T, u has precision I + eps^2 T^T S T and mean eps times its inverse times T^T h. In the eigenvectors Q of
T^T S T = Q diag(lambda) Q^T, with c = Q^T T^T h, the evidence of a size is

    log Z(eps) = 1/2 sum_i [eps^2 c_i^2 / (1 + eps^2 lambda_i) - log(1 + eps^2 lambda_i)]

c_i has variance lambda_i on the model and lambda_i + eps^2 lambda_i^2 off it: eps is found to be what explains the
misfit, or anything that would not be seen. The prior is uniform in log eps and over the kinds. A sample x of the
posterior without error becomes x - J e with e drawn from its own posterior: the marginal of the joint posterior of x
and e where that is normal, and without an error the posterior of x in whatever shape it has. Errors that a change of
the scene could explain are not seen (S is nil there); they have the size of those that are.

Derived here; the marginalisation is Laplace's ([Tierney-Kadane]), and errors of the response with a normal prior of
known size are those of [Viberg-Swindlehurst].
"""

import math
from dataclasses import dataclass

import torch

from doamc.likelihood.density import ExactPosterior
from doamc.likelihood.error_kinds import ERROR_KINDS
from doamc.likelihood.fisher import derivatives, response_information

NEPER_PER_DB = math.log(10) / 20  #: of a relative error
NEGLIGIBLE = 0.01  #: of a coordinate's variance: errors that add less are not drawn
UNIT_RIDGE = 1e-9  #: on the diagonal of a matrix scaled to one: round-off must not make it indefinite


@dataclass(frozen=True)
class Linearised:
    """The log likelihood around scenes without error of the response.

    x: (B, d) scenes, v: (B, N, P) their response. moves: (B, d, m), J, for m = 2 N P parts of e. curvature: (B, m, m),
    S. slope: (B, m), h. variance: (B, d), of the scene where e is known, the diagonal of A^-1. information: (B, d, d),
    F_xx. precision: (d,), of the prior.
    """

    x: torch.Tensor
    v: torch.Tensor
    moves: torch.Tensor
    curvature: torch.Tensor
    slope: torch.Tensor
    variance: torch.Tensor
    information: torch.Tensor
    precision: torch.Tensor

    def spread(
        self,
        ratio: torch.Tensor,  # shape: (B,), snapshots that there are over those that count
    ) -> torch.Tensor:
        """G (B, d, d) with G G^T the covariance of a scene of which fewer snapshots tell."""
        root, scale = _scaled_root(self.information / ratio[:, None, None] + torch.diag(self.precision))
        eye = torch.eye(root.shape[1], dtype=root.dtype, device=root.device)
        return torch.linalg.solve_triangular(root.mT, eye.expand_as(root), upper=True) * scale[..., None]


def linearise(posterior: ExactPosterior, x: torch.Tensor) -> Linearised:
    """The log likelihood around scenes x (B, d) of a posterior of B observations."""
    coordinates, d = posterior.coordinates, x.shape[1]
    v, slopes = (t[:, 0] for t in derivatives(posterior, x[:, :, None]))
    b, n, p = v.shape
    entry = torch.diag_embed(v.flatten(1)).unflatten(2, (n, p))  # (B, N P, N, P), by each part of e
    by_all = torch.cat([slopes, entry, 1j * entry], 1)[:, None]
    noise = posterior.noise_power(x[:, :, None]).expand(b, 1)
    gradient, f = (t[:, 0] for t in response_information(posterior, v[:, None], by_all, noise))
    if coordinates.unknown_noise:  # it comes last there, and among the coordinates here
        order = list(range(d - 1 + 2 * n * p))
        order.insert(coordinates.noise_place, len(order))
        gradient, f = gradient[:, order], f[:, order][:, :, order]
    precision, middle = _normal_prior(posterior)
    a, cross = f[:, :d, :d] + torch.diag(precision), f[:, :d, d:]
    root, scale = _scaled_root(a)
    moves = torch.cholesky_solve(cross * scale[..., None], root) * scale[..., None]
    curvature = f[:, d:, d:] - cross.mT @ moves
    own = gradient[:, :d] - torch.where(coordinates.wraps, 0.0, precision * (x - middle))
    slope = gradient[:, d:] - (moves.mT @ own[..., None])[..., 0]
    variance = torch.cholesky_inverse(root).diagonal(dim1=1, dim2=2) * scale.square()
    return Linearised(x, v, moves, 0.5 * (curvature + curvature.mT), slope, variance, f[:, :d, :d], precision)


def _scaled_root(a: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Lower root (B, d, d) of positive matrices scaled to a diagonal of one, and the scales (B, d)."""
    scale = a.diagonal(dim1=1, dim2=2).rsqrt()
    eye = torch.eye(a.shape[1], dtype=a.dtype, device=a.device)
    return torch.linalg.cholesky(a * scale[:, :, None] * scale[:, None] + UNIT_RIDGE * eye), scale


def _normal_prior(posterior: ExactPosterior) -> tuple[torch.Tensor, torch.Tensor]:
    """Precision and mean (d,) of a normal prior over the scene: where it is uniform, one as wide as its box."""
    coordinates = posterior.coordinates
    precision = posterior.constants.prior_precision.clone()
    precision[coordinates.normal] = 1.0
    return precision, 0.5 * (coordinates.low + coordinates.high)


class ModelError:
    """Posterior of size and kind of the model error of B observations, and of the error itself.

    log_size: (G,), natural logarithm of the sizes tried. weight: (B, kinds, G), their posterior probabilities.
    """

    def __init__(
        self,
        posterior: ExactPosterior,
        around: Linearised,
        sizes_db: torch.Tensor,  # shape: (G,), relative, ascending
    ) -> None:
        self.around, self.log_size = around, NEPER_PER_DB * sizes_db.to(around.x.device)
        square = (2 * self.log_size).exp()
        self._kinds, evidence = [], []
        for kind in ERROR_KINDS.values():
            t = kind(posterior, around.x, around.v)
            values, vectors = torch.linalg.eigh(t.mT @ around.curvature @ t)
            own = t @ vectors
            along = (own.mT @ around.slope[..., None])[..., 0]  # c, (B, k)
            values = values.clamp_min(0.0)
            seen = 1 + square[:, None] * values[:, None]  # (B, G, k)
            evidence.append(0.5 * (square[:, None] * along.square()[:, None] / seen - seen.log()).sum(2))
            self._kinds.append((around.moves @ own, values, along, vectors))
        log_weight = torch.stack(evidence, 1)
        self.weight = torch.softmax(log_weight.flatten(1), 1).view_as(log_weight)

    def size_db(self, share: float) -> torch.Tensor:
        """Quantile (B,) of the size, dB relative to the response."""
        total = self.weight.sum(1).cumsum(1)
        index = (total < share).sum(1).clamp_max(total.shape[1] - 1)
        return self.log_size[index] / NEPER_PER_DB

    def draws(
        self,
        comb: torch.Tensor,  # shape: (n,), ascending in (0, 1)
        normal: torch.Tensor,  # shape: (m, n)
    ) -> torch.Tensor:
        """Draws of -J e, (B, d, n), ordered by kind and size; negligible ones are zero."""
        weight, sizes = self.weight.flatten(1), len(self.log_size)
        index = torch.searchsorted(weight.cumsum(1), comb.expand(len(weight), -1).contiguous())
        index = index.clamp_max(weight.shape[1] - 1)
        square = (2 * self.log_size).exp()
        out = self.around.x.new_zeros(*self.around.x.shape, len(comb))
        for i, (moves, values, along, vectors) in enumerate(self._kinds):
            share = (moves.square().sum(2) / self.around.variance).amax(1)  # of the scene's variance, for eps = 1
            least = (share[:, None] * square < NEGLIGIBLE).sum(1, keepdim=True) + i * sizes
            first, last = torch.searchsorted(index, torch.cat([least, torch.full_like(least, (i + 1) * sizes)], 1)).T
            count = int((last - first).max())
            if count <= 0:
                continue
            place = first[:, None] + torch.arange(count, device=first.device)
            drawn = place < last[:, None]
            place = place.clamp_max(len(comb) - 1)
            size = (square[(index.gather(1, place) - i * sizes).clamp(0, sizes - 1)] * drawn)[:, None]  # (B, 1, n')
            left = size / (1 + values[..., None] * size)  # (B, k, n'), variances of eps Q^T u
            # in the axes of T: those of Q are arbitrary where eigenvalues are equal, so that round-off chose the draws
            own = (vectors.mT @ normal[: left.shape[1]]).gather(2, place[:, None].expand(-1, left.shape[1], -1))
            u = left * along[..., None] + left.sqrt() * own
            out.scatter_add_(2, place[:, None].expand(-1, out.shape[1], -1), -moves @ u)
        return out
