"""What the emulators of both versions of the KrakenSDR's server are told alike: what is heard, where, and faults."""

import argparse
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from doamc.cli.options import number, port, positive, seconds, whole
from doamc.errors import ReceiverError

if TYPE_CHECKING:
    from doamc.krakensdr.scene import Scene
    from doamc.krakensdr.sources import RecordedFrames
    from doamc.snapshots.sigmf_files import Recording
    from doamc.spec import ArraySpec

REPORT_S = 10.0


def add_emulator_arguments(parser: argparse.ArgumentParser, array: str, samples: str) -> None:
    """Arguments of both versions. array: the default, in words. samples: what `--samples` is of, and its default."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--array", metavar="NAME_OR_TOML", help=f"simulate this array (default {array})")
    source.add_argument(
        "--recording", metavar="FILE.sigmf-meta",
        help="serve this recording, again and again: one of doamc record as it was received",
    )  # fmt: skip
    parser.add_argument(
        "--samples-only", action="store_true",
        help="of such a recording the samples alone, with states, settings and faults of the emulator",
    )  # fmt: skip
    parser.add_argument("--azimuth-deg", type=number, nargs="+", metavar="A", help="emitters (default: two drawn)")
    parser.add_argument("--elevation-deg", type=number, nargs="+", metavar="E", help="of the emitters (default: 0)")
    parser.add_argument("--snr-db", type=number, default=20.0, metavar="S", help="per element (default 20)")
    parser.add_argument(
        "--channel-order", metavar="ORDER",
        help="as-specified; around a ring clockwise, as the manual wires it, or counter-clockwise, from element 0 on; "
        "or the element of each channel, as 0,4,3,2,1",
    )  # fmt: skip
    parser.add_argument("--samples", type=whole(1), metavar="T", help=samples)
    parser.add_argument("--sample-rate", type=positive, default=2.4e6, metavar="R", help="Hz (default 2.4e6)")
    parser.add_argument("--frequency", type=positive, default=433.9e6, metavar="F", help="Hz (default 433.9e6)")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default 127.0.0.1)")
    parser.add_argument("--fast", action="store_true", help="as fast as a client takes it, not at the sample rate")
    parser.add_argument(
        "--fault", action="append", default=[], type=named("NAME=RATE"), metavar="NAME=RATE",
        help="commit a fault at random, e.g. drop=0.01 (again for others; an unknown one tells which there are)",
    )  # fmt: skip
    parser.add_argument("--stall", type=seconds, default=3.0, metavar="S", help="how long a stall lasts (3 s)")
    parser.add_argument("--restart", type=seconds, default=2.0, metavar="S", help="how long a restart takes (2 s)")
    parser.add_argument("--seed", type=whole(0), default=0, help="of scene, noise and faults (default 0)")


def add_ports(parser: argparse.ArgumentParser, data: str, control: str) -> None:
    """The two ports. data, control: their defaults, in words."""
    parser.add_argument("--port", type=port, help=f"data (default {data}; 0: a free one)")
    parser.add_argument("--control-port", type=port, help=f"control (default {control}; 0: a free one)")


def to_replay(args: argparse.Namespace, recording: "Recording", packets: bool, *useless: str) -> bool:
    """Whether a recording is to be replayed as it was received.

    packets: only one of version 2 can be. useless: names of options that a replay has no use for, beside `--fault`.
    Raises ReceiverError where one is given.
    """
    from doamc.krakensdr.replay import stretches

    if args.samples_only or not (found := stretches(recording)) or (packets and found[0].packet_samples is None):
        return False
    for name in ("fault", *useless):
        if getattr(args, name) not in (None, []):
            option = name.replace("_", "-")
            raise ReceiverError(
                f"expected no --{option} for a recording that is replayed as it was received; --samples-only takes its "
                "samples alone"
            )
    return True


def recorded(args: argparse.Namespace, recording: "Recording", samples: int) -> "RecordedFrames":
    """Frames of a recording, of so many samples or as many as it has."""
    from doamc.krakensdr.sources import RecordedFrames

    return RecordedFrames(recording, min(samples, recording.n_samples), args.sample_rate, args.frequency)


def array_of(args: argparse.Namespace, default: str) -> "ArraySpec":
    """The array that is named, to be tuned to the frequency received."""
    from doamc.spec import load_spec

    return load_spec(args.array or default, tunable=True)


def scene_in_words(name: str, scene: "Scene", order: list[int]) -> str:
    """What is heard, for a person. order: the element of each channel."""
    wired = "" if order == sorted(order) else f", channels from elements {', '.join(map(str, order))}"
    above = scene.elevation_deg
    raised = "" if above is None else f", elevations {', '.join(f'{e:.1f}' for e in above)} deg"
    return f"{name}, emitters at {', '.join(f'{a:.1f}' for a in scene.azimuth_deg)} deg{raised}{wired}"


def named(form: str) -> Callable[[str], tuple[str, float]]:
    """Parser of a name and its number. form: what is expected, in words, as NAME=RATE."""

    def parse(text: str) -> tuple[str, float]:
        name, sign, value = text.partition("=")
        if not sign:
            raise argparse.ArgumentTypeError(f"expected {form}, found {text!r}")
        return name, number(value)

    return parse


def report_until(done: threading.Event, summary: Callable[[], str]) -> None:
    """Wait for the end of an emulator, and print its summary every `REPORT_S`."""
    report = time.monotonic() + REPORT_S
    while not done.wait(0.1):
        if time.monotonic() >= report:
            report += REPORT_S
            print(summary(), flush=True)
