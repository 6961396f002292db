"""``doamc denoise``: snapshots without the noise, and what each emitter sent."""

import argparse
from typing import Any

from doamc.cli.array_of_input import array_of_input
from doamc.cli.capture_options import add_capture_arguments, capture_form
from doamc.cli.options import add_estimator_arguments, check_samples


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "denoise",
        help="clean snapshots and waveforms of an .npz or SigMF file",
        description="Writes clean (B, N, L), waveforms (B, P, L), waveform_std (B, P, L) and doa_deg (B, P) to an .npz "
        "file. The scene is that of the method; given it, waveforms are those of the method where it separates "
        "emitters, else Wiener estimates.",
    )
    add_estimator_arguments(parser)
    add_capture_arguments(parser, "--rate")
    parser.add_argument("-o", "--out", required=True, metavar="OUT.npz", help="file to write")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Denoise and write; whatever is wrong with the arguments is said before the work begins."""
    import numpy as np
    import torch

    from doamc.cli.chunks import chunks_of
    from doamc.cli.inputs import open_input
    from doamc.cli.remarks import warn
    from doamc.denoising.clean import denoise
    from doamc.errors import EstimatorError
    from doamc.estimators.engine import open_estimator
    from doamc.estimators.tuned import TunedEstimator, frequency_remark
    from doamc.files.atomic import check_output
    from doamc.snapshots.npz import write_snapshots
    from doamc.spec import load_spec

    check_output(args.out, ".npz")
    if args.sources is None:
        raise EstimatorError("expected --sources P, the number of emitters to separate, found auto or none")
    torch.set_num_threads(args.threads)
    spec = load_spec(array_of_input(args.array, args.input), tunable=True)
    source = open_input(
        args.input, spec, args.snapshots, args.batches, form=capture_form(args), positions=not args.ignore_positions
    )
    batches, channels, length = source.shape
    check_samples(batches * (channels + args.sources) * length, "--batches and --snapshots")
    tuned = TunedEstimator(spec, lambda spec: open_estimator(args.method, spec, args.sources, args.device, args.seed))
    name = tuned.at(source.frequency_of(0)).name
    warn([*source.remarks, frequency_remark(spec, () if source.frequency_hz is None else source.frequency_hz)])
    made: dict[str, list[Any]] = {"clean": [], "waveforms": [], "waveform_std": [], "doa_deg": []}
    for first, batch in chunks_of(source, args.noise_power, args.seed):
        # one frequency at a time: an array in metres is another array at each
        frequencies = [source.frequency_of(first + i) if spec.in_metres else None for i in range(batch.size)]
        for begin, end in _runs(frequencies):
            estimator, part = tuned.at(frequencies[begin]), batch.select(slice(begin, end))
            found = estimator(part, args.sources)
            clean = denoise(estimator.spec, part, found)
            made["clean"].append(clean.clean[:, list(source.channels)].numpy())
            made["waveforms"].append(clean.waveforms.numpy())
            made["waveform_std"].append(clean.spread.numpy())
            made["doa_deg"].append(found.azimuth.cpu().rad2deg().numpy())
    write_snapshots(args.out, **{key: np.concatenate(parts) for key, parts in made.items()})
    print(f"{args.out}: {batches} batches of {length} snapshots, {args.sources} emitters, {spec.name}, {name}")
    return 0


def _runs(values: list[float | None]) -> list[tuple[int, int]]:
    """Begin and end of every run of equal values."""
    begins = [i for i, value in enumerate(values) if i == 0 or value != values[i - 1]]
    return list(zip(begins, [*begins[1:], len(values)], strict=True))
