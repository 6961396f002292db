"""Tasks on Dask workers: processes of this machine, or whatever has joined a scheduler.

Dask moves tasks and results and notices dead workers. What it does not: it forgets its tasks when the scheduler is
restarted or the connection is lost for long. So they are kept here, a few for each worker, and given again.
"""

import logging
import queue
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

from distributed import Client, Future

from doamc import __version__
from doamc.cluster.executor import TRIES, Executor, Outcome, perform, told
from doamc.errors import ClusterError
from doamc.text import reason

_log = logging.getLogger(__name__)
#: tasks that are given ahead for each worker: while one runs the next is there
_AHEAD = 2
#: s between looks at the connection and at the number of workers
_LOOK_S = 1.0
#: how long a scheduler has to answer, s, when a connection is first made
FIRST_S = 30.0
#: how long there may be no workers, s, before that is said
_QUIET_S = 20.0
#: what a connection raises that is lost
LOST = (OSError, TimeoutError, RuntimeError)


@dataclass
class _Given:
    """A task that was given to the scheduler; failed: how often it failed before."""

    task: Any
    failed: int
    future: Future


class DaskExecutor(Executor):
    """Tasks on the workers of a scheduler.

    connect: a new client, given s to wait for the scheduler. patience_s: how long the scheduler may be away while tasks
    run; at first it must answer within `FIRST_S`. held: closed with it.
    """

    def __init__(self, connect: Callable[[float], Client], patience_s: float, held: ExitStack | None = None) -> None:
        self._connect, self._patience_s, self._held = connect, patience_s, held or ExitStack()
        self._client = self._connected(min(patience_s, FIRST_S))
        self._workers, self._looked = 0, -_LOOK_S

    @property
    def workers(self) -> int:
        """Threads of all workers, as of the last second; 0 while the scheduler is away."""
        if time.monotonic() - self._looked >= _LOOK_S:
            try:
                self._workers = sum(self._client.sync(self._client.scheduler.ncores, callback_timeout=10).values())
            except (*LOST, AttributeError):  # there is no connection now
                self._workers = 0
            self._looked = time.monotonic()
        return self._workers

    def run(self, work: str, tasks: Iterable[Any]) -> Iterator[Outcome]:
        """See `Executor.run`."""
        source, given = iter(tasks), dict[str, _Given]()
        ended: queue.SimpleQueue[Future] = queue.SimpleQueue()

        def give(task: Any, failed: int) -> None:
            key = f"doamc-{uuid.uuid4().hex}"  # its own every time, so that nothing late is taken for it
            future = self._open_client().submit(perform, __version__, work, task, key=key, pure=False)
            given[key] = _Given(task, failed, future)
            future.add_done_callback(ended.put)

        more, told, since = True, False, time.monotonic()
        try:
            while more or given:
                if self.workers:
                    told, since = False, time.monotonic()
                elif not told and time.monotonic() - since > _QUIET_S:
                    _log.warning("doamc: no workers have joined the scheduler, or they left; waiting for some")
                    told = True
                while more and len(given) < _AHEAD * max(1, self.workers):
                    task = next(source, _NONE)
                    more = task is not _NONE
                    if more:
                        give(task, 0)
                for key, outcome in self._outcomes(_drained(ended), given):
                    job = given.pop(key)
                    if isinstance(outcome, _Lost):
                        give(job.task, job.failed)
                    elif outcome.failure is not None and job.failed + 1 < TRIES:
                        give(job.task, job.failed + 1)
                    else:
                        yield outcome
                if self._client.status == "closed":  # tasks that were given while it went may never tell
                    for key in list(given):
                        job = given.pop(key)
                        give(job.task, job.failed)
        finally:
            for job in given.values():
                with suppress(*LOST):
                    job.future.cancel()

    def close(self) -> None:
        """Leave the scheduler; end the workers that were started for this."""
        with suppress(*LOST):
            self._client.close(timeout=5)
        self._held.close()

    def _outcomes(self, futures: list[Future], given: dict[str, _Given]) -> Iterator[tuple[str, "Outcome | _Lost"]]:
        """What became of those tasks that have ended."""
        known = {f.key: f for f in futures if f.key in given}
        whole = [f for f in known.values() if f.status == "finished"]
        try:
            results = self._client.gather({f.key: f for f in whole}, errors="skip") if whole else {}
        except LOST:
            results = {}
        for key, future in known.items():
            if key in results:
                yield key, Outcome(given[key].task, results[key])
            elif future.status == "error":
                yield key, Outcome(given[key].task, failure=_failure(future))
            else:
                yield key, _Lost()

    def _open_client(self) -> Client:
        if self._client.status == "closed":
            _log.warning("doamc: the scheduler is away; waiting for it")
            with suppress(*LOST):
                self._client.close(timeout=1)
            self._client = self._connected(self._patience_s)
        return self._client

    def _connected(self, patience_s: float) -> Client:
        until = time.monotonic() + patience_s
        while True:
            try:
                return self._connect(max(_LOOK_S, min(FIRST_S, patience_s)))
            except LOST as error:
                if time.monotonic() >= until:
                    raise ClusterError(
                        f"expected a scheduler to answer within {patience_s:g} s, found none ({reason(error)}); "
                        "start it, or name its address"
                    ) from error
            time.sleep(_LOOK_S)


class _Lost:
    """The connection went before the task ended, or its result was fetched."""


_NONE = object()


def _drained(ended: "queue.SimpleQueue[Future]") -> list[Future]:
    """All that have ended; waits a while for the first."""
    futures = []
    with suppress(queue.Empty):
        futures.append(ended.get(timeout=_LOOK_S))
        while True:
            futures.append(ended.get_nowait())
    return futures


def _failure(future: Future) -> str:
    error = future.exception()
    if type(error).__name__ == "KilledWorker":
        return "its worker died each time, by a fault of native code or for its memory"
    return told(error)
