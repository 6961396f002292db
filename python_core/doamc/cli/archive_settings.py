"""What the results of an archive depend on, as plain values: its run's manifest and every task carry them."""

import argparse
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doamc import __version__
from doamc.cli.capture_options import capture_form

if TYPE_CHECKING:
    from doamc.spec import ArraySpec


def archive_settings(args: argparse.Namespace) -> dict[str, Any]:
    """The settings that options of ``doamc estimate`` ask for; whatever is wrong is said before the work begins.

    Raises EstimatorError or SpecificationError where they do not go together or name what is not there.
    """
    from doamc.errors import EstimatorError

    if args.missing or args.coupling:
        raise EstimatorError("expected one input beside --missing or --coupling, found many; estimate them one by one")
    return shared_settings(args) | {"noise_power": args.noise_power, "batches": args.batches}


def shared_settings(args: argparse.Namespace) -> dict[str, Any]:
    """The settings that all commands of many inputs have; errors as of `archive_settings`."""
    from doamc.errors import EstimatorError, SpecificationError
    from doamc.estimators.base import DEFAULT_METHOD
    from doamc.estimators.engine import open_estimator
    from doamc.estimators.options import parse_method
    from doamc.spec import load_spec

    if args.array is None:
        raise SpecificationError("expected an array for many inputs, found none; add --array")
    if args.threads != 1:
        raise EstimatorError(f"expected one thread a worker, found --threads {args.threads}; use --workers")
    array = os.path.abspath(args.array) if os.path.isfile(args.array) else args.array
    spec = load_spec(array, tunable=True)
    method = args.method or DEFAULT_METHOD
    if not spec.in_metres or spec.frequency_hz:  # else it is known only with the first signal
        open_estimator(method, spec.tuned(None), args.sources, "cpu", args.seed)
    if parse_method(method)[0].sequential:
        raise EstimatorError(
            f"expected a method that takes batches in any order, found {method}; take the inputs one by one"
        )
    form = capture_form(args)
    args.format = args.format or "parquet"
    return {
        "version": __version__, "array": array, "array_digest": spec.digest, "method": method,
        "weights": weights_digest(method, spec), "sources": args.sources, "snapshots": args.snapshots,
        "seed": args.seed, "device": args.device, "positions": not args.ignore_positions,
        "heading": spec.heading_deg if args.heading is None else args.heading,
        "form": [form.datatype, form.channels, form.sample_rate_hz, form.frequency_hz], "format": args.format,
    }  # fmt: skip


def weights_digest(method: str, spec: "ArraySpec") -> str | None:
    """SHA-256 of the weights that a method finds for an array, None where it has none."""
    from doamc.learning.checkpoint import find_weights
    from doamc.learning.networks import NETWORKS

    kinds = [kind for kind, network in NETWORKS.items() if network.method == method.partition(":")[0]]
    paths = [Path(find_weights(kind, *spec.names)) for kind in kinds]
    held = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if path.is_file()]
    return held[0] if held else None
