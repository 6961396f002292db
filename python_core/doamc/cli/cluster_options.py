"""Options that say what runs the tasks of a command: this process, others here, or the workers of a scheduler."""

import argparse
import os
from importlib.util import find_spec
from typing import TYPE_CHECKING

from doamc.cli.options import between, whole

if TYPE_CHECKING:
    from doamc.cluster import Workers

_MEMORY_GIB = 2.0
_LEAST_GIB = 0.5  #: below it a worker is ended before it has loaded all that it needs to start


def add_cluster_arguments(parser: argparse.ArgumentParser, otherwise: str) -> None:
    """Workers or scheduler, and what goes with them. otherwise: what happens where none is given."""
    group = parser.add_argument_group("several workers (docs/scale.md)")
    group.add_argument("--workers", type=whole(0, 1024), metavar="N", help=f"processes here, of one thread each; "
                       f"0: this one (default: {otherwise})")  # fmt: skip
    group.add_argument("--scheduler", metavar="ADDRESS", help="Dask scheduler, tcp://HOST:PORT or tls://HOST:PORT, "
                       "whose workers to use")  # fmt: skip
    group.add_argument("--memory", type=between(_LEAST_GIB, 4096), default=_MEMORY_GIB, metavar="GIB",
                       help="of each process here; one that takes more is ended (default 2)")  # fmt: skip
    group.add_argument("--tls-ca", metavar="PEM", help="certificate of the authority that signed those of a tls:// "
                       "scheduler and its workers")  # fmt: skip
    group.add_argument("--tls-cert", metavar="PEM", help="our own certificate, signed by it")
    group.add_argument("--tls-key", metavar="PEM", help="the key of our certificate")


def workers_of(args: argparse.Namespace, processes: int = 0) -> "Workers":
    """What the options say; processes: where neither workers nor a scheduler are named.

    Raises ClusterError on options that do not go together, or files that are not there.
    """
    from doamc.cluster.opening import Workers
    from doamc.cluster.tls import Tls
    from doamc.errors import ClusterError

    told = [args.tls_ca, args.tls_cert, args.tls_key]
    if any(told) and not (all(told) and args.scheduler):
        raise ClusterError("expected --tls-ca, --tls-cert and --tls-key together, with --scheduler tls://HOST:PORT")
    if args.workers and args.scheduler:
        raise ClusterError("expected --workers or --scheduler, found both; give one of them")
    for path in filter(None, told):
        if not os.path.isfile(path):
            raise ClusterError(f"expected a file of PEM text, found none at {path}")
    tls = Tls(*told) if all(told) else None
    count = args.workers if args.workers is not None else (0 if args.scheduler else processes)
    return Workers(count, args.scheduler, args.memory, tls)


def usable_cores() -> int:
    """Processes to start where nobody says how many: one a core, 0 (this process) where Dask is not installed."""
    if find_spec("distributed") is None:
        return 0
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
