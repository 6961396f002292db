"""``doamc train``: train a network for an array and write its checkpoint."""

import argparse
import sys
from pathlib import Path

import torch

from doamc.denoising.batch_task import BatchTask
from doamc.denoising.snapshot_net import SnapshotTask
from doamc.diffusion.checkpoint import own_weights
from doamc.diffusion.training import Schedule, Task, train
from doamc.routes.coupling_prior import CouplingTask
from doamc.routes.vae_net import VaeTask
from doamc.spec import load_spec

TASKS: dict[str, type[Task]] = {
    "batch": BatchTask,
    "snapshot": SnapshotTask,
    "vae": VaeTask,
    "coupling": CouplingTask,
}
#: minutes of training on two cores that the shipped weights had
MINUTES = {"batch": 20.0, "snapshot": 6.0, "vae": 5.0, "coupling": 2.0}


def main_train(args: argparse.Namespace) -> int:
    """Train from parsed arguments: array, net, minutes, steps, device, resume, out, threads, seed."""
    spec = load_spec(args.array)
    if args.threads:
        torch.set_num_threads(args.threads)
    path = Path(args.out) if args.out else own_weights(args.net, spec.name)
    minutes = args.minutes if args.minutes or args.steps else MINUTES[args.net]
    task = TASKS[args.net](spec, args.seed, args.device)
    weights = sum(p.numel() for p in task.net.parameters())
    print(f"{args.net} net for {spec.name}: {weights} weights, on {args.device}, to {path}", file=sys.stderr)
    record = train(task, path, Schedule(minutes, args.steps), args.resume)
    print(", ".join(f"{k} {v:g}" for k, v in record.items()), file=sys.stderr)
    return 0
