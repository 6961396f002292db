"""Error of denoised snapshots over that of the Wiener filter that knows the scene.

    .venv/bin/python benchmarks/denoising.py [--scenes 300]

x0 NMSE in dB above the filter that knows R_x0 and s2: snapshots as received, the batch's signal-subspace filter, the
per-snapshot diffusion model, the batch-conditioned one (posterior mean, and one sample); ula8, powers -6 to 0 dB.
"""

import math

import torch
from command import make_parser, write_result

from doamc.denoising.methods import BatchDdim, SnapshotDdim
from doamc.denoising.wiener import SignalCovariance, subspace_wiener
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch
from doamc.snapshots.noise_level import noise_power_from_eigenvalues
from doamc.spec import load_spec

SLOW = 40  #: scenes for the per-snapshot model, which evaluates its network for every snapshot and step
CASES = ((2, 200, -10), (2, 200, -5), (2, 200, 0), (2, 200, 10), (2, 20, 0), (2, 20, 10), (3, 200, 0), (1, 20, 0))


def main() -> None:
    """Measure and write."""
    parser = make_parser(__doc__)
    parser.add_argument("--scenes", type=int, default=300, help="of each case (%(default)s)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    cases, scenes, slow = ([(2, 20, 0)], 4, 1) if args.quick else (CASES, args.scenes, SLOW)
    spec = load_spec("ula8")
    batch_ddim, snapshot_ddim = BatchDdim(spec), SnapshotDdim(spec)
    table = {}
    for p, length, snr in cases:
        generator = torch.Generator().manual_seed(4711)
        scene = draw_scene(spec, scenes, p, float(snr), generator)
        received = receive(scene, length, generator=generator)
        batch = make_batch(received.snapshots)
        mean, drawn, _ = batch_ddim.denoise(batch, p)
        subspace = subspace_wiener(batch.covariance, p, noise_power_from_eigenvalues(batch.covariance, p))
        known = SignalCovariance.of(scene.signal_covariance).wiener(scene.noise_power)
        found = {
            "received": batch.snapshots,
            "subspace_wiener": subspace @ batch.snapshots,
            "ddim-snapshot": snapshot_ddim.estimate(batch.select(slice(0, slow)), p).clean,
            "ddim": mean,
            "ddim_one_sample": drawn,
        }
        best = (known @ batch.snapshots - received.clean).abs().square()
        key = f"P{p} L{length} {snr:+d}dB"
        table[key] = {}
        for method, clean in found.items():
            error = (clean - received.clean[: len(clean)]).abs().square()
            table[key][method] = round(10 * math.log10(float(error.sum() / best[: len(clean)].sum())), 3)
        print(f"{key:16s}", table[key], flush=True)
    what = "dB over the Wiener filter that knows the scene"
    write_result(__file__, args, {"what": what, "scenes": scenes, "cases": table})


if __name__ == "__main__":
    main()
