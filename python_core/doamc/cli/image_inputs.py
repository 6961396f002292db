"""What ``doamc image`` takes of an array's input: its covariance, and the coupling that is estimated from it."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from doamc.cli.inputs import Input
    from doamc.snapshots.batch import SnapshotBatch
    from doamc.spec import ArraySpec

#: snapshots that are correlated at once
_BLOCK = 1 << 14


def received(
    args: argparse.Namespace, spec: "ArraySpec"
) -> tuple["np.ndarray", float, float | None, "np.ndarray | None"]:
    """Covariance between elements, independent snapshots in it, frequency, and the couplings of batches (B, N, N).

    The couplings are None where they are not to be estimated.
    """
    import numpy as np

    from doamc.cli.capture_options import capture_form
    from doamc.cli.inputs import open_input
    from doamc.cli.remarks import warn
    from doamc.errors import ImagingError
    from doamc.estimators.tuned import frequency_remark
    from doamc.imaging.array_files import is_integrated, read_covariance
    from doamc.imaging.integration import check_count

    if is_integrated(args.input):
        if args.coupling == "estimated":
            raise ImagingError("expected --coupling none or a file for integrated visibilities, found estimated")
        r, length, hertz = read_covariance(args.input)
        if len(r) != spec.n_elements:
            raise ImagingError(f"{args.input}: expected {spec.n_elements} streams of {spec.name}, found {len(r)}")
        check_count(length, len(r))
        order = np.argsort(spec.channels)
        return r[np.ix_(order, order)], length, hertz, None
    form, positions = capture_form(args), not args.ignore_positions
    whole_input = open_input(args.input, spec, None, None, every=True, form=form, positions=positions)
    told = whole_input.frequency_hz
    frequencies = np.array([]) if told is None else np.unique(told[np.isfinite(told)])
    if len(frequencies) > 1:
        raise ImagingError(f"{args.input}: expected one frequency, found {len(frequencies)}; add --frequency to say so")
    hertz = float(frequencies[0]) if len(frequencies) else None
    warn([*whole_input.remarks, frequency_remark(spec, frequencies)])
    r, count = _integrated(whole_input)
    check_count(count, len(r))
    length = min(args.snapshots, whole_input.shape[2] if whole_input.sample_rate_hz is None else args.snapshots)
    some = open_input(args.input, spec, length, None, every=True, form=form, positions=positions)
    some = open_input(
        args.input, spec, length, min(args.batches, some.shape[0]), form=form, positions=positions
    )  # fmt: skip
    couplings, share = _estimated(args, spec, some, hertz)
    return r, max(1.0, share * count), hertz, couplings


def _integrated(source: "Input") -> tuple["np.ndarray", int]:
    """Covariance between elements of all snapshots of an input, and how many they are."""
    import numpy as np

    from doamc.errors import SnapshotError
    from doamc.snapshots.batch import POWERS

    batches, n, length = source.shape
    total = np.zeros((n, n), np.complex128)
    with np.errstate(over="ignore", invalid="ignore"):  # what is beyond all measure is refused below
        for block in source.blocks(max(1, _BLOCK // length)):
            y = np.asarray(block, np.complex128).transpose(1, 0, 2).reshape(n, -1)
            total += y @ y.conj().T
    if not np.isfinite(total).all():
        raise SnapshotError(
            f"expected finite samples of sizes up to {POWERS[1] ** 0.5:g}, found others; repair or scale them"
        )
    order = np.argsort(source.channels)
    return total[np.ix_(order, order)] / (batches * length), batches * length


def _estimated(
    args: argparse.Namespace, spec: "ArraySpec", source: "Input", frequency_hz: float | None
) -> tuple["np.ndarray | None", float]:
    """Couplings of some batches, where they are to be estimated, and which share of their snapshots is independent."""
    import numpy as np
    import torch

    from doamc.cli.chunks import chunks_of
    from doamc.errors import ImagingError
    from doamc.estimators.engine import estimate_batch, open_estimator

    torch.set_num_threads(args.threads)
    estimator = None
    if args.coupling == "estimated":
        estimator = open_estimator(args.estimator, spec.tuned(frequency_hz), args.sources, "cpu", args.seed)
    shares, couplings = [], []
    heard = coupled = False
    for _, batch in chunks_of(source, args.noise_power, args.seed):
        shares.append(_share(batch))
        if estimator is not None:
            e = estimate_batch(estimator, batch, args.sources)
            found = e.coupling.cpu().numpy()
            couplings.append(found[np.isfinite(found).all((1, 2))])
            heard, coupled = heard or bool(e.n_sources.any()), coupled or e.coupled
    if estimator is None:
        return None, float(np.mean(shares))
    if not heard:
        raise ImagingError(
            f"expected sources to estimate the coupling by, found none in {source.shape[0]} batches; add "
            "--sources P, or --coupling none"
        )
    kept = np.concatenate(couplings)
    if not len(kept) or not (coupled or spec.family.n_parameters == 0):
        raise ImagingError(
            f"expected a method that estimates coupling, found {estimator.name}, which gave none; name another by "
            "--estimator, or add --coupling none"
        )
    return kept, float(np.mean(shares))


def _share(batch: "SnapshotBatch") -> float:
    """Which share of snapshots is independent, for the signals."""
    from doamc.estimators.order import source_number

    count = int(source_number(batch.covariance, batch.n_snapshots).max())
    return float(batch.effective.of_signals(max(1, count)).mean()) / batch.n_snapshots
