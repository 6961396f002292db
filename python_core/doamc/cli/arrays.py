"""``doamc arrays``: the array specifications that ship, and what one of them says."""

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doamc.spec import ArraySpec


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser("arrays", help="list the array specifications, or print one")
    parser.add_argument("name", nargs="?", metavar="NAME_OR_TOML", help="print this one")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the list, or the details of one."""
    from doamc.spec import load_spec, shipped_arrays

    if args.name is None:
        for name in shipped_arrays():
            print(f"{name:<8}  {load_spec(name).description}")
        return 0
    spec = load_spec(args.name)
    lines = {
        "name": spec.name,
        "description": spec.description,
        "elements": f"{spec.n_elements} ({spec.geometry['kind']})",
        "sector": f"{spec.azimuth_deg[0]:g} to {spec.azimuth_deg[1]:g} deg, "
        f"sources at least {spec.min_separation_deg:g} deg apart",
        "coupling": _coupling(spec),
        "sources": f"{spec.source_count[0]} to {spec.source_count[1]}, {spec.power_db[0]:g} to {spec.power_db[1]:g} dB",
        "snapshots": f"{spec.snapshot_count[0]} to {spec.snapshot_count[1]}, "
        f"SNR {spec.snr_db[0]:g} to {spec.snr_db[1]:g} dB",
        "fingerprint": spec.digest,
    }
    for key, value in lines.items():
        print(f"{key:<12} {value}")
    print("positions    x, y, z in wavelengths")
    for m, (x, y, z) in enumerate(spec.positions.tolist()):
        print(f"{m:>11}  {x:9.4f} {y:9.4f} {z:9.4f}")
    return 0


def _coupling(spec: "ArraySpec") -> str:
    c = spec.coupling
    if c["family"] == "drawn":
        return f"drawn, {spec.family.n_parameters} patterns"
    return f"{c['family']}, |c_k| in " + ", ".join(f"{low:g}-{high:g}" for low, high in c["magnitude"])
