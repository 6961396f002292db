"""Emitters that stand, move, cross, come and go, and what a detector sees of them slice by slice."""

from dataclasses import dataclass

import numpy as np

SLICE_S = 0.1
STD_DEG = 0.5
DETECTED = 0.95
FALSE = 0.5  #: sightings a slice that are no emitter's


@dataclass(frozen=True)
class BearingScene:
    """Truth and sightings of each slice: {emitter: azimuth_deg} and azimuths in degrees."""

    truth: list[dict[int, float]]
    seen: list[list[float]]


def observe(truth: list[dict[int, float]], rng: np.random.Generator, half_width_deg: float = 150.0) -> BearingScene:
    """Each emitter is seen with probability `DETECTED`, normal errors of `STD_DEG`, beside uniform false sightings."""
    seen = []
    for now in truth:
        azimuths = [b + STD_DEG * rng.standard_normal() for b in now.values() if rng.random() < DETECTED]
        azimuths += list(rng.uniform(-half_width_deg, half_width_deg, rng.poisson(FALSE)))
        rng.shuffle(azimuths)
        seen.append(azimuths)
    return BearingScene(truth, seen)


def crossing(rng: np.random.Generator, slices: int = 300) -> BearingScene:
    """Two emitters that pass each other in the middle, at 1 to 4 degrees a second against each other."""
    rate = rng.uniform(0.5, 2.0, 2)
    middle, t = rng.uniform(-60, 60), (np.arange(slices) - slices / 2) * SLICE_S
    return observe([{0: middle + rate[0] * s, 1: middle - rate[1] * s} for s in t], rng)


def town(rng: np.random.Generator, slices: int = 300, emitters: int = 6) -> BearingScene:
    """Emitters that come up and go at any time; half of them stand, half turn at up to 2 degrees a second."""
    start = rng.integers(0, slices // 2, emitters)
    stop = np.minimum(start + rng.integers(slices // 4, slices, emitters), slices)
    place, rate = rng.uniform(-90, 90, emitters), rng.uniform(-2, 2, emitters) * (np.arange(emitters) % 2)
    truth = [
        {e: place[e] + rate[e] * SLICE_S * (n - start[e]) for e in range(emitters) if start[e] <= n < stop[e]}
        for n in range(slices)
    ]
    return observe(truth, rng)


def swaps(truth: list[dict[int, float]], found: list[dict[int, float]], gate_deg: float = 2.5) -> int:
    """How often an emitter's track is another one than it was, where both are known within `gate_deg`."""
    last: dict[int, int] = {}
    count = 0
    for now, tracks in zip(truth, found, strict=True):
        for emitter, azimuth in now.items():
            near = {k: abs((b - azimuth + 180) % 360 - 180) for k, b in tracks.items()}
            others = [abs(azimuth - b) for e, b in now.items() if e != emitter]
            if not near or min(near.values()) > gate_deg or min(others, default=180.0) < 2 * gate_deg:
                continue  # nobody can tell two emitters in one place
            track = min(near, key=near.__getitem__)
            count += emitter in last and last[emitter] != track
            last[emitter] = track
    return count
