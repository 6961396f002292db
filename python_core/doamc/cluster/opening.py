"""From what a user says of workers to an `Executor`."""

from dataclasses import dataclass

from doamc.cluster.executor import Executor, Here
from doamc.cluster.tls import Tls
from doamc.errors import ClusterError

#: memory of a worker unless another is said, GiB: torch and the engine take 0.5, a chunk of the largest batches 1
MEMORY_GIB = 2.0


@dataclass(frozen=True)
class Workers:
    """What runs tasks: so many processes here (0: this one), or those of a scheduler at an address.

    memory_gib: of each process here, beyond which it is ended, and its task counts as failed. patience_s: how long a
    scheduler may be away. tls: for a scheduler that is reached by ``tls://``.
    """

    processes: int = 0
    scheduler: str | None = None
    memory_gib: float = MEMORY_GIB
    tls: Tls | None = None
    patience_s: float = 600.0


def open_executor(workers: Workers) -> Executor:
    """The executor that is asked for. Raises ClusterError where it cannot be had."""
    if workers.scheduler is None and not workers.processes:
        return Here()
    if workers.scheduler is not None and workers.processes:
        raise ClusterError("expected workers here or a scheduler, found both; give one of them")
    try:
        from doamc.cluster import dask_workers
    except ModuleNotFoundError as missing:
        raise ClusterError(
            f"expected the package {missing.name} for several workers, found none; install it: pip install "
            "'gr-doamc[scale]'"
        ) from missing
    if workers.scheduler is None:
        return dask_workers.local(workers.processes, workers.memory_gib)
    return dask_workers.remote(workers.scheduler, workers.tls, workers.patience_s)
