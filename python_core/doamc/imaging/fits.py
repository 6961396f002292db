"""Images as FITS files with world coordinates, by astropy."""

from pathlib import Path
from typing import Any

import numpy as np

from doamc.errors import ImagingError
from doamc.files.atomic import whole_file
from doamc.imaging.visibilities import SkyImage


def write_fits(
    path: str | Path,
    sky: SkyImage,
    pixel_arcsec: float | None = None,
    direction_deg: tuple[float, float] = (0.0, 0.0),  # right ascension and declination of the middle
) -> None:
    """Write images, flux a pixel: the primary array (n, n), or (B, n, n) of several, and their std as extension STD.

    Rows are m and columns l, both ascending, pixel (n // 2, n // 2) the middle. pixel_arcsec: side of a pixel; without
    it the header tells no coordinates. Raises ImagingError where astropy is not installed.
    """
    try:
        from astropy.io import fits
    except ImportError as error:
        raise ImagingError("expected the package astropy to write FITS, found none: pip install "
                           "'gr-doamc[imaging]', or write .npz") from error  # fmt: skip
    header = _header(fits.Header(), sky.image.shape[-1], pixel_arcsec, direction_deg)
    layers: list[Any] = [fits.PrimaryHDU(_cube(sky.image), header)]
    if sky.std is not None:
        layers.append(fits.ImageHDU(_cube(sky.std), header, name="STD"))
    with whole_file(path) as file:
        fits.HDUList(layers).writeto(file)


def _cube(images: np.ndarray) -> np.ndarray:
    return np.asarray(images[0] if len(images) == 1 else images, np.float32)


def _header(header: Any, side: int, pixel_arcsec: float | None, direction_deg: tuple[float, float]) -> Any:
    header["BUNIT"] = ("JY/PIXEL", "where visibilities are in Jy")
    if pixel_arcsec is None:
        return header
    for axis, name, value in ((1, "RA", direction_deg[0]), (2, "DEC", direction_deg[1])):
        header[f"CTYPE{axis}"] = f"{name:-<5}SIN"
        header[f"CRVAL{axis}"] = value
        header[f"CRPIX{axis}"] = side // 2 + 1
        header[f"CDELT{axis}"] = pixel_arcsec / 3600
        header[f"CUNIT{axis}"] = "deg"
    header["RADESYS"] = "ICRS"
    return header
