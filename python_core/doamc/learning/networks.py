"""The networks that ``doamc train`` makes, and the budget and rate that each takes."""

import argparse
import os
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from doamc.errors import CheckpointError


@dataclass(frozen=True)
class Network:
    """What is trained (task: "module:class"), the method that uses it, default budget, rate and warm-up of Adam."""

    task: str
    method: str
    minutes: float
    rate: float = 1e-3
    warm_up: int = 200


#: kind -> network; the kind is the first part of a checkpoint's name
NETWORKS = {
    "batch": Network("doamc.denoising.batch_task:BatchTask", "ddim", 20.0),
    "snapshot": Network("doamc.denoising.snapshot_net:SnapshotTask", "ddim-snapshot", 6.0),
    "vae": Network("doamc.routes.vae_net:VaeTask", "vae", 5.0),
    "coupling": Network("doamc.routes.coupling_prior:CouplingTask", "coupling-diffusion", 2.0),
}


def main_train(args: argparse.Namespace, **more: Any) -> int:
    """Train from parsed arguments: array, net, minutes, steps, device, resume, out, threads, seed.

    more: further arguments of the task, such as what a network is trained on.
    Under ``torchrun`` the processes share the work: see `doamc.learning.parallel`.
    Raises RecordingError when the checkpoint cannot be written or another training is writing it, CheckpointError when
    there is no training to resume.
    """
    import torch

    from doamc.files.atomic import check_output, make_folder
    from doamc.files.lock import Lock
    from doamc.learning.checkpoint import own_weights
    from doamc.learning.parallel import Team
    from doamc.learning.training import Schedule, train, twin_of
    from doamc.spec import load_spec

    spec, network = load_spec(args.array), NETWORKS[args.net]
    if args.threads:
        torch.set_num_threads(args.threads)
    path = Path(args.out) if args.out else own_weights(args.net, spec.name)
    minutes = args.minutes if args.minutes or args.steps else network.minutes
    module, _, name = network.task.partition(":")
    if args.resume and not os.path.isfile(twin_of(path)):  # before the networks that take seconds to set up
        raise CheckpointError(f"expected a training to go on with at {twin_of(path)}, found none; leave out --resume")
    make_folder(path)
    check_output(path)
    with Team(args.device) as team, Lock(path) if team.leads else nullcontext():
        task = getattr(import_module(module), name)(spec, args.seed, team.device, **more)
        weights = sum(p.numel() for p in task.net.parameters())
        if team.leads:
            print(f"{args.net} net for {spec.name}: {weights} weights, on {team}, to {path}", file=sys.stderr)
        schedule = Schedule(minutes, args.steps, rate=network.rate, warm_up=network.warm_up)
        record = train(task, path, schedule, args.resume, team=team)
        if team.leads:
            print(", ".join(f"{k} {v:g}" for k, v in record.items()), file=sys.stderr)
    return 0
