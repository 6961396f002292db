"""A scheduler and workers that others started: restarts, TLS."""

import os
import socket
import sys
from contextlib import closing

import pytest

from doamc.cluster import Workers, open_executor
from doamc.cluster.tls import Tls
from doamc.errors import ClusterError

pytestmark = pytest.mark.slow
WORK = "tests.doamc.cluster.work"


@pytest.fixture
def dask(child):
    """dask("scheduler" or "worker", *words) -> process of that program, which finds the tests."""
    quiet = {"stdout": -3, "stderr": -3}  # subprocess.DEVNULL
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(["python_core", "."])}

    def start(what, *words):
        program = [sys.executable, "-m", f"distributed.cli.dask_{what}"]
        more = ["--no-show"] if what == "scheduler" else ["--nthreads", 1, "--no-nanny", "--death-timeout", 60]
        return child([*program, *words, "--host", "127.0.0.1", "--no-dashboard", *more], **quiet, env=environment)

    return start


@pytest.fixture
def port():
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return listener.getsockname()[1]


def test_a_restart_of_the_scheduler_loses_and_repeats_nothing(dask, port):
    address = f"tcp://127.0.0.1:{port}"
    scheduler, worker = dask("scheduler", "--port", port), dask("worker", address)
    tasks = [{"number": k, "seconds": 0.1} for k in range(30)]
    numbers, processes = [], set()
    with open_executor(Workers(scheduler=address)) as executor:
        for outcome in executor.run(f"{WORK}:kept", tasks):
            numbers.append(outcome.result["number"])
            processes.add(outcome.result["process"])
            if len(numbers) == 5:
                for process in (scheduler, worker):
                    process.kill()
                    process.wait(60)
                scheduler, worker = dask("scheduler", "--port", port), dask("worker", address)
    assert sorted(numbers) == list(range(30)) and len(processes) == 2


def test_by_tls_nobody_without_a_certificate_is_heard(dask, port, tmp_path):
    import trustme

    authority = trustme.CA()
    files = {"ca": tmp_path / "ca.pem", "cert": tmp_path / "cert.pem", "key": tmp_path / "key.pem"}
    issued = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(files["ca"])
    issued.cert_chain_pems[0].write_to_path(files["cert"])
    issued.private_key_pem.write_to_path(files["key"])
    tls = ["--tls-ca-file", files["ca"], "--tls-cert", files["cert"], "--tls-key", files["key"]]
    address = f"tls://127.0.0.1:{port}"
    dask("scheduler", "--port", port, "--protocol", "tls", *tls)
    dask("worker", address, *tls)
    ours = Tls(*(str(files[k]) for k in ("ca", "cert", "key")))
    with open_executor(Workers(scheduler=address, tls=ours)) as executor:
        assert [o.result for o in executor.run(f"{WORK}:double", [21])] == [42]
    with pytest.raises(ClusterError, match="expected a scheduler to answer"):
        open_executor(Workers(scheduler=f"tcp://127.0.0.1:{port}", patience_s=3.0))
    other = trustme.CA().issue_cert("127.0.0.1")
    other.cert_chain_pems[0].write_to_path(files["cert"])
    other.private_key_pem.write_to_path(files["key"])
    with pytest.raises(ClusterError, match="expected a scheduler to answer"):
        open_executor(Workers(scheduler=address, tls=ours, patience_s=3.0))
