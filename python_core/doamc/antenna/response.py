"""What receivers see of an antenna: the coupling matrix and the embedded response, from ports and loads.

With port impedances Z = Y^-1 and loads Z_L the receivers' currents are i = (Z + Z_L)^-1 v_oc. Open-circuited thin
elements hardly disturb the field, so v_oc is nearly a steering vector and C ~ (Z + Z_L)^-1 ([Gupta-Ksienski]). The
plane-wave currents need no such assumption: i = (1 + Y Z_L)^-1 i_sc.
"""

from dataclasses import dataclass

import numpy as np

from doamc.antenna.nec import Ports, Wire, solve
from doamc.spec.antenna import Antenna

_MAST_SEGMENTS_PER_WAVELENGTH = 24


@dataclass(frozen=True)
class Built:
    """An array as it was built: positions (N, 2), lengths and radii (N,) in wavelengths, loads (N,) in ohm."""

    positions: np.ndarray
    length: np.ndarray
    radius: np.ndarray
    load: np.ndarray

    def scaled(self, factor: float, tuned: bool = False) -> "Built":
        """The same array at `factor` times the frequency; tuned: its elements set to as many wavelengths again."""
        length = self.length if tuned else self.length * factor
        return Built(self.positions * factor, length, self.radius * factor, self.load)


def as_planned(antenna: Antenna, positions: np.ndarray) -> Built:
    """The array without deviations; positions (N, >= 2)."""
    n = len(positions)
    return Built(
        np.asarray(positions, float)[:, :2], np.full(n, antenna.length), np.full(n, antenna.radius),
        np.full(n, antenna.load, complex),
    )  # fmt: skip


def wires(antenna: Antenna, built: Built, scale: float = 1.0) -> list[Wire]:
    """Wires of elements and mast. scale: of the mast's lengths, at another frequency."""
    out = []
    for (x, y), length, radius in zip(built.positions, built.length, built.radius, strict=True):
        if antenna.element == "dipole":
            out.append(Wire(x, y, -length / 2, length / 2, radius, antenna.segments, antenna.segments // 2 + 1))
        else:
            out.append(Wire(x, y, 0.0, length, radius, antenna.segments // 2 + 1, 1))
    if mast := antenna.mast:
        x, y, bottom, top, radius = (scale * v for v in (*mast.position, mast.bottom, mast.top, mast.radius))
        out.append(Wire(x, y, bottom, top, radius, max(3, round((top - bottom) * _MAST_SEGMENTS_PER_WAVELENGTH))))
    return out


def solve_built(antenna: Antenna, built: Built, azimuth_deg: np.ndarray, scale: float = 1.0) -> Ports:
    """Ports of a built array; azimuth_deg (G,), evenly spaced."""
    return solve(wires(antenna, built, scale), azimuth_deg, antenna.element == "monopole")


def coupling_matrix(ports: Ports, load: np.ndarray) -> np.ndarray:
    """C ~ (Z + Z_L)^-1, scaled to mean diagonal 1: (N, N), symmetric. load: (N,) ohm."""
    c = np.linalg.inv(np.linalg.inv(ports.admittance) + np.diag(load))
    return (c + c.T) / np.trace(c + c.T) * len(c)


def embedded_response(ports: Ports, load: np.ndarray) -> np.ndarray:
    """Currents (N, G) through the loads (N,), ampere for a plane wave of 1 V/m."""
    return np.linalg.solve(np.eye(len(load)) + ports.admittance * load, ports.short_circuit)


def steering_vectors(positions: np.ndarray, azimuth_deg: np.ndarray) -> np.ndarray:
    """a(az), (N, G), of positions (N, >= 2)."""
    az = np.deg2rad(azimuth_deg)
    return np.exp(2j * np.pi * (positions[:, :1] * np.cos(az) + positions[:, 1:2] * np.sin(az)))


def scale_to(response: np.ndarray, model: np.ndarray) -> tuple[complex, float]:
    """Complex factor that brings a response (N, G) nearest to a model of it, and the relative misfit left."""
    scale = complex(np.vdot(response, model) / np.vdot(response, response))
    return scale, float(np.linalg.norm(scale * response - model) / np.linalg.norm(model))
