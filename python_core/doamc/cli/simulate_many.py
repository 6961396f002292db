"""``doamc simulate --files``: many files of scenes, each a task, which writes where it runs."""

import argparse
import os
from typing import TYPE_CHECKING, Any

from doamc import __version__
from doamc.cli.cluster_options import usable_cores, workers_of
from doamc.cli.remarks import tell

if TYPE_CHECKING:
    from doamc.spec import ArraySpec

#: what of the options a task does not need
_NOT_TOLD = ("run", "out", "files", "workers", "scheduler", "memory", "tls_ca", "tls_cert", "tls_key", "traceback")


def simulate_many(args: argparse.Namespace, spec: "ArraySpec") -> int:
    """Write the files that are not there; 1 where some could not be.

    Raises RecordingError where the folder holds files of other options, or that this command did not make.
    """
    from tqdm import tqdm

    from doamc.cluster import open_executor, seed_of
    from doamc.cluster.manifest import Manifest
    from doamc.errors import RecordingError
    from doamc.files.atomic import check_folder

    check_folder(args.out)
    folder = os.path.abspath(args.out)
    told = {k: v for k, v in vars(args).items() if k not in _NOT_TOLD}
    told["array"] = os.path.abspath(args.array) if os.path.isfile(args.array) else args.array
    names = [f"{k:05}.npz" for k in range(args.files)]
    there = {name for name in names if os.path.isfile(os.path.join(folder, name))}
    if there and not os.path.isfile(os.path.join(folder, "manifest.jsonl")):
        raise RecordingError(f"{args.out}: expected a new folder, found {min(there)} of something else; name another")
    failed = []
    with Manifest(folder, told | {"version": __version__, "array_digest": spec.digest}) as manifest:
        tasks = [
            told | {"out": os.path.join(folder, name), "seed": seed_of(args.seed, "simulate", k)}
            for k, name in enumerate(names)
            if name not in there & manifest.done
        ]
        done = args.files - len(tasks)
        with (
            open_executor(workers_of(args, usable_cores())) as executor,
            tqdm(total=args.files, initial=done, unit="file", disable=None, leave=False) as bar,
        ):
            for outcome in executor.run(f"{__name__}:simulate_one", tasks):
                bar.update()
                path, name = outcome.task["out"], os.path.basename(outcome.task["out"])
                why = outcome.failure
                if why is None and not os.path.isfile(path):
                    why = "its worker wrote it where this machine does not see it; name a folder that both share"
                if why is None:
                    manifest.finish(name, name)
                else:
                    manifest.set_aside(name, [], why)
                    failed.append(f"{name}: {why}")
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
