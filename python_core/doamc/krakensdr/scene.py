"""A simulated scene as the channels of a receiver hear it: still emitters, an array with mutual coupling, noise."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from doamc.errors import ReceiverError
from doamc.spec import ArraySpec

#: limits of what is asked for: emitters, dB
_EMITTERS, _SNR_DB = 64, 100


class Scene:
    """Emitters of independent Gaussian waveforms, received by an array whose coupling is drawn from its prior.

    spec: the array, N elements. azimuth_deg: (P,) directions, at most 64; None draws two from the prior, elevations
    too. snr_db: power of an emitter over the noise per element, before coupling. seed: of all that is drawn. order: the
    element of each channel (`wiring.channel_order`); None: as the specification numbers its streams. elevation_deg:
    (P,) beside azimuth_deg; None: at the horizon.
    Attributes: azimuth_deg (P,), elevation_deg (P,) or None where all are at the horizon, coupling (N, N) of the
    elements, n_channels.
    Raises ReceiverError when one of them is out of range.
    """

    def __init__(
        self, spec: ArraySpec, azimuth_deg: list[float] | None = None, snr_db: float = 20.0, seed: int = 0,
        order: Sequence[int] | None = None, elevation_deg: list[float] | None = None,
    ) -> None:  # fmt: skip
        import torch

        from doamc.arrays.steering import steering
        from doamc.scenes import draw_azimuth
        from doamc.scenes.directions import draw_directions

        if azimuth_deg is not None and (len(azimuth_deg) > _EMITTERS or not all(abs(a) <= 360 for a in azimuth_deg)):
            raise ReceiverError(
                f"expected at most {_EMITTERS} azimuths of -360 to 360 deg, found {len(azimuth_deg)} of "
                f"{min(azimuth_deg):g} to {max(azimuth_deg):g}"
            )
        if elevation_deg is not None and (
            len(elevation_deg) != len(azimuth_deg or ()) or not all(abs(e) <= 90 for e in elevation_deg)
        ):
            raise ReceiverError(
                f"expected an elevation of -90 to 90 deg for each azimuth, found {len(elevation_deg)} for "
                f"{len(azimuth_deg or ())}, {min(elevation_deg):g} to {max(elevation_deg):g}"
            )
        if not abs(snr_db) <= _SNR_DB or not 0 <= seed < 2**63:
            raise ReceiverError(f"expected an SNR of +-{_SNR_DB} dB and a seed below 2^63, found {snr_db:g} and {seed}")
        generator = torch.Generator().manual_seed(seed)
        count, elevation = min(2, spec.source_count[1]), None
        if spec.elevated:
            azimuth, elevation = (angle[0] for angle in draw_directions(spec, 1, count, generator))
        else:
            azimuth = draw_azimuth(spec, 1, count, generator)[0]
        if azimuth_deg is not None:
            azimuth = torch.tensor(azimuth_deg, dtype=torch.float64).deg2rad()
            told = elevation_deg is not None
            elevation = torch.tensor(elevation_deg, dtype=torch.float64).deg2rad() if told else None
        level = 0.0 if elevation is None else elevation[None]
        theta = spec.family.draw((1,), generator)
        coupling = spec.family.matrix(theta)[0]
        if spec.directional:
            response = spec.family.response(theta, spec.positions, azimuth[None], level)[0]
        else:
            response = coupling @ steering(spec.positions, azimuth[None], level)[0].to(torch.complex128)
        if spec.element is not None:
            horizon = torch.zeros_like(azimuth)
            response = response * spec.element.gain(azimuth, horizon if elevation is None else elevation)
        self.azimuth_deg, self.coupling = azimuth.rad2deg().tolist(), coupling.numpy()
        self.elevation_deg = None if elevation is None else elevation.rad2deg().tolist()
        rows = np.asarray(spec.channels if order is None else order, np.intp)
        self.n_channels = len(rows)
        self._response = response.numpy().astype(np.complex64)[rows]
        self._noise = np.float32(10 ** (-snr_db / 20))
        self._rng = np.random.default_rng(seed)

    def draw(self, length: int) -> NDArray[np.complex64]:
        """The next samples, (M, length)."""
        samples = self._normal(self.n_channels, length)
        samples *= self._noise
        for steering in self._response.T:  # one emitter after the other, in the memory of one channel
            waveform = self._normal(1, length)[0]
            for row, gain in zip(samples, steering, strict=True):
                row += gain * waveform
        return samples

    def _normal(self, rows: int, length: int) -> NDArray[np.complex64]:
        parts = self._rng.standard_normal((rows, 2 * length), dtype=np.float32)
        parts *= np.float32(math.sqrt(0.5))
        return parts.view(np.complex64)
