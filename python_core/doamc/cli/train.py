"""``doamc train``: train a network, most of them for an array."""

import argparse
from typing import TYPE_CHECKING, Any

from doamc.cli.options import MAX_THREADS, between, check_samples, whole
from doamc.learning.networks import NETWORKS

if TYPE_CHECKING:
    from doamc.denoising.collected import CollectedSnapshots


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "train",
        help="train a network, most of them for an array",
        description="Trains on what is drawn from a prior (scenes of the array, waveforms, skies), or on --data, and "
        "writes a checkpoint that the method then takes. Interrupted, --resume goes on. Its log lies beside it, for "
        "doamc plot.",
    )
    about = "array specification (doamc arrays); none for --net waveform and --net sky"
    parser.add_argument("--array", metavar="NAME_OR_TOML", help=about)
    nets = ", ".join(f"{kind} for {network.method}" for kind, network in NETWORKS.items())
    parser.add_argument("--net", choices=list(NETWORKS), required=True, help=nets)
    parser.add_argument("--data", nargs="+", metavar="FILE", help="for net snapshot: snapshots to learn from, in "
                        "place of the prior of the array; .npz or captures. For net sky: images, in place of the "
                        "generator of skies; .npz, FITS, or folders of them")  # fmt: skip
    parser.add_argument("--snapshots", type=whole(1), metavar="L", help="with --data: snapshots a batch of it, within "
                        "which the scene does not change (captures: 256; .npz: all)")  # fmt: skip
    parser.add_argument("--minutes", type=between(1e-3, 1e6), metavar="T", help="stop after so many minutes "
                        "(default: as the network needs, unless --steps is told)")  # fmt: skip
    parser.add_argument("--steps", type=whole(1), metavar="K", help="stop after so many steps")
    parser.add_argument("--device", default="cpu", metavar="D", help="torch device (default cpu)")
    parser.add_argument("--resume", action="store_true", help="go on with the training that --out holds")
    parser.add_argument("--out", metavar="FILE.safetensors", help="checkpoint to write "
                        "(default: where methods look for it)")  # fmt: skip
    parser.add_argument("--threads", type=whole(1, MAX_THREADS), metavar="K", help="CPU threads")
    # the draws of every step have a seed of their own, a multiple of this one that must fit 63 bits
    parser.add_argument("--seed", type=whole(0, 2**32), default=0, help="seed (default 0)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Hand over to the trainer."""
    from doamc.errors import SnapshotError
    from doamc.estimators.engine import check_device
    from doamc.learning.run import main_train

    check_device(args.device)
    if args.data and args.net not in ("snapshot", "sky"):
        raise SnapshotError(
            f"expected --net snapshot or sky beside --data, found {args.net}, which learns from the array alone"
        )
    if args.snapshots and not (args.data and args.net == "snapshot"):
        raise SnapshotError("expected --net snapshot and --data beside --snapshots, found none")
    return int(main_train(args, **_data(args)) or 0)


def _data(args: argparse.Namespace) -> dict[str, Any]:
    """What the task learns from in place of what it draws itself."""
    if not args.data:
        return {}
    if args.net == "snapshot":
        return {"draw": _collected(args)}
    from doamc.skies.collected import CollectedSkies, read_skies
    from doamc.skies.task import SIZE

    skies = CollectedSkies(read_skies(args.data), SIZE)
    return {"draw": skies.training, "held_out": skies.held_out}


def _collected(args: argparse.Namespace) -> "CollectedSnapshots":
    """The snapshots of all files of --data. Raises DoamcError where one is not of this array, or they are too many."""
    import torch

    from doamc.cli.inputs import as_complex128, open_input
    from doamc.denoising.collected import CollectedSnapshots
    from doamc.snapshots import make_batch
    from doamc.spec import load_spec

    spec = load_spec(args.array)
    inputs = [open_input(path, spec, args.snapshots, None, every=True) for path in args.data]
    check_samples(sum(i.shape[0] * i.shape[1] * i.shape[2] for i in inputs), "--data")
    return CollectedSnapshots(
        make_batch(torch.from_numpy(as_complex128(block)), spec.n_elements, channels=source.channels)
        for source in inputs
        for block in source.blocks(64)
    )
