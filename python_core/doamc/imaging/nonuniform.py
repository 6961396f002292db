"""The Fourier transform of an image at any (u, v, w), and its adjoint: baselines as an array measures them.

    V_k = sum over pixels of I(l, m) exp(-2 pi i (u_k l + v_k m + w_k (n - 1))) [/ n],        n = sqrt(1 - l^2 - m^2)

The image (N, N) has rows m and columns l, both ascending, (0, 0) in pixel (N // 2, N // 2); u, v, w in wavelengths, l
and m direction cosines. Without w, exact for antennas in a plane that l and m lie in and else near the phase centre,
the term in w and the factor 1 / n are dropped; with w both are kept.
By ducc0 ([Arras], to the accuracy given here); small sizes by direct sums, which need no other package.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.errors import ImagingError
from doamc.imaging.visibilities import check_side

#: relative error of ducc0's transforms
ACCURACY = 1e-10
#: visibilities times pixels up to which direct sums are made
MAX_DIRECT = 1 << 22
#: visibilities at once
MAX_BASELINES = 1 << 24
#: smallest image of ducc0's w-gridder, which takes even sides only
_LEAST_SIDE = 32
_SPEED_OF_LIGHT = 299_792_458.0


class NonUniformFourier:
    """A of (N, N) images at M baselines: `forward` and its adjoint; real images, complex visibilities.

    uvw: (M, 2) or (M, 3). pixel: side of a pixel in l and m. w_term: keep w; the image must then lie within the
    horizon. direct: sums in place of ducc0, or None to choose by size.
    """

    def __init__(
        self, uvw: NDArray[np.float64], side: int, pixel: float, w_term: bool = False, direct: bool | None = None
    ) -> None:
        """Raises ImagingError where shapes do not fit, a value is out of range, or ducc0 is needed and not there."""
        uvw = np.asarray(uvw, np.float64)
        check_side((side, side))
        if uvw.ndim != 2 or uvw.shape[1] not in (2, 3) or not 1 <= len(uvw) <= MAX_BASELINES:
            raise ImagingError(f"expected 1 to {MAX_BASELINES} baselines (M, 3) in wavelengths, found {uvw.shape}")
        if not np.isfinite(uvw).all() or not 0 < pixel <= 1:
            raise ImagingError(f"expected finite baselines and pixels of 0 to 1 in direction cosines, found {pixel:g}")
        if w_term and (uvw.shape[1] < 3 or 2 * (side // 2 * pixel) ** 2 >= 1):
            raise ImagingError(f"expected baselines with w and an image within the horizon for the w term, found "
                               f"{uvw.shape[1]} coordinates and {side} pixels of {pixel:g}")  # fmt: skip
        self.uvw = np.pad(uvw, ((0, 0), (0, 3 - uvw.shape[1])))
        self.side, self.pixel, self.w_term = side, pixel, w_term
        self.direct = len(uvw) * side**2 <= MAX_DIRECT if direct is None else direct
        if self.direct and len(uvw) * side**2 > 4 * MAX_DIRECT:
            raise ImagingError(f"expected at most {4 * MAX_DIRECT // side**2} baselines by direct sums, found more")
        if w_term and not self.direct and (side % 2 or side < _LEAST_SIDE):
            raise ImagingError(f"expected an even side of at least {_LEAST_SIDE} for the w term, found {side}")
        self._matrix = self._dense() if self.direct else None
        self._ducc: Any = None if self.direct else _ducc0()

    def forward(self, image: NDArray[np.float64]) -> NDArray[np.complex128]:
        """V = A I: (N, N) -> (M,)."""
        image = np.ascontiguousarray(image, np.float64)
        if self._matrix is not None:
            return np.asarray(self._matrix @ image.ravel())
        if self.w_term:
            return np.asarray(self._gridder("dirty2vis", dirty=np.ascontiguousarray(image.T))[:, 0])
        return np.asarray(self._ducc.nufft.u2nu(grid=image.astype(complex), forward=True, **self._points))

    def adjoint(self, values: NDArray[np.complex128]) -> NDArray[np.float64]:
        """Real part of A^H V: (M,) -> (N, N)."""
        values = np.ascontiguousarray(values, np.complex128)
        if self._matrix is not None:
            return np.asarray((self._matrix.conj().T @ values).real.reshape(self.side, self.side))
        if self.w_term:
            image = self._gridder("vis2dirty", vis=values[:, None], npix_x=self.side, npix_y=self.side)
            return np.ascontiguousarray(image.T)
        out = np.empty((self.side, self.side), complex)
        return np.asarray(self._ducc.nufft.nu2u(points=values, forward=False, out=out, **self._points).real)

    @property
    def _points(self) -> dict:
        coordinates = 2 * np.pi * self.pixel * self.uvw[:, [1, 0]]
        return {"coord": coordinates, "epsilon": ACCURACY, "periodicity": 2 * np.pi, "fft_order": False}

    def _gridder(self, name: str, **arrays: NDArray | int) -> NDArray:
        function = getattr(self._ducc.wgridder.experimental, name)
        return function(
            uvw=self.uvw, freq=np.array([_SPEED_OF_LIGHT]), pixsize_x=self.pixel, pixsize_y=self.pixel,
            epsilon=ACCURACY, do_wgridding=True, divide_by_n=True, flip_w=True, **arrays,
        )  # fmt: skip

    def _dense(self) -> NDArray[np.complex128]:
        axis = (np.arange(self.side) - self.side // 2) * self.pixel
        m, el = (a.ravel() for a in np.meshgrid(axis, axis, indexing="ij"))
        phase = np.outer(self.uvw[:, 0], el) + np.outer(self.uvw[:, 1], m)
        if not self.w_term:
            return np.exp(-2j * np.pi * phase)
        n = np.sqrt(1 - el**2 - m**2)
        return np.exp(-2j * np.pi * (phase + np.outer(self.uvw[:, 2], n - 1))) / n


def _ducc0() -> Any:
    try:
        import ducc0
    except ImportError as error:
        raise ImagingError(
            "expected the package ducc0 for so many baselines and pixels, found none: pip install 'gr-doamc[imaging]'"
        ) from error
    return ducc0
