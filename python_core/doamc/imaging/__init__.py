"""Radio images from visibilities: sampled Fourier transforms of a sky, on a grid or off it, and what restores the sky.

    V(u, v, w) = sum over pixels of I(l, m) exp(-2 pi i (u l + v m + w (n - 1))) / n + z,       n = sqrt(1 - l^2 - m^2)

I is in units of flux a pixel everywhere (an image of a point source of 1 Jy has one pixel of 1). On the grid, F is the
unitary two-dimensional FFT with the phase centre in pixel (0, 0): y = S F x + z, where S keeps what a Hermitian mask
holds. What needs no torch (files, dirty images, CLEAN) loads without it.
"""
