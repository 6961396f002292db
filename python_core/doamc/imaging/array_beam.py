"""What an array of a few elements makes of a direction: dense responses, beam and point spread function.

    a(s) = exp(j 2 pi X s)                       steering vector of a unit vector s; X (N, 3) positions in wavelengths
    D(s) = a(s)^H V a(s) / N^2                   dirty image of visibilities V: the power of a source at s, if alone
    B(s, q) = |a(s)^H a(q)|^2 / N^2              what a source of power 1 at q leaves at s; B(q, q) = 1

The matrix of all steering vectors is held, as it is: N <= 64 or so, where an FFT has nothing to offer. Near its peak
B = 1 - (2 pi)^2 d^T S d with d = s - q and S the covariance of the positions, of which all widths below come.
"""

import math

import numpy as np
from numpy.typing import NDArray

from doamc.errors import ImagingError
from doamc.imaging.sky_grid import SkyGrid, angles_of, tangent_frame

MAX_BYTES = 1 << 28  #: of the steering vectors of all pixels
_CHUNK = 1 << 14  #: pixels that are multiplied at once
#: beams wider than this say nothing, deg
WIDEST_DEG = 180.0
#: share of the largest extent of an array below which it is flat
_FLAT = 1e-6


class ArrayBeam:
    """Responses of an array to the pixels of a grid.

    positions: (N, 3) in wavelengths. Raises ImagingError where the responses of all pixels are more than `MAX_BYTES`.
    """

    def __init__(self, positions: NDArray[np.float64], grid: SkyGrid) -> None:
        self.positions, self.grid = np.asarray(positions, dtype=float), grid
        self._inside = grid.inside
        self._directions = grid.directions[self._inside]
        n, pixels = len(self.positions), len(self._directions)
        if 16 * n * pixels > MAX_BYTES:
            raise ImagingError(
                f"expected at most {MAX_BYTES // (16 * n)} pixels for {n} elements, found {pixels}; the responses of "
                "all of them are held, ask for fewer"
            )
        self._steering = self.response(self._directions)
        centred = self.positions - self.positions.mean(0)
        #: covariance of the positions, (3, 3)
        self.spread = centred.T @ centred / n
        values, vectors = np.linalg.eigh(self.spread)
        self._root = 2 * math.pi * vectors * np.sqrt(np.maximum(values, 0.0))  # d^T S d is |d root|^2
        _, self._axes, self._dimensions = extents(self.positions)
        self._pixels = self._directions @ self._root

    @property
    def n_elements(self) -> int:
        """Number of elements N."""
        return len(self.positions)

    def response(self, directions: NDArray[np.float64]) -> NDArray[np.complex128]:
        """Steering vectors (K, N) of unit vectors (K, 3)."""
        return np.exp(2j * math.pi * (directions @ self.positions.T))

    def dirty(self, visibilities: NDArray[np.complex128]) -> NDArray[np.float64]:
        """D of every pixel, (H, W), of visibilities (N, N); zero beyond the horizon."""
        values = np.empty(len(self._steering))
        for begin in range(0, len(values), _CHUNK):
            a = self._steering[begin : begin + _CHUNK]
            values[begin : begin + _CHUNK] = ((a.conj() @ visibilities) * a).sum(1).real
        return self._image(values / self.n_elements**2)

    def canonical(self, direction: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of all unit vectors that look like this one to an array on a line or in a plane, the one `facing` it."""
        if self._dimensions == 3:
            return direction
        centre = tangent_frame(*facing(self.positions))[2]
        axes = self._axes[: self._dimensions]
        seen = (direction @ axes.T) @ axes
        aside = centre - (centre @ axes.T) @ axes
        return np.asarray(seen + math.sqrt(max(0.0, 1.0 - float(seen @ seen))) * aside / np.linalg.norm(aside))

    def psf(self, direction: NDArray[np.float64]) -> NDArray[np.float64]:
        """B of every pixel for a source at a unit vector (3,), (H, W)."""
        return self._image(np.abs(self._steering @ self.response(direction[None])[0].conj()) ** 2 / self.n_elements**2)

    def clean_beam(self, direction: NDArray[np.float64]) -> NDArray[np.float64]:
        """The main lobe of B as a Gaussian without sidelobes, (H, W)."""
        return self._image(np.exp(-self._distances(direction)))

    def distance(self, directions: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
        """(2 pi)^2 d^T S d of directions (K, 3) from another: log 2 at half power, 0 also where nothing tells them."""
        return np.asarray((((directions - other) @ self._root) ** 2).sum(1))

    def separation(self, direction: NDArray[np.float64]) -> NDArray[np.float64]:
        """`distance` of every pixel from a direction, (H, W), infinite beyond the horizon."""
        image = self._image(self._distances(direction))
        return np.where(self._inside, image, np.inf)

    def width_deg(self, direction: NDArray[np.float64]) -> tuple[float, float]:
        """Full widths at half power of the beam at a direction along rising azimuth and elevation, deg.

        Infinite where the array has no extent along it.
        """
        azimuth, elevation = (float(angle[0]) for angle in angles_of(direction[None]))
        tangent = tangent_frame(azimuth, elevation)[:2]
        extent = np.maximum(np.einsum("ki,ij,kj->k", tangent, self.spread, tangent), 0.0)
        resolved = extent > (_FLAT**2) * np.trace(self.spread)
        half = np.full(2, math.inf)
        half[resolved] = np.degrees(np.sqrt(math.log(2) / extent[resolved]) / (2 * math.pi))
        wide = 2 * np.where(half < WIDEST_DEG / 2, half, math.inf)
        return float(wide[0]), float(wide[1])

    def _distances(self, direction: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(((self._pixels - direction @ self._root) ** 2).sum(1))

    def _image(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        image = np.zeros(self.grid.shape)
        image[self._inside] = values
        return image


def extents(positions: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """R.m.s. extents (3,), descending, of an array, their axes as rows, and in how many dimensions it extends."""
    centred = np.asarray(positions, dtype=float) - np.mean(positions, 0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=True)
    sizes = np.pad(sizes, (0, 3 - len(sizes)))
    return sizes / math.sqrt(len(centred)), axes, int((sizes > _FLAT * sizes[0]).sum())


def indistinguishable(positions: NDArray[np.float64]) -> str | None:
    """What an array cannot tell apart, in words; None for one with extent in three dimensions.

    A line tells the angle from itself alone. A plane tells a direction from all but its mirror image, and along the
    plane's edge the beam is wide: a degree of elevation changes cos(elevation) by 0.02 % there.
    """
    _, axes, dimensions = extents(positions)
    if dimensions == 1:
        axis = _named(axes[0])
        return f"elements on a line along {axis}: all directions of one cone about it look alike"
    if dimensions == 2:
        normal = _named(axes[2])
        return (
            f"elements in a plane across {normal}: a direction and its mirror image in the plane look alike, and near "
            "the plane elevation from it is told badly"
        )
    return None


def _named(axis: NDArray[np.float64]) -> str:
    largest = int(np.abs(axis).argmax())
    if abs(axis[largest]) > 1 - 1e-9:
        return "xyz"[largest]
    return "(" + ", ".join(f"{value:.2f}" for value in axis) + ")"


def facing(positions: NDArray[np.float64]) -> tuple[float, float]:
    """Azimuth and elevation, deg, of the centre of the half sky that an array sees best: across its plane.

    The zenith for one that lies flat, +x for one that stands across it or is a line, else the normal of its plane,
    turned upwards; the zenith where the array has no plane.
    """
    _, axes, dimensions = extents(positions)
    if dimensions == 1:
        return (0.0, 0.0) if abs(axes[0][0]) < 0.5 else (90.0, 0.0)
    if dimensions == 3 or abs(axes[2][2]) > 1 - 1e-9:
        return (-90.0, 90.0)
    normal = axes[2] * (1.0 if axes[2][int(np.abs(axes[2]).argmax())] > 0 else -1.0)
    azimuth, elevation = angles_of(normal[None] + 0.0)  # no negative zeros
    return float(azimuth[0]), float(elevation[0])
