"""``doamc scan``: every signal in a band, and where each of them comes from."""

import argparse
from typing import Any

from doamc.cli.array_of_input import array_of_input
from doamc.cli.capture_options import add_capture_arguments, capture_form
from doamc.cli.many_inputs import add_many_arguments, asks_for_many
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


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "scan",
        help="every signal in the band of a capture, with its direction",
        description="Writes JSON lines of schema doamc.signal/1, one a signal: frequency_hz, bandwidth_hz, start_s, "
        "stop_s, duty, snr_db, and sources with azimuth_deg, std_deg, interval_deg and power_db. Of many captures, a "
        "folder, a pattern or a URL: writes a Parquet file for each into a folder; interrupted, the same command goes "
        "on (docs/scale.md).",
    )
    parser.add_argument("inputs", nargs="+", metavar="CAPTURE", help="capture of all channels: .sigmf-meta, .iq, ...; "
                        "or of many: folders, patterns, URLs")  # fmt: skip
    parser.add_argument("-o", "--out", required=True, metavar="OUT", help=".jsonl file to write; a folder for many")
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
    parser.add_argument("--section", type=whole(1), metavar="S", help="for many captures: cut long ones into sections "
                        "of S s, each scanned by itself (default: a capture is one)")  # fmt: skip
    add_many_arguments(parser, ["parquet", "jsonl"])
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
    if asks_for_many(args, args.section):
        from doamc.cli.archive import Work, run_archive
        from doamc.cli.scan_work import scan_settings

        return run_archive(args, scan_settings(args), Work("doamc.cli.scan_work", "doamc.cli.scan_results", "s", "s"))
    import torch
    from tqdm import tqdm

    from doamc.bands.message import signal_annotations
    from doamc.cli.remarks import warn
    from doamc.cli.scan_capture import CaptureScan, ScanOptions
    from doamc.estimates.annotations import annotate, open_to_annotate
    from doamc.estimates.message import encode
    from doamc.files.atomic import check_output, whole_file
    from doamc.snapshots.captures import open_capture
    from doamc.spec import load_spec

    check_output(args.out, ".jsonl")
    torch.set_num_threads(args.threads)
    path = args.inputs[0]
    spec = load_spec(array_of_input(args.array, path), tunable=True)
    capture = open_capture(path, spec.n_elements, capture_form(args))
    annotated = open_to_annotate(path) if args.annotate else None
    scan = CaptureScan(spec, capture, ScanOptions.of(args, spec))
    warn(scan.remarks)
    kept, count, sources = [], 0, 0
    bar = tqdm(total=capture.n_samples, unit="sample", unit_scale=True, disable=None, leave=False)
    with whole_file(args.out) as file, bar:
        for message in scan.messages(bar.update):
            file.write(encode(message) + b"\n")
            count, sources = count + 1, sources + message["n_sources"]
            if annotated is not None:
                kept.append(message)
    if annotated is not None:
        annotate(annotated, [a for m in kept for a in signal_annotations(m, annotated)])
    warn(scan.artefacts)
    print(f"{args.out}: {count} signals, {sources} sources, {spec.name}, {scan.method}")
    return 0
