"""``doamc publish``: an input straight to ZMQ, at the pace at which it was received."""

import argparse
import time
from typing import Any

from doamc.cli.options import add_estimator_arguments, number, positive


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "publish",
        help="estimate a file and publish over ZMQ, paced",
        description="Every batch is estimated and sent; a batch that cannot be used is counted and told as a status.",
    )
    add_estimator_arguments(parser)
    parser.add_argument("--address", default="tcp://127.0.0.1:5577", help="endpoint to bind (tcp://127.0.0.1:5577)")
    parser.add_argument(
        "--rate", type=positive, metavar="R", help="batches a second (default: the sample rate; 10 for an .npz)"
    )
    parser.add_argument("--wait", type=number, default=0.5, metavar="S", help="time for subscribers to connect (0.5 s)")
    parser.add_argument("--loop", action="store_true", help="begin anew at the end, until interrupted")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Publish until the input ends. Raises the last error when not one batch could be estimated."""
    import torch

    from doamc.cli.inputs import open_input
    from doamc.cli.replay import Replay
    from doamc.estimates import Publisher, status_message
    from doamc.estimators.engine import open_estimator
    from doamc.spec import load_spec

    spec = load_spec(args.array)
    source = open_input(args.input, spec, args.snapshots, args.batches, every=True)
    estimator = open_estimator(args.method, spec, args.sources, args.device, args.seed)
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    replay = Replay(estimator, source, args.sources, args.noise_power, args.rate)
    with Publisher(args.address) as publisher:
        print(f"publishing on {publisher.address}", flush=True)
        time.sleep(max(0.0, args.wait))
        try:
            replay.run(publisher, args.loop)
        finally:
            counters = {"made": replay.seq, "failed": replay.failed}
            publisher.status(
                status_message(time=time.time(), state="stopped", seq=replay.seq - 1, counters=counters,
                               last_error=None if replay.error is None else str(replay.error))
            )  # fmt: skip
            print(f"published {replay.seq} estimates, {replay.failed} batches failed", flush=True)
    if replay.error is not None and not replay.seq:
        raise replay.error
    return 0
