"""``doamc train --net posterior``: train the score network of an array and write its checkpoint."""

import argparse
import sys
from pathlib import Path

import torch

from doamc.diffusion.checkpoint import own_weights
from doamc.diffusion.training import Schedule, train
from doamc.posterior.task import PosteriorTask
from doamc.spec import load_spec

MINUTES = 75.0  #: default budget on two cores


def main_train(args: argparse.Namespace) -> int:
    """Train from parsed arguments: array, minutes, steps, device, resume, out, threads, seed."""
    spec = load_spec(args.array)
    if args.threads:
        torch.set_num_threads(args.threads)
    path = Path(args.out) if args.out else own_weights(PosteriorTask.kind, spec.name)
    minutes = args.minutes if args.minutes or args.steps else MINUTES
    task = PosteriorTask(spec, args.seed, args.device)
    weights = sum(p.numel() for p in task.net.parameters())
    print(f"posterior net for {spec.name}: {weights} weights, on {args.device}, to {path}", file=sys.stderr)
    record = train(task, path, Schedule(minutes, args.steps, rate=1.2e-3, warm_up=300), args.resume)
    print(", ".join(f"{k} {v:g}" for k, v in record.items()), file=sys.stderr)
    return 0
