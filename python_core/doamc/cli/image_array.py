"""``doamc image`` of what an array received: a capture, snapshots, or visibilities that a correlator integrated."""

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from doamc.cli.options import between, number, positive, source_count, whole

if TYPE_CHECKING:
    from doamc.imaging.array_image import ArrayImage
    from doamc.imaging.sky_grid import SkyGrid
    from doamc.spec import ArraySpec

#: batches, and snapshots of each, that the coupling is estimated of unless told otherwise
_BATCHES, _LENGTH = 16, 1024
FIGURES = (".png", ".pdf", ".svg")


def add_array_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of images by an array; ``input`` and ``out`` are the command's own."""
    told = parser.add_argument_group("images by an array (captures, snapshots, integrated visibilities)")
    told.add_argument("--array", metavar="NAME_OR_TOML",
                      help="array specification (doamc arrays); default: that of the recording")  # fmt: skip
    told.add_argument("--coupling", default="estimated", metavar="estimated|none|FILE",
                      help="coupling to take out: estimated (default), none, or a file of it")  # fmt: skip
    told.add_argument(
        "--estimator", metavar="M", help="method that estimates the coupling (default: the most accurate)"
    )
    told.add_argument("--sources", type=source_count, metavar="P|auto", help="number of sources (default auto)")
    told.add_argument("--noise-power", type=positive, metavar="X", help="known noise power per element, linear")
    told.add_argument("--snapshots", type=whole(1), default=_LENGTH, metavar="L",
                      help=f"snapshots of a batch that the coupling is estimated of (default {_LENGTH})")  # fmt: skip
    told.add_argument("--batches", type=whole(1), default=_BATCHES, metavar="B",
                      help=f"such batches, whose mean coupling is taken (default {_BATCHES})")  # fmt: skip
    told.add_argument("--pixels", type=whole(8, 1024), default=96, metavar="N", help="along a side (default 96)")
    told.add_argument("--centre", type=number, nargs=2, metavar=("AZ", "EL"),
                      help="middle of the image, degrees (default: what the array faces)")  # fmt: skip
    told.add_argument("--width", type=between(0.1, 180.0), default=180.0, metavar="DEG",
                      help="of the image, degrees (default 180: all of the half sky)")  # fmt: skip
    told.add_argument("--panorama", action="store_true", help="azimuth and elevation instead of a projection")
    told.add_argument("--gain", type=between(0.01, 1.0), default=0.2, metavar="G",
                      help="share of a peak that CLEAN takes at once (default 0.2)")  # fmt: skip
    told.add_argument("--components", type=whole(0, 10000), default=300, metavar="K",
                      help="that CLEAN takes at most (default 300)")  # fmt: skip


def is_array_input(path: str, array: str | None) -> bool:
    """Whether an input is for this part of ``doamc image``: all but .npz files of visibilities on a grid."""
    if Path(path).suffix != ".npz":
        return True
    from doamc.files.remote import file_at
    from doamc.snapshots.npy import Archive

    return array is not None or "visibilities" not in Archive(file_at(path), "visibilities or snapshots").names


def image_array(args: argparse.Namespace) -> int:
    """Image and write; whatever is wrong with the arguments is said before the work begins."""
    from doamc.calibration.files import load_coupling
    from doamc.cli.array_of_input import array_of_input
    from doamc.cli.image_inputs import received
    from doamc.cli.remarks import tell
    from doamc.figures.sky import draw_sky
    from doamc.figures.style import check_figure
    from doamc.files.atomic import check_output
    from doamc.imaging.array_beam import ArrayBeam
    from doamc.imaging.array_image import TOO_FEW, array_image
    from doamc.imaging.array_visibilities import array_visibilities, number_of_sources
    from doamc.imaging.coupling_spread import with_coupling_spread
    from doamc.imaging.incident_points import with_incident_powers
    from doamc.spec import load_spec

    check_output(args.out, ".npz", *FIGURES)
    if args.picture is not None:
        check_figure(args.picture)
    spec = load_spec(array_of_input(args.array, args.input), tunable=True)
    fixed = None
    if args.coupling not in ("estimated", "none"):
        import numpy as np

        fixed = load_coupling(args.coupling, spec.n_elements)[0]
        order = np.argsort(spec.channels)
        fixed = fixed[np.ix_(order, order)]
    r, length, frequency_hz, estimated = received(args, spec)
    tuned = spec.tuned(frequency_hz)
    beam = ArrayBeam(tuned.positions.numpy(), _grid(args, tuned))
    count = args.sources or number_of_sources(r, length)
    coupling = fixed if estimated is None else estimated.mean(0)
    observed = array_visibilities(r, length, args.noise_power, coupling, count)
    image = array_image(beam, observed, count, args.gain, args.components)
    if estimated is not None:
        image = with_coupling_spread(image, beam, r, estimated)
    image = with_incident_powers(image, tuned.element)
    _write(args.out, image, tuned.name, frequency_hz)
    if args.picture is not None:
        draw_sky(args.picture, image, tuned.name)
    if length <= TOO_FEW:
        tell(f"warning: {length:.0f} independent samples, and of {TOO_FEW:.0f} and fewer no source is told")
    if image.alike is not None:
        tell(f"{tuned.name}: {image.alike}")
    taken = "coupling left in" if coupling is None else "coupling taken out"
    told = ", ".join(f"{s.azimuth_deg:.2f} deg ({10 * _log10(s.power):.1f} dB)" for s in image.sources) or "no source"
    reach = image.dynamic_range_db
    spread = "nothing above the noise" if math.isnan(reach) else f"dynamic range {reach:.1f} dB"
    print(f"{args.out}: {tuned.name}, {taken}, {spread}, {told}")
    return 0


def _grid(args: argparse.Namespace, spec: "ArraySpec") -> "SkyGrid":
    from doamc.imaging.array_beam import facing
    from doamc.imaging.sky_grid import field, panorama

    if args.panorama:
        low, high = spec.azimuth_deg
        return panorama((low, high), (0.0, 90.0), args.pixels)
    centre = facing(spec.positions.numpy()) if args.centre is None else (args.centre[0], args.centre[1])
    return field(centre, math.sin(math.radians(args.width / 2)), args.pixels)


def _write(path: str, image: "ArrayImage", array: str, frequency_hz: float | None) -> None:
    import numpy as np

    if Path(path).suffix.lower() in FIGURES:
        from doamc.figures.sky import draw_sky

        draw_sky(path, image, array)
        return
    from doamc.snapshots.npz import write_snapshots

    sources = image.sources
    columns = {
        key: np.array([getattr(s, key) for s in sources])
        for key in ("azimuth_deg", "elevation_deg", "azimuth_std_deg", "elevation_std_deg", "power", "power_std")
    }
    images = {key: getattr(image, key)[None] for key in ("image", "std", "residual", "dirty")}
    coupling = {} if image.observed.coupling is None else {"coupling": image.observed.coupling}
    write_snapshots(
        path, **images, columns=image.grid.columns, rows=image.grid.rows, directions=image.grid.directions,
        centre_deg=np.array(image.grid.centre_deg), **columns, visibilities=image.observed.values,
        noise_power=np.array(image.observed.noise_power), snapshots=np.array(image.observed.snapshots),
        peak=np.array(image.peak), rms=np.array(image.rms), artefact=np.array(image.artefact),
        frequency_hz=np.array(np.nan if frequency_hz is None else frequency_hz), **coupling,
    )  # fmt: skip


def _log10(power: float) -> float:
    return math.log10(power)
