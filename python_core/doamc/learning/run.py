"""A training from arguments, as of ``doamc train``."""

import argparse
import os
import sys
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from doamc.errors import CheckpointError
from doamc.files.atomic import check_output, make_folder
from doamc.files.lock import Lock
from doamc.learning.checkpoint import own_weights
from doamc.learning.networks import NETWORKS
from doamc.learning.parallel import Team
from doamc.learning.training import Schedule, train, twin_of
from doamc.spec import load_spec


def main_train(args: argparse.Namespace, **more: Any) -> int:
    """Train from parsed arguments: array, net, minutes, steps, device, resume, out, threads, seed.

    more: further arguments of the task, such as what a network is trained on.
    Under ``torchrun`` the processes share the work: see `doamc.learning.parallel`.
    Raises RecordingError when the checkpoint cannot be written or another training is writing it, CheckpointError when
    there is no training to resume, or an array is missing or too many.
    """
    network = NETWORKS[args.net]
    if network.array != bool(args.array):
        found = f"--array {args.array}" if args.array else "no --array"
        wants = "--array NAME_OR_TOML" if network.array else "no --array (it is trained for none)"
        raise CheckpointError(f"--net {args.net}: expected {wants}, found {found}")
    spec = load_spec(args.array) if network.array else None
    if args.threads:
        torch.set_num_threads(args.threads)
    path = Path(args.out) if args.out else own_weights(args.net, spec.name if spec else None)
    minutes = args.minutes if args.minutes or args.steps else network.minutes
    module, _, name = network.task.partition(":")
    if args.resume and not os.path.isfile(twin_of(path)):  # before the networks that take seconds to set up
        raise CheckpointError(f"expected a training to go on with at {twin_of(path)}, found none; leave out --resume")
    make_folder(path)
    check_output(path, ".safetensors")
    with Team(args.device) as team, Lock(path) if team.leads else nullcontext():
        task = getattr(import_module(module), name)(spec, args.seed, team.device, **more)
        weights = sum(p.numel() for p in task.net.parameters())
        if team.leads:
            whom = f" for {spec.name}" if spec else ""
            print(f"{args.net} net{whom}: {weights} weights, on {team}, to {path}", file=sys.stderr)
        schedule = Schedule(minutes, args.steps, rate=network.rate, warm_up=network.warm_up)
        record = train(task, path, schedule, args.resume, team=team)
        if team.leads:
            print(", ".join(f"{k} {v:g}" for k, v in record.items()), file=sys.stderr)
    return 0
