"""``doamc krakensdr-emulator``: a KrakenSDR server of either version, for tests and demonstrations."""

import argparse
import json
import math
from typing import TYPE_CHECKING, Any

from doamc.cli import heimdall_emulator
from doamc.cli.emulator_options import (
    add_emulator_arguments,
    add_ports,
    array_of,
    named,
    recorded,
    report_until,
    scene_in_words,
    to_replay,
)
from doamc.cli.options import number, positive, whole
from doamc.errors import ReceiverError

if TYPE_CHECKING:
    from doamc.krakensdr.version2.emulator import Payloads, SuiteEmulator
    from doamc.krakensdr.version2.emulator.replay import Replay

PORT, CONTROL_PORT, SAMPLES, ARRAY = 8091, 8092, 1 << 14, "krakensdr"
#: arguments of one version alone, and what they are when they are not given
_ONLY: dict[int, dict[str, Any]] = {
    1: {"frames": None, "forgive": False},
    2: {"packets": None, "time": [], "loop": None, "level_db": None, "dc_offset": None, "gain_db": None, "room": None,
        "close_slow": False, "report": None},
}  # fmt: skip


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "krakensdr-emulator",
        help="serve samples as a KrakenSDR does",
        description="Serves a simulated scene, or a recording, as a KrakenSDR does: version 2 by the protocol of its "
        "suite, which streams to several clients at once; version 1 by that of heimdall.",
    )
    parser.add_argument("--version", type=int, choices=(1, 2), default=2, help="of the protocol (default 2)")
    add_emulator_arguments(
        parser, f"uca5, {ARRAY} in version 2", f"a packet, or frame (default {SAMPLES}, or {heimdall_emulator.SAMPLES})"
    )
    add_ports(parser, f"{PORT}, or {heimdall_emulator.PORT}", f"{CONTROL_PORT}, or {heimdall_emulator.CONTROL_PORT}")
    heimdall_emulator.add_arguments(parser.add_argument_group("version 1"))
    group = parser.add_argument_group("version 2")
    group.add_argument("--packets", type=whole(1), metavar="K", help="end after so many packets")
    group.add_argument(
        "--time", action="append", default=[], type=named("STATE=S"), metavar="STATE=S",
        help="how long a state lasts, s of stream, e.g. cooling=0.5 (again for others): retuning, cooling, waiting, "
        "measuring, applying, verifying",
    )  # fmt: skip
    group.add_argument("--loop", type=positive, metavar="S", help="samples are drawn once for so long (default 2 s)")
    group.add_argument("--level-db", type=number, metavar="L", help="of the samples, dB of full scale (default -12)")
    group.add_argument("--dc-offset", type=number, metavar="D", help="most of a converter, in its steps (default 2)")
    group.add_argument("--gain-db", type=number, metavar="G", help="at the start (default 20)")
    group.add_argument("--room", type=whole(1), metavar="K", help="packets that wait for a client (default 64)")
    group.add_argument("--close-slow", action="store_true", help="leave a client that is too slow for its queue")
    group.add_argument("--report", metavar="FILE.json", help="at the end, what was sent to each client")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted, or until all is sent."""
    for name, usual in _ONLY[3 - args.version].items():
        if getattr(args, name) != usual:
            option = name.replace("_", "-")
            raise ReceiverError(f"expected options of version {args.version}, found --{option}; see --version")
    return heimdall_emulator.run(args) if args.version == 1 else _serve(args)


def _serve(args: argparse.Namespace) -> int:
    """Version 2."""
    from doamc.files.atomic import check_output, whole_file
    from doamc.krakensdr.faults import Faults
    from doamc.krakensdr.version2.emulator import FAULTS, SuiteEmulator
    from doamc.krakensdr.version2.emulator.tuner import check_times

    faults = Faults(dict(args.fault), stall_s=args.stall, restart_s=args.restart, seed=args.seed, known=FAULTS)
    times = check_times(dict(args.time))
    if args.report:
        check_output(args.report)
    heard, frequency_hz, rate_hz, what = _heard(args)
    emulator = SuiteEmulator(
        heard, rate_hz, frequency_hz, _or(args.gain_db, 20.0), args.host, _or(args.port, PORT),
        _or(args.control_port, CONTROL_PORT), times, not args.fast, faults, args.packets or 0, _or(args.room, 64),
        args.close_slow,
    )  # fmt: skip
    try:
        with emulator:
            print(f"data on {args.host}:{emulator.port}, control on {args.host}:{emulator.control_port}", flush=True)
            print(f"{what}: {heard.n_channels} channels, {heard.n_samples} samples a packet", flush=True)
            report_until(emulator.done, lambda: _summary(emulator))
    finally:  # told when it is interrupted, too
        for account in emulator.clients.accounts[-20:]:
            print(f"{account.peer}: {account.in_words()}")
        print(_summary(emulator), flush=True)
        if args.report:
            with whole_file(args.report) as file:
                file.write(json.dumps(emulator.as_dict(), indent=1).encode() + b"\n")
    if emulator.ended:
        raise ReceiverError(emulator.ended)
    return 0


def _heard(args: argparse.Namespace) -> tuple["Payloads | Replay", float, float, str]:
    """Samples, or a recording that is replayed; frequency, rate, and what they are in words."""
    from doamc.krakensdr.scene import Scene
    from doamc.krakensdr.version2.emulator import Payloads
    from doamc.krakensdr.version2.emulator.payloads import check_payloads
    from doamc.krakensdr.version2.emulator.replay import Replay
    from doamc.krakensdr.wiring import channel_order, usual_order
    from doamc.snapshots.sigmf_files import Recording

    samples, rate_hz, frequency_hz = args.samples or SAMPLES, args.sample_rate, args.frequency
    level = _or(args.level_db, -12.0), _or(args.dc_offset, 2.0), args.seed
    if args.recording:
        recording = Recording(args.recording)
        if to_replay(args, recording, True, "samples", "time", "loop", "level_db", "dc_offset", "gain_db"):
            return Replay(recording), frequency_hz, rate_hz, args.recording
        source = recorded(args, recording, samples)
        count = _packets(args, source.sample_rate_hz, source.cpi_length)
        frames = map(source.frame, range(count))
        payloads = Payloads(lambda _: next(frames), source.n_channels, source.cpi_length, count, *level)
        return payloads, source.frequency_hz, source.sample_rate_hz, args.recording
    loaded = array_of(args, ARRAY)
    spec = loaded.tuned(frequency_hz)
    order = channel_order(spec, args.channel_order or usual_order(loaded))
    check_payloads(len(order), samples)
    scene = Scene(spec, args.azimuth_deg, args.snr_db, args.seed, order, args.elevation_deg)
    payloads = Payloads(scene.draw, scene.n_channels, samples, _packets(args, rate_hz, samples), *level)
    return payloads, frequency_hz, rate_hz, scene_in_words(spec.name, scene, order)


def _packets(args: argparse.Namespace, rate_hz: float, samples: int) -> int:
    """Packets of the loop: of so many seconds, and no more than are sent."""
    return min(math.ceil(min(_or(args.loop, 2.0) * rate_hz / samples, 1e9)), args.packets or 10**9)


def _or(value: Any, usual: Any) -> Any:
    return usual if value is None else value


def _summary(emulator: "SuiteEmulator") -> str:
    stream = emulator.stream
    faults = ", ".join(f"{name} {count}" for name, count in stream.faulty.items() if count) or "none"
    passed = f"passed unsent {emulator.skipped + emulator.clients.unheard}"
    return f"packets {stream.produced}, {passed}, faults: {faults}; all clients: {emulator.clients.total().in_words()}"
