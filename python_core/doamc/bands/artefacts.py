"""What a receiver makes itself: the offset of its converters, images, and what comes of clipping.

The offset is the mean of the samples of a slice, taken out before the transform; a line at 0 Hz steadier than a slice
is long is not told from it. An image of a signal at f lies at -f and is its conjugate: the products x(f) x(-f) of one
channel then have a mean, whose square over the power of the signal is the power of the image. Of clipped samples come
products at many frequencies, far below the strongest signals.
"""

from dataclasses import dataclass, field, replace

import torch

from doamc.bands.detector import Found
from doamc.bands.spectra import BandSlice

IMAGE_DB = 15.0  #: that a signal is above its image at least
IMAGE_SHARE = 0.4  #: of what a bin has above its noise
LEAST_EXCESS = 3.0  #: of a signal over the noise, whose image is looked for
FORGET = 0.9  #: share of the mean image that a slice leaves
CLIPPED = 1e-4  #: share of samples from which on a slice counts as clipped
#: of the strongest bin's power, what bins of a clipped slice need: so many times the share of clipped samples, and more
MARGIN, LEAST_PRODUCTS = 3.0, 10**-3.5


@dataclass
class Artefacts:
    """Counts of slices: all that were looked at, with an offset, with images, clipped; dead: others, without samples.

    offset_power: mean power of the offset over what noise alone has.
    """

    slices: int = 0
    offset: int = 0
    images: int = 0
    clipped: int = 0
    dead: int = 0
    offset_power: float = 0.0
    _image: torch.Tensor = field(default_factory=lambda: torch.zeros(0))

    def alive(self, band: BandSlice) -> bool:
        """Whether all channels hold something in a slice; where samples were lost they may hold zeros."""
        alive = bool((band.covariance.diagonal(dim1=1, dim2=2).real > 0).all())
        self.dead += not alive
        return alive

    def without(self, band: BandSlice, found: Found, floor: torch.Tensor) -> Found:
        """What was found, less images and products of clipping; floor: (F, N) noise powers of the slice."""
        self.slices += 1
        middle = floor[len(floor) // 2]
        # power of the line in a bin's line against its noise: the transform gathers all of it
        power = float((band.offset.abs().square().double() / middle).mean()) * band.samples
        self.offset_power += (power - self.offset_power) / self.slices
        self.offset += power > OFFSET_SURE
        excess = (band.covariance.diagonal(dim1=1, dim2=2).real.double() / floor).mean(1) - 1
        image = self._images(band, excess, floor) & (found.now | found.lasting)
        self.images += bool(image.any())
        now = found.now & ~image
        if band.clipped > CLIPPED:
            self.clipped += 1
            now = now & (excess > excess.max() * max(MARGIN * band.clipped, LEAST_PRODUCTS))
        return replace(found, now=now, lasting=found.lasting & ~image & (band.clipped <= CLIPPED))

    def _images(self, band: BandSlice, excess: torch.Tensor, floor: torch.Tensor) -> torch.Tensor:
        """Bins (F,) that hold the image of their mirror and little else, by the mean of the last slices."""
        if not len(self._image):
            self._image = torch.zeros_like(excess)
        now = torch.zeros_like(excess)
        bins = (excess.flip(0) > (10 ** (IMAGE_DB / 10) * excess).clamp_min(LEAST_EXCESS)).nonzero()[:, 0]
        if len(bins):
            mirror = band.covariance.diagonal(dim1=1, dim2=2).real[len(excess) - 1 - bins]
            now[bins] = (band.image[bins].abs().square() / mirror / floor[bins]).mean(1)
        # a mean, since bins are looked at because chance has made them strong
        self._image = FORGET * self._image + (1 - FORGET) * now
        mean = self._image / (1 - FORGET**self.slices)
        return (now > 0) & (torch.maximum(mean, now) > IMAGE_SHARE * excess)

    def remarks(self) -> list[str]:
        """What a user should know of the receiver, in lines."""
        out = []
        if self.offset > self.slices / 2:
            out.append("converters have an offset, which was taken out at 0 Hz; a carrier there would be, too")
        if self.images:
            out.append(f"images of strong signals were left out in {self.images} of {self.slices} slices")
        if self.dead:
            out.append(f"{self.dead} slices hold nothing but zeros in a channel, and were passed over")
        if self.clipped:
            out.append(
                f"samples are clipped in {self.clipped} of {self.slices} slices, where signals far below the "
                "strongest were left out; lower the gain"
            )
        return out


#: mean power of the offset over its chance value, 1 in noise, from which on it is one
OFFSET_SURE = 100.0
