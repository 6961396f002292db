"""Powers of the points in an image as isotropic elements would receive them; the images stay what elements receive.

Divided by the pattern of its elements, an image of noise would be brightest where they hear nothing.
"""

from dataclasses import replace

import numpy as np
import torch

from doamc.arrays.element_pattern import ElementPattern
from doamc.imaging.array_image import ArrayImage


def with_incident_powers(image: ArrayImage, element: ElementPattern | None) -> ArrayImage:
    """The image with powers of its sources, and their deviations, over the power gain of an element there.

    element: the pattern of all elements, None for isotropic ones. An elevation that the array does not tell is taken
    for 0.
    """
    if element is None or not image.sources:
        return image
    azimuth = torch.tensor([s.azimuth_deg for s in image.sources], dtype=torch.float64).deg2rad()
    elevation = torch.tensor([np.nan_to_num(s.elevation_deg) for s in image.sources], dtype=torch.float64).deg2rad()
    gain = element.power(azimuth, elevation).tolist()
    sources = [
        replace(s, power=s.power / g, power_std=s.power_std / g) for s, g in zip(image.sources, gain, strict=True)
    ]
    return replace(image, sources=sorted(sources, key=lambda s: -s.power))
