"""Run targets for a time, each in a process of its own, and print what came of them.

    python -m tests.fuzz [--minutes 60] [--inputs N] [--seed S] [--jobs J] [TARGET ...]

Findings are written to out/fuzz/: the input, and what it raised. ``--replay TARGET FILE`` uses an input again. Exit
status 1 where something was found. ``--json FILE`` also writes the table.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.fuzz.harness import Count, Target, run
from tests.fuzz.targets import NAMES, target

OUT = Path("out/fuzz")


def main() -> int:
    """Parse, and be the parent, or one of its children."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(NAMES)} (default: all)")
    parser.add_argument("--minutes", type=float, default=60.0, help="of all targets together (default 60)")
    parser.add_argument("--inputs", type=int, default=10**9, help="of each target, at most")
    parser.add_argument("--seed", type=int, default=None, help="of what is drawn (default: the time)")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="targets at a time")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the counts")
    parser.add_argument("--replay", nargs=2, metavar=("TARGET", "FILE"), help="use one input again")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.replay:
        return _replay(target(args.replay[0]), Path(args.replay[1]).read_bytes())
    names, seed = args.targets or list(NAMES), int(time.time()) if args.seed is None else args.seed
    if args.child:
        run(target(names[0]), seed, args.minutes, args.inputs, OUT, report=lambda c: print(c.as_json(), flush=True))
        return 0
    return _all(names, seed, args)


def _all(names: list[str], seed: int, args: argparse.Namespace) -> int:
    OUT.mkdir(parents=True, exist_ok=True)
    each = args.minutes * min(args.jobs, len(names)) / len(names)
    print(f"seed {seed}, {len(names)} targets, {each:.2g} minutes each", flush=True)
    waiting, running, counts = list(names), {}, []
    print(f"{'target':20} {'inputs':>8} {'refused':>8} {'accepted':>8} {'slowest ms':>10} {'peak MiB':>8}  findings")
    while waiting or running:
        while waiting and len(running) < args.jobs:
            name = waiting.pop(0)
            words = ["--child", name, "--minutes", each, "--inputs", args.inputs, "--seed", seed]
            log = (OUT / f"{name}.log").open("w+b")
            command = [sys.executable, "-m", "tests.fuzz", *map(str, words)]
            running[name] = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log), log
        name = next(iter(running))
        process, log = running.pop(name)
        told = process.communicate()[0].decode().splitlines()
        log.close()
        count = Count(**json.loads(told[-1])) if told else Count(name)
        if process.returncode:  # ended in C: the input lies beside the log
            now = OUT / f"{name}.now"
            if now.is_file():
                now.replace(OUT / f"{name}-died.input")
            count.findings[f"the process ended with status {process.returncode}"] = 1
        _row(count)
        counts.append(count)
    total = Count("all", *(sum(getattr(c, k) for c in counts) for k in ("inputs", "refused", "accepted")))
    total.slowest_ms, total.peak_mib = max(c.slowest_ms for c in counts), max(c.peak_mib for c in counts)
    found = sum(len(c.findings) for c in counts)
    _row(total)
    if args.json:
        args.json.write_text(json.dumps({"seed": seed, "counts": [vars(c) for c in counts]}, indent=1) + "\n")
    return int(found > 0)


def _row(count: Count) -> None:
    print(f"{count.target:20} {count.inputs:8} {count.refused:8} {count.accepted:8} {count.slowest_ms:10.0f} "
          f"{count.peak_mib:8.0f}  {len(count.findings)}", flush=True)  # fmt: skip
    for kind, times in count.findings.items():
        print(f"    {times} x {kind}", flush=True)


def _replay(what: Target, data: bytes) -> int:
    import tempfile

    from tests.fuzz.harness import judge

    with tempfile.TemporaryDirectory() as folder:
        print("accepted" if judge(what, data, Path(folder)) else "refused")
    return 0


if __name__ == "__main__":
    sys.exit(main())
