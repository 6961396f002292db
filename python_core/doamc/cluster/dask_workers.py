"""Where Dask workers come from: processes of this machine, or whatever has joined a scheduler."""

import logging
import tempfile
import warnings
from contextlib import ExitStack

import dask
from distributed import Client, LocalCluster
from distributed.security import Security

from doamc.cluster.dask_executor import FIRST_S, LOST, DaskExecutor
from doamc.cluster.tls import Tls
from doamc.errors import ClusterError
from doamc.text import reason, shown


def local(processes: int, memory_gib: float) -> DaskExecutor:
    """Workers of one thread each on this machine, which nobody else can reach."""
    _quiet()
    held = ExitStack()
    try:
        folder = held.enter_context(tempfile.TemporaryDirectory(prefix="doamc-", ignore_cleanup_errors=True))
        held.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": 1}))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Creating scratch directories")  # a slow disk, or a busy machine
            cluster = LocalCluster(
                n_workers=processes, threads_per_worker=1, processes=True, host="127.0.0.1", protocol="tls://",
                security=Security.temporary(),  # ports of this machine are open to all its users
                memory_limit=round(memory_gib * 2**30), local_directory=folder,
                # None takes port 8787 of all addresses, or warns where another run has it
                dashboard_address="127.0.0.1:0", worker_dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL,
            )  # fmt: skip
        held.callback(cluster.close, timeout=10)
        return DaskExecutor(lambda wait_s: Client(cluster, timeout=wait_s, set_as_default=False), FIRST_S, held)
    except BaseException as error:
        held.close()
        if isinstance(error, (ImportError, *LOST)):
            raise ClusterError(f"cannot start {processes} workers ({reason(error)})") from error
        raise


def remote(address: str, tls: Tls | None, patience_s: float) -> DaskExecutor:
    """Workers that have joined the scheduler at an address, ``tcp://HOST:PORT`` or ``tls://HOST:PORT``."""
    _quiet()
    scheme = address.partition("://")[0]
    if scheme not in ("tcp", "tls") or (scheme == "tls") != (tls is not None):
        raise ClusterError(
            "expected tcp://HOST:PORT, or tls://HOST:PORT with --tls-ca, --tls-cert and --tls-key, found "
            + shown(address)
        )
    security = None
    if tls is not None:
        security = Security(
            tls_ca_file=tls.authority, tls_client_cert=tls.certificate, tls_client_key=tls.key, require_encryption=True
        )
    return DaskExecutor(
        lambda wait_s: Client(address, timeout=wait_s, security=security, set_as_default=False), patience_s
    )


def _quiet() -> None:
    """Dask tells at length of every worker that dies; what matters is said here, or fails."""
    for name in ("distributed", "bokeh", "tornado"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
