"""``doamc image``: skies from visibilities on a grid, or from what an array received."""

import argparse
from typing import TYPE_CHECKING, Any

from doamc.cli.capture_options import add_capture_arguments
from doamc.cli.image_array import add_array_arguments, image_array, is_array_input
from doamc.cli.options import add_threads_argument, number, positive, seed, whole

if TYPE_CHECKING:
    from doamc.imaging.methods import Report
    from doamc.imaging.visibilities import GridVisibilities, SkyImage

#: the first is the default
METHODS = ("posterior", "ddrm", "iuwt", "multiscale", "clean", "wiener", "dirty")
#: of those that learn: what they take
_LEARNED = ("posterior", "ddrm")
#: skies that a picture shows
_SHOWN = 6


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "image",
        help="images of the sky from visibilities, or from what an array received",
        description="Reads visibilities (B, n, n) on the grid of the unitary FFT, 0 where not measured, mask (n, n) "
        "and sigma, the noise per complex visibility. Writes image (B, n, n), flux a pixel; std (B, n, n), one "
        "standard deviation, where the method has an error bar; residual (B, n, n), the dirty image of what is not "
        "explained. Of a capture, snapshots or integrated covariances of an array: an image of the sky around it.",
    )
    parser.add_argument("input", metavar="INPUT", help="visibilities, or what an array received")
    parser.add_argument(
        "-o", "--out", required=True, metavar="OUT", help="file to write: .npz or .fits; of an array .npz or a figure"
    )
    parser.add_argument("--method", choices=METHODS, default=METHODS[0], help=f"default {METHODS[0]}")
    parser.add_argument("--steps", type=whole(2, 10**6), metavar="K",
                        help="of posterior, ddrm (default 200) and iuwt (default 100): how many")  # fmt: skip
    parser.add_argument("--samples", type=whole(1, 1000), default=1, metavar="S",
                        help="of posterior and ddrm: chains, whose mean the image is (default 1)")  # fmt: skip
    parser.add_argument("--weights", metavar="FILE", help="of posterior and ddrm: a checkpoint (default: what ships)")
    parser.add_argument("--picture", metavar="FILE", help="also a figure of the first skies: .png, .pdf or .svg")
    parser.add_argument("--seed", type=seed, default=0, help="seed of methods that draw (default 0)")
    parser.add_argument("--device", default="cpu", metavar="D", help="torch device for the coupling (default cpu)")
    add_threads_argument(parser)
    fits = parser.add_argument_group("coordinates of FITS files")
    fits.add_argument("--pixel", type=positive, metavar="ARCSEC", help="side of a pixel (default: none are told)")
    fits.add_argument("--direction", type=number, nargs=2, metavar=("RA", "DEC"), default=[0.0, 0.0],
                      help="of the middle, degrees (default 0 0)")  # fmt: skip
    add_array_arguments(parser)
    add_capture_arguments(parser, "--rate")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, image, write; whatever is wrong with the arguments is said before the work begins."""
    from doamc.errors import ImagingError
    from doamc.figures.style import check_figure
    from doamc.files.atomic import check_output
    from doamc.imaging.dirty import residual_image
    from doamc.imaging.files import read_visibilities, write_image

    if is_array_input(args.input, args.array):
        return image_array(args)
    check_output(args.out, ".npz", ".fits")
    if args.picture is not None:
        check_figure(args.picture)
    if not abs(args.direction[1]) <= 90:
        raise ImagingError(f"expected a declination of -90 to 90 degrees, found {args.direction[1]:g}")
    visibilities = read_visibilities(args.input)
    sky = _imaged(args, visibilities)
    residual = residual_image(visibilities, sky.image if sky.model is None else sky.model)
    if args.out.lower().endswith(".fits"):
        from doamc.imaging.fits import write_fits

        write_fits(args.out, sky, args.pixel, tuple(args.direction))
    else:
        write_image(args.out, sky, residual)
    if args.picture is not None:
        _draw(args.picture, visibilities, sky, residual)
    share = visibilities.mask.mean()
    left = float(residual.std() / (share * (visibilities.cell_sigma[visibilities.mask] ** 2).mean()) ** 0.5)
    n = visibilities.side
    print(f"{args.out}: {len(sky.image)} skies of {n} x {n} pixels, {100 * share:.0f} % of the cells measured, "
          f"{args.method}, residual {left:.2f} of the noise")  # fmt: skip
    return 0


def make_image(
    visibilities: "GridVisibilities",
    method: str,
    steps: int | None = None,
    report: "Report | None" = None,
    samples: int = 1,
    seed: int = 0,
    weights: str | None = None,
) -> "SkyImage":
    """The skies by a method of `METHODS`; report: called with the number of skies done, as they are."""
    if method in _LEARNED:
        from doamc.skies.problem import Run
        from doamc.skies.restoration import restore

        return restore(visibilities, Run(steps or Run.steps, samples, seed), method, weights, report)
    from doamc.imaging.methods import METHODS

    return METHODS[method](visibilities, steps, report)


def _imaged(args: argparse.Namespace, visibilities: "GridVisibilities") -> "SkyImage":
    """The skies, with a line of progress on a terminal."""
    if args.method in _LEARNED:
        import torch

        torch.set_num_threads(args.threads)
    from tqdm import tqdm

    with tqdm(total=len(visibilities.values), unit="sky", disable=None, leave=False) as bar:

        def report(done: int) -> None:
            bar.update(done - bar.n)

        return make_image(
            visibilities, args.method, args.steps, report, args.samples, args.seed, args.weights
        )  # fmt: skip


def _draw(path: str, visibilities: "GridVisibilities", sky: "SkyImage", residual: Any) -> None:
    from doamc.figures.images import draw_panels, size_of
    from doamc.figures.style import draw_figure
    from doamc.imaging.dirty import dirty_image

    dirty = dirty_image(visibilities)
    some = range(min(_SHOWN, len(sky.image)))
    titles = ["dirty", "image", "image, log", "residual"] + (["deviation"] if sky.std is not None else [])
    columns = [dirty, sky.image, sky.image, residual] + ([sky.std] if sky.std is not None else [])
    kinds = ["signed", "linear", "log", "signed", "linear"][: len(columns)]
    # a row a quantity, a column a sky: every quantity has a scale of its own
    panels = [[of[i] for i in some] for of in columns]
    draw_figure(
        path,
        size_of(len(panels), len(some)),
        lambda figure: draw_panels(figure, panels, [f"sky {i}" for i in some], titles, kinds),
    )
