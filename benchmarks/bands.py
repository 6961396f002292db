"""Signals of a band: how fast spectral covariances are, what is found, and what one coupling for all signals gains.

* speed: spectral covariances alone, and the whole finder on a band of eight signals, of samples in memory; channels
  times megasamples a second of CPU time, one thread. "slices" is without copying, of slices that are cut already, as
  `signal_finder` has them: by CPU time with one thread and with two, and by the clock with two, the quickest of many.
* empty: false signals in so many seconds of noise of 2.4 MHz.
* detection: share of captures in which a signal of 12.5 kHz that is on for 0.5 s of 1 s is found, by its SNR in its
  band at one element, and the false signals beside it.
* one array: errors of six signals of one built array, drawn as its [antenna] tells and solved by NEC2 (needs PyNEC), or
  "exact", with a coupling drawn from its family: each signal by method posterior, and all with one coupling.
  "array_deg" is the median over arrays of the RMSE, "less_common_deg" the RMSE without what all bearings of an array
  have in common, which nothing that is received tells.

    .venv/bin/python benchmarks/bands.py [--empty-s 60] [--captures 20] [--arrays 12]
"""

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from command import make_parser, write_result

from doamc.angles import wrap_deg
from doamc.bands.bearings import Bearings
from doamc.bands.estimator import Receiver, SignalEstimator
from doamc.bands.finder import SignalFinder
from doamc.bands.grid import BandGrid
from doamc.bands.signal import Signal
from doamc.bands.simulated.capture import receive_band, responses
from doamc.bands.simulated.scene import BandScene, Emitter
from doamc.bands.spectra import SpectralCovariances
from doamc.spec import load_spec

CENTRE_HZ, RATE_HZ = 300e6, 2.4e6


def emitter(kind: str, offset_hz: float, width_hz: float, azimuth_deg: float, snr_db: float, on_s: Any) -> Emitter:
    """An emitter by its distance from the middle of the band."""
    return Emitter(kind, CENTRE_HZ + offset_hz, width_hz, azimuth_deg, snr_db, on_s)


def found_in(samples: np.ndarray, finder: SignalFinder) -> list[Signal]:
    """All signals of samples."""
    ended = [s for changed in finder.push(samples) for s in changed if s.ended]
    return ended + finder.finish()


def speed(channels: int, rate_hz: float, seconds: float) -> dict[str, Any]:
    """Channels times megasamples a second of CPU time."""
    grid = BandGrid(rate_hz, CENTRE_HZ)
    eight = tuple(
        emitter("qpsk", rate_hz * (k - 3.5) / 10, rate_hz / 80, 10.0 * k, 15.0, ((0.0, seconds),)) for k in range(8)
    )
    spec = load_spec("ula8" if channels == 8 else "uca5")
    y = receive_band(spec, BandScene(CENTRE_HZ, rate_hz, seconds, 1, eight))
    slices = (y.shape[1] - grid.hop) // grid.slice_samples
    out: dict[str, Any] = {}
    for name, run in (
        ("covariances", lambda: list(SpectralCovariances(grid, channels).push(y))),
        ("finder", lambda: found_in(y, SignalFinder(grid, channels))),
    ):
        run()
        begin = time.process_time()
        run()
        out[name] = round(slices * grid.slice_samples * channels / 1e6 / (time.process_time() - begin), 1)
    return out | {"slices": speed_of_slices(y, grid)}


def speed_of_slices(y: np.ndarray, grid: BandGrid) -> dict[str, float]:
    """Channels times megasamples a second of CPU time, and of the clock, of the quickest of slices cut already."""
    needed, spectra = grid.slice_samples + grid.overlap, SpectralCovariances(grid, len(y))
    cut = [np.ascontiguousarray(y[:, k : k + needed]) for k in range(0, y.shape[1] - needed, grid.slice_samples)]
    megasamples, out = len(y) * grid.slice_samples / 1e6, {}
    for threads in (1, 2):
        torch.set_num_threads(threads)
        taken = []
        for samples in 5 * cut:
            clock, cpu = time.perf_counter(), time.process_time()
            spectra.slice(samples)
            taken.append((time.process_time() - cpu, time.perf_counter() - clock))
        out[f"{threads} threads, CPU"] = round(megasamples / min(t for t, _ in taken), 1)
        out[f"{threads} threads, clock"] = round(megasamples / min(t for _, t in taken), 1)
    torch.set_num_threads(1)
    return out


def empty(channels: int, seconds: float) -> int:
    """False signals in noise; channels are a second of noise each, shifted against each other anew every second."""
    grid, rng = BandGrid(RATE_HZ, CENTRE_HZ), np.random.default_rng(channels)
    second = rng.standard_normal((channels, round(RATE_HZ), 2), dtype=np.float32).view(np.complex64)[..., 0]
    finder, false = SignalFinder(grid, channels), 0
    for _ in range(max(1, round(seconds))):
        z = np.stack([np.roll(row, rng.integers(len(row))) for row in second])
        false += sum(s.ended for changed in finder.push(z[:, : round(min(seconds, 1) * RATE_HZ)]) for s in changed)
    return false + len(finder.finish())


def detection(array: str, snr_db: float, captures: int) -> dict[str, float]:
    """Share found, and false signals a second, in a band of 240 kHz."""
    spec, hits, false, seconds = load_spec(array), 0, 0, 1.0
    rng = np.random.default_rng(7)
    for seed in range(captures):
        low, high = spec.azimuth_deg
        one = emitter("nfm", 12_500.0 * rng.integers(-8, 9), 12_500.0, rng.uniform(low, high), snr_db, ((0.2, 0.7),))
        y = receive_band(spec, BandScene(CENTRE_HZ, 240e3, seconds, seed, (one,)))
        near = [abs(s.frequency_hz - one.frequency_hz) < 12.5e3 for s in
                found_in(y, SignalFinder(BandGrid(240e3, CENTRE_HZ), spec.n_elements))]  # fmt: skip
        hits, false = hits + any(near), false + len(near) - sum(near)
    return {"found": hits / captures, "false_a_second": false / (captures * seconds)}


def one_array(array: str, builder: str, arrays: int) -> dict[str, dict[str, float]]:
    """Errors of six signals each of some arrays."""
    spec, errors = load_spec(array), dict[str, list[np.ndarray]]()
    low, high = (0.0, 360.0) if spec.full_circle else (spec.azimuth_deg[0] + 2, spec.azimuth_deg[1] - 2)
    for seed in range(arrays):
        rng = np.random.default_rng(1000 + seed)
        six = tuple(
            emitter("nfm", rng.uniform(-1.1e6, 1.1e6), 12.5e3, rng.uniform(low, high), rng.uniform(8, 22), ())
            for _ in range(6)
        )
        scene = BandScene(CENTRE_HZ, RATE_HZ, 0.5, seed + 7, six, physics=builder != "exact", rough=builder == "rough")
        signals = [heard(e, v, rng, 1000, i) for i, (e, v) in enumerate(zip(six, responses(spec, scene), strict=True))]
        estimator = SignalEstimator(Receiver(spec, spec.channels, CENTRE_HZ), n_sources=1)
        for name, together in (("alone", False), ("together", True)):
            found = [b.estimates for b in Bearings(estimator, together)(signals)]
            rows = [
                (wrap_deg(math.degrees(float(f.azimuth[0, 0])) - e.azimuth_deg), math.degrees(float(f.std[0, 0])))
                for f, e in zip(found, six, strict=True)
            ]
            errors.setdefault(name, []).append(np.array(rows))
    out = {}
    for name, rows in errors.items():
        every = np.concatenate(rows)
        out[name] = {
            "rmse_deg": round(float((every[:, 0] ** 2).mean() ** 0.5), 3),
            "array_deg": round(float(np.median([(r[:, 0] ** 2).mean() ** 0.5 for r in rows])), 3),
            "less_common_deg": round(float(np.sqrt(np.mean([r[:, 0].var(ddof=1) for r in rows]))), 3),
            "cover90": round(float((np.abs(every[:, 0]) < 1.645 * every[:, 1]).mean()), 3),
        }
    return out


def heard(e: Emitter, response: np.ndarray, rng: np.random.Generator, snapshots: int, number: int) -> Signal:
    """What is received of an emitter, without a detour over samples."""
    shape = (len(response), snapshots)
    s = (rng.standard_normal(snapshots) + 1j * rng.standard_normal(snapshots)) * 10 ** (e.snr_db / 20)
    y = (response[:, None] * s + rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / math.sqrt(2)
    covariance = torch.from_numpy(y @ y.conj().T / snapshots)
    return Signal(
        number, e.frequency_hz, e.bandwidth_hz, 0.0, 0.5, 1.0, e.snr_db, covariance, float(snapshots), (), ended=True
    )


def main() -> None:
    """Measure and write."""
    parser = make_parser(__doc__)
    parser.add_argument("--empty-s", type=float, default=60.0)
    parser.add_argument("--captures", type=int, default=20)
    parser.add_argument("--arrays", type=int, default=12)
    parser.add_argument("--only", choices=("speed", "empty", "detection", "one array"), help="measure this part anew")
    args = parser.parse_args()
    if args.quick:
        args.empty_s, args.captures, args.arrays = 0.5, 1, 1
    torch.set_num_threads(1)
    seconds = 0.1 if args.quick else 0.5
    parts: dict[str, Callable[[], Any]] = {
        "speed": lambda: {"5 x 2.4 MS/s": speed(5, 2.4e6, seconds), "8 x 20 MS/s": speed(8, 20e6, seconds / 2)},
        "empty": lambda: {f"{n} channels": empty(n, args.empty_s) for n in (5, 8)} | {"seconds": args.empty_s},
        "detection": lambda: {
            f"{array} {snr:g} dB": detection(array, snr, args.captures)
            for array in ("ula8", "kraken5") for snr in (-3.0, -9.0, -12.0)
        },
        "one array": lambda: {
            f"{array} {builder}": one_array(array, builder, args.arrays)
            for array, builder in (("kraken5", "careful"), ("kraken5", "rough"), ("dipole8", "careful"),
                                   ("dipole8", "rough"), ("uca5", "exact"), ("ula8", "exact"))
        },
    }  # fmt: skip
    path = Path(__file__).with_suffix(".json")
    kept = json.loads(path.read_text()) if path.exists() else {}
    result = {name: run() if args.only in (None, name) else kept.get(name) for name, run in parts.items()}
    write_result(__file__, args, result)


if __name__ == "__main__":
    main()
