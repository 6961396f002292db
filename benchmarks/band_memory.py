"""Memory of a band over an hour's worth of slices, through finder, places, tracks and messages.

    .venv/bin/python benchmarks/band_memory.py [--slices 180000] [--rate 50e3] [--array uca5]

A narrow band, since memory grows with signals and slices, if at all, and not with bins. Two seconds of it hold a signal
that lasts, bursts, and one that comes and goes; they are repeated at other levels. What is told is thrown away.
"resident_mib" is taken at a tenth, a half and the end of the way; "grown_kib_a_1000_slices" is from the
first tenth to the end.
"""

import math
import time
from pathlib import Path
from typing import Any

import numpy as np
from command import make_parser, write_result

from doamc.bands.bearings import Bearings
from doamc.bands.estimator import Receiver, SignalEstimator
from doamc.bands.finder import SignalFinder
from doamc.bands.grid import BandGrid
from doamc.bands.identities import Identities
from doamc.bands.live import LiveBand, Told
from doamc.bands.placing import Placer
from doamc.bands.simulated.capture import receive_band
from doamc.bands.simulated.scene import BandScene, Emitter
from doamc.spec import load_spec

CENTRE_HZ, PIECE_S = 300e6, 2.0
LEVELS = (1.0, 0.5, 0.8, 1.3)  #: of the pieces in turn


def resident_mib() -> float:
    """Memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 2**20


def measure(array: str, rate_hz: float, slices: int) -> dict[str, Any]:
    """Figures of one run."""
    spec, grid = load_spec(array), BandGrid(rate_hz, CENTRE_HZ)
    emitters = (
        Emitter("nfm", CENTRE_HZ - 0.3 * rate_hz, 6e3, 40.0, 15.0, ((0.0, math.inf),)),
        Emitter("4fsk", CENTRE_HZ + 0.05 * rate_hz, 6e3, 200.0, 12.0, ((0.2, 0.25), (1.0, 1.2))),
        Emitter("nfm", CENTRE_HZ + 0.35 * rate_hz, 6e3, 300.0, 10.0, ((0.5, 0.9),)),
    )
    y = receive_band(spec, BandScene(CENTRE_HZ, rate_hz, PIECE_S, 1, emitters))
    estimator = SignalEstimator(Receiver(spec, spec.channels, CENTRE_HZ), "music", 1)
    finder = SignalFinder(grid, spec.n_elements, hang_s=0.1)
    live = LiveBand(
        finder, Told(array, "music", spec.channels), Placer(Bearings(estimator, False)), 0.1, Identities(rate_hz)
    )
    told = ended = pieces = 0
    memory, places = [], [slices // 10, slices // 2, slices]
    begin = time.process_time()
    while finder.slices < slices:
        level = np.complex64(LEVELS[pieces % len(LEVELS)])
        messages = live.push(level * y)
        wanted = live.wanted(4)
        messages += live.placed(live.placer(wanted, live.alive)) if wanted else []
        told, ended, pieces = told + len(messages), ended + sum(m["ended"] for m in messages), pieces + 1
        while places and finder.slices >= places[0]:
            memory.append(resident_mib())
            places.pop(0)
    grown = (memory[-1] - memory[0]) * 1024 / max(1.0, (slices - slices // 10) / 1000)
    return {
        "array": array, "rate_hz": rate_hz, "slices": finder.slices, "of_stream_s": round(finder.slices * grid.slice_s),
        "messages": told, "signals_ended": ended, "resident_mib": [round(m, 1) for m in memory],
        "grown_kib_a_1000_slices": round(grown, 2), "cpu_s": round(time.process_time() - begin, 1),
    }  # fmt: skip


def main() -> None:
    """Measure and write."""
    parser = make_parser(__doc__)
    parser.add_argument("--slices", type=int, default=180_000)
    parser.add_argument("--rate", type=float, default=50e3)
    parser.add_argument("--array", default="uca5")
    args = parser.parse_args()
    write_result(__file__, args, measure(args.array, args.rate, 200 if args.quick else args.slices))


if __name__ == "__main__":
    main()
