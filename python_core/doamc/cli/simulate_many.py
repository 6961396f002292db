"""``doamc simulate --files``: many files of scenes, each a task, which writes where it runs."""

import argparse
import os
from typing import Any

from doamc.cli.cluster_options import usable_cores, workers_of
from doamc.cli.remarks import tell

#: what of the options a task does not need
_NOT_TOLD = ("run", "files", "workers", "scheduler", "memory", "tls_ca", "tls_cert", "tls_key", "traceback")


def simulate_many(args: argparse.Namespace) -> int:
    """Write the files that are not there; 1 where some could not be."""
    from tqdm import tqdm

    from doamc.cluster import open_executor, seed_of
    from doamc.files.atomic import make_folder

    folder = os.path.abspath(args.out)
    make_folder(os.path.join(folder, "x"))
    told = {k: v for k, v in vars(args).items() if k not in _NOT_TOLD}
    told["array"] = os.path.abspath(args.array) if os.path.isfile(args.array) else args.array
    paths = [os.path.join(folder, f"{k:05}.npz") for k in range(args.files)]
    tasks = [
        told | {"out": path, "seed": seed_of(args.seed, "simulate", k)}
        for k, path in enumerate(paths)
        if not os.path.isfile(path)
    ]
    failed = []
    with (
        open_executor(workers_of(args, usable_cores())) as executor,
        tqdm(total=args.files, initial=args.files - len(tasks), unit="file", disable=None, leave=False) as bar,
    ):
        for outcome in executor.run(f"{__name__}:simulate_one", tasks):
            bar.update()
            if outcome.failure is not None:
                failed.append(f"{os.path.basename(outcome.task['out'])}: {outcome.failure}")
    print(f"{args.out}: {args.files - len(failed)} of {args.files} files of {args.batches} scenes, {args.array}")
    for line in sorted(failed):
        tell(f"set aside: {line}")
    return 1 if failed else 0


def simulate_one(task: dict[str, Any]) -> None:
    """One file, where a worker writes it: a folder of this name must be the same for all."""
    from contextlib import redirect_stdout
    from io import StringIO

    from doamc.cli.simulate import run

    with redirect_stdout(StringIO()):
        run(argparse.Namespace(**task, files=None, workers=None, scheduler=None))
