"""Schedulers and workers as processes that can be killed and come back, on this machine or in network namespaces."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Supervised:
    """A process that is started again whenever it ends, as systemd or Kubernetes would; a context manager."""

    def __init__(self, command: list[str], environment: dict[str, str] | None = None) -> None:
        self._command, self._environment = command, os.environ | (environment or {})
        self.started, self._stop = 0, threading.Event()
        self._start()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    @property
    def pid(self) -> int:
        """The process that runs now."""
        return self._process.pid

    def kill(self) -> None:
        """End it as a power cut would."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def __enter__(self) -> "Supervised":
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()
        self.kill()
        self._process.wait()

    def _start(self) -> None:
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(self._command, start_new_session=True, env=self._environment, **quiet)
        self.started += 1

    def _watch(self) -> None:
        while not self._stop.wait(0.1):
            if self._process.poll() is not None:
                self._start()


def dask(what: str, *words: object) -> list[str]:
    """Command of a Dask scheduler or worker in this environment."""
    return [sys.executable, "-m", "distributed.cli.dask_" + {"scheduler": "scheduler", "worker": "worker"}[what],
            *map(str, words)]  # fmt: skip


def scheduler(host: str, port: int) -> list[str]:
    return dask("scheduler", "--host", host, "--port", port, "--no-dashboard", "--no-show")


def worker(address: str, host: str = "127.0.0.1") -> list[str]:
    return dask("worker", address, "--host", host, "--nthreads", 1, "--no-nanny", "--no-dashboard",
                "--memory-limit", "2GiB", "--death-timeout", 60)  # fmt: skip


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_for(address: str, workers: int, patience_s: float = 120.0) -> None:
    """Until so many workers have joined."""
    from distributed import Client

    with Client(address, timeout=patience_s, set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=patience_s)


def processor_s(process: int) -> float:
    """Processor time that a process has taken so far, s."""
    words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(process: int) -> float:
    """Resident memory of a process now."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def children(process: int) -> list[int]:
    """A process and all that it started."""
    tree = [process]
    for parent in tree:
        for path in Path(f"/proc/{parent}/task").glob("*/children"):
            with suppress(OSError):
                tree += [int(word) for word in path.read_text().split()]
    return tree


@contextmanager
def namespaces(count: int) -> Iterator[list[str]]:
    """Network namespaces, with the addresses 198.18.0.1, 198.18.0.2, ... on one bridge that has no way out.

    198.18/15 is for tests of networks (RFC 2544). Needs root.
    """
    names = [f"doamc{os.getpid()}n{k}" for k in range(count)]
    hub = f"doamc{os.getpid()}hub"

    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, timeout=60)

    try:
        ip("netns", "add", hub)
        ip("-n", hub, "link", "add", "bridge", "type", "bridge")
        ip("-n", hub, "link", "set", "bridge", "up")
        for k, name in enumerate(names):
            ip("netns", "add", name)
            ip("-n", name, "link", "add", "eth0", "type", "veth", "peer", "name", f"port{k}", "netns", hub)
            ip("-n", hub, "link", "set", f"port{k}", "master", "bridge", "up")
            ip("-n", name, "address", "add", f"198.18.0.{k + 1}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield [*names, hub]
    finally:
        for name in [*names, hub]:
            subprocess.run(["ip", "netns", "delete", name], check=False, timeout=60, stderr=subprocess.DEVNULL)


def cut(hub: str, port: int, seconds: float) -> None:
    """Cut the cable of a namespace for a while."""
    subprocess.run(["ip", "-n", hub, "link", "set", f"port{port}", "down"], check=True, timeout=60)
    time.sleep(seconds)
    subprocess.run(["ip", "-n", hub, "link", "set", f"port{port}", "up"], check=True, timeout=60)
