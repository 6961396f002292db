"""The grid of visibilities."""

import numpy as np
import pytest

from doamc.imaging.visibilities import cycles, mirrored


@pytest.mark.parametrize("shape", [(8, 8), (9, 9), (6, 9)])
def test_a_wave_of_so_many_cycles_an_image_is_in_the_cells_of_that_frequency(shape):
    k = cycles(shape)
    assert k.shape == shape and k[0, 0] == 0 and (k == mirrored(k)).all()
    rows, columns = np.indices(shape)
    wave = np.cos(2 * np.pi * (2 * rows / shape[0] + columns / shape[1]))
    assert k[np.abs(np.fft.fft2(wave)) > 1] == pytest.approx(np.sqrt(5))
