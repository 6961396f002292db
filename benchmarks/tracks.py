"""Emitters followed: GOSPA and swapped identities against Stone Soup's JPDA filter, and the time of an update.

    .venv/bin/python benchmarks/tracks.py [--scenes 40]

The scenes are those of `yardsticks/bearing_scenes.py`: two emitters that cross, and six that come, go, stand and turn,
seen every 0.1 s with 0.5 degrees of error, 5 % overlooked and half a false sighting a slice. Both trackers know these
figures and the motion. Stone Soup comes with `pip install gr-doamc[referee]`; without it its columns stay empty.
"""

import importlib.util
import time
from typing import Any

import numpy as np
from command import make_parser, write_result
from yardsticks.bearing_scenes import STD_DEG, crossing, swaps, town
from yardsticks.following import OPTIONS, follow
from yardsticks.gospa import mean_gospa_deg

from doamc.tracks import Sighting, Tracker


def compare(kind: Any, scenes: int) -> dict[str, Any]:
    """Figures of one kind of scene; exchanges count once for each of the two emitters."""
    rows: dict[str, list[float]] = {"gospa_deg": [], "swaps": [], "theirs_gospa_deg": [], "theirs_swaps": []}
    for seed in range(scenes):
        scene = kind(np.random.default_rng(1000 + seed))
        both = {"": follow(scene)}
        if importlib.util.find_spec("stonesoup"):
            from yardsticks import stone_soup

            both["theirs_"] = stone_soup.follow(scene, OPTIONS.rate_std_deg_s, OPTIONS.rate_time_s)
        for name, found in both.items():
            rows[name + "gospa_deg"].append(mean_gospa_deg(scene.truth, found))
            rows[name + "swaps"].append(swaps(scene.truth, found))
    out: dict[str, Any] = {k: round(float(np.mean(v)), 3) for k, v in rows.items() if v}
    return out | {"most_swaps_a_scene": int(max(rows["swaps"]))}


def update_ms(emitters: int = 16, slices: int = 300) -> float:
    """Median milliseconds of an update with as many tracks as sightings."""
    tracker, rng, seconds = Tracker(), np.random.default_rng(0), []
    for n in range(slices):
        seen = [
            Sighting(((20 * e - 150 + STD_DEG * rng.standard_normal(), STD_DEG, 1.0),), 3e8 + 2e4 * e, 1e4)
            for e in range(emitters)
        ]
        begin = time.perf_counter()
        tracker.update(n * 0.02, seen)
        tracker.tracks()
        seconds.append(time.perf_counter() - begin)
    return float(np.median(seconds)) * 1e3


def main() -> None:
    parser = make_parser(__doc__)
    parser.add_argument("--scenes", type=int, default=40)
    args = parser.parse_args()
    scenes = 4 if args.quick else args.scenes
    result = {"scenes": scenes, "update_of_16_ms": round(update_ms(), 2)}
    result |= {kind.__name__: compare(kind, scenes) for kind in (crossing, town)}
    write_result(__file__, args, result)


if __name__ == "__main__":
    main()
