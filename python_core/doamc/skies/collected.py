"""Skies of one's own as what the prior learns from: .npz files of images and FITS files, or folders of them."""

import gzip
import math
import warnings
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from doamc.errors import ImagingError, SnapshotError
from doamc.snapshots.npy import Archive
from doamc.text import reason, shown

#: pixels of all skies together, and the longest side
MAX_PIXELS, MAX_SIDE = 1 << 28, 16384
#: of a FITS file: layers among which the first image is looked for, axes, and bytes of a block
MAX_LAYERS, MAX_AXES, BLOCK = 100, 16, 2880
#: share of the skies that is kept for validation, and the fewest skies
HELD_OUT, FEWEST = 0.1, 2
ENDS = (".npz", ".fits", ".fit", ".fits.gz")


class CollectedSkies:
    """Draws skies (count, side, side): cut out, turned, mirrored and shifted by up to an eighth of the side.

    Negative and missing pixels count as empty; every sky is divided by its brightest pixel. A tenth of the skies is
    held out. Raises ImagingError for fewer than two skies, or one without a bright pixel.
    """

    def __init__(self, skies: Iterable[NDArray], side: int) -> None:
        images = [_scaled(np.asarray(sky)) for sky in skies]
        if len(images) < FEWEST:
            raise ImagingError(f"expected at least {FEWEST} skies to learn from, found {len(images)}")
        order = np.random.default_rng(0).permutation(len(images))
        held = max(1, round(HELD_OUT * len(images)))
        self.side = side
        self._held_out, self._training = ([images[k] for k in some] for some in (order[:held], order[held:]))

    def training(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """Skies to learn from."""
        return self._drawn(self._training, count, generator)

    def held_out(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """Skies that training never sees."""
        return self._drawn(self._held_out, count, generator)

    def _drawn(self, images: list[torch.Tensor], count: int, generator: torch.Generator) -> torch.Tensor:
        def below(limit: int) -> int:
            return int(torch.randint(limit, (1,), generator=generator))

        skies = torch.zeros(count, self.side, self.side)
        for sky in skies:
            image = torch.rot90(images[below(len(images))], below(4))
            image = image.mT if below(2) else image
            reach = self.side // 8
            # the cut begins at (row, column) of the image, which may lie outside of it
            at = [max(n - self.side, 0) // 2 - max(self.side - n, 0) // 2 for n in image.shape]
            free = [max(n - self.side, 0) // 2 + reach for n in image.shape]
            row, column = (a + below(2 * f + 1) - f for a, f in zip(at, free, strict=True))
            part = image[max(row, 0) : row + self.side, max(column, 0) : column + self.side]
            top, left = max(-row, 0), max(-column, 0)
            sky[top : top + len(part), left : left + part.shape[1]] = part
        return skies


def _scaled(sky: NDArray) -> torch.Tensor:
    image = np.nan_to_num(sky.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0).clip(0)
    if not image.max() > 0:
        raise ImagingError("expected skies with a pixel above 0, found one without")
    return torch.from_numpy(image / image.max())


def read_skies(paths: Iterable[str | Path]) -> Iterator[NDArray]:
    """Images (H, W) of files and of the files of folders, each read as it is asked for.

    An .npz file holds ``images`` (B, H, W); a FITS file an image, or several along its third axis.
    Raises ImagingError where one cannot be read, has another shape, or all together are too large.
    """
    pixels = 0
    for path in _files(paths):
        found = _of_archive(path) if path.name.endswith(".npz") else _of_fits(path)
        if found.ndim != 3 or not 1 <= min(found.shape[1:]) <= max(found.shape[1:]) <= MAX_SIDE:
            raise ImagingError(f"{path}: expected images (B, H, W) of sides up to {MAX_SIDE}, found {found.shape}")
        pixels += found.size
        if pixels > MAX_PIXELS:
            raise ImagingError(f"expected at most {MAX_PIXELS} pixels of skies, found more; name fewer files")
        yield from found


def _files(paths: Iterable[str | Path]) -> Iterator[Path]:
    for path in map(Path, paths):
        inside = sorted(p for p in path.iterdir() if p.name.endswith(ENDS)) if path.is_dir() else [path]
        if not inside:
            raise ImagingError(f"expected files {', '.join(ENDS)} in {path}, found none")
        yield from inside


def _of_archive(path: Path) -> NDArray:
    try:
        archive = Archive(path, "skies")
        if "images" not in archive.names:
            raise ImagingError(f"{path}: expected an array images (B, H, W), found {shown(archive.names)}")
        if archive.header("images").dtype.kind not in "fiu":
            raise ImagingError(f"{path}: expected images of real numbers, found {archive.header('images').dtype}")
        return archive.whole("images", 4 * MAX_PIXELS)
    except SnapshotError as error:
        raise ImagingError(str(error)) from error


def _of_fits(path: Path) -> NDArray:
    try:
        from astropy.io import fits
    except ImportError as error:
        raise ImagingError("expected the package astropy to read FITS, found none: pip install "
                           "'gr-doamc[imaging]', or give .npz files") from error  # fmt: skip
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what astropy says of headers that it mends
            data = _first_image(path, fits)
    except ImagingError:
        raise
    except (OSError, ValueError, TypeError, KeyError, EOFError, OverflowError, fits.VerifyError) as error:
        raise ImagingError(f"{path}: expected a FITS file, cannot read it ({reason(error)})") from error
    return data.reshape(-1, *data.shape[-2:])


def _first_image(path: Path, fits: Any) -> NDArray:
    with gzip.open(path) if path.name.endswith(".gz") else path.open("rb") as file:
        _check_sizes(file, path, fits)
        file.seek(0)
        with fits.open(file, memmap=False) as layers:
            some = islice(layers, MAX_LAYERS)
            first = next((v for v in some if getattr(v, "is_image", False) and len(v.shape) > 1), None)
            if first is None or np.prod(first.shape, dtype=float) > MAX_PIXELS:
                raise ImagingError(f"{path}: expected an image of at most {MAX_PIXELS} pixels, found none")
            return np.asarray(first.data)


def _check_sizes(file: Any, path: Path, fits: Any) -> None:
    """Refuse sides that lead astropy round in a circle, or through years of them."""
    for _ in range(MAX_LAYERS):
        try:
            header = fits.Header.fromfile(file)
        except EOFError:
            return
        axes = header.get("NAXIS", 0)
        told = [axes, *(header.get(f"NAXIS{k + 1}", 0) for k in range(axes if axes in range(MAX_AXES + 1) else 0))]
        told += [header.get("PCOUNT", 0), header.get("GCOUNT", 1), abs(header.get("BITPIX", 8))]
        if axes not in range(MAX_AXES + 1) or not all(isinstance(v, int) and 0 <= v < 1 << 40 for v in told):
            raise ImagingError(f"{path}: expected whole numbers for the sizes of an image, found {shown(told)}")
        bytes_ = told[-1] // 8 * told[-2] * (told[-3] + (math.prod(told[1:-3]) if axes else 0))
        file.seek(-(-bytes_ // BLOCK) * BLOCK, 1)
