"""The interface of whatever runs tasks, and what runs them one after the other in this process.

A task is a function that a worker can import, written ``module:function``, and one argument: plain values that JSON
could hold. So it means the same in every process, and nothing of ours is sent as code. What a function returns is plain
values and bytes.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from types import TracebackType
from typing import Any

from doamc import __version__
from doamc.errors import ClusterError
from doamc.text import reason

#: how often a task is tried before it is set aside
TRIES = 3


@dataclass(frozen=True)
class Outcome:
    """What became of a task: its result, or why it failed the last time that it was tried."""

    task: Any
    result: Any = None
    failure: str | None = None


class Executor(ABC):
    """Runs independent tasks; a context manager."""

    @property
    @abstractmethod
    def workers(self) -> int:
        """How many tasks run at the same time, as far as is known now."""

    @abstractmethod
    def run(self, work: str, tasks: Iterable[Any]) -> Iterator[Outcome]:
        """One outcome of every task, in the order in which they come.

        work: ``module:function``. tasks: taken as workers need them, a few ahead, so that there may be any number.
        A task that raises, or whose worker dies, is tried again, `TRIES` times in all. Raises ClusterError when there
        are no workers any more.
        """

    def close(self) -> None:
        """Let the workers go; again is harmless."""
        return

    def __enter__(self) -> "Executor":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Here(Executor):
    """Tasks one after the other in this process."""

    workers = 1

    def run(self, work: str, tasks: Iterable[Any]) -> Iterator[Outcome]:
        """See `Executor.run`."""
        for task in tasks:
            for _ in range(TRIES):
                try:
                    outcome = Outcome(task, perform(__version__, work, task))
                    break
                except Exception as error:
                    outcome = Outcome(task, failure=told(error))
            yield outcome


def perform(version: str, work: str, task: Any) -> Any:
    """Result of a task, where a worker runs it. Raises ClusterError unless it is of the version that gave the task."""
    if version != __version__:
        raise ClusterError(
            f"expected workers with doamc {version}, found one with {__version__}; install the same everywhere"
        )
    module, _, function = work.partition(":")
    return getattr(import_module(module), function)(task)


def told(error: BaseException) -> str:
    """Why a task failed, in one line."""
    return reason(error) if type(error).__module__.startswith("doamc.") else f"{type(error).__name__}: {reason(error)}"
