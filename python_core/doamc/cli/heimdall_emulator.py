"""``doamc heimdall-emulator``: a KrakenSDR server of version 1, for tests and demonstrations."""

import argparse
from typing import TYPE_CHECKING, Any

from doamc.cli.emulator_options import (
    add_emulator_arguments,
    add_ports,
    array_of,
    recorded,
    report_until,
    scene_in_words,
    to_replay,
)
from doamc.cli.options import whole
from doamc.errors import ReceiverError

if TYPE_CHECKING:
    from doamc.krakensdr.version1.emulator import Emulator

PORT, CONTROL_PORT, SAMPLES = 5000, 5001, 1 << 20


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "heimdall-emulator",
        help="serve frames as a KrakenSDR of version 1 does",
        description="Serves a simulated scene, or a recording, by the protocol of the KrakenSDR's heimdall server: "
        "the same as krakensdr-emulator --version 1.",
    )
    add_emulator_arguments(parser, "uca5", f"a frame (default {SAMPLES})")
    add_ports(parser, str(PORT), str(CONTROL_PORT))
    add_arguments(parser)
    parser.set_defaults(run=run)


def add_arguments(parser: Any) -> None:
    """Arguments of this version alone."""
    parser.add_argument("--frames", type=whole(1), metavar="K", help="end after so many frames")
    parser.add_argument(
        "--forgive", action="store_true",
        help="go on when a client leaves in the middle of a frame, which ends the original",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted, or until the frames are sent."""
    from doamc.krakensdr.faults import Faults
    from doamc.krakensdr.sources import FrameSource, SimulatedFrames
    from doamc.krakensdr.version1.emulator import Emulator
    from doamc.krakensdr.version1.replay import Replay
    from doamc.krakensdr.wiring import AS_SPECIFIED, channel_order
    from doamc.snapshots.sigmf_files import Recording

    faults = Faults(dict(args.fault), stall_s=args.stall, restart_s=args.restart, seed=args.seed)
    samples = args.samples or SAMPLES
    source: FrameSource | Replay
    if args.recording:
        recording, what = Recording(args.recording), args.recording
        as_received = to_replay(args, recording, packets=False)
        source = Replay(recording, samples) if as_received else recorded(args, recording, samples)
    else:
        spec = array_of(args, "uca5").tuned(args.frequency)
        order = channel_order(spec, args.channel_order or AS_SPECIFIED)
        source = SimulatedFrames(
            spec,
            args.azimuth_deg,
            args.snr_db,
            samples,
            args.sample_rate,
            args.frequency,
            args.seed,
            order,
            args.elevation_deg,
        )
        what = scene_in_words(spec.name, source.scene, order)
    ports = PORT if args.port is None else args.port, CONTROL_PORT if args.control_port is None else args.control_port
    emulator = Emulator(
        source, args.host, *ports, paced=not args.fast, faults=faults, frames=args.frames or 0, forgiving=args.forgive
    )
    with emulator:
        print(f"data on {args.host}:{emulator.port}, control on {args.host}:{emulator.control_port}", flush=True)
        print(f"{what}: {source.n_channels} channels, {source.cpi_length} samples a frame", flush=True)
        report_until(emulator.done, lambda: _summary(emulator))
    print(_summary(emulator), flush=True)
    if emulator.ended:
        raise ReceiverError(f"{emulator.ended}; --forgive goes on")
    return 0


def _summary(emulator: "Emulator") -> str:
    faults = ", ".join(f"{name} {count}" for name, count in emulator.faulty.items() if count) or "none"
    return f"frames {emulator.produced}, not fetched in time {emulator.skipped}, faults: {faults}"
