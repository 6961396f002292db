"""What a prior over waveforms is worth: method `ddim` beside `posterior` and the Wiener filter that knows the scene.

    .venv/bin/python benchmarks/denoising.py [--count 128] [--weights FILE]

Of every case: share of scenes with all sources within 2 deg, RMSE of these, share of truths in 90 % intervals, NMSE of
clean snapshots in dB, and milliseconds an observation. `none` is `ddim` with the score of N(0, 1) for its network.
"""

import math
import time

import torch
from command import make_parser, write_result

from doamc.denoising.clean import denoise
from doamc.denoising.ddim import GuidedDdim
from doamc.denoising.messages import GaussianWaveforms
from doamc.estimators.base import Estimator
from doamc.posterior.methods import Posterior
from doamc.scenes import draw_scene
from doamc.scenes.prior import Scene
from doamc.snapshots import SnapshotBatch, make_batch
from doamc.spec import load_spec
from doamc.waveforms.kinds import draw_kind

#: array, sources, snapshots, SNR in dB, kind of waveform
CASES = [
    ("ula8", 2, 200, 0, "qpsk"), ("ula8", 3, 200, 0, "qpsk"), ("ula8", 2, 200, -5, "qpsk"), ("ula8", 2, 40, 5, "qpsk"),
    ("uca5", 2, 200, 10, "qpsk"), ("uca5", 2, 200, 5, "qpsk-shaped"), ("ula8", 2, 200, 5, "psk8"),
    ("ula8", 2, 200, 10, "qam16"), ("ula8", 3, 200, 0, "cm"), ("uca5", 2, 200, 10, "cm"), ("uca5", 2, 200, 10, "fm"),
    ("uca5", 2, 200, 10, "fsk"), ("ula8", 2, 200, 0, "gauss"), ("uca5", 2, 200, 10, "gauss"),
]  # fmt: skip
HIT_DEG = 2.0


def db(error: torch.Tensor, signal: torch.Tensor) -> float:
    """Mean squared error over power, dB."""
    return round(10 * math.log10(float(error.abs().square().sum() / signal.abs().square().sum())), 2)


def figures(method: Estimator, batch: SnapshotBatch, scene: Scene, clean: torch.Tensor) -> dict[str, float]:
    """Of one method on a batch of scenes."""
    begun = time.perf_counter()
    e = method(batch, scene.azimuth.shape[1])
    took = time.perf_counter() - begun
    error = torch.remainder(e.azimuth - scene.azimuth + math.pi, 2 * math.pi) - math.pi
    hit = error.abs().amax(1) < math.radians(HIT_DEG)
    return {
        "hits": round(float(hit.double().mean()), 3),
        "rmse_deg": round(math.degrees(float(error[hit].square().mean().sqrt())), 3),
        "held": round(float((error.abs() < 1.645 * e.std).double().mean()), 3),
        "clean_db": db(denoise(method.spec, batch, e).clean - clean, clean),
        "ms": round(1e3 * took / batch.size, 1),
    }


def main() -> None:
    """Run all cases."""
    parser = make_parser(__doc__)
    parser.add_argument("--count", type=int, default=128)
    parser.add_argument("--weights")
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows, cases, count = [], CASES, args.count
    if args.quick:
        cases, count = CASES[3:4], 4
    for array, p, length, snr_db, kind in cases:
        spec, generator = load_spec(array), torch.Generator().manual_seed(2026)
        scene = draw_scene(spec, count, p, float(snr_db), generator)
        s = draw_kind(kind, count * p, length, generator).to(torch.complex128).view(count, p, length)
        clean = scene.response @ (scene.power.sqrt()[..., None] * s)
        noise = torch.randn(clean.shape, dtype=torch.complex128, generator=generator)
        batch = make_batch(clean + scene.noise_power.sqrt()[:, None, None] * noise)
        wiener = scene.signal_covariance @ torch.linalg.solve(scene.covariance, batch.snapshots)
        methods = {
            "posterior": Posterior(spec),
            "ddim": GuidedDdim(spec, args.weights),
            "none": GuidedDdim(spec, denoiser=GaussianWaveforms()),
        }
        row = {"case": f"{array}, P = {p}, L = {length}, {snr_db} dB, {kind}", "wiener_db": db(wiener - clean, clean)}
        row |= {name: figures(method, batch, scene, clean) for name, method in methods.items()}
        rows.append(row)
        print(row, flush=True)
    write_result(__file__, args, {"count": count, "cases": rows})


if __name__ == "__main__":
    main()
