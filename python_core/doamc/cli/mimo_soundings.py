"""``doamc mimo`` of files: soundings that were made, and files of simulated ones."""

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doamc.mimo.channel import Link, Rays


def estimate_soundings(args: argparse.Namespace, link: "Link") -> int:
    """Estimate every link of a file, write, and say what was found."""
    import numpy as np

    from doamc.files.atomic import check_output
    from doamc.mimo.estimate_file import estimated, write_estimated
    from doamc.mimo.sbl import SblOptions
    from doamc.mimo.sounding_file import read_soundings

    check_output(args.out, ".npz")
    soundings = read_soundings(args.input, link)
    found = estimated(link, soundings, args.paths, SblOptions(step_deg=args.grid_deg))
    write_estimated(args.out, found)
    lost = int(np.isnan(found["doa_deg"]).any(1).sum())
    remark = f"; {lost} links could not be fitted" if lost else ""
    links, carriers, symbols = soundings.received.shape
    ends = f"{link.tx.spec.name} to {link.rx.spec.name}"
    print(
        f"{args.out}: {links} links of {carriers} subcarriers and {symbols} symbols, {ends}, P = {args.paths}{remark}"
    )
    return 0


def simulate_soundings(args: argparse.Namespace, link: "Link", strength: float) -> int:
    """Write simulated soundings with their truth: the symbols that the first row of a comparison is made of."""
    from doamc.files.atomic import check_output
    from doamc.mimo.channel import noise_power
    from doamc.mimo.sounding_file import write_soundings
    from doamc.trials.mimo import sounded_links

    check_output(args.simulate, ".npz")
    world, rays, sounding, received = sounded_links(
        link,
        strength,
        args.directional,
        args.paths,
        args.symbols,
        args.subcarriers,
        args.snr_db,
        args.trials,
        args.seed,
    )
    write_soundings(args.simulate, sounding, received, **truth(world, rays), noise_power_true=noise_power(args.snr_db))
    print(f"{args.simulate}: {args.trials} links of {args.subcarriers} subcarriers and {args.symbols} symbols, "
          f"{link.tx.spec.name} to {link.rx.spec.name}, P = {args.paths}, SNR {args.snr_db:g} dB")  # fmt: skip
    return 0


def truth(world: "Link", rays: "Rays") -> dict[str, Any]:
    """What estimates of soundings are to be held against, by their keys and ``_true``."""
    from doamc.mimo.estimate_file import coupling_of

    angles = {"doa_deg": rays.azimuth_rx, "elevation_deg": rays.elevation_rx,
              "dod_deg": rays.azimuth_tx, "dod_elevation_deg": rays.elevation_tx}  # fmt: skip
    out = {f"{key}_true": angle.rad2deg().numpy() for key, angle in angles.items() if angle is not None}
    return out | {
        "gain_true": rays.gains.numpy(),
        "coupling_rx_true": coupling_of(world.rx, rays.azimuth_rx, rays.theta_rx, rays.elevation_rx).numpy(),
        "coupling_tx_true": coupling_of(world.tx, rays.azimuth_tx, rays.theta_tx, rays.elevation_tx).numpy(),
    }
