"""Data-parallel training: two real processes end with the weights that one would have had from their mean gradients."""

import os
import socket
import subprocess
import sys

import torch
import torch.distributed as dist

from doamc.learning.checkpoint import load_checkpoint
from doamc.learning.parallel import Team

SCRIPT = """
import sys, torch
from pathlib import Path
from doamc.learning.parallel import Team
from doamc.learning.training import Schedule, train
from doamc.spec import load_spec

class Line:
    kind, config = "line", {}
    def __init__(self, rank):
        torch.manual_seed(rank)  # processes that start apart
        self.spec, self.net = load_spec("ula4"), torch.nn.Linear(1, 1)
    def loss(self, step):
        x = torch.tensor([[float(step % 5)]])
        return (self.net(x) - 2 * x).square().mean()
    def validate(self):
        return {}

with Team("cpu") as team:
    train(Line(team.rank), Path(sys.argv[1]), Schedule(steps=40, rate=0.01), progress=False, team=team)
"""


def has_libuv() -> bool:
    """Whether this torch can run torchrun: distributions build it without libuv."""
    try:
        dist.TCPStore("127.0.0.1", 0, is_master=True)
    except RuntimeError:
        return False
    return True


def torchrun(script, out) -> str:
    """Errors of two processes under torchrun; empty when it went well."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", script, out]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    return done.stderr if done.returncode else ""


def by_hand(script, out) -> str:
    """The same with the variables that torchrun sets, as the module says for a torch without libuv."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    shared = os.environ | {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "USE_LIBUV": "0"}
    team = [
        subprocess.Popen([sys.executable, script, out], env=shared | {"RANK": r}, stderr=subprocess.PIPE, text=True)
        for r in "01"
    ]
    try:
        errors = [process.communicate(timeout=200)[1] for process in team]
    finally:
        for process in team:
            process.kill()
    return "".join(e for e, process in zip(errors, team, strict=True) if process.returncode)


def test_two_processes_train_one_network(tmp_path):
    script, out = tmp_path / "script.py", tmp_path / "w.safetensors"
    script.write_text(SCRIPT)
    launched = torchrun if has_libuv() else by_hand
    assert launched(script, out) == ""
    torch.manual_seed(0)
    net = torch.nn.Linear(1, 1)
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.01)
    average = {k: v.clone() for k, v in net.state_dict().items()}
    from doamc.learning.training import Schedule

    schedule = Schedule(steps=40, rate=0.01)
    for step in range(40):
        optimiser.param_groups[0]["lr"] = schedule.rate_at(step, step / 40)
        x = torch.tensor([[float((2 * step) % 5)], [float((2 * step + 1) % 5)]])
        optimiser.zero_grad()
        (net(x) - 2 * x).square().mean().backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        d = min(0.999, (1 + step) / (10 + step))
        for key, value in net.state_dict().items():
            average[key].lerp_(value, 1 - d)
    stored = load_checkpoint(out, "line").tensors["weight"].float()  # in half precision, 11 bits
    assert torch.allclose(stored, average["weight"], rtol=2**-11, atol=1e-5)


def test_one_process_is_a_team_of_one():
    with Team("cpu") as team:
        assert team.leads and team.size == 1 and str(team) == "cpu"
        assert [team.draw(s) for s in range(3)] == [0, 1, 2] and team.agree(0.3) == 0.3
