"""Archives on several workers: efficiency, the scheduler's own time, killed workers, cut links, memory.

    .venv/bin/python benchmarks/scale.py [--only efficiency overhead kill hosts memory]

What --only leaves out stays as the file has it. `hosts` needs root, for network namespaces of its own; it is left out
without.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from command import make_parser, write_result
from machine import machine
from scale_hosts import Supervised, cut, free_port, namespaces, processor_s, scheduler, wait_for, worker
from scale_memory import memory

from doamc.cli import main as doamc
from doamc.cluster import Workers, open_executor
from doamc.cluster.manifest import Manifest

HERE = Path(__file__).resolve().parent
PATH = {"PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])}
METHOD = ("--array", "ula8", "--method", "posterior", "--sources", "2")


def make_archive(folder: Path, inputs: int, batches: int) -> None:
    """Simulated .npz inputs of 64 snapshots a batch."""
    folder.mkdir()
    for k in range(inputs):
        out = str(folder / f"{k}.npz")
        doamc(["simulate", "ula8", "-o", out, "--batches", str(batches), "--snapshots", "64", "--seed", str(k)])


def efficiency(quick: bool) -> dict[str, Any]:
    """Rate of two warm workers over twice that of one, on 2000 batches.

    By the clock; and, where other programs use the cores as well, as what the interface costs: the share of the time
    that workers spend in tasks, and the processor time of a batch.
    """
    from doamc.cli import make_parser as cli
    from doamc.cli.archive_settings import archive_settings
    from doamc.cli.archive_work import index

    batches = 512 if quick else 2048
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        make_archive(Path(folder) / "in", 1, batches)
        words = ["estimate", f"{folder}/in", "-o", f"{folder}/out", *METHOD, "--format", "parquet"]
        settings = archive_settings(cli().parse_args(words))
        task = {"settings": settings, "where": f"{folder}/in/0.npz"}
        task["digest"] = index(task)["digest"]
        tasks = [task | {"chunks": [first]} for first in range(0, batches, 256)]
        for count in (1, 2):
            with open_executor(Workers(count)) as executor:
                list(executor.run("scale_worker:timed", tasks[: 2 * count]))  # warm
                begin = time.monotonic()
                told = [o.result for o in executor.run("scale_worker:timed", tasks)]
                wall = time.monotonic() - begin
            rows.append(
                {
                    "workers": count, "batches": batches, "batches_a_second": batches / wall,
                    "share_of_time_in_tasks": sum(t["seconds"] for t in told) / (count * wall),
                    "processor_ms_a_batch": 1e3 * sum(t["processor"] for t in told) / batches,
                }
            )  # fmt: skip
    one, two = ([r for r in rows if r["workers"] == k] for k in (1, 2))
    rate = [max(r["batches_a_second"] for r in some) for some in (one, two)]
    processor = [min(r["processor_ms_a_batch"] for r in some) for some in (one, two)]
    share = max(r["share_of_time_in_tasks"] for r in two)
    return {
        "efficiency_by_the_clock": rate[1] / (2 * rate[0]),
        "efficiency_of_the_interface": share * processor[0] / processor[1],
        "runs": rows,
    }


def overhead(quick: bool) -> dict[str, Any]:
    """Efficiency of 64 workers, threads of one process, at 1 s a task; and tasks a second when they take no time."""
    address = f"tcp://127.0.0.1:{(port := free_port())}"
    count, rounds, empty = (4, 2, 100) if quick else (64, 20, 2000)
    threads = [sys.executable, str(HERE / "scale_worker.py"), address, str(count)]
    with Supervised(scheduler("127.0.0.1", port), PATH) as head, Supervised(threads, PATH) as crew:
        wait_for(address, count)
        with open_executor(Workers(scheduler=address)) as executor:
            list(executor.run("scale_worker:sleep", [0.1] * 2 * count))
            begin = time.monotonic()
            done = len(list(executor.run("scale_worker:sleep", [1.0] * count * rounds)))
            wall = time.monotonic() - begin
            before, begin = [processor_s(p) for p in (head.pid, crew.pid, os.getpid())], time.monotonic()
            rate = len(list(executor.run("scale_worker:sleep", [0.0] * empty))) / (time.monotonic() - begin)
            after = [processor_s(p) for p in (head.pid, crew.pid, os.getpid())]
            begin, size = time.monotonic(), 480_000  # a chunk of 256 batches of eight elements
            moved = size * sum(1 for _ in executor.run("scale_worker:blob", [size] * (empty // 10)))
            moving = time.monotonic() - begin
    with tempfile.TemporaryDirectory() as folder, Manifest(folder, {}) as manifest:
        begin, data = time.monotonic(), os.urandom(size)
        for first in range(empty // 20):
            manifest.add_part("x", first, data)
        written = size * (empty // 20) / (time.monotonic() - begin)
    return {
        "workers": count, "tasks_of_1_s": done, "efficiency": rounds / wall, "tasks_a_second_at_most": rate,
        "processor_ms_a_task": {
            who: 1e3 * (b - a) / empty
            for who, a, b in zip(("scheduler", "workers", "command"), before, after, strict=True)
        },
        "results_mb_a_second": moved / moving / 1e6, "written_mb_a_second": written / 1e6,
    }  # fmt: skip


def digests(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*.parquet"))}


def lines_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def compared(folder: Path, chunks: int) -> dict[str, Any]:
    """Whether a run has the bits of the plain one, and each part once."""
    parts = [(line["part"], line["first"]) for line in lines_of(folder / "out") if "part" in line]
    return {
        "same_bits": digests(folder / "out") == digests(folder / "plain"), "parts": len(parts),
        "twice": len(parts) - len(set(parts)), "missing": chunks - len(set(parts)),
        "set_aside": sum("failed" in line for line in lines_of(folder / "out")),
    }  # fmt: skip


def beside(folder: Path, address: str, act: Callable[[], None], prefix: list[str]) -> tuple[int, float, bool]:
    """Run the archive on a scheduler while `act` does harm; exit status, s, and whether it was done before the end."""
    words = [sys.executable, "-m", "doamc", "estimate", f"{folder}/in", "-o", f"{folder}/out", *METHOD]
    begin = time.monotonic()
    process = subprocess.Popen([*prefix, *words, "--scheduler", address], env=os.environ | PATH)
    harm = threading.Thread(target=act)
    harm.start()
    status = process.wait()
    harmed = not harm.is_alive()
    wall = time.monotonic() - begin
    harm.join()
    return status, wall, harmed


def kill(quick: bool) -> dict[str, Any]:
    """A worker is killed every 5 s for a minute, the scheduler once."""
    inputs, batches, seconds = (2, 512, 10) if quick else (4, 4096, 60)
    address = f"tcp://127.0.0.1:{(port := free_port())}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_archive(folder / "in", inputs, batches)
        doamc(["estimate", f"{folder}/in", "-o", f"{folder}/plain", *METHOD, "--workers", "0"])
        with (
            Supervised(scheduler("127.0.0.1", port), PATH) as head,
            Supervised(worker(address), PATH) as first, Supervised(worker(address), PATH) as second,
        ):  # fmt: skip
            wait_for(address, 2)
            killed = []

            def harm() -> None:
                for k in range(seconds // 5):
                    time.sleep(5)
                    (first, second)[k % 2].kill()
                    killed.append(k)
                    if k == seconds // 10:
                        head.kill()

            status, wall, harmed = beside(folder, address, harm, [])
            result = {
                "exit_status": status, "seconds": wall, "workers_killed": len(killed), "all_before_the_end": harmed,
                "schedulers_started": head.started,
            }  # fmt: skip
        return result | compared(folder, inputs * -(-batches // 256))


def hosts(quick: bool) -> dict[str, Any] | None:
    """Scheduler, two workers and the command in namespaces of their own; the link of a worker is cut for 10 s."""
    if os.geteuid() != 0:
        return None
    inputs, batches, seconds = (1, 512, 3) if quick else (2, 4096, 10)
    with tempfile.TemporaryDirectory() as name, namespaces(4) as names:
        folder, address = Path(name), "tcp://198.18.0.1:8786"
        make_archive(folder / "in", inputs, batches)
        doamc(["estimate", f"{folder}/in", "-o", f"{folder}/plain", *METHOD, "--workers", "0"])
        inside = [["ip", "netns", "exec", n] for n in names]
        with (
            Supervised([*inside[0], *scheduler("198.18.0.1", 8786)], PATH),
            Supervised([*inside[1], *worker(address, "198.18.0.2")], PATH) as first,
            Supervised([*inside[2], *worker(address, "198.18.0.3")], PATH) as second,
        ):
            status, wall, harmed = beside(
                folder, address, lambda: (time.sleep(5), cut(names[-1], 1, seconds))[0], inside[3]
            )
            result = {
                "exit_status": status, "seconds": wall, "cut_s": seconds, "cut_before_the_end": harmed,
                "workers_started": [first.started, second.started],
            }  # fmt: skip
        return result | compared(folder, inputs * -(-batches // 256))


PARTS = {"efficiency": efficiency, "overhead": overhead, "kill": kill, "hosts": hosts, "memory": memory}


def main() -> None:
    """Run what is asked for, and write."""
    parser = make_parser(__doc__)
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS), help="parts (all)")
    args = parser.parse_args()
    path = args.out or Path(__file__).with_suffix(".json")
    held = json.loads(path.read_text()) if path.exists() and not args.quick else {}
    held.pop("machine", None)
    for name in args.only:
        held[name] = PARTS[name](args.quick)
        if held[name] is not None:
            held[name]["load"] = machine()["load"]
    write_result(__file__, args, held)


if __name__ == "__main__":
    main()
