"""Soundings as .npz files: the beams of two arrays, and what was received through them.

``combiners`` complex (T, N_R) or (S, T, N_R): rows w_t, applied as w_t^H. ``beamformers`` complex (T, N_T) or
(S, T, N_T): rows f_t. ``received`` complex (B, S, T), or (S, T) of one link: y_t^s of unit pilots, S subcarriers. T
symbols; beams without S are those of all subcarriers; antennas in the order of the elements of the specifications.

A combiner may have any norm but zero: noise comes in before it, so that its symbols are divided by that norm, too. The
norm of a beamformer is the amplitude that is sent, and gains are for it.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from doamc.errors import SnapshotError
from doamc.files.remote import file_at
from doamc.mimo.channel import Link
from doamc.mimo.sounding import Sounding
from doamc.snapshots.npy import Archive
from doamc.snapshots.npz import write_snapshots
from doamc.text import SHOWN, one_line, shown

KEYS = ("combiners", "beamformers", "received")
MAX_SYMBOLS = 1 << 10  #: T, of which matrices T x T are formed
MAX_MEASURED = 1 << 16  #: S T
MAX_LINKS = 1 << 14  #: B
UNIT = 1e-9  #: distance of a norm from 1 that is left
PLAIN = 10  #: powers of two within which a level is left


@dataclass(frozen=True)
class Soundings:
    """Beams, and symbols (B, S, T) at levels near 1; those of the file are 2^receive_exponent times as large.

    send_exponent: likewise of the beamformers.
    """

    sounding: Sounding
    received: torch.Tensor
    receive_exponent: int = 0
    send_exponent: int = 0


def write_soundings(path: str | Path, sounding: Sounding, received: torch.Tensor, **truth: Any) -> None:
    """Write beams, received symbols (B, S, T) and whatever describes them, whole or not at all."""
    one = 0 if sounding.shared else slice(None)
    beams = {"combiners": sounding.combiners[one].numpy(), "beamformers": sounding.beamformers[one].numpy()}
    write_snapshots(path, **beams, received=received.numpy(), **truth)


def read_soundings(path: str | Path, link: Link) -> Soundings:
    """Soundings of a link.

    Raises SnapshotError where the file is missing or damaged, its arrays do not have these shapes and types or are too
    many, a beam is zero, or any number is not finite.
    """
    archive = Archive(file_at(path), "soundings")
    if missing := [key for key in KEYS if key not in archive.names]:
        found = one_line(", ".join(archive.names), SHOWN) or "none"
        raise SnapshotError(f"{path}: expected arrays {', '.join(KEYS)}, found no {missing[0]} among {found}")
    _check_shapes(path, link, *(archive.header(key) for key in KEYS))
    w, f, y = (_finite(path, key, archive.whole(key)) for key in KEYS)
    w, f, y = (x[None] if x.ndim == 2 else x for x in (w, f, y))
    w, combined = _at_level(w)
    norm = _norms(path, "combiners", w)
    f, sent = _at_level(f)
    _norms(path, "beamformers", f)
    y, heard = _at_level(y)
    if (abs(norm - 1) > UNIT).any():
        w, y = w / norm[..., None], y / norm
    if len(w) != len(f):  # one of them is that of all subcarriers
        carriers = y.shape[-2]
        w, f = (np.broadcast_to(x, (carriers, *x.shape[1:])).copy() for x in (w, f))
    return Soundings(Sounding(torch.from_numpy(w), torch.from_numpy(f)), torch.from_numpy(y), heard - combined, sent)


def _check_shapes(path: str | Path, link: Link, *headers: Any) -> None:
    """Raise SnapshotError unless types and shapes of beams and symbols go together, before any is read."""
    found = ", ".join(f"{key} {h.dtype} {shown(h.shape)}" for key, h in zip(KEYS, headers, strict=True))
    n_rx, n_tx = link.rx.spec.n_elements, link.tx.spec.n_elements
    w, f, y = (h.shape for h in headers)
    if any(h.dtype.kind != "c" or len(h.shape) not in (2, 3) or 0 in h.shape for h in headers) or (
        w[-1] != n_rx or f[-1] != n_tx or any(x[-2] != y[-1] or (len(x) == 3 and x[0] != y[-2]) for x in (w, f))
    ):
        raise SnapshotError(
            f"{path}: expected complex combiners ([S,] T, {n_rx}), beamformers ([S,] T, {n_tx}) and received "
            f"([B,] S, T), found {found}"
        )
    if y[-1] > MAX_SYMBOLS or y[-1] * y[-2] > MAX_MEASURED or (len(y) == 3 and y[0] > MAX_LINKS):
        raise SnapshotError(
            f"{path}: expected at most {MAX_SYMBOLS} symbols, {MAX_MEASURED} of all subcarriers and {MAX_LINKS} links, "
            f"found {found}; write some of them"
        )


def _finite(path: str | Path, key: str, array: NDArray[Any]) -> NDArray[np.complex128]:
    with np.errstate(over="ignore"):  # of longer floats
        out = array.astype(np.complex128)
    if not np.isfinite(out).all():
        place = np.argwhere(~np.isfinite(out))[0].tolist()
        raise SnapshotError(f"{path}: {key} hold NaN or infinite values, first at {place}; leave such links out")
    return out


def _at_level(array: NDArray[np.complex128]) -> tuple[NDArray[np.complex128], int]:
    """An array over a power of two, and its exponent, where it is far from 1: the digits stay."""
    largest = float(np.maximum(np.abs(array.real).max(), np.abs(array.imag).max()))
    exponent = math.frexp(largest)[1]
    if abs(exponent) <= PLAIN:
        return array, 0
    parts = np.ldexp(array.view(np.float64), -exponent)
    return parts.view(np.complex128), exponent


def _norms(path: str | Path, key: str, beams: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Norms (S or 1, T) of beams. Raises SnapshotError where one is zero."""
    norm: NDArray[np.float64] = np.linalg.norm(beams, axis=-1)
    if not (norm > 0).all():
        place = np.argwhere(norm == 0)[0].tolist()
        raise SnapshotError(
            f"{path}: expected {key} other than zero, found zero ones, first at {place}; leave them out"
        )
    return norm
