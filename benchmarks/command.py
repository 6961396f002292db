"""The command line that all benchmarks share, and how they write what they measured."""

import argparse
import json
from pathlib import Path
from typing import Any

from machine import machine
from tqdm import tqdm

from doamc.cluster import Executor
from doamc.errors import ClusterError
from doamc.files.atomic import whole_file


def make_parser(about: str | None, default: str = "beside the script, .json") -> argparse.ArgumentParser:
    """Parser with ``--out`` and ``--quick``.

    about: docstring of the benchmark, whose first line says what it does. default: where the result goes without --out.
    """
    parser = argparse.ArgumentParser(description=(about or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, help=f"file to write (default: {default}; with --quick none)")
    parser.add_argument("--quick", action="store_true", help="a small run, which only shows that all of it works")
    return parser


def add_workers(parser: argparse.ArgumentParser) -> None:
    """The option ``--workers``, for `doamc.cluster.Workers`."""
    parser.add_argument("--workers", type=int, default=0, help="processes, one thread each (0: this one)")


def done_by(executor: Executor, work: str, tasks: list[Any]) -> list[Any]:
    """Results of tasks in their order. work: ``benchmark:function``. Raises ClusterError where one failed."""
    found = dict[int, Any]()
    places = {id(task): k for k, task in enumerate(tasks)}
    for outcome in tqdm(executor.run(work, tasks), total=len(tasks), disable=None):
        if outcome.failure is not None:
            raise ClusterError(f"{outcome.task}: {outcome.failure}")
        found[places[id(outcome.task)]] = outcome.result
    return [found[k] for k in range(len(tasks))]


def write_result(script: str, args: argparse.Namespace, result: dict[str, Any], **more: Any) -> None:
    """Print a result and write it as JSON, whole, with the machine it ran on; more: what else the machine has.

    script: the benchmark's ``__file__``, beside which the file lies where ``--out`` names none.
    Raises RecordingError when it cannot be written.
    """
    text = json.dumps(result | {"machine": machine() | more}, indent=1)
    print(text)
    path = args.out or (None if args.quick else Path(script).with_suffix(".json"))
    if path is not None:
        with whole_file(path) as file:
            file.write(f"{text}\n".encode())
