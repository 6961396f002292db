"""Delays between channels, in whole samples, by cross-correlation with channel 0."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.errors import CalibrationError

#: correlation further than a sample from its peak, over the peak, that a clear one stays below
_CLEAR = 0.7
#: a peak stands out of noise when L |rho|^2 exceeds 2 ln(lags) by this: chance about exp(-20)
_MARGIN = 20.0


def channel_lags(
    samples: NDArray[Any],  # shape: (N, T), complex
    max_lag: int,
) -> NDArray[np.int64]:
    """Samples (N,) by which each channel comes later than channel 0: the peak of the cross-correlation.

    Needs a common signal of at least about a fifth of the band, the same for all channels: a noise source. max_lag:
    largest lag either way, at most T / 4.

    Raises CalibrationError when a channel has nothing in common with channel 0, or the signal is too narrow to tell
    the lag by.
    """
    import torch  # its FFT keeps single precision and lets other threads run

    x = np.asarray(samples)
    if not 1 <= max_lag <= x.shape[1] // 4:
        raise CalibrationError(f"expected max_lag 1 to {x.shape[1] // 4} (T / 4), found {max_lag}")
    size = 1 << (x.shape[1] + max_lag - 1).bit_length()
    spectra = torch.fft.fft(torch.from_numpy(np.stack([mean_free(row) for row in x])), size)
    cross = torch.fft.ifft(spectra[1:] * spectra[0].conj()).abs()
    # lags -max_lag ... max_lag, of channels 1 ...
    found = torch.cat([cross[:, size - max_lag :], cross[:, : max_lag + 1]], 1).numpy().astype(float)
    energy = (spectra.abs().double() ** 2).mean(1).numpy()
    lags = np.zeros(x.shape[0], np.int64)
    for m, row in enumerate(found, 1):
        peak = int(row.argmax())
        rho2 = row[peak] ** 2 / (energy[0] * energy[m])
        if x.shape[1] * rho2 < 2 * math.log(2 * max_lag + 1) + _MARGIN:
            raise CalibrationError(
                f"channels 0 and {m} have nothing in common within {max_lag} samples (correlation "
                f"{math.sqrt(rho2):.3f}); expected a common noise source, or a larger max_lag"
            )
        away = np.concatenate([row[: max(peak - 1, 0)], row[peak + 2 :]])
        if away.size and away.max() > _CLEAR * row[peak]:
            raise CalibrationError(
                f"the lag of channel {m} is not clear: expected a correlation below {_CLEAR:g} of its peak elsewhere, "
                f"found {away.max() / row[peak]:.2f}; use noise as wide as the band"
            )
        lags[m] = peak - max_lag
    return lags


def mean_free(row: NDArray[Any]) -> NDArray[Any]:
    """A channel (T,) without its mean, complex64 or complex128 as it comes."""
    return row - row.mean(dtype=complex).astype(row.dtype)
