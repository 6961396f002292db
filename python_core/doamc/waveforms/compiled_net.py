"""The network over waveforms by compiled loops (C, in the folder `loops`): one call for all rows.

Its layers are so small that tensor operations spend most of their time on being called. The call holds no lock of
Python's.
"""

import ctypes
from collections.abc import Iterator
from ctypes import c_int64

import numpy as np
import torch

from doamc.errors import KernelError
from doamc.likelihood.addresses import address
from doamc.waveforms.net import WINDOW, WaveformNet, dilation_of
from doamc.waveforms.net_loops import Net, net_loops

BINS = 4 * WINDOW  #: of the longest Fourier transform
TILE = 4  #: outputs of a convolution whose taps lie side by side


class CompiledNet:
    """`WaveformNet` by the loops of one variant of the library, with the weights that the network has now."""

    def __init__(self, net: WaveformNet, library: ctypes.CDLL, variant: str) -> None:
        self._run, c = library[f"doamc_waveform_net_{variant}"], net.config
        self._weights = np.concatenate([np.ravel(part) for part in _in_order(net)]).astype(np.float32)
        self._circle = np.exp(-2j * np.pi * np.arange(BINS) / BINS).astype(np.complex64)
        self._dilations = np.array([dilation_of(i) for i in range(c.blocks)], np.int64)
        self._net = Net(c.width, c.streams, c.context, c.blocks, self._dilations.ctypes.data,
                        self._circle.ctypes.data, self._weights.ctypes.data)  # fmt: skip

    def __call__(self, x: torch.Tensor, sigma: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """F (M, T) and the logarithm of the variance (M, T), as of the network; x: (M, T) complex64, sigma: (M, 1).

        Raises KernelError where these are not what it takes.
        """
        m, t = x.shape
        f, log_variance = np.empty((m, t), np.complex64), np.empty((m, t), np.float32)
        status = self._run(
            ctypes.byref(self._net), c_int64(m), c_int64(t),
            address(x.contiguous().numpy(), "x", (m, t), np.complex64),
            address(sigma.contiguous().numpy(), "sigma", (m, 1), np.float32),
            address(f, "f", (m, t), np.complex64, written=True),
            address(log_variance, "log_variance", (m, t), np.float32, written=True),
        )  # fmt: skip
        if status:
            raise KernelError(f"the compiled loops refused {m} waveforms of {t} samples (status {status})")
        return torch.from_numpy(f), torch.from_numpy(log_variance)


def compiled_net(net: WaveformNet) -> CompiledNet | None:
    """The network in compiled loops, where there are any and it is one that they take and that is not in training."""
    fixed = not net.training and all(p.device.type == "cpu" and not p.requires_grad for p in net.parameters())
    found = net_loops() if fixed else None
    return None if found is None else CompiledNet(net, *found)


def _in_order(net: WaveformNet) -> Iterator[np.ndarray]:
    """Weights in the order in which look.h and net.h read them."""
    kept = {name: p.detach().numpy() for name, p in net.named_parameters()}

    def linear(name: str) -> tuple[np.ndarray, np.ndarray]:
        return kept[f"{name}.bias"], kept[f"{name}.weight"].T

    def convolution(name: str) -> tuple[np.ndarray, np.ndarray]:
        bias = kept[f"{name}.bias"]
        return np.pad(bias, (0, -len(bias) % TILE)), _tiled(kept[f"{name}.weight"])

    def turning(name: str) -> tuple[np.ndarray, np.ndarray]:
        a, b = kept[f"{name}.taps"]
        taps = np.concatenate([np.concatenate([a, -b], 1), np.concatenate([b, a], 1)])
        return np.zeros(len(taps) + -len(taps) % TILE), _tiled(taps)

    for layer in ("first", "second", "third"):
        yield from convolution(f"look.filter.{layer}")
    yield from (*convolution("first"), *turning("enter"), *linear("scalars.0"), *linear("scalars.2"))
    for block in (f"blocks.{i}" for i in range(net.config.blocks)):
        yield from (kept["norm.gain"], kept[f"{block}.norm.gain"], *linear("pooled"), *linear(f"{block}.film"))
        yield from (*turning(f"{block}.streams"), *convolution(f"{block}.look"), _tiled(kept[f"{block}.time.weight"]))
        yield from convolution(f"{block}.out")
    yield from (kept["norm.gain"], *convolution("gains"))


def _tiled(taps: np.ndarray) -> np.ndarray:
    """Taps (outputs, inputs, reach) as (outputs / TILE, inputs, reach, TILE), zeros for outputs that are lacking."""
    full = np.pad(taps, ((0, -len(taps) % TILE), (0, 0), (0, 0)))
    return full.reshape(-1, TILE, *taps.shape[1:]).transpose(0, 2, 3, 1)
