"""``doamc simulate``: scenes drawn from the prior of an array, with their truth."""

import argparse
from typing import TYPE_CHECKING, Any

from doamc.cli.cluster_options import add_cluster_arguments
from doamc.cli.options import check_samples, decibel, hertz, seed, whole

if TYPE_CHECKING:
    from doamc.spec import ArraySpec


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "simulate",
        help="draw scenes of an array and write what it receives",
        description="OUT.npz: B scenes, keys snapshots (B, N, L), clean, doa_deg_true, power_db_true, coupling_true, "
        "noise_power_true, elevation_deg_true where the array has elevations, coupling_by_direction_true where its "
        "coupling depends on direction. OUT.sigmf-meta: one scene of B x L samples, truth in the doamc: namespace. "
        "Where an array's streams are numbered otherwise than its elements, samples are by stream, and key channels "
        "says so.",
    )
    parser.add_argument("array", metavar="NAME_OR_TOML", help="array specification (doamc arrays)")
    parser.add_argument("-o", "--out", required=True, metavar="OUT", help=".npz or .sigmf-meta file to write; with "
                        "--files a folder")  # fmt: skip
    parser.add_argument("--files", type=whole(1, 10**6), metavar="K", help="write so many .npz files, 00000.npz, ..., "
                        "each with scenes of its own; those that are there stay")  # fmt: skip
    add_cluster_arguments(parser, "with --files one a core, else 0")
    parser.add_argument("--sources", type=whole(1), default=2, metavar="P", help="number of sources (default 2)")
    parser.add_argument("--snr-db", type=decibel, default=10.0, metavar="X", help="0 dB source over noise (default 10)")
    parser.add_argument("--snapshots", type=whole(1), default=256, metavar="L", help="snapshots a batch (default 256)")
    parser.add_argument("--batches", type=whole(1), default=100, metavar="B", help="batches (default 100)")
    parser.add_argument("--waveform", default="gaussian", help="gaussian (default), qpsk, constant-modulus or coherent")
    parser.add_argument("--known-noise", action="store_true", help="also write noise_power, which estimate then uses")
    parser.add_argument("--seed", type=seed, default=0, help="seed (default 0)")
    parser.add_argument("--sample-rate", type=hertz, default=250e3, metavar="HZ", help="SigMF only (default 250e3)")
    parser.add_argument(
        "--frequency",
        type=hertz,
        metavar="HZ",
        help="of the recording, and of an array in metres (default: the array's, else 433.92e6)",
    )
    parser.add_argument("--datatype", default="cf32_le", help="SigMF only: cf32_le (default), ci16_le or ci8")
    parser.add_argument("--band", metavar="SCENE.toml", help="SigMF only: emitters of a whole band (docs/scan.md); "
                        "options about sources are then not used")  # fmt: skip
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Draw and write. The same seed gives the same file."""
    if args.files is not None:
        from doamc.cli.simulate_many import simulate_many

        if args.band:
            from doamc.errors import RecordingError

            raise RecordingError("expected --files without --band, found both; simulate bands one by one")
        return simulate_many(args, checked_spec(args)[0])
    if args.workers or args.scheduler:
        from doamc.errors import ClusterError

        raise ClusterError("expected --files K beside --workers or --scheduler, found none; one file is one task")
    import torch

    from doamc.files.atomic import check_output
    from doamc.scenes import draw_scene, receive
    from doamc.snapshots.npz import write_snapshots
    from doamc.snapshots.sigmf_write import write_recording
    from doamc.spec.numbering import renumbered

    check_output(args.out, *(() if args.band else (".npz",)), ".sigmf-meta")
    if args.band:
        from doamc.cli.simulate_band import simulate_band

        return simulate_band(args)
    spec, frequency_hz = checked_spec(args)
    generator = torch.Generator().manual_seed(args.seed)
    recording = args.out.lower().endswith(".sigmf-meta")
    batches, length = (1, args.batches * args.snapshots) if recording else (args.batches, args.snapshots)
    scene = draw_scene(spec, batches, args.sources, args.snr_db, generator)
    received = receive(scene, length, args.waveform, generator)
    doa_deg, power_db = scene.azimuth.rad2deg().numpy(), 10 * scene.incident_power.log10().numpy()
    channels = list(spec.channels)  # what is written is in their order, the coupling in that of the elements
    snapshots, clean, positions = received.snapshots[:, channels], received.clean[:, channels], spec.positions[channels]
    numbering: dict[str, Any] = {"channels": channels} if renumbered(channels) else {}
    elevation_deg = None if scene.elevation is None else scene.elevation.rad2deg().numpy()
    if recording:
        write_recording(
            args.out, snapshots[0].numpy(), sample_rate_hz=args.sample_rate, frequency_hz=frequency_hz,
            positions_wavelengths=positions.numpy(), array=spec.name, azimuth_deg=doa_deg[0],
            elevation_deg=None if elevation_deg is None else elevation_deg[0], power_db=power_db[0],
            noise_power=float(scene.noise_power[0]), coupling=scene.coupling[0].numpy(),
            datatype=args.datatype, waveform=args.waveform, snr_db=args.snr_db, **numbering,
            description=f"Simulated by doamc: {spec.description}",
        )  # fmt: skip
    else:
        known = {"noise_power": scene.noise_power.numpy()} if args.known_noise else {}
        if elevation_deg is not None:
            known["elevation_deg_true"] = elevation_deg
        if scene.coupling_by_direction is not None:
            known["coupling_by_direction_true"] = scene.coupling_by_direction.numpy()
        numbering |= {"positions_wavelengths": positions.numpy()} if numbering else {}
        write_snapshots(
            args.out, snapshots=snapshots.to(torch.complex64), clean=clean.to(torch.complex64),
            doa_deg_true=doa_deg, power_db_true=power_db, coupling_true=scene.coupling,
            noise_power_true=scene.noise_power, **known, **numbering,
        )  # fmt: skip
    setting = f"{spec.name}, P = {args.sources}, SNR {args.snr_db:g} dB"
    print(f"{args.out}: scenes: {batches}, snapshots of each: {length}, {setting}")
    return 0


def checked_spec(args: argparse.Namespace) -> "tuple[ArraySpec, float]":
    """The array and its frequency, Hz. Raises EstimatorError or SnapshotError on scenes that it cannot have."""
    from doamc.errors import EstimatorError
    from doamc.spec import load_spec

    spec = load_spec(args.array, tunable=True)
    frequency_hz = args.frequency or spec.frequency_hz or 433.92e6
    spec = spec.tuned(frequency_hz)
    most = spec.n_elements - 1
    if not spec.elevated:  # draws on the sphere say themselves where there is no room
        room = (spec.azimuth_deg[1] - spec.azimuth_deg[0]) / spec.min_separation_deg + (not spec.full_circle)
        most = min(most, int(room))
    if args.sources > most:
        raise EstimatorError(f"number of sources must lie in 1..{most} for array {spec.name}, found {args.sources}")
    check_samples(args.batches * args.snapshots * spec.n_elements, "--batches and --snapshots")
    return spec, frequency_hz
