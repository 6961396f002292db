"""``doamc train``: train a network, most of them for an array."""

import argparse
from typing import Any

from doamc.cli.options import MAX_THREADS, between, whole
from doamc.learning.networks import NETWORKS


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser("train", help="train a network, most of them for an array")
    about = "array specification (doamc arrays); none for --net waveform"
    parser.add_argument("--array", metavar="NAME_OR_TOML", help=about)
    nets = ", ".join(f"{kind} for {network.method}" for kind, network in NETWORKS.items())
    parser.add_argument("--net", choices=list(NETWORKS), required=True, help=nets)
    parser.add_argument("--minutes", type=between(1e-3, 1e6), metavar="T", help="stop after so many minutes")
    parser.add_argument("--steps", type=whole(1), metavar="K", help="stop after so many steps")
    parser.add_argument("--device", default="cpu", metavar="D", help="torch device (default cpu)")
    parser.add_argument("--resume", action="store_true", help="go on with the training that --out holds")
    parser.add_argument("--out", metavar="FILE.safetensors", help="checkpoint to write")
    parser.add_argument("--threads", type=whole(1, MAX_THREADS), metavar="K", help="CPU threads")
    # the draws of every step have a seed of their own, a multiple of this one that must fit 63 bits
    parser.add_argument("--seed", type=whole(0, 2**32), default=0, help="seed (default 0)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Hand over to the trainer."""
    from doamc.estimators.engine import check_device
    from doamc.learning.networks import main_train

    check_device(args.device)
    return int(main_train(args) or 0)
