"""One end of a link: an array whose coupling may depend on direction, and its columns u_p = C(az_p) a(az_p, el_p).

[Luo-Fung] gives every path its own coupling matrix, C_R(az_p). Three descriptions of it, by how many parameter rows q
a family has and how much of each row a path sees, C_p = I + sum_q w_q(az_p) sum_k theta_qk E_k:

    orders = 0      one matrix for all directions         w = 1
    orders = H      Fourier series over azimuth           w = 1, cos az, sin az, .., cos H az, sin H az
    orders = None   a matrix of its own for each path     w = p-th unit vector

An array whose specification has [coupling.directional] comes as such a series, `LinkEnd.of`, and with its prior: the
rows beyond the first are normal, so that paths need not show all of them, and multiply functions less their means; of
an array with elevations these are functions of both angles.

Elevations are those of arrays whose specification names them; at the horizon they are None and no unknowns.
"""

from dataclasses import dataclass

import torch

from doamc.arrays.steering import steering, steering_derivative
from doamc.coupling.directional import DirectionalFamily
from doamc.errors import SpecificationError
from doamc.spec import ArraySpec


@dataclass(frozen=True)
class LinkEnd:
    """Array, coupling family and sector of one end, and how its coupling depends on direction."""

    spec: ArraySpec
    orders: int | None = 0

    def __post_init__(self) -> None:
        if self.orders is not None and self.orders < 0:
            raise SpecificationError(f"Fourier orders must be a whole number >= 0 or None, found {self.orders}")

    @classmethod
    def of(cls, spec: ArraySpec) -> "LinkEnd":
        """The end with the coupling of its specification: one matrix, or the series of [coupling.directional]."""
        family = spec.family
        return cls(spec, family.angular.order if isinstance(family, DirectionalFamily) else 0)

    @property
    def series(self) -> DirectionalFamily | None:
        """The prior over the rows, where the specification has one and this is its order."""
        family = self.spec.family
        if not isinstance(family, DirectionalFamily):
            return None
        return family if family.angular.order == self.orders else None

    def deviation(self, n_paths: int) -> torch.Tensor:
        """Prior deviations of the parameters, (Q * 2 K,); infinite where nothing is known, as of the first row."""
        out = torch.full((self.n_parameters(n_paths),), torch.inf, dtype=torch.float64)
        if self.series is not None:
            out[2 * self.spec.coefficient_family.n_coefficients :] = self.series.deviation.repeat(1, 2).flatten()
        return out

    @property
    def n_angles(self) -> int:
        """Angles of a direction that are unknown: 2 with elevations, else 1."""
        return 2 if self.spec.elevated else 1

    def n_rows(self, n_paths: int) -> int:
        """Rows Q of theta for P paths."""
        if self.series is not None:
            return self.series.n_blocks
        return n_paths if self.orders is None else 1 + 2 * self.orders

    def n_parameters(self, n_paths: int) -> int:
        """Real coupling parameters, Q * 2 K."""
        return self.n_rows(n_paths) * 2 * self.spec.coefficient_family.n_coefficients

    def matrices(
        self,
        azimuth: torch.Tensor,  # shape: (*batch, P), rad
        theta: torch.Tensor,  # shape: (*batch, Q, 2 K)
        elevation: torch.Tensor | None = None,  # shape: (*batch, P), rad, which a series over the sphere depends on
    ) -> torch.Tensor:
        """Coupling matrix of every path, C_1 .. C_P of eq. (2), (*batch, P, N, N)."""
        if self.orders is None:
            return self.spec.coefficient_family.matrix(theta)
        return self.spec.coefficient_family.matrix(self._weights(azimuth, elevation)[0] @ theta)

    def response(
        self, azimuth: torch.Tensor, theta: torch.Tensor, elevation: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Columns u_p = C_p a(az_p, el_p), (*batch, N, P); arguments as in `derivatives`."""
        a = steering(self.spec.positions, azimuth, 0.0 if elevation is None else elevation)
        return torch.einsum("...pij,...jp->...ip", self.matrices(azimuth, theta, elevation), a)

    def derivatives(
        self,
        azimuth: torch.Tensor,  # shape: (*batch, P), rad
        theta: torch.Tensor,  # shape: (*batch, Q, 2 K)
        elevation: torch.Tensor | None = None,  # shape: (*batch, P), rad
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Columns u (*batch, N, P), their slopes by angle, and du_p/dtheta (*batch, N, P, Q * 2 K).

        The slopes are du_p/daz_p (*batch, N, P) per rad, behind them du_p/del_p where there are elevations, (*batch, N,
        2 P).
        """
        el = 0.0 if elevation is None else elevation
        c, a = self.matrices(azimuth, theta, elevation), steering(self.spec.positions, azimuth, el)
        slopes = steering_derivative(self.spec.positions, azimuth, el)
        by_azimuth = torch.einsum("...pij,...jp->...ip", c, slopes[0])
        shapes = torch.einsum("kij,...jp->...ipk", self.spec.coefficient_family.basis, a)
        weights, *moves = self._weights(azimuth, elevation)
        turns = [(slope @ theta).to(shapes.dtype) for slope in moves]  # how parameters of each path change with angles
        by_azimuth = by_azimuth + torch.einsum("...pk,...ipk->...ip", turns[0], shapes)
        by_theta = (weights[..., None, :, :, None] * shapes[..., None, :]).flatten(-2)
        by_angle = [by_azimuth]
        if elevation is not None:
            by_angle += [torch.einsum("...pij,...jp->...ip", c, slopes[1])]
            if len(turns) > 1:
                by_angle[1] = by_angle[1] + torch.einsum("...pk,...ipk->...ip", turns[1], shapes)
        return torch.einsum("...pij,...jp->...ip", c, a), torch.cat(by_angle, -1), by_theta

    def _weights(self, azimuth: torch.Tensor, elevation: torch.Tensor | None = None) -> tuple[torch.Tensor, ...]:
        """Weights w_q of every path and their slopes by its azimuth, each (*batch, P, Q); by elevation, too, if any."""
        if self.series is not None:
            tilt = 0.0 if elevation is None else elevation
            return self.series.angular.functions(azimuth, tilt), *self.series.angular.slopes(azimuth, tilt)
        if self.orders is None:
            eye = torch.eye(azimuth.shape[-1], dtype=azimuth.dtype).expand(*azimuth.shape, -1)
            return eye, torch.zeros_like(eye)
        h = torch.arange(1, self.orders + 1, dtype=azimuth.dtype)
        cos, sin = (azimuth[..., None] * h).cos(), (azimuth[..., None] * h).sin()
        one = torch.ones_like(azimuth)[..., None]
        weights = torch.cat([one, torch.stack([cos, sin], -1).flatten(-2)], -1)
        return weights, torch.cat([0 * one, torch.stack([-h * sin, h * cos], -1).flatten(-2)], -1)
