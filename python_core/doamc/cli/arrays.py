"""``doamc arrays``: the array specifications that ship, and what one of them says."""

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doamc.spec import ArraySpec


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "arrays",
        help="list the array specifications, or print one",
        description="Lists what --array of other commands takes by name, or says what a specification holds: one of "
        "these, or a TOML file of your own (docs/arrays-and-coupling.md).",
    )
    parser.add_argument("name", nargs="?", metavar="NAME_OR_TOML", help="print this one")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the list, or the details of one."""
    from doamc.spec import SPEED_OF_LIGHT, load_spec, shipped_arrays
    from doamc.spec.numbering import renumbered

    if args.name is None:
        names = shipped_arrays()
        for name in names:
            print(f"{name:<{max(map(len, names))}}  {load_spec(name).description}")
        return 0
    spec = load_spec(args.name, tunable=True)
    unit = "metres" if spec.in_metres and spec.frequency_hz is None else "wavelengths"
    spec = spec.tuned(spec.frequency_hz or SPEED_OF_LIGHT)  # at which a metre is a wavelength
    low, high = spec.incident_power_db or spec.power_db
    lines = {
        "name": spec.name,
        "description": spec.description,
        "elements": f"{spec.n_elements} ({spec.geometry['kind']})",
        "sector": f"{spec.azimuth_deg[0]:g} to {spec.azimuth_deg[1]:g} deg, "
        f"sources at least {spec.min_separation_deg:g} deg apart",
        "elevation": f"{spec.elevation_deg[0]:g} to {spec.elevation_deg[1]:g} deg"
        if spec.elevation_deg
        else "the horizon",
        "element": _element(spec),
        "coupling": _coupling(spec),
        "sources": f"{spec.source_count[0]} to {spec.source_count[1]}, {low:g} to {high:g} dB",
        "snapshots": f"{spec.snapshot_count[0]} to {spec.snapshot_count[1]}, "
        f"SNR {spec.snr_db[0]:g} to {spec.snr_db[1]:g} dB",
        "frequency": "as received" if unit == "metres" else _frequency(spec),
        "fingerprint": spec.digest,
    }
    if spec.alike:
        lines["alike"] = spec.alike
    if renumbered(spec.channels):
        lines["streams"] = f"of elements {', '.join(map(str, spec.channels))}"
    if spec.mount is not None:
        lines["mount"] = f"+x axis at {spec.mount.heading_deg:g} deg, clockwise from true north"
    for key, value in lines.items():
        print(f"{key:<12} {value}")
    print(f"positions    x, y, z in {unit}")
    for m, (x, y, z) in enumerate(spec.positions.tolist()):
        print(f"{m:>11}  {x:9.4f} {y:9.4f} {z:9.4f}")
    return 0


def _frequency(spec: "ArraySpec") -> str:
    return "not told" if spec.frequency_hz is None else f"{spec.frequency_hz / 1e6:.6g} MHz"


def _element(spec: "ArraySpec") -> str:
    if spec.element is None:
        return "as in the prior of antennas" if spec.coupling["family"] == "drawn" else "isotropic"
    exponent = f", exponent {spec.element.exponent:g}" if spec.element.kind == "patch" else ""
    return spec.element.kind + exponent


def _coupling(spec: "ArraySpec") -> str:
    c = spec.coupling
    if c["family"] == "drawn":
        return f"drawn, {spec.family.n_parameters} patterns"
    order = c.get("directional", {}).get("order", 0)
    turning = f", a series of order {order} over direction" if order else ""
    return f"{c['family']}, |c_k| in " + ", ".join(f"{low:g}-{high:g}" for low, high in c["magnitude"]) + turning
