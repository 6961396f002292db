"""Many inputs: found, cut into tasks, worked on wherever workers are, their results written one by one.

What is done with them is a `Work`; all else is the same for each.
"""

import argparse
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doamc.cli.remarks import tell
from doamc.files.atomic import LONGEST, check_folder, make_folder

if TYPE_CHECKING:
    from doamc.cluster import Executor
    from doamc.cluster.manifest import Manifest
    from doamc.snapshots.finding import Found

#: how long a task should take, s, and the most chunks that it has
_TASK_S, _MOST_CHUNKS = 2.0, 16


@dataclass(frozen=True)
class Work:
    """What is done with every input, in chunks whose results do not depend on how they are shared out.

    tasks: module of ``index(task)`` and ``chunks(task)``, which workers call. index says what an input is: its digest,
    count of units, units in a chunk, remarks, and whatever `results` need; chunks gives the results of some chunks as
    bytes, by the numbers of their first units, and the seconds that it took. results: module of ``write_result``, which
    makes one file of those of an input. unit, units: what is counted.
    """

    tasks: str
    results: str
    unit: str
    units: str


@dataclass
class Run:
    """An archive on its way. settings: what results depend on. failed: what was set aside, a line each."""

    work: Work
    settings: dict[str, Any]
    manifest: "Manifest"
    executor: "Executor"
    found: dict[str, "Found"]
    indexed: dict[str, dict[str, Any]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    chunk_s: float = _TASK_S

    def index(self) -> None:
        """Look at every input: what it holds, and whether it is the one that was there before."""
        from tqdm import tqdm

        tasks = ({"settings": self.settings, "name": f.name, "where": f.where} for f in self.found.values())
        looked = self.executor.run(f"{self.work.tasks}:index", tasks)
        for outcome in tqdm(looked, total=len(self.found), unit="input", disable=None, leave=False):
            name = outcome.task["name"]
            if outcome.failure is not None:
                self._set_aside(name, [], outcome.failure)
                continue
            told = self.indexed[name] = outcome.result
            for remark in told["remarks"]:
                tell(f"warning: {remark}")
            self.manifest.looked_at(name, told["digest"], where=outcome.task["where"], count=told["count"])
        self.indexed = {name: self.indexed[name] for name in sorted(self.indexed)}

    def do(self) -> None:
        """Do what is not there yet, and write the results of every input that is complete."""
        from tqdm import tqdm

        from doamc.errors import DoamcError, RecordingError

        write_result = import_module(self.work.results).write_result
        done = {n for n in self.manifest.done if result_path(self.manifest.folder, n, self.settings).is_file()}
        left = {name: self._left(name) for name in self.indexed if name not in done}
        missing = {name: len(chunks) for name, chunks in left.items()}

        def complete(name: str) -> None:
            path = result_path(self.manifest.folder, name, self.settings)
            try:
                make_folder(path)
                write_result(path, self.manifest, self.settings, name, self.found[name].where, self.indexed[name])
            except RecordingError as error:  # it cannot be written
                self._set_aside(name, [], str(error))
            except DoamcError as error:  # its parts cannot be read
                self.manifest.forget(name)
                self._set_aside(name, [], f"{error}; the same command does it again")
            else:
                self.manifest.finish(name, path.relative_to(self.manifest.folder).as_posix())

        for name in [n for n, count in missing.items() if not count]:
            complete(name)
        total = sum(t["count"] for t in self.indexed.values())
        ahead = sum(self._units(name, chunks) for name, chunks in left.items())
        with tqdm(total=total, initial=total - ahead, unit=self.work.unit, disable=None, leave=False) as bar:
            for outcome in self.executor.run(f"{self.work.tasks}:chunks", self._tasks(left)):
                name, chunks = outcome.task["name"], outcome.task["chunks"]
                if outcome.failure is not None:
                    self._set_aside(name, chunks, outcome.failure)
                    continue
                for remark in outcome.result.get("remarks", ()):
                    tell(f"warning: {remark}")
                for chunk in outcome.result["chunks"]:
                    self.manifest.add_part(name, chunk["first"], chunk["data"])
                self.chunk_s = 0.8 * self.chunk_s + 0.2 * outcome.result["seconds"] / len(chunks)
                bar.update(self._units(name, chunks))
                missing[name] -= len(chunks)
                if not missing[name]:
                    complete(name)

    def _left(self, name: str) -> range | list[int]:
        """First units of the chunks of an input that are not there."""
        told, there = self.indexed[name], self.manifest.parts.get(name, set())
        every = range(0, told["count"], told["chunk"])
        return every if not there else [first for first in every if first not in there]

    def _tasks(self, left: dict[str, range | list[int]]) -> Iterator[dict[str, Any]]:
        """Chunks that follow each other, as many as take `_TASK_S`: how they are cut does not change what they give."""
        for name, chunks in left.items():
            at = 0
            while at < len(chunks):
                some = chunks[at : at + max(1, min(_MOST_CHUNKS, int(_TASK_S / max(self.chunk_s, 1e-3))))]
                at += len(some)
                yield {
                    "settings": self.settings, "name": name, "where": self.found[name].where,
                    "digest": self.indexed[name]["digest"], "chunks": list(some),
                }  # fmt: skip

    def _units(self, name: str, chunks: range | list[int]) -> int:
        count, size = self.indexed[name]["count"], self.indexed[name]["chunk"]
        return len(chunks) * size - (size - (count - chunks[-1]) if chunks and chunks[-1] + size > count else 0)

    def _set_aside(self, name: str, chunks: list[int], why: str) -> None:
        self.manifest.set_aside(name, chunks, why)
        where = f", {self.work.units} from {chunks[0]} on" if chunks else ""
        self.failed.append(f"{name}{where}: {why}")


def result_path(folder: Path, name: str, settings: dict[str, Any]) -> Path:
    """Where the results of an input of this name stand. A name that is too long for the disk is cut."""
    parent, _, last = name.rpartition("/")
    end = f".{settings['format']}"
    raw = os.fsencode(last)
    if len(raw) + len(end) > LONGEST:
        mark = f"-{hashlib.sha256(raw).hexdigest()[:8]}"
        last = raw[: LONGEST - len(end) - len(mark)].decode(errors="ignore") + mark
    return folder / parent / (last + end)


def run_archive(args: argparse.Namespace, settings: dict[str, Any], work: Work) -> int:
    """Do this work with all inputs that are asked for; 1 where anything was set aside."""
    from doamc.cli.cluster_options import usable_cores, workers_of
    from doamc.cluster import open_executor
    from doamc.cluster.manifest import Manifest
    from doamc.errors import RecordingError
    from doamc.files.remote import is_url
    from doamc.snapshots.finding import find_inputs

    if is_url(args.out):
        raise RecordingError(f"expected a folder of this machine for results, found {args.out}; copy them afterwards")
    check_folder(args.out)
    workers = workers_of(args, usable_cores())
    inputs = find_inputs(args.inputs, args.include, args.out)
    found = {f.name: f if is_url(f.where) else f._replace(where=os.path.abspath(f.where)) for f in inputs}
    with Manifest(args.out, settings) as manifest, open_executor(workers) as executor:
        run = Run(work, settings, manifest, executor, found)
        run.index()
        run.do()
        done = sum(name in manifest.done for name in run.indexed)
    count = sum(t["count"] for n, t in run.indexed.items() if n in manifest.done)
    print(f"{args.out}: {done} of {len(found)} inputs, {count} {work.units}, {args.array}, {settings['method']}")
    for line in run.failed:
        tell(f"set aside: {line}")
    return 1 if run.failed else 0
