"""``doamc heimdall-emulator``: a KrakenSDR server for tests and demonstrations."""

import argparse
import time
from typing import TYPE_CHECKING, Any

from doamc.cli.options import number, port, positive, seconds, whole
from doamc.errors import ReceiverError

if TYPE_CHECKING:
    from doamc.krakensdr.version1.emulator import Emulator

_REPORT_S = 10.0


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "heimdall-emulator",
        help="serve frames as a KrakenSDR does",
        description="Serves a simulated scene, or a recording, by the protocol of the KrakenSDR's heimdall server.",
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--array", default="uca5", metavar="NAME_OR_TOML", help="simulate this array (default uca5)")
    source.add_argument("--recording", metavar="FILE.sigmf-meta", help="serve this recording, again and again")
    parser.add_argument("--azimuth-deg", type=number, nargs="+", metavar="A", help="emitters (default: two drawn)")
    parser.add_argument("--snr-db", type=number, default=20.0, metavar="S", help="per element (default 20)")
    parser.add_argument("--samples", type=whole(1), default=1 << 20, metavar="T", help="a frame (default 1048576)")
    parser.add_argument("--sample-rate", type=positive, default=2.4e6, metavar="R", help="Hz (default 2.4e6)")
    parser.add_argument("--frequency", type=positive, default=433.9e6, metavar="F", help="Hz (default 433.9e6)")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default 127.0.0.1)")
    parser.add_argument("--port", type=port, default=5000, help="data (default 5000; 0: a free one)")
    parser.add_argument("--control-port", type=port, default=5001, help="control (default 5001; 0: a free one)")
    parser.add_argument("--fast", action="store_true", help="as fast as frames are asked for, not at the sample rate")
    parser.add_argument("--frames", type=whole(1), default=0, metavar="K", help="end after so many frames")
    parser.add_argument(
        "--fault", action="append", default=[], type=_fault, metavar="NAME=RATE",
        help="commit a fault at random, e.g. drop=0.01 (again for others): drop, duplicate, truncate, bad-sync, "
        "garbage, stall, close, restart, unsynchronised, channels",
    )  # fmt: skip
    parser.add_argument("--stall", type=seconds, default=3.0, metavar="S", help="how long a stall lasts (3 s)")
    parser.add_argument("--restart", type=seconds, default=2.0, metavar="S", help="how long a restart takes (2 s)")
    parser.add_argument(
        "--forgive", action="store_true",
        help="go on when a client leaves in the middle of a frame, which ends the original",
    )  # fmt: skip
    parser.add_argument("--seed", type=whole(0), default=0, help="of scene, noise and faults (default 0)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted, or until the frames are sent."""
    from doamc.krakensdr.faults import Faults
    from doamc.krakensdr.sources import FrameSource, RecordedFrames, SimulatedFrames
    from doamc.krakensdr.version1.emulator import Emulator
    from doamc.spec import load_spec

    faults = Faults(dict(args.fault), stall_s=args.stall, restart_s=args.restart, seed=args.seed)
    source: FrameSource
    if args.recording:
        from doamc.snapshots.sigmf_files import Recording

        recording = Recording(args.recording)
        source = RecordedFrames(recording, min(args.samples, recording.n_samples), args.sample_rate, args.frequency)
        what = str(recording.path)
    else:
        spec = load_spec(args.array, tunable=True).tuned(args.frequency)
        source = SimulatedFrames(
            spec, args.azimuth_deg, args.snr_db, args.samples, args.sample_rate, args.frequency, args.seed
        )
        what = f"{spec.name}, emitters at {', '.join(f'{a:.1f}' for a in source.azimuth_deg)} deg"
    emulator = Emulator(
        source, args.host, args.port, args.control_port, not args.fast, faults, args.frames, forgiving=args.forgive
    )
    with emulator:
        print(f"data on {args.host}:{emulator.port}, control on {args.host}:{emulator.control_port}", flush=True)
        print(f"{what}: {source.n_channels} channels, {source.cpi_length} samples a frame", flush=True)
        report = time.monotonic() + _REPORT_S
        while not emulator.done.wait(0.1):
            if time.monotonic() >= report:
                report += _REPORT_S
                print(_summary(emulator), flush=True)
    print(_summary(emulator), flush=True)
    if emulator.ended:
        raise ReceiverError(f"{emulator.ended}; --forgive goes on")
    return 0


def _summary(emulator: "Emulator") -> str:
    faults = ", ".join(f"{name} {count}" for name, count in emulator.faulty.items() if count) or "none"
    return f"frames {emulator.produced}, not fetched in time {emulator.skipped}, faults: {faults}"


def _fault(text: str) -> tuple[str, float]:
    name, sign, rate = text.partition("=")
    if not sign:
        raise argparse.ArgumentTypeError(f"expected NAME=RATE, found {text!r}")
    return name, number(rate)
