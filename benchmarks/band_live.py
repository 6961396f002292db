"""A band live: signals told a second, slices lost, latency, processor time and memory of block `signal_finder`.

    .venv/bin/python benchmarks/band_live.py [--seconds 20] [--array kraken5] [--rate 2.4e6] [--unpaced]

Sixteen signals of 12.5 kHz, five channels, from files at the pace of the sample rate (GNU Radio's throttle). A second
of samples is drawn, and repeated. All sixteen begin at once: "first_bearing_s" is when they had one, and
"told_a_second" counts bearings of each signal in whole seconds of stream after the last of them had its first.
Latencies are from the last sample of a slice to the message; with the slice itself, "slice_ms" is added to them.
"uncounted" is what of the slices received no counter tells of.

"keeps_up" is what the processor time says, seconds a second of stream: threads that must not fall behind take less than
a core each, and all but the whole estimates, which take what is left, less than one and a half. A machine that does
other work beside loses slices, which are counted. "source" is the processor time of the simulated receiver, "benchmark"
that of reading messages here, "sink" that of cutting streams into slices.
--unpaced, for such a machine: nothing is dropped, the stream waits, and latencies then mean nothing.
"""

import math
import os
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import gr_doamc
import numpy as np
import pmt
from command import make_parser, write_result
from gnuradio import blocks, gr
from gr_doamc.runtime.message_block import guarded, message_block

from doamc.bands.simulated.capture import receive_band
from doamc.bands.simulated.scene import BandScene, Emitter
from doamc.spec import load_spec

CENTRE_HZ, SIGNALS, WARM_S = 300e6, 16, 1.0


class keeper(message_block):
    """Counts of messages by signal and second of stream, latencies, and the newest status."""

    def __init__(self) -> None:
        message_block.__init__(self, "keeper", {"signals": self._on_signal, "status": self._on_status})
        self.told: Counter[tuple[int, int]] = Counter()
        self.first_s: dict[int, float] = {}
        self.latency_ms: list[float] = []
        self.errors_deg: list[tuple[float, float, bool]] = []
        self.azimuth_deg: dict[int, float] = {}
        self.newest: dict[str, Any] = {}

    @guarded
    def _on_signal(self, message: Any) -> None:
        m = pmt.to_python(message)
        if m["ended"] or not m["sources"]:
            return
        self.first_s.setdefault(m["id"], m["stop_s"])
        if m["stop_s"] < WARM_S:
            return
        self.told[m["id"], int(m["stop_s"])] += 1
        self.latency_ms.append(m["latency_ms"]["total"])
        near = min(self.azimuth_deg, key=lambda f: abs(f - m["frequency_hz"]))
        error = (m["sources"][0]["azimuth_deg"] - self.azimuth_deg[near] + 180) % 360 - 180
        low, high = (e - m["sources"][0]["azimuth_deg"] for e in m["sources"][0]["interval_deg"])
        self.errors_deg.append((error, float(m["n_sources"]), low <= -error <= high))

    @guarded
    def _on_status(self, message: Any) -> None:
        self.newest = pmt.to_python(message)


def resident_mib() -> float:
    """Memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 2**20


def thread_cpu_s() -> Counter[str]:
    """Processor time of GNU Radio's threads by the name of their block, without its number."""
    tick, out = os.sysconf("SC_CLK_TCK"), Counter[str]()
    for task in Path("/proc/self/task").iterdir():
        try:
            name, rest = (task / "stat").read_text(encoding="utf-8").split("(", 1)[1].rsplit(")", 1)
        except OSError:  # it has ended meanwhile
            continue
        out[name.rstrip("0123456789")] += sum(int(x) for x in rest.split()[11:13]) / tick
    return out


def measure(array: str, rate: float, seconds: float, unpaced: bool, folder: Path) -> dict[str, Any]:
    """Figures of one run."""
    spec = load_spec(array)
    emitters = tuple(
        Emitter("nfm", CENTRE_HZ + rate * (k - 7.5) / 18, 12.5e3, 22.0 * k + 3.0, 15.0, ((0.0, math.inf),))
        for k in range(SIGNALS)
    )
    y = receive_band(spec, BandScene(CENTRE_HZ, rate, 1.0, 1, emitters))
    flowgraph, kept = gr.top_block(), keeper()
    kept.azimuth_deg = {int(e.frequency_hz): e.azimuth_deg for e in emitters}
    finder = gr_doamc.signal_finder(
        array=array, sample_rate=rate, frequency=CENTRE_HZ, when_full="wait" if unpaced else "drop"
    )
    for k, element in enumerate(spec.channels):
        file = folder / f"{k}.c64"
        y[element].tofile(file)
        source = blocks.file_source(gr.sizeof_gr_complex, str(file), True)
        head = blocks.head(gr.sizeof_gr_complex, round(seconds * rate))
        if k == 0 and not unpaced:
            throttle = blocks.throttle(gr.sizeof_gr_complex, rate)
            flowgraph.connect(source, throttle, head, (finder, k))
        else:
            flowgraph.connect(source, head, (finder, k))
    flowgraph.msg_connect(finder, "signals", kept, "signals")
    flowgraph.msg_connect(finder, "status", kept, "status")
    begin, cpu, memory, threads = time.monotonic(), time.process_time(), [], Counter[str]()
    flowgraph.start()
    while time.monotonic() < begin + 60 * seconds and kept.newest.get("state") != "stopped":
        time.sleep(seconds / 20)
        memory.append(resident_mib())
        threads = thread_cpu_s() | threads
    cpu, wall = time.process_time() - cpu, time.monotonic() - begin
    flowgraph.stop()
    flowgraph.wait()
    for thread in finder.engine.jobs:
        thread.join(5.0)
    first_s = sorted(kept.first_s.values())
    whole = range(math.ceil(max(first_s, default=0.0)), math.floor(seconds) - 1)
    a_second = [kept.told[k, s] for s in whole for k in kept.first_s]
    counts = kept.newest["counters"]
    errors = np.array([e for e, _, _ in kept.errors_deg])
    stream_s = max(1e-9, finder.engine.used * finder.engine.setup.lengths(rate).slice / rate)
    latency = np.percentile(kept.latency_ms or [0], (50, 95, 100))
    outside = {
        "source": ("file_source", "head", "throttle"),
        "sink": ("streams_to_vect", "slice_sink"),
        "benchmark": ("keeper",),
    }
    share = {k: round(v / stream_s, 3) for k, v in finder.engine.cpu_s.items()}
    return {
        "array": array, "rate_hz": rate, "seconds": seconds, "unpaced": unpaced, "wall_s": round(wall, 1),
        "counters": counts, "uncounted": counts["received"] - counts["used"] - counts["dropped"] - counts["failed"],
        "signals": len(first_s),
        "first_bearing_s": {"median": round(float(np.median(first_s or [0])), 2), "last": round(first_s[-1], 2)}
        if first_s else None,
        "told_a_second": {"least": min(a_second, default=0), "median": float(np.median(a_second or [0]))},
        "latency_ms_median_p95_most": None if unpaced else latency.round(1).tolist(),
        "slice_ms": round(1e3 * finder.engine.setup.lengths(rate).slice / rate, 1),
        "rmse_deg": round(float(np.sqrt((errors**2).mean())), 3) if len(errors) else None,
        "cover90": round(float(np.mean([c for *_, c in kept.errors_deg])), 3) if len(errors) else None,
        "cpu_s_a_second": share | {k: round(sum(threads[n] for n in v) / stream_s, 3) for k, v in outside.items()}
        | {"process": round(cpu / stream_s, 3)},
        "keeps_up": max(share["spectra"], share["signals"]) < 1
        and cpu / stream_s - share["estimates"] < 1.5,
        "memory_mib": [round(memory[k * (len(memory) - 1) // 3]) for k in (1, 2, 3)],
    }  # fmt: skip


def main() -> None:
    """Measure and write."""
    parser = make_parser(__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--array", default="kraken5")
    parser.add_argument("--rate", type=float, default=2.4e6)
    parser.add_argument("--unpaced", action="store_true")
    args = parser.parse_args()
    if args.quick:
        args.seconds, args.rate, args.unpaced = 2.0, 240e3, True
    with tempfile.TemporaryDirectory() as folder:
        write_result(__file__, args, measure(args.array, args.rate, args.seconds, args.unpaced, Path(folder)))


if __name__ == "__main__":
    main()
