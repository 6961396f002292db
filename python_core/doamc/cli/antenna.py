"""``doamc antenna``: what an antenna of wires receives, and priors drawn from it."""

import argparse
from typing import TYPE_CHECKING, Any

from doamc.cli.options import hertz, seed, whole

if TYPE_CHECKING:
    from doamc.antenna.site import Site


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "antenna",
        help="coupling and response of an antenna of wires, and priors drawn from it",
        description="Solves the table [antenna] of a specification by the method of moments (PyNEC, the extra "
        "[antenna]). OUT.npz: coupling (N, N), impedance (N, N) ohm, azimuth_deg (G,), response (N, G), "
        "positions_wavelengths (N, 2). With --prior: draws arrays as they may have been built and writes the prior of "
        "a specification with coupling family drawn.",
    )
    parser.add_argument("array", metavar="NAME_OR_TOML", help="specification with a table [antenna]")
    parser.add_argument("-o", "--out", metavar="OUT.npz", help="write coupling and response")
    parser.add_argument("--frequency", type=hertz, metavar="HZ", help="default: the design frequency")
    parser.add_argument("--prior", metavar="OUT.prior.safetensors", help="draw, and write a prior")
    parser.add_argument("--draws", type=whole(16, 10**6), default=2000, metavar="D", help="arrays drawn (default 2000)")
    parser.add_argument("--seed", type=seed, default=0, help="seed of the draws (default 0)")
    parser.add_argument("--jobs", type=whole(1, 256), default=2, metavar="K", help="processes (default 2)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Solve, print, and write what is asked for."""
    from doamc.antenna.site import load_site
    from doamc.files.atomic import check_output

    for path, ending in ((args.out, ".npz"), (args.prior, ".safetensors")):
        if path:
            check_output(path, ending)
    site = load_site(args.array)
    if args.frequency:
        site = site.at(args.frequency)
    _nominal(site, args.out)
    if args.prior:
        _prior(site, args)
    return 0


def _nominal(site: "Site", out: str | None) -> None:
    import numpy as np

    from doamc.antenna.draws import azimuth_grid, in_sector
    from doamc.antenna.response import (
        as_planned,
        coupling_matrix,
        embedded_response,
        scale_to,
        solve_built,
        steering_vectors,
    )
    from doamc.snapshots.npz import write_snapshots

    built, grid = as_planned(site.antenna, site.positions), azimuth_grid(site.positions)
    ports = solve_built(site.antenna, built, grid)
    coupling = coupling_matrix(ports, built.load)
    steering = steering_vectors(site.positions, grid)
    inside = in_sector(grid, site.sector_deg)
    response = embedded_response(ports, built.load)
    scale, misfit = scale_to(response[:, inside], (coupling @ steering)[:, inside])
    impedance = np.linalg.inv(ports.admittance)
    n = len(coupling)
    away = np.linalg.norm(coupling - np.eye(n)) ** 2 / np.linalg.norm(coupling) ** 2
    print(f"{site.name}: {n} {site.antenna.element}s of {site.antenna.length:g} wavelengths")
    print(f"impedance    {_complex(impedance[0, 0])} ohm, to the next element {_complex(impedance[0, 1])} ohm")
    row = ", ".join(f"{abs(c):.3f}" for c in coupling[0])
    print(f"coupling     first row {row}; of no coupling assumed: {10 * np.log10(away):.1f} dB")
    print(f"response     C a(az) differs by {100 * misfit:.2g} % over the sector")
    if out:
        write_snapshots(
            out, coupling=coupling, impedance=impedance, azimuth_deg=grid, response=scale * response,
            positions_wavelengths=site.positions,
        )  # fmt: skip
        print(f"written      {out}")


def _prior(site: "Site", args: argparse.Namespace) -> None:
    from tqdm import tqdm

    from doamc import __version__
    from doamc.antenna.farm import draw_many
    from doamc.antenna.prior import fit_prior
    from doamc.antenna.prior_file import write_prior

    many = draw_many(site, args.draws, args.seed, args.jobs)
    drawn = list(tqdm(many, total=args.draws, unit="array", disable=None))
    frequency = site.antenna.frequencies
    prior = fit_prior(drawn, [f * site.positions for f in frequency], site.sector_deg)
    record = {
        "array": site.name, "draws": args.draws, "seed": args.seed, "patterns": len(prior.scales[0]),
        "spread_db": round(prior.spread_db, 2), "residual_db": round(prior.residual_db, 2), "version": __version__,
        **{key: site.table[key] for key in ("geometry", "sector", "antenna")},
    }  # fmt: skip
    if args.frequency:
        record["frequency_hz"] = args.frequency
    write_prior(args.prior, prior, frequency, record)
    print(
        f"prior        {len(prior.scales[0])} patterns of {args.draws} draws: spread {prior.spread_db:.1f} dB, "
        f"left {prior.residual_db:.1f} dB"
    )
    print(f"written      {args.prior}")


def _complex(value: complex) -> str:
    return f"{value.real:.1f}{value.imag:+.1f}j"
