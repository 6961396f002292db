"""What an emulated receiver hears: a simulated scene, or a recording, cut into frames."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from doamc.errors import ReceiverError
from doamc.krakensdr.scene import Scene
from doamc.krakensdr.version1.frame import Header
from doamc.snapshots.sigmf_files import Recording
from doamc.spec import ArraySpec

#: simulated frames are drawn once and repeated: this many, or as many as fit into so many bytes
_DISTINCT, _MEMORY = 8, 1 << 26
#: limits of what is asked for, Hz
_RATE_HZ, _FREQUENCY_HZ = 1e9, 1e12


class FrameSource(Protocol):
    """Frames (M, cpi_length) complex64, with what their headers tell."""

    n_channels: int
    cpi_length: int
    sample_rate_hz: float
    frequency_hz: float

    def frame(self, number: int) -> NDArray[np.complex64]:
        """Samples of a frame, contiguous."""


class SimulatedFrames:
    """A scene of still emitters; a few frames of it, over and over.

    spec, azimuth_deg, snr_db, seed, order, elevation_deg: of the `Scene`. cpi_length: samples a frame.
    Attributes: scene; azimuth_deg (P,), coupling (N, N), both of the scene.
    Raises ReceiverError when one of them is out of range, or a frame too large for the protocol.
    """

    def __init__(
        self, spec: ArraySpec, azimuth_deg: list[float] | None = None, snr_db: float = 20.0, cpi_length: int = 1 << 20,
        sample_rate_hz: float = 2.4e6, frequency_hz: float = 433.9e6, seed: int = 0, order: Sequence[int] | None = None,
        elevation_deg: list[float] | None = None,
    ) -> None:  # fmt: skip
        check_frames(spec.n_elements if order is None else len(order), cpi_length, sample_rate_hz, frequency_hz)
        scene = self.scene = Scene(spec, azimuth_deg, snr_db, seed, order, elevation_deg)
        self.azimuth_deg, self.coupling = scene.azimuth_deg, scene.coupling
        self.n_channels, self.cpi_length = scene.n_channels, cpi_length
        self.sample_rate_hz, self.frequency_hz = float(sample_rate_hz), float(frequency_hz)
        count = max(1, min(_DISTINCT, _MEMORY // (8 * cpi_length * self.n_channels)))
        self._frames = [scene.draw(cpi_length) for _ in range(count)]

    def frame(self, number: int) -> NDArray[np.complex64]:
        """Samples of a frame."""
        return self._frames[number % len(self._frames)]


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
        check_frames(self.n_channels, cpi_length, self.sample_rate_hz, self.frequency_hz)
        self._recording, self._count = recording, recording.n_samples // cpi_length

    def frame(self, number: int) -> NDArray[np.complex64]:
        """Samples of a frame."""
        return self._recording.read(number % self._count * self.cpi_length, self.cpi_length)


def check_frames(n_channels: int, cpi_length: int, sample_rate_hz: float, frequency_hz: float) -> None:
    """Refuse what no header can tell, or would take too much memory, before it takes any."""
    if cpi_length < 1 or not 1 <= sample_rate_hz <= _RATE_HZ or not 1 <= frequency_hz <= _FREQUENCY_HZ:
        raise ReceiverError(
            f"expected cpi_length >= 1, a sample rate of 1 to {_RATE_HZ:g} Hz and a frequency of 1 to "
            f"{_FREQUENCY_HZ:g} Hz, found {cpi_length}, {sample_rate_hz:g} and {frequency_hz:g}"
        )
    Header(active_ant_chs=n_channels, cpi_length=cpi_length).check()
