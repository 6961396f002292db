"""Places of emitters: how often 90 % regions and ellipses hold them, crossing or in line with the stations; time.

    .venv/bin/python benchmarks/locate.py [--quick] [--picture docs/images/locate_regions.png]

Stations at 0, 0 and 5, -3 km, twenty bearings each of half a degree, or a car with forty of a degree; headings are off
by one degree. `region`: share of emitters in the polygons, of those without in the ellipse; `ellipse`: in the ellipse.
`bounded`: share with an end. `error_m`: median. `ms`: of one thread, mean.
"""

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from command import make_parser, write_result
from matplotlib.figure import Figure
from matplotlib.path import Path as Outline

from doamc.figures.style import COLOURS, PAGE, draw_figure
from doamc.places import BearingSet, Location, locate
from doamc.places.geodesy import bearing_of, east_north, ecef_m, moved

ORIGIN = np.radians(48.0), np.radians(11.0)
TWO = np.array([(0.0, 0.0), (5e3, -3e3)])
WAY = np.stack([np.linspace(0.0, 5e3, 40), np.zeros(40)], axis=1)
ALONG, REGION_M, SCENES = TWO[1], 1e5, 400
ACROSS = np.array([3.0, 5.0]) / math.hypot(3.0, 5.0)


def place(points_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Latitudes and longitudes, rad, of points, east and north."""
    return moved(*ORIGIN, points_m[..., 0], points_m[..., 1])


def bearings_of(
    at_m: np.ndarray, station: np.ndarray, emitter_m: np.ndarray, std_deg: float, heading_deg: float, rng: Any
) -> BearingSet:
    """One bearing from each of some points, numbered by station."""
    lat, lon = place(at_m)
    n, s = len(station), station.max() + 1
    error = heading_deg * rng.standard_normal(s)[station] + std_deg * rng.standard_normal(n)
    bearing = bearing_of(lat, lon, ecef_m(*place(emitter_m))) + np.radians(error)
    one = np.ones((n, 1))
    return BearingSet(
        station, lat, lon, bearing[:, None], np.radians(std_deg * one), one, np.full(n, 0.05),
        np.full(s, np.radians(heading_deg)),
    )  # fmt: skip


def of_stations(emitter_m: np.ndarray, rng: Any, stations: np.ndarray = TWO) -> BearingSet:
    index = np.repeat(np.arange(len(stations)), 20)
    return bearings_of(stations[index], index, emitter_m, 0.5, 1.0, rng)


def of_a_car(emitter_m: np.ndarray, rng: Any) -> BearingSet:
    return bearings_of(WAY, np.zeros(len(WAY), dtype=np.int64), emitter_m, 1.0, 1.0, rng)


def beside_line(rng: Any, low: float, high: float, beside_m: float = 0.0) -> np.ndarray:
    """A point of the line of both stations, from and to so many of their distances, or beside it."""
    point: np.ndarray = rng.uniform(low, high) * ALONG + beside_m * rng.choice([-1, 1]) * ACROSS
    return point


def lens(rng: Any) -> np.ndarray:
    """A point between both stations, within two deviations of what one bearing and the other tell."""
    t, std = rng.uniform(0, 1), math.radians(math.hypot(1.0, 0.5 / math.sqrt(20)))
    width = std * np.linalg.norm(ALONG) / math.hypot(1 / t, 1 / (1 - t))
    point: np.ndarray = t * ALONG + rng.uniform(-2, 2) * width * ACROSS
    return point


#: where emitters are, and what hears them
CASES: dict[str, tuple[Callable[[Any], np.ndarray], Callable[[np.ndarray, Any], BearingSet]]] = {
    "anywhere within 15 km": (lambda rng: ALONG / 2 + rng.uniform(-15e3, 15e3, 2), of_stations),
    "between": (lambda rng: beside_line(rng, 0.02, 0.98), of_stations),
    "between, within two deviations": (lens, of_stations),
    "in the middle": (lambda rng: ALONG / 2, of_stations),
    "100 m beside the line": (lambda rng: beside_line(rng, 0.1, 0.9, 100.0), of_stations),
    "300 m from a station": (lambda rng: ALONG + rng.uniform(-300, 300, 2), of_stations),
    "beyond an end, to 90 km": (
        lambda rng: ALONG * (1 + rng.uniform(0, 9e4) / np.linalg.norm(ALONG)), of_stations,
    ),
    "ahead of a car, to 90 km": (lambda rng: WAY[-1] + [rng.uniform(300.0, 9e4), 0.0], of_a_car),
    "beside the way of a car": (lambda rng: rng.uniform([-5e3, -8e3], [10e3, 8e3]), of_a_car),
}  # fmt: skip


def holds(found: Location, emitter_m: np.ndarray) -> tuple[bool, bool, float]:
    """Whether region and ellipse hold the emitter, and the error, m."""
    lat, lon = place(emitter_m)
    x, at = ecef_m(lat, lon), (found.latitude, found.longitude)
    error = east_north(*at) @ (x - ecef_m(*at))
    major, minor, orientation = found.ellipse(0.9)
    axis = math.radians(orientation)
    turned = np.array([[math.sin(axis), math.cos(axis)], [math.cos(axis), -math.sin(axis)]]) @ error
    within = bool(np.hypot(turned[0] / major, turned[1] / minor) <= 1)
    outlines = [] if found.region is None else found.region.outlines(0.9)
    inside = any(Outline(np.degrees(o)).contains_point((math.degrees(lat), math.degrees(lon))) for o in outlines)
    return within if found.region is None else inside, within, float(np.linalg.norm(error))


def measure(case: str, scenes: int) -> dict[str, float]:
    draw, hear = CASES[case]
    rng, rows, seconds = np.random.default_rng(0), [], 0.0
    for _ in range(scenes):
        emitter = draw(rng)
        bearings = hear(emitter, rng)
        begin = time.process_time()
        found = locate(bearings, REGION_M)[0].candidates[0]
        seconds += time.process_time() - begin
        rows.append((*holds(found, emitter), found.bounded))
    region, ellipse, error, bounded = np.array(rows, dtype=float).T
    return {
        "region": round(region.mean(), 3), "ellipse": round(ellipse.mean(), 3), "bounded": round(bounded.mean(), 2),
        "error_m": round(float(np.median(error))), "ms": round(1e3 * seconds / scenes, 1),
    }  # fmt: skip


def draw_regions(figure: Figure) -> None:
    """Four scenes with their regions, ellipses and emitters, km."""
    scenes = [
        ("between two stations", ALONG * 0.3, of_stations, TWO), ("beyond one of them", ALONG * 2.5, of_stations, TWO),
        ("ahead of a car", np.array([9e3, 0.0]), of_a_car, WAY), ("300 m off the line", ALONG * 0.6 + 300 * ACROSS,
                                                                of_stations, TWO),
    ]  # fmt: skip
    for axes, (title, emitter, hear, at) in zip(figure.subplots(2, 2).flat, scenes, strict=True):
        found = locate(hear(emitter, np.random.default_rng(3)), 2e4)[0].candidates[0]
        plane = east_north(*ORIGIN)
        for outline in [] if found.region is None else found.region.outlines(0.9):
            axes.fill(*(1e-3 * plane @ (ecef_m(*outline.T) - ecef_m(*ORIGIN)).T), color=COLOURS[0], alpha=0.35, lw=1)
        major, minor, orientation = found.ellipse(0.9)
        turn, axis = np.linspace(0, 2 * np.pi, 200), math.radians(orientation)
        middle = plane @ (ecef_m(found.latitude, found.longitude) - ecef_m(*ORIGIN))
        east = major * np.cos(turn) * math.sin(axis) + minor * np.sin(turn) * math.cos(axis)
        north = major * np.cos(turn) * math.cos(axis) - minor * np.sin(turn) * math.sin(axis)
        axes.plot(1e-3 * (middle[0] + east), 1e-3 * (middle[1] + north), color=COLOURS[1], linestyle="--", lw=0.9)
        axes.plot(*(1e-3 * at.T), "k^", markersize=4)
        axes.plot(*(1e-3 * emitter), "k*", markersize=7)
        axes.set(title=title, xlabel="east (km)", ylabel="north (km)")


def main() -> None:
    parser = make_parser(__doc__)
    parser.add_argument("--picture", metavar="OUT.png", help="draw four regions, and measure nothing")
    args = parser.parse_args()
    if args.picture:
        draw_figure(args.picture, (PAGE, 0.75 * PAGE), draw_regions)
        return
    scenes = 10 if args.quick else SCENES
    write_result(__file__, args, {"scenes": scenes} | {case: measure(case, scenes) for case in CASES})


if __name__ == "__main__":
    main()
