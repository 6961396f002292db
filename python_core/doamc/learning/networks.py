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
    array: bool = True  #: whether it is trained for an array


#: kind -> network; the kind is the first part of a checkpoint's name
NETWORKS = {
    "snapshot": Network("doamc.denoising.snapshot_net:SnapshotTask", "ddim-snapshot", 6.0),
    "vae": Network("doamc.routes.vae_net:VaeTask", "vae", 5.0),
    "coupling": Network("doamc.routes.coupling_prior:CouplingTask", "coupling-diffusion", 2.0),
    "waveform": Network("doamc.waveforms.task:WaveformTask", "ddim", 60.0, rate=2e-3, array=False),
    "sky": Network("doamc.skies.task:SkyTask", "doamc image", 90.0, rate=1e-3, array=False),
}


def needs_no_array(kind: str) -> bool:
    """Whether a kind of network is trained for no array."""
    return kind in NETWORKS and not NETWORKS[kind].array


def main_train(args: argparse.Namespace, **more: Any) -> int:
    """Train from parsed arguments: array, net, minutes, steps, device, resume, out, threads, seed.

    more: further arguments of the task, such as what a network is trained on.
    Under ``torchrun`` the processes share the work: see `doamc.learning.parallel`.
    Raises RecordingError when the checkpoint cannot be written or another training is writing it, CheckpointError when
    there is no training to resume, or an array is missing or too many.
    """
    import torch

    from doamc.files.atomic import check_output, make_folder
    from doamc.files.lock import Lock
    from doamc.learning.checkpoint import own_weights
    from doamc.learning.parallel import Team
    from doamc.learning.training import Schedule, train, twin_of
    from doamc.spec import load_spec

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
