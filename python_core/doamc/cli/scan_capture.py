"""One capture scanned from its first sample to its last: what ``doamc scan`` does with each of its inputs."""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from doamc.cli.capture_options import capture_form

if TYPE_CHECKING:
    from doamc.bands.grid import BandGrid
    from doamc.bands.scan import Found
    from doamc.snapshots.segments import Capture
    from doamc.spec import ArraySpec

TOGETHER = 128  #: signals that are estimated at once, and share one coupling at first


@dataclass(frozen=True)
class ScanOptions:
    """Plain values of the options of ``doamc scan`` that its results depend on, but for the array."""

    method: str | None
    sources: int | None
    snapshots: int
    seed: int
    device: str
    positions: bool
    heading: float | None
    form: list[Any]
    resolution: float
    slice: float
    threshold: float
    hang: float
    channel: list[Any]
    mask: list[Any]
    each_alone: bool

    @classmethod
    def of(cls, args: argparse.Namespace, spec: "ArraySpec") -> "ScanOptions":
        """What the command line says."""
        form = capture_form(args)
        heading = spec.heading_deg if args.heading is None else args.heading
        made: dict[str, Any] = {
            "positions": not args.ignore_positions, "heading": heading,
            "form": [form.datatype, form.channels, form.sample_rate_hz, form.frequency_hz],
        }  # fmt: skip
        return cls(**made, **{k: v for k, v in vars(args).items() if k in cls.__annotations__ and k not in made})

    @property
    def table(self) -> dict[str, Any]:
        """As a table that JSON can hold."""
        return asdict(self)


class CaptureScan:
    """The signals of a capture with their directions, as messages in the order in which they are found.

    capture: opened already, of the array. Attributes: remarks, lines that a user should read once; artefacts, such
    lines of what the receiver made itself, after `messages`; method, the name of the estimator.
    Raises SnapshotError, RecordingError or EstimatorError where the capture or an option does not fit.
    """

    def __init__(self, spec: "ArraySpec", capture: "Capture", options: ScanOptions) -> None:
        from doamc.bands.bearings import Bearings
        from doamc.bands.estimator import Receiver, SignalEstimator
        from doamc.estimators.tuned import frequency_remark
        from doamc.snapshots.channel_order import channel_order

        self.spec, self.capture, self.options = spec, capture, options
        self._frequency_hz = options.form[3]
        told = self._frequency_hz or capture.frequency_hz
        order = channel_order(capture, spec, self._frequency_hz) if options.positions else (spec.channels, None)
        remarks = [*capture.remarks, order[1], frequency_remark(spec, () if told is None else (told,))]
        self.remarks, self.artefacts = [line for line in remarks if line], list[str]()
        estimator = SignalEstimator(
            Receiver(spec, order[0], told), options.method, options.sources, options.device, options.seed,
            options.snapshots,
        )  # fmt: skip
        self.method = estimator.name
        self._bearings = Bearings(estimator, not options.each_alone)

    def messages(self, done: Callable[[int], object] = lambda samples: None) -> Iterator[dict[str, Any]]:
        """Messages of schema ``doamc.signal/1``. done: told how many samples were read.

        Draws follow the seed, so the same capture gives the same lines, wherever and after whatever it is scanned.
        """
        import torch

        from doamc.bands.identities import Identities
        from doamc.bands.message import signal_message
        from doamc.estimates.message_values import received_at

        torch.manual_seed(self.options.seed)
        identities = Identities(self.capture.sample_rate_hz or 1.0, self.options.slice)
        for some in _together(self._signals(done)):
            messages = [
                signal_message(
                    f.signal, bearing, self.spec.name, self.method, f.segment.begins_s or 0.0, f.segment.time,
                    self.options.heading,
                )
                for f, bearing in zip(some, self._bearings([f.signal for f in some]), strict=True)
            ]  # fmt: skip
            identities.follow_ended(messages)
            yield from (m | received_at(f.segment.place) for m, f in zip(messages, some, strict=True))

    def _signals(self, done: Callable[[int], object]) -> "Iterator[Found]":
        from doamc.bands.channels import Channel
        from doamc.bands.finder import SignalFinder
        from doamc.bands.scan import scan

        o = self.options
        channels, masks = tuple(Channel(*c) for c in o.channel), tuple((low, high) for low, high in o.mask)

        def make(grid: "BandGrid") -> SignalFinder:
            return SignalFinder(grid, self.capture.n_channels, o.threshold, o.hang, channels, masks)

        yield from scan(self.capture, make, o.resolution, o.slice, self._frequency_hz, done, self.artefacts)


def _together(found: "Iterator[Found]") -> "Iterator[list[Found]]":
    """Signals that are estimated together, in the order of their beginning."""
    while some := list(islice(found, TOGETHER)):
        yield sorted(some, key=lambda f: (f.signal.start_s, f.signal.frequency_hz))
