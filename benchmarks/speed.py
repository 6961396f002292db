"""Time of one estimate and of a batch, per method; also beside another checkout, in turns.

    .venv/bin/python benchmarks/speed.py [--cases ula8:ml kraken5:posterior ...] [--threads 1] [--kind qpsk]
        [--against FOLDER]

One estimate: P = 2, L = 256, 5 dB, snapshots in, estimates out; emitters are Gaussian, or of a kind in `KINDS`.
With --against the same observations are estimated by the checkout in FOLDER, by its own .venv/bin/python, a few at a
time in turn with this one: what else the machine does then slows both alike, and the ratio of processor times is worth
more than either. Nothing is written then, nor of other kinds, but to --out.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from command import make_parser, write_result

from doamc.scenes import draw_scene, receive
from doamc.spec import load_spec
from doamc.waveforms.kinds import KINDS, draw_kind

SINGLE, TURN = 100, 20  #: estimates one at a time, and how many of them before the other checkout's turn
BATCH, BATCHES = 256, 3
METHODS = ("music", "rare", "ml", "map", "ddim", "posterior")
CASES = [f"ula8:{m}" for m in METHODS] + ["kraken5:posterior", "dipole8:posterior"]


class Worker:
    """`speed_worker.py` in a process of a checkout's own Python."""

    def __init__(self, python: str, folder: Path, snapshots: Path, case: str, threads: int) -> None:
        array, _, method = case.partition(":")
        script = Path(__file__).with_name("speed_worker.py")
        command = [python, str(script), str(snapshots), array, method, str(threads)]
        self._process = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.singles: list[dict[str, Any]] = []
        self.batches: list[dict[str, Any]] = []

    def ask(self, **wanted: int) -> dict[str, Any]:
        """One line to the process, one from it. Raises SystemExit where it ended."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(wanted) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit("expected times from speed_worker.py, found its end; its message stands above")
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def result(self, together: int) -> dict[str, float]:
        """Times of all that was asked, in ms, and estimates a second of the fastest batch."""
        wall = np.concatenate([a["wall_ms"] for a in self.singles])
        cpu = np.concatenate([a["cpu_ms"] for a in self.singles])
        return {
            "single_median_ms": round(float(np.median(wall)), 2),
            "single_p99_ms": round(float(np.quantile(wall, 0.99)), 2),
            "single_cpu_median_ms": round(float(np.median(cpu)), 2),
            "batched_per_second": round(1e3 * together / min(a["wall_ms"][0] for a in self.batches)),
            "batched_cpu_ms_each": round(min(a["cpu_ms"][0] for a in self.batches) / together, 3),
            "memory_mib": self.singles[-1]["memory_mib"],
        }


def main() -> None:
    """Measure and write."""
    parser = make_parser(__doc__)
    parser.add_argument("--cases", nargs="+", default=CASES, metavar="ARRAY:METHOD", help=f"of {' '.join(CASES)}")
    parser.add_argument("--threads", type=int, default=1, help="of torch (%(default)s)")
    parser.add_argument("--kind", default="gauss", choices=[*KINDS], help="of waveforms (%(default)s)", metavar="KIND")
    parser.add_argument("--against", type=Path, metavar="FOLDER", help="another checkout, with a .venv of its own")
    args = parser.parse_args()
    table: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for case in args.cases:
            table[case] = measure(case, args, Path(folder) / "snapshots.npz")
            print(f"{case:18s}", json.dumps(table[case]), flush=True)
    if args.against or args.kind != "gauss":
        args.quick = args.quick or args.out is None
    case_of_all = f"P = 2, L = 256, 5 dB, {args.kind}"
    write_result(__file__, args, {"case": case_of_all, "threads": args.threads, "methods": table})


def measure(case: str, args: argparse.Namespace, path: Path) -> dict[str, Any]:
    """Times of one array and method; beside another checkout also its own, and ratios of processor times."""
    single, turn, together = (10, 5, 16) if args.quick else (SINGLE, TURN, BATCH)
    spec, generator = load_spec(case.partition(":")[0]), torch.Generator().manual_seed(0)
    scene = draw_scene(spec, single, 2, 5.0, generator)
    received = receive(scene, 256, generator=generator)
    y = received.snapshots
    if args.kind != "gauss":
        sent = draw_kind(args.kind, 2 * single, 256, generator).to(torch.complex128).view(single, 2, 256)
        y = y - received.clean + scene.response @ (scene.power.sqrt()[..., None] * sent)
    np.savez(path, snapshots=y.to(torch.complex64).numpy())
    here = Path(__file__).resolve().parent.parent
    workers = [Worker(sys.executable, here, path, case, args.threads)]
    if args.against:
        other = args.against.resolve()
        workers.append(Worker(str(other / ".venv/bin/python"), other, path, case, args.threads))
    for first in range(0, single, turn):
        for worker in workers:
            worker.singles.append(worker.ask(first=first, count=turn))
    for _ in range(BATCHES):
        for worker in workers:
            worker.batches.append(worker.ask(together=together))
    for worker in workers:
        worker.close()
    own = workers[0].result(together)
    if len(workers) == 1:
        return own
    other_result = workers[1].result(together)
    ratios = {
        "single_cpu_ratio": round(own["single_cpu_median_ms"] / other_result["single_cpu_median_ms"], 3),
        "batched_cpu_ratio": round(own["batched_cpu_ms_each"] / other_result["batched_cpu_ms_each"], 3),
    }
    return {"here": own, "against": other_result} | ratios


if __name__ == "__main__":
    main()
