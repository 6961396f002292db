"""``doamc estimate`` of many inputs: found, cut into tasks, estimated wherever workers are, written one by one."""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from doamc.cli.remarks import tell

if TYPE_CHECKING:
    from doamc.cluster import Executor
    from doamc.cluster.manifest import Manifest
    from doamc.snapshots.finding import Found

#: how long a task should take, s, and the most chunks that it has
_TASK_S, _MOST_CHUNKS = 2.0, 16


@dataclass
class Run:
    """An archive on its way. settings: what results depend on. failed: what was set aside, a line each."""

    settings: dict[str, Any]
    manifest: "Manifest"
    executor: "Executor"
    found: dict[str, "Found"]
    indexed: dict[str, dict[str, Any]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    chunk_s: float = _TASK_S

    def index(self) -> None:
        """Look at every input: what it holds, and whether it is the one that was estimated before."""
        from doamc.cli.archive_work import INDEX

        tasks = ({"settings": self.settings, "name": f.name, "where": f.where} for f in self.found.values())
        for outcome in self.executor.run(INDEX, tasks):
            name = outcome.task["name"]
            if outcome.failure is not None:
                self._set_aside(name, [], outcome.failure)
                continue
            told = self.indexed[name] = outcome.result
            for remark in told["remarks"]:
                tell(f"warning: {remark}")
            self.manifest.looked_at(name, told["digest"], where=outcome.task["where"], shape=told["shape"])
        self.indexed = {name: self.indexed[name] for name in sorted(self.indexed)}

    def estimate(self) -> None:
        """Estimate what is not there yet, and write the results of every input that is complete."""
        from tqdm import tqdm

        from doamc.cli.archive_results import result_path, write_result
        from doamc.cli.archive_work import ESTIMATE
        from doamc.errors import RecordingError

        done = {n for n in self.manifest.done if result_path(self.manifest.folder, n, self.settings).is_file()}
        left = {name: self._left(name) for name in self.indexed if name not in done}
        missing = {name: len(chunks) for name, chunks in left.items()}

        def complete(name: str) -> None:
            try:
                write_result(self.manifest, self.settings, name, self.found[name].where, self.indexed[name])
            except RecordingError as error:
                self._set_aside(name, [], str(error))

        for name in [n for n, count in missing.items() if not count]:
            complete(name)
        total = sum(t["shape"][0] for t in self.indexed.values())
        ahead = sum(self._batches(name, chunks) for name, chunks in left.items())
        with tqdm(total=total, initial=total - ahead, unit="batch", disable=None, leave=False) as bar:
            for outcome in self.executor.run(ESTIMATE, self._tasks(left)):
                name, chunks = outcome.task["name"], outcome.task["chunks"]
                if outcome.failure is not None:
                    self._set_aside(name, chunks, outcome.failure)
                    continue
                for chunk in outcome.result["chunks"]:
                    self.manifest.add_part(name, chunk["first"], chunk["data"])
                self.chunk_s = 0.8 * self.chunk_s + 0.2 * outcome.result["seconds"] / len(chunks)
                bar.update(self._batches(name, chunks))
                missing[name] -= len(chunks)
                if not missing[name]:
                    complete(name)

    def _left(self, name: str) -> range | list[int]:
        """First batches of the chunks of an input that are not there."""
        told, there = self.indexed[name], self.manifest.parts.get(name, set())
        every = range(0, told["shape"][0], told["chunk"])
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

    def _batches(self, name: str, chunks: range | list[int]) -> int:
        batches, size = self.indexed[name]["shape"][0], self.indexed[name]["chunk"]
        return len(chunks) * size - (size - (batches - chunks[-1]) if chunks and chunks[-1] + size > batches else 0)

    def _set_aside(self, name: str, chunks: list[int], why: str) -> None:
        self.manifest.set_aside(name, chunks, why)
        where = f", batches from {chunks[0]} on" if chunks else ""
        self.failed.append(f"{name}{where}: {why}")


def run_archive(args: argparse.Namespace) -> int:
    """Estimate an archive; 1 where anything was set aside."""
    from doamc.cli.archive_settings import archive_settings
    from doamc.cli.cluster_options import usable_cores, workers_of
    from doamc.cluster import open_executor
    from doamc.cluster.manifest import Manifest
    from doamc.errors import RecordingError
    from doamc.files.remote import is_url
    from doamc.snapshots.finding import find_inputs

    if is_url(args.out):
        raise RecordingError(f"expected a folder of this machine for results, found {args.out}; copy them afterwards")
    workers = workers_of(args, usable_cores())
    settings = archive_settings(args)
    found = {f.name: f for f in find_inputs(args.inputs, args.include, args.out)}
    with Manifest(args.out, settings) as manifest, open_executor(workers) as executor:
        run = Run(settings, manifest, executor, found)
        run.index()
        run.estimate()
        done = sum(name in manifest.done for name in run.indexed)
    batches = sum(t["shape"][0] for n, t in run.indexed.items() if n in manifest.done)
    print(f"{args.out}: {done} of {len(found)} inputs, {batches} batches, {args.array}, {settings['method']}")
    for line in run.failed:
        tell(f"set aside: {line}")
    return 1 if run.failed else 0
