"""What `signal_finder` was told, and what follows the signals from every tuning on. No GNU Radio here."""

from dataclasses import dataclass

from doamc.bands.bearings import Bearings
from doamc.bands.channels import Channel
from doamc.bands.estimator import Receiver, SignalEstimator
from doamc.bands.finder import SignalFinder
from doamc.bands.grid import BandGrid
from doamc.bands.identities import Identities
from doamc.bands.live import LiveBand, Told
from doamc.bands.placing import Placer
from doamc.spec import SAME_FREQUENCY, load_spec
from gr_doamc.inference.slice_queue import Lengths, Tuning


@dataclass(frozen=True)
class BandOptions:
    """What `signal_finder` was told, but for the streams."""

    array: str
    method: str
    sources: int | None
    resolution_hz: float
    slice_s: float
    threshold_db: float
    hang_s: float
    channels: tuple[Channel, ...]
    masks: tuple[tuple[float, float], ...]
    update_s: float
    spectrum_s: float
    one_array: bool
    tracks: bool
    device: str
    seed: int


class BandSetup:
    """Makes what follows the signals. Raises SpecificationError, EstimatorError where options do not fit.

    State: what signals have taught of the array, which is kept while the frequency is, and the tracks of one run.
    last_id: the greatest number of a signal so far.
    """

    def __init__(self, options: BandOptions) -> None:
        self.options = options
        self.spec = load_spec(options.array, tunable=True)
        self.heading_deg, self.last_id = self.spec.heading_deg, 0
        self._placer: Placer | None = None
        self._reference_hz: float | None = None
        self._identities: Identities | None = None
        knows = not self.spec.in_metres or self.spec.frequency_hz is not None
        self.method = self._estimator(self.spec.frequency_hz).name if knows else options.method

    def lengths(self, sample_rate: float) -> Lengths:
        """Lengths of slices at a rate. Raises SnapshotError where bins or slices do not fit it."""
        grid = self._grid(sample_rate, 0.0)
        return Lengths(grid.slice_samples, grid.overlap, grid.least_samples)

    def forget_tracks(self) -> None:
        """Begin a run: its time begins anew, and so do the tracks."""
        self._identities = None

    def begin(self, tuning: Tuning) -> LiveBand:
        """What follows the signals from a tuning on. Raises DoamcError where the options do not fit it."""
        o, grid = self.options, self._grid(tuning.sample_rate, tuning.frequency_hz)
        finder = SignalFinder(grid, self.spec.n_elements, o.threshold_db, o.hang_s, o.channels, o.masks)
        reference, before = tuning.frequency_hz or self.spec.frequency_hz, self._reference_hz
        same = reference == before or (reference and before and abs(reference / before - 1) < SAME_FREQUENCY)
        if self._placer is None or not same:
            self._reference_hz = reference
            estimator = self._estimator(reference)
            self.method, self._placer = estimator.name, Placer(Bearings(estimator, o.one_array))
        if self._identities is None and o.tracks:
            self._identities = Identities(tuning.sample_rate)
        told = Told(
            self.spec.name, self.method, self.spec.channels, tuning.sample / tuning.sample_rate, tuning.time,
            self.heading_deg,
        )  # fmt: skip
        return LiveBand(finder, told, self._placer, o.update_s, self._identities)

    def _grid(self, rate: float, frequency: float) -> BandGrid:
        return BandGrid(rate, frequency, self.options.resolution_hz, self.options.slice_s)

    def _estimator(self, reference_hz: float | None) -> SignalEstimator:
        o = self.options
        receiver = Receiver(self.spec, self.spec.channels, reference_hz)
        return SignalEstimator(receiver, o.method or None, o.sources, o.device, o.seed)
