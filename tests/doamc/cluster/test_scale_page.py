"""What docs/scale.md tells users of Slurm and Kubernetes to write: run, or held against Dask's own options."""

import os
import re
import signal
import sys
from pathlib import Path

import pytest
import yaml

from doamc.cli import main, make_parser

PAGE = (Path(__file__).parents[3] / "docs" / "scale.md").read_text()


def example(heading, first):
    """The example below a heading that begins with this line."""
    text = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    block = re.search(rf"^    {re.escape(first)}\n(?:    .*\n|\n(?=    ))*", text, re.M)
    return re.sub(r"^    ", "", block.group(0), flags=re.M)


def takes(words):
    """Whether Dask's program, or ours, takes these words."""
    if words[0] == "doamc":
        make_parser().parse_args(words[1:])
        return
    from distributed.cli import dask_scheduler, dask_worker

    {"scheduler": dask_scheduler, "worker": dask_worker}[words[1]].main.make_context(
        words[1],
        [__file__ if w.startswith("/tls/") else w for w in words[2:]],  # files are looked for
    )


def test_commands_on_kubernetes_are_those_of_the_programs():
    objects = list(yaml.safe_load_all(example("Kubernetes", "apiVersion: apps/v1")))
    assert [o["kind"] for o in objects] == ["Deployment", "Service", "Deployment", "Job"]
    scheduler, service, worker, job = objects
    for one in (scheduler, worker, job):
        pod = one["spec"]["template"]
        (container,) = pod["spec"]["containers"]
        takes(container["command"])
        volumes = {v["name"] for v in pod["spec"]["volumes"]}
        assert {m["name"] for m in container["volumeMounts"]} <= volumes
        if one is not job:
            assert one["spec"]["selector"]["matchLabels"] == pod["metadata"]["labels"]
    assert service["spec"]["selector"] == scheduler["spec"]["template"]["metadata"]["labels"]
    name, port = service["metadata"]["name"], service["spec"]["ports"][0]["port"]
    for one in (worker, job):
        assert f"tls://{name}:{port}" in one["spec"]["template"]["spec"]["containers"][0]["command"]


@pytest.mark.slow
@pytest.mark.timeout(1000)
def test_the_job_of_slurm_does_the_work(child, tmp_path):
    """`srun` is replaced by two copies of what it is given, the network by loopback; the rest is as it stands there."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "in").mkdir()
    srun = tmp_path / "bin" / "srun"
    srun.write_text('#!/bin/sh\n"$@" &\n"$@" &\nwait\n')
    srun.chmod(0o755)
    for k in range(2):
        words = ["simulate", "krakensdr", "-o", str(tmp_path / "in" / f"{k}.npz"), "--batches", "4", "--seed", str(k)]
        assert main(words) == 0
    text = example("Slurm", "#!/bin/sh")
    for there, here in (("ib0", "lo"), ("/scratch/recordings", f"{tmp_path}/in"), ("/scratch/out", f"{tmp_path}/out")):
        assert there in text
        text = text.replace(there, here)
    path = os.pathsep.join([str(tmp_path / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    quiet = {"stdout": -3, "stderr": -3}  # subprocess.DEVNULL
    own = os.environ | {"HOME": str(tmp_path), "PATH": path}
    job = child(["sh", "-c", text], env=own, start_new_session=True, **quiet)
    try:
        assert job.wait(900) == 0
        assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
            "0.npz.parquet",
            "1.npz.parquet",
            "manifest.jsonl",
        ]
    finally:
        os.killpg(job.pid, signal.SIGKILL)  # as Slurm ends what a job has left
