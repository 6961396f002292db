"""``doamc scan``: every signal in a band, and where each of them comes from."""

import argparse
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from doamc.cli.array_of_input import array_of_input
from doamc.cli.capture_options import add_capture_arguments, capture_form
from doamc.cli.options import (
    MOST,
    add_heading_argument,
    add_threads_argument,
    between,
    hertz,
    number,
    positive,
    seconds,
    seed,
    source_count,
    whole,
)

if TYPE_CHECKING:
    from doamc.bands.grid import BandGrid
    from doamc.bands.scan import Found
    from doamc.snapshots.segments import Capture

TOGETHER = 128  #: signals that are estimated at once, and share one coupling at first


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "scan",
        help="every signal in the band of a capture, with its direction",
        description="Writes JSON lines of schema doamc.signal/1, one a signal: frequency_hz, bandwidth_hz, start_s, "
        "stop_s, duty, snr_db, and sources with azimuth_deg, std_deg, interval_deg and power_db.",
    )
    parser.add_argument("input", metavar="CAPTURE", help="capture of all channels: .sigmf-meta, .iq, ...")
    parser.add_argument("-o", "--out", required=True, metavar="OUT.jsonl", help="file to write")
    parser.add_argument("--array", metavar="NAME_OR_TOML",
                        help="array specification (doamc arrays); default: that of the recording")  # fmt: skip
    parser.add_argument("--annotate", action="store_true",
                        help="also write the signals into the metadata of the SigMF recording")  # fmt: skip
    find = parser.add_argument_group("what is a signal")
    find.add_argument("--resolution", type=positive, default=6250.0, metavar="HZ", help="width of bins (default 6250)")
    find.add_argument("--slice", type=seconds, default=0.02, metavar="S", help="length of slices (default 0.02)")
    find.add_argument("--threshold", type=between(-10, 60), default=0.0, metavar="DB",
                      help="above that of one false alarm in ten minutes of 2.4 MHz (default 0)")  # fmt: skip
    find.add_argument("--hang", type=seconds, default=0.5, metavar="S",
                      help="silence after which a signal has ended (default 0.5)")  # fmt: skip
    find.add_argument("--channel", type=channel, action="append", default=[], metavar="HZ:WIDTH[:SQUELCH_DB]",
                      help="watch this channel, and nothing else; may be repeated")  # fmt: skip
    find.add_argument("--mask", type=band, action="append", default=[], metavar="HZ:HZ",
                      help="leave out what lies between; may be repeated")  # fmt: skip
    how = parser.add_argument_group("directions")
    how.add_argument("--method", metavar="M", help="estimator (doamc methods; default: the most accurate one)")
    how.add_argument("--sources", type=source_count, default=None, metavar="P|auto",
                     help="sources of each signal (default auto: counted)")  # fmt: skip
    how.add_argument("--snapshots", type=whole(1, MOST), default=1000, metavar="L",
                     help="independent snapshots of a signal that are counted at most (default 1000)")  # fmt: skip
    how.add_argument("--each-alone", action="store_true",
                     help="no coupling that all signals share")  # fmt: skip
    how.add_argument("--seed", type=seed, default=0, help="seed of methods that draw (default 0)")
    how.add_argument("--device", default="cpu", metavar="D", help="torch device (default cpu)")
    add_threads_argument(how)
    add_heading_argument(how, "by [mount] of the array; where it is known, bearing_deg is written, too")
    add_capture_arguments(parser, "--rate")
    parser.set_defaults(run=run)


def channel(text: str) -> tuple[float, float, float | None]:
    """Type of ``HZ:WIDTH[:SQUELCH_DB]``."""
    parts = text.split(":")
    if len(parts) not in (2, 3):
        raise argparse.ArgumentTypeError(f"expected HZ:WIDTH or HZ:WIDTH:SQUELCH_DB, found {text!r}")
    return number(parts[0]), hertz(parts[1]), number(parts[2]) if len(parts) == 3 else None


def band(text: str) -> tuple[float, float]:
    """Type of ``HZ:HZ``, ascending."""
    parts = text.split(":")
    low, high = (number(p) for p in parts) if len(parts) == 2 else (0.0, 0.0)
    if not low < high:
        raise argparse.ArgumentTypeError(f"expected two frequencies LOW:HIGH in Hz, found {text!r}")
    return low, high


def run(args: argparse.Namespace) -> int:
    """Find, estimate, write."""
    import torch

    from doamc.bands.bearings import Bearings
    from doamc.bands.estimator import Receiver, SignalEstimator
    from doamc.bands.identities import Identities
    from doamc.bands.message import signal_annotations, signal_message
    from doamc.cli.remarks import warn
    from doamc.estimates.annotations import annotate, open_to_annotate
    from doamc.estimates.message import encode
    from doamc.estimators.tuned import frequency_remark
    from doamc.files.atomic import check_output, whole_file
    from doamc.snapshots.captures import open_capture
    from doamc.snapshots.channel_order import channel_order
    from doamc.spec import load_spec

    check_output(args.out)
    torch.set_num_threads(args.threads)
    spec = load_spec(array_of_input(args.array, args.input), tunable=True)
    capture = open_capture(args.input, spec.n_elements, capture_form(args))
    annotated = open_to_annotate(args.input) if args.annotate else None
    order = (spec.channels, None) if args.ignore_positions else channel_order(capture, spec, args.frequency)
    told = args.frequency or capture.frequency_hz
    receiver = Receiver(spec, order[0], told)
    warn([*capture.remarks, order[1], frequency_remark(spec, () if told is None else (told,))])
    estimator = SignalEstimator(receiver, args.method, args.sources, args.device, args.seed, args.snapshots)
    bearings = Bearings(estimator, not args.each_alone)
    heading = spec.heading_deg if args.heading is None else args.heading
    remarks: list[str] = []
    messages, count, sources = [], 0, 0
    identities = Identities(capture.sample_rate_hz or 1.0, args.slice)
    with whole_file(args.out) as file:
        for some in _chunks(_signals(args, capture, remarks)):
            told_together = [
                signal_message(
                    f.signal, bearing, spec.name, estimator.name, f.segment.begins_s or 0.0, f.segment.time, heading
                )
                for f, bearing in zip(some, bearings([f.signal for f in some]), strict=True)
            ]
            identities.follow_ended(told_together)
            for message in told_together:
                file.write(encode(message) + b"\n")
                count, sources = count + 1, sources + message["n_sources"]
                if annotated is not None:
                    messages.append(message)
    if annotated is not None:
        annotate(annotated, [a for m in messages for a in signal_annotations(m, annotated)])
    warn(remarks)
    print(f"{args.out}: {count} signals, {sources} sources, {spec.name}, {estimator.name}")
    return 0


def _signals(args: argparse.Namespace, capture: "Capture", remarks: list[str]) -> "Iterator[Found]":
    from tqdm import tqdm

    from doamc.bands.channels import Channel
    from doamc.bands.finder import SignalFinder
    from doamc.bands.scan import scan

    channels = tuple(Channel(*c) for c in args.channel)
    masks = tuple(args.mask)

    def make(grid: "BandGrid") -> SignalFinder:
        return SignalFinder(grid, capture.n_channels, args.threshold, args.hang, channels, masks)

    with tqdm(total=capture.n_samples, unit="sample", unit_scale=True, disable=None, leave=False) as bar:
        yield from scan(capture, make, args.resolution, args.slice, args.frequency, bar.update, remarks)


def _chunks(found: "Iterator[Found]") -> "Iterator[list[Found]]":
    """Signals that are estimated together, in the order of their beginning."""
    while some := list(islice(found, TOGETHER)):
        yield sorted(some, key=lambda f: (f.signal.start_s, f.signal.frequency_hz))
