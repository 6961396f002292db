"""How often 90 % intervals hold over a few captures: many times as few as were recorded, each of one antenna.

All batches of a capture share the error of its antenna, so that few captures tell little of coverage. Here five
captures are made again, each time of other antennas: drawn from the array's prior, or exactly as planned, for which
the intervals are too wide by what the prior expects builders to do. held: share of truths in their intervals, every
capture counted once; five: its quantiles (2.5, 50, 97.5 %) over sets of five captures, all: how often a set reaches
`ALL`.

    .venv/bin/python benchmarks/captures.py [--antennas 200]
"""

from dataclasses import dataclass

import numpy as np
import torch
from command import make_parser, write_result
from tqdm import tqdm

from doamc.estimators.intervals import NORMAL_90
from doamc.posterior.methods import Posterior
from doamc.scenes import Scene, receive
from doamc.scenes.accuracy import azimuth_error
from doamc.snapshots import make_batch
from doamc.spec import load_spec

SNAPSHOTS, BATCHES = 256, 4  #: batches of each capture: noise differs between them, the antenna does not
ALL = 0.99  #: mean over the five recorded captures
RESAMPLED = 20_000  #: sets of five captures put together from those made


@dataclass(frozen=True)
class Capture:
    """Scene of a recorded capture: azimuths ascending in deg, powers and SNR in dB."""

    array: str
    azimuth_deg: tuple[float, ...]
    power_db: tuple[float, ...]
    snr_db: float


CAPTURES = (
    Capture("dipole8", (-41.0, -6.3, 28.6), (0.0, -2.0, -4.0), 12.0),
    Capture("dipole8", (-23.4, 17.8), (0.0, -3.0), 10.0),
    Capture("dipole8", (-12.7, 9.9), (0.0, -1.0), 8.0),
    Capture("kraken5", (127.3,), (0.0,), 5.0),
    Capture("kraken5", (48.2, 231.5), (0.0, -2.0), 15.0),
)


def held_of(capture: Capture, antennas: int, planned: bool, generator: torch.Generator) -> np.ndarray:
    """Share (antennas,) of truths in their 90 % intervals over the batches of one antenna each."""
    spec, count = load_spec(capture.array), antennas * BATCHES
    theta = spec.family.draw((antennas,), generator)
    theta = (0.0 if planned else 1.0) * theta.repeat_interleave(BATCHES, 0)

    def same(values: tuple[float, ...]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float64).expand(count, -1)

    noise = same((10 ** (-capture.snr_db / 10),))[:, 0]
    scene = Scene(spec, same(capture.azimuth_deg).deg2rad(), 10 ** (same(capture.power_db) / 10), theta, noise)
    snapshots = receive(scene, SNAPSHOTS, "gaussian", generator).snapshots.to(torch.complex64)
    e = Posterior(spec)(make_batch(snapshots), len(capture.azimuth_deg))
    error = azimuth_error(scene.azimuth, e.azimuth, spec.full_circle)
    return (error.abs() < NORMAL_90 * e.std).double().view(antennas, -1).mean(1).numpy()


def main() -> None:
    """Run and write."""
    parser = make_parser(__doc__)
    parser.add_argument("--antennas", type=int, default=200, help="of each capture (%(default)s)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    result: dict = {"snapshots": SNAPSHOTS, "batches": BATCHES, "antennas": 3 if args.quick else args.antennas}
    for name, planned in (("prior", False), ("planned", True)):
        generator, rng = torch.Generator().manual_seed(77), np.random.default_rng(0)
        some = tqdm(CAPTURES[3:] if args.quick else CAPTURES, desc=name, disable=None)
        held = [held_of(capture, result["antennas"], planned, generator) for capture in some]
        sets = np.stack([rng.choice(x, RESAMPLED) for x in held]).mean(0)
        result[name] = {
            "held": [round(float(x.mean()), 3) for x in held],
            "five": np.quantile(sets, [0.025, 0.5, 0.975]).round(3).tolist(),
            "all": round(float((sets >= ALL - 1e-9).mean()), 3),
        }
    write_result(__file__, args, result)


if __name__ == "__main__":
    main()
