"""What an emulated receiver hears: a simulated scene, or a recording, cut into frames."""

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from doamc.errors import ReceiverError
from doamc.krakensdr.version1.frame import Header
from doamc.snapshots.sigmf_files import Recording
from doamc.spec import ArraySpec

#: simulated frames are drawn once and repeated: this many, or as many as fit into so many bytes
_DISTINCT, _MEMORY = 8, 1 << 26
#: limits of what is asked for: emitters, dB, Hz, Hz
_EMITTERS, _SNR_DB, _RATE_HZ, _FREQUENCY_HZ = 64, 100, 1e9, 1e12


class FrameSource(Protocol):
    """Frames (M, cpi_length) complex64, with what their headers tell."""

    n_channels: int
    cpi_length: int
    sample_rate_hz: float
    frequency_hz: float

    def frame(self, number: int) -> NDArray[np.complex64]:
        """Samples of a frame, contiguous."""


class SimulatedFrames:
    """A scene of still emitters, received by an array with mutual coupling; a few frames of it, over and over.

    spec: the array. azimuth_deg: (P,) directions, at most 64; None draws two from the prior. snr_db: power of an
    emitter over the noise per element, before coupling. cpi_length: samples a frame. seed: of all that is drawn.
    Attributes: azimuth_deg (P,), coupling (M, M), between elements; channels come as the array numbers its streams.
    Raises ReceiverError when one of them is out of range, or a frame too large for the protocol.
    """

    def __init__(
        self, spec: ArraySpec, azimuth_deg: list[float] | None = None, snr_db: float = 20.0, cpi_length: int = 1 << 20,
        sample_rate_hz: float = 2.4e6, frequency_hz: float = 433.9e6, seed: int = 0,
    ) -> None:  # fmt: skip
        import torch

        from doamc.arrays.steering import steering
        from doamc.scenes import draw_azimuth

        _check(spec.n_elements, cpi_length, sample_rate_hz, frequency_hz)
        if azimuth_deg is not None and (len(azimuth_deg) > _EMITTERS or not all(abs(a) <= 360 for a in azimuth_deg)):
            raise ReceiverError(
                f"expected at most {_EMITTERS} azimuths of -360 to 360 deg, found {len(azimuth_deg)} of "
                f"{min(azimuth_deg):g} to {max(azimuth_deg):g}"
            )
        if not abs(snr_db) <= _SNR_DB or not 0 <= seed < 2**63:
            raise ReceiverError(f"expected an SNR of +-{_SNR_DB} dB and a seed below 2^63, found {snr_db:g} and {seed}")
        generator = torch.Generator().manual_seed(seed)
        drawn = draw_azimuth(spec, 1, min(2, spec.source_count[1]), generator)[0]
        azimuth = drawn if azimuth_deg is None else torch.tensor(azimuth_deg, dtype=torch.float64).deg2rad()
        coupling = spec.family.matrix(spec.family.draw((1,), generator))[0]
        response = coupling @ steering(spec.positions, azimuth[None])[0].to(torch.complex128)
        response = response[list(spec.channels)]
        self.azimuth_deg, self.coupling = azimuth.rad2deg().tolist(), coupling.numpy()
        self.n_channels, self.cpi_length = spec.n_elements, cpi_length
        self.sample_rate_hz, self.frequency_hz = float(sample_rate_hz), float(frequency_hz)
        count = max(1, min(_DISTINCT, _MEMORY // (8 * cpi_length * spec.n_elements)))
        rng = np.random.default_rng(seed)
        gain = response.numpy().astype(np.complex64), np.float32(10 ** (-snr_db / 20))
        self._frames = [self._draw(rng, *gain) for _ in range(count)]

    def frame(self, number: int) -> NDArray[np.complex64]:
        """Samples of a frame."""
        return self._frames[number % len(self._frames)]

    def _draw(self, rng: np.random.Generator, response: NDArray[np.complex64], noise: np.float32) -> NDArray:
        def normal(rows: int) -> NDArray[np.complex64]:
            parts = rng.standard_normal((rows, 2 * self.cpi_length), dtype=np.float32)
            parts *= np.float32(math.sqrt(0.5))
            return parts.view(np.complex64)

        samples = normal(self.n_channels)
        samples *= noise
        for steering in response.T:  # one emitter after the other, in the memory of one channel
            waveform = normal(1)[0]
            for row, gain in zip(samples, steering, strict=True):
                row += gain * waveform
        return samples


class RecordedFrames:
    """The channels of a SigMF recording, frame after frame, begun again when fewer samples than a frame are left.

    cpi_length: samples a frame. sample_rate_hz, frequency_hz: where the recording does not tell.
    Raises ReceiverError when the recording is shorter than a frame, or a frame too large for the protocol.
    """

    def __init__(
        self, recording: Recording, cpi_length: int, sample_rate_hz: float = 2.4e6, frequency_hz: float = 433.9e6
    ) -> None:
        if not 1 <= cpi_length <= recording.n_samples:
            found = recording.n_samples
            raise ReceiverError(f"{recording.path}: expected 1 to {found} samples a frame, found {cpi_length}")
        self.n_channels, self.cpi_length = recording.n_channels, cpi_length
        self.sample_rate_hz = recording.sample_rate_hz or sample_rate_hz
        self.frequency_hz = recording.frequency_hz or frequency_hz
        _check(self.n_channels, cpi_length, self.sample_rate_hz, self.frequency_hz)
        self._recording, self._count = recording, recording.n_samples // cpi_length

    def frame(self, number: int) -> NDArray[np.complex64]:
        """Samples of a frame."""
        return self._recording.read(number % self._count * self.cpi_length, self.cpi_length)


def _check(n_channels: int, cpi_length: int, sample_rate_hz: float, frequency_hz: float) -> None:
    """Refuse what no header can tell, or would take too much memory, before it takes any."""
    if cpi_length < 1 or not 1 <= sample_rate_hz <= _RATE_HZ or not 1 <= frequency_hz <= _FREQUENCY_HZ:
        raise ReceiverError(
            f"expected cpi_length >= 1, a sample rate of 1 to {_RATE_HZ:g} Hz and a frequency of 1 to "
            f"{_FREQUENCY_HZ:g} Hz, found {cpi_length}, {sample_rate_hz:g} and {frequency_hz:g}"
        )
    Header(active_ant_chs=n_channels, cpi_length=cpi_length).check()
