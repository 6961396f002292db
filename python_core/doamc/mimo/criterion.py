"""The likelihood of a sounded link and its derivatives.

Unknowns are x = [az_R (P), az_T (P), theta_R, theta_T] and the gains alpha^s; elevations (P) follow the azimuths of an
end that has them. White noise makes maximum likelihood a least-squares problem in y^s - Psi^s(x) alpha^s, linear in the
gains: they are eliminated (variable projection, [Golub-Pereyra]), and so is the noise power: S T log of what the
projector off Psi^s leaves of y^s.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import torch

from doamc.mimo.channel import Link, Rays
from doamc.mimo.sounding import Sounding

#: largest change in one step: of an angle in rad, of a coupling coefficient
STEP_RAD, STEP_COEFFICIENT = math.radians(3.0), 0.1


@dataclass(frozen=True)
class LinkModel:
    """Psi^s(x) and its derivatives for a link, beams and P paths."""

    link: Link
    sounding: Sounding
    n_paths: int

    @property
    def sizes(self) -> list[int]:
        """Sizes of the four parts of x: directions at both ends, couplings at both ends."""
        p, rx, tx = self.n_paths, self.link.rx, self.link.tx
        return [rx.n_angles * p, tx.n_angles * p, rx.n_parameters(p), tx.n_parameters(p)]

    @property
    def largest_steps(self) -> torch.Tensor:
        """Largest change of every entry of x in one step of a descent, (D,)."""
        angles = sum(self.sizes[:2])
        steps = torch.full((sum(self.sizes),), STEP_COEFFICIENT, dtype=torch.float64)
        steps[:angles] = STEP_RAD
        return steps

    @cached_property
    def precision(self) -> torch.Tensor:
        """Prior precision of x, (D,): that of a series over direction, else 0."""
        ends = [torch.zeros(sum(self.sizes[:2]), dtype=torch.float64)]
        ends += [end.deviation(self.n_paths) ** -2 for end in (self.link.rx, self.link.tx)]
        return torch.cat(ends)

    def pack(self, rays: Rays) -> torch.Tensor:
        """x (B, D) of the directions and couplings of some rays."""
        parts = [rays.azimuth_rx, rays.elevation_rx, rays.azimuth_tx, rays.elevation_tx]
        parts += [rays.theta_rx.flatten(-2), rays.theta_tx.flatten(-2)]
        return torch.cat([part for part in parts if part is not None], -1)

    def unpack(self, x: torch.Tensor, gains: torch.Tensor) -> Rays:
        """Rays of x (B, D) and gains (B, S, P)."""
        arrival, departure, rx, tx = x.split(self.sizes, -1)
        rows = [e.n_rows(self.n_paths) for e in (self.link.rx, self.link.tx)]
        (arrival, *rise), (departure, *fall) = (v.split(self.n_paths, -1) for v in (arrival, departure))
        return Rays(arrival, departure, gains, rx.unflatten(-1, (rows[0], -1)), tx.unflatten(-1, (rows[1], -1)),
                    rise[0] if rise else None, fall[0] if fall else None)  # fmt: skip

    def psi(self, x: torch.Tensor) -> torch.Tensor:
        """Psi^s of eq. (3), (B, S or 1, T, P)."""
        empty = x.new_zeros(len(x), 0, self.n_paths, dtype=torch.complex128)
        return self.sounding.psi(*self.link.responses(self.unpack(x, empty)))

    def derivatives(
        self,
        x: torch.Tensor,  # shape: (B, D)
        gains: torch.Tensor,  # shape: (B, S, P), complex
    ) -> torch.Tensor:
        """Derivatives of the mean Psi^s alpha^s by x, (B, S, T, D); linear in the gains."""
        rays, s = self.unpack(x, gains), self.sounding
        u, u_turn, u_theta = self.link.rx.derivatives(rays.azimuth_rx, rays.theta_rx, rays.elevation_rx)
        v, v_turn, v_theta = self.link.tx.derivatives(rays.azimuth_tx, rays.theta_tx, rays.elevation_tx)
        g, h = s.combined(u), s.beamed(v)
        k_rx, k_tx = u_theta.shape[-1], v_theta.shape[-1]
        g_theta = s.combined(u_theta.flatten(-2)).unflatten(-1, (-1, k_rx))
        h_theta = s.beamed(v_theta.flatten(-2)).unflatten(-1, (-1, k_tx))
        angles = self.link.rx.n_angles, self.link.tx.n_angles
        each = torch.cat(
            [s.combined(u_turn) * h.repeat(1, 1, 1, angles[0]), g.repeat(1, 1, 1, angles[1]) * s.beamed(v_turn)], -1
        )
        turns = each * gains.repeat(1, 1, sum(angles))[:, :, None]
        by_rx = torch.einsum("bstpk,bstp,bsp->bstk", g_theta, *self._over_subcarriers(h, gains))
        by_tx = torch.einsum("bstpk,bstp,bsp->bstk", h_theta, *self._over_subcarriers(g, gains))
        return torch.cat([turns, by_rx, by_tx], -1)

    @staticmethod
    def _over_subcarriers(beams: torch.Tensor, gains: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Beams repeated for every subcarrier of the gains, and the gains."""
        return beams.expand(-1, gains.shape[1], -1, -1), gains

    def concentrated(self, x: torch.Tensor, received: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Least-squares gains (B, S, P), residual (B, S, T) and orthonormal basis of Psi^s (B, S or 1, T, P)."""
        q, r = torch.linalg.qr(self.psi(x))
        inner = q.mH @ received[..., None]
        gains = torch.linalg.solve_triangular(r.expand(*inner.shape[:2], -1, -1), inner, upper=True)[..., 0]
        return gains, received - (q @ inner)[..., 0], q


@dataclass(frozen=True)
class LinkLikelihood:
    """Criterion for `fisher_scoring`: S T log of the residual power, gains and noise power eliminated.

    With the penalty of the normal prior where there is one.
    """

    model: LinkModel
    received: torch.Tensor

    def __call__(self, x: torch.Tensor, index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Value (B,), gradient (B, D) and Gauss-Newton curvature (B, D, D) at x (B, D)."""
        y = self.received[index]
        gains, residual, q = self.model.concentrated(x, y)
        size = y[0].numel()
        # without noise the residual goes to zero; what rounding leaves of it must not steer
        floor = 1e-24 * y.abs().square().sum((1, 2))
        power = residual.abs().square().sum((1, 2)) + floor
        jacobian = self.model.derivatives(x, gains)
        jacobian = jacobian - q @ (q.mH @ jacobian)
        scale = 2 * size / power
        gradient = -scale[:, None] * torch.einsum("bstd,bst->bd", jacobian.conj(), residual).real
        flat = jacobian.flatten(1, 2)
        value, curvature = size * power.log(), scale[:, None, None] * (flat.mH @ flat).real
        precision = self.model.precision
        if not precision.any():
            return value, gradient, curvature
        value = value + 0.5 * (precision * x.square()).sum(1)
        return value, gradient + precision * x, curvature + torch.diag(precision)
