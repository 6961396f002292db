"""The side of `sky_imager` that makes images. Imports torch, for the noise power."""

import math
import time
from typing import Any

import numpy as np

from doamc.calibration.files import load_coupling
from doamc.errors import ImagingError
from doamc.imaging.array_beam import ArrayBeam, facing
from doamc.imaging.array_image import array_image
from doamc.imaging.array_visibilities import array_visibilities, number_of_sources
from doamc.imaging.incident_points import with_incident_powers
from doamc.imaging.integration import Integration, check_count
from doamc.imaging.sky_grid import SkyGrid, field
from doamc.imaging.sky_message import sky_message
from doamc.spec import load_spec

#: pixels along a side that fit a message
MAX_SIDE = 128


class SkyEngine:
    """Images by one array; arguments as in `gr_doamc.sky_imager`. Raises DoamcError when they do not fit."""

    def __init__(
        self, array: str, coupling: str, pixels: int, centre_deg: Any, half_width: float, sources: int | str,
        oversampling: float, gain: float, components: int,
    ) -> None:  # fmt: skip
        self.spec = load_spec(array, tunable=True)
        if not 8 <= pixels <= MAX_SIDE:
            raise ImagingError(f"expected 8 to {MAX_SIDE} pixels along a side, found {pixels}")
        if sources != "auto" and not (isinstance(sources, int) and 1 <= sources < self.spec.n_elements):
            raise ImagingError(f"expected sources of 'auto' or 1..{self.spec.n_elements - 1}, found {sources!r}")
        if not 1 <= oversampling < math.inf or not 0 < gain <= 1 or components < 1:
            found = f"{oversampling:g}, {gain:g} and {components}"
            raise ImagingError(f"expected oversampling >= 1, a gain within 0 to 1 and components >= 1, found {found}")
        self._pixels, self._half_width = pixels, half_width
        self._centre = None if centre_deg is None else (float(centre_deg[0]), float(centre_deg[1]))
        self._sources = None if sources == "auto" else int(sources)
        self._oversampling, self._gain, self._components = float(oversampling), float(gain), int(components)
        self._order = np.argsort(self.spec.channels)  # stream of each element
        self._fixed: np.ndarray | None = None
        if coupling not in ("estimates", "none"):
            matrix, _ = load_coupling(coupling, self.spec.n_elements)
            self._fixed = self._elements(matrix)
        self._follows = coupling == "estimates"
        self._beam: tuple[float | None, ArrayBeam] | None = None
        if not self.spec.in_metres or self.spec.frequency_hz is not None:
            self.beam(None)  # refused now, where it does not fit

    def beam(self, frequency_hz: float | None) -> ArrayBeam:
        """Beam of the array at a frequency, which one in wavelengths does not follow."""
        key = frequency_hz if self.spec.in_metres else None
        if self._beam is None or self._beam[0] != key:
            positions = self.spec.tuned(key).positions.numpy()
            self._beam = key, ArrayBeam(positions, self._grid(positions))
        return self._beam[1]

    def image(self, of: Integration, estimated: np.ndarray | None, seq: int, name: str, dropped: int) -> dict[str, Any]:
        """Message of the image of an integration; estimated: newest coupling (N, N) between elements, where one came.

        Raises DoamcError when the integration is of another array, or cannot be imaged.
        """
        n = self.spec.n_elements
        if of.covariance.shape != (n, n):
            raise ImagingError(f"expected visibilities of {n} streams, found {len(of.covariance)}")
        check_count(of.snapshots, n)
        covariance, length = self._elements(of.covariance), max(1.0, of.snapshots / self._oversampling)
        p = number_of_sources(covariance, length) if self._sources is None else self._sources
        coupling = estimated if self._follows else self._fixed
        observed = array_visibilities(covariance, length, None, coupling, p)
        found = array_image(self.beam(of.frequency_hz), observed, p, self._gain, self._components)
        found = with_incident_powers(found, self.spec.element)
        now = time.time()
        return sky_message(
            found, of, seq=seq, time=now, name=name, array=self.spec.name, dropped=dropped,
            latency_ms=1e3 * max(0.0, now - of.time),
        )  # fmt: skip

    def _elements(self, matrix: np.ndarray) -> np.ndarray:
        """A matrix between streams as one between elements."""
        return matrix[np.ix_(self._order, self._order)]

    def _grid(self, positions: np.ndarray) -> SkyGrid:
        return field(self._centre or facing(positions), self._half_width, self._pixels)
