"""What is summed over the frames of a slice, by compiled loops (C, in the folder `loops`): one call a slice.

A vector of frames is transformed at once, one frame a lane, and summed before the next; no spectrum is stored. The call
holds no lock of Python's, so that the other threads of a flowgraph go on meanwhile.
"""

import ctypes
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from ctypes import c_double, c_float, c_int64, c_void_p
from typing import Any, TypeVar

import numpy as np
import torch

from doamc.bands.band_loops import Band, band_loops
from doamc.bands.frame_sums import FrameSums, Levels, SumsFrames, TensorSums, shifted_window
from doamc.bands.grid import FINE, PARTS, BandGrid, smooth
from doamc.errors import KernelError
from doamc.likelihood.addresses import address

T = TypeVar("T")

RADICES = (5, 3, 2, 4, 8)  #: in the order of their passes


class _Pass(ctypes.Structure):
    """`struct pass` of transform.h."""

    _fields_ = [("n", c_int64), ("radix", c_int64), ("twiddle", c_void_p)]


class _Sums(ctypes.Structure):
    """`struct sums` of spectra.h."""

    _fields_ = [("covariance", c_void_p), ("power", c_void_p), ("image", c_void_p)]


class CompiledSums:
    """Sums by the loops of one variant of the library, in as many threads as torch may use, 4 at most.

    Memory: of each thread the spectrum of a vector of frames.
    """

    def __init__(self, library: ctypes.CDLL, variant: str, grid: BandGrid, n_channels: int) -> None:
        self._grid, self._n, self.variant = grid, n_channels, variant
        self._levels, self._run = library[f"doamc_band_levels_{variant}"], library[f"doamc_band_sums_{variant}"]
        size = library[f"doamc_band_room_{variant}"]
        size.restype = c_int64
        self._room_bytes = int(size(c_int64(n_channels), c_int64(grid.n_fft)))
        self._rooms: list[np.ndarray] = []
        self._window = shifted_window(grid)
        passes, place = passes_of(grid.n_fft)
        self._twiddles = [t for _, _, t in passes]
        self._passes = (_Pass * len(passes))(*(_Pass(n, radix, t.ctypes.data) for n, radix, t in passes))
        # lines in ascending frequency: the upper half of the transform in front
        self._place = np.ascontiguousarray(np.roll(place, grid.n_fft // 2), dtype=np.int32)
        first = self._place[: grid.n_fft // 2 : FINE]
        self._order = np.ascontiguousarray(np.argsort(first), dtype=np.int32)
        self._pool: ThreadPoolExecutor | None = None

    def levels(self, samples: torch.Tensor) -> Levels:
        """Levels of samples (N, T)."""

        def of(row: np.ndarray) -> tuple[complex, float, float]:
            total, ends = (c_double * 2)(), (c_float * 2)()
            self._levels(c_int64(len(row)), address(row, "samples", row.shape, np.complex64), total, ends)
            return complex(*total) / len(row), ends[0], ends[1]

        means, lows, highs = zip(*self._map(of, samples.numpy(), torch.get_num_threads()), strict=True)
        mean, low, high = np.array(means, np.complex64), min(lows), max(highs)
        if not np.isfinite(mean).all():  # comparisons pass NaN by
            low = high = np.nan
        return Levels(torch.from_numpy(mean), low, high)

    def __call__(self, samples: torch.Tensor, offset: torch.Tensor, parts: int = PARTS) -> FrameSums:
        """Sums of the frames of samples (N, T)."""
        g, n, y = self._grid, self._n, samples.numpy()
        frames = g.frames_in(parts)
        needed = frames * g.hop + g.overlap
        if y.ndim != 2 or y.shape[1] < needed:
            raise KernelError(f"expected samples of a slice, ({n}, {needed}) at least, found {y.shape}")
        out = offset.numpy()
        band = Band(n, g.n_fft, y.shape[1], len(self._passes), ctypes.addressof(self._passes),
                     address(y, "samples", (n, y.shape[1]), np.complex64), address(out, "offset", (n,), np.complex64),
                     address(self._window, "window", (g.n_fft,), np.complex64),
                     address(self._place, "place", (g.n_fft,), np.int32),
                     address(self._order, "order", (g.n_bins // 2,), np.int32))  # fmt: skip
        edges = np.concatenate([[0], np.cumsum(g.part_frames)])
        threads = min(parts, torch.get_num_threads())
        self._rooms += [np.empty(self._room_bytes, np.uint8) for _ in range(threads - len(self._rooms))]
        covariance = np.zeros((threads, g.n_bins, n, n), np.complex64)
        image = np.zeros((threads, g.n_bins // 2, n), np.complex64)
        power = np.zeros((parts, g.n_bins, FINE, n), np.float32)

        def work(t: int) -> None:
            for p in range(t, parts, threads):
                sums = _Sums(covariance[t].ctypes.data, power[p].ctypes.data, image[t].ctypes.data)
                room = c_void_p(self._rooms[t].ctypes.data)
                status = self._run(
                    ctypes.byref(band), c_int64(edges[p]), c_int64(edges[p + 1]), room, ctypes.byref(sums)
                )
                if status:
                    raise KernelError(f"the compiled loops refused frames of {g.n_fft} samples (status {status})")

        self._map(work, range(threads), threads)
        values = frames * FINE
        half = torch.from_numpy(image.sum(0) / values)
        return FrameSums(
            torch.from_numpy(covariance.sum(0) / values),
            torch.from_numpy(power.mean(2) / g.part_frames[:parts, None, None].astype(np.float32)),
            torch.from_numpy(power.sum(0) / frames),
            torch.cat([half, half.flip(0)]),
        )

    def _map(self, work: Callable[[Any], T], of: Iterable[Any], threads: int) -> list[T]:
        """What work gives of each, in so many threads, at most as many as the first call that had more than one."""
        if threads == 1:
            return [work(x) for x in of]
        self._pool = self._pool or ThreadPoolExecutor(min(PARTS, threads), "doamc-frames")
        return list(self._pool.map(work, of))


def passes_of(n_fft: int) -> tuple[list[tuple[int, int, np.ndarray]], np.ndarray]:
    """Passes (n, radix, twiddles) of a transform as transform.h takes them, and where each value of it ends (n_fft,).

    Raises KernelError where n_fft has a prime factor above 5.
    """
    left, radices = n_fft, []
    for radix in (8, 4, 2, 3, 5):
        while left % radix == 0:
            radices.append(radix)
            left //= radix
    if left != 1:
        raise KernelError(f"expected frames of 2^a 3^b 5^c samples, found {n_fft}")
    passes, n = [], n_fft
    for radix in sorted(radices, key=RADICES.index):
        m = n // radix
        power = np.arange(m)[:, None] * np.arange(1, radix) / n
        passes.append((n, radix, np.ascontiguousarray(np.exp(-2j * np.pi * power).astype(np.complex64))))
        n = m
    place = np.zeros(1, np.int64)
    for n, radix, _ in reversed(passes):
        m, k = n // radix, np.arange(n)
        place = (k % radix) * m + place[k // radix]
    return passes, place


def frame_sums(grid: BandGrid, n_channels: int) -> SumsFrames:
    """The compiled loops where they are there and fit, else tensor operations. Raises and warns as `taken_variant`."""
    found = band_loops()
    if found is None or not smooth(grid.n_fft):
        return TensorSums(grid, n_channels)
    return CompiledSums(*found, grid, n_channels)
