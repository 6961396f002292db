"""The compiled look at samples is what NumPy computes, for every variant that runs here."""

import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from doamc.errors import KernelError
from doamc.likelihood.kernels import Kernels
from doamc.likelihood.library import LIBRARY, open_library
from doamc.likelihood.sample_loops import look
from doamc.snapshots import make_batch
from doamc.snapshots.look import look_by_numpy

pytestmark = pytest.mark.skipif(not LIBRARY.is_file(), reason="no compiled loops here")
VARIANTS = open_library()[1] if LIBRARY.is_file() else []


def kernels(variant):
    return Kernels(open_library()[0], variant)


def same(found, expected, length):
    for name in ("heard", "kurtosis", "line", "mean_share"):
        # sums of L terms in another order, and a transform in the place of sums
        one, other = getattr(found, name), getattr(expected, name)
        assert one == pytest.approx(other, rel=1e-12 * max(1.0, length / 100), abs=1e-12), name
    assert found.lag == pytest.approx(expected.lag, abs=1e-12 * np.abs(expected.lag).max() + 1e-300)
    assert found.calm.tolist() == expected.calm.tolist()
    assert found.correlated.tolist() == expected.correlated.tolist()


def both(y, variant):
    batch = make_batch(torch.from_numpy(y))
    values, vectors = (x.numpy() for x in batch.eigen)
    return look(kernels(variant), batch.snapshots.numpy(), values, vectors), look_by_numpy(batch.snapshots, batch.eigen)


@pytest.mark.parametrize("variant", VARIANTS)
@given(
    size=st.integers(1, 3),
    n=st.integers(1, 9),
    length=st.one_of(st.integers(1, 40), st.sampled_from([127, 128, 129, 511, 512, 513, 1025, 2100])),
    seed=st.integers(0, 1 << 30),
    single=st.booleans(),
    kind=st.sampled_from(["noise", "slow", "impulse", "gap", "offset", "coarse"]),
)
@settings(max_examples=60, deadline=None)
def test_a_look_is_that_of_numpy(variant, size, n, length, seed, single, kind):
    r = np.random.default_rng(seed)
    y = r.standard_normal((size, n, length)) + 1j * r.standard_normal((size, n, length))
    if kind == "slow":
        y = y.cumsum(2)
    elif kind == "impulse":
        y[-1, -1, length // 2] += 40
    elif kind == "gap" and length > 2:
        y[-1, :, length // 3 : length // 2 + 1] = 0
    elif kind == "offset":
        y += 1 - 0.5j
    elif kind == "coarse":
        y = np.round(y) + 0.25
    same(*both(y.astype(np.complex64) if single else y, variant), length)


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_it_finds(variant):
    r = np.random.default_rng(5)
    y = r.standard_normal((4, 6, 400)) + 1j * r.standard_normal((4, 6, 400))
    y[1, 2, 7] = 40  # an impulse
    y[2, :, 100:140] = 0  # a gap
    y[3] += 2  # an offset
    found = look(kernels(variant), y, *(x.numpy() for x in make_batch(torch.from_numpy(y)).eigen))
    assert found.heard.tolist() == [400, 400, 360, 400]
    assert found.calm.tolist() == [True, False, True, True]
    assert (found.kurtosis > 4.2).tolist() == [False, True, False, False]
    assert (found.line > 8).tolist() == [False, False, False, True]
    assert (found.mean_share > 0.1).tolist() == [False, False, False, True]
    assert found.correlated[3]  # of an offset, neighbours are the same
    assert found.of(slice(1, 2)).kurtosis.tolist() == [found.kurtosis[1]]


@pytest.mark.parametrize("variant", VARIANTS)
def test_strided_and_conjugated_snapshots(variant):
    r = np.random.default_rng(6)
    y = r.standard_normal((2, 70, 10)) + 1j * r.standard_normal((2, 70, 10))
    wide = np.moveaxis(y, 1, 2)[:, ::2, ::-1]  # strides of its own, and negative ones
    same(*both(np.ascontiguousarray(wide), variant), 70)
    batch = make_batch(torch.from_numpy(np.ascontiguousarray(wide)).conj())
    assert batch.snapshots.is_conj()
    found = look(
        kernels(variant), batch.snapshots.resolve_conj().numpy(), *(x.numpy() for x in batch.eigen)
    )  # fmt: skip
    same(found, look_by_numpy(batch.snapshots, batch.eigen), 70)
    values, vectors = (x.numpy() for x in make_batch(torch.from_numpy(wide.copy())).eigen)
    strided = look(kernels(variant), wide, values, vectors)
    assert strided.lag == pytest.approx(wide[:, :, 1:] @ wide[:, :, :-1].conj().swapaxes(1, 2), abs=1e-11)


@pytest.mark.parametrize("variant", VARIANTS)
def test_samples_that_are_no_number_harm_nobody(variant):
    y = np.full((2, 4, 60), np.nan, np.complex128)
    y[1] = np.random.default_rng(7).standard_normal((4, 60))
    values, vectors = np.ones((2, 4)), np.broadcast_to(np.eye(4, dtype=np.complex128), (2, 4, 4))
    found = look(kernels(variant), y, values, vectors)
    expected = look_by_numpy(torch.from_numpy(y), (torch.from_numpy(values), torch.from_numpy(vectors.copy())))
    same(found.of(slice(1, 2)), expected.of(slice(1, 2)), 60)
    assert np.isnan(found.mean_share[0]) and not found.correlated[0]


def test_memory_is_that_of_what_is_returned(monkeypatch):
    monkeypatch.setattr("doamc.snapshots.look.ENTRIES", 1 << 17)
    batch = make_batch(torch.randn(32, 8, 4000, dtype=torch.complex128))  # 16 MB
    values, vectors = (x.numpy() for x in batch.eigen)
    tracemalloc.start()
    look(kernels(VARIANTS[-1]), batch.snapshots.numpy(), values, vectors)
    assert tracemalloc.get_traced_memory()[1] < 1 << 17
    tracemalloc.reset_peak()
    look_by_numpy(batch.snapshots, batch.eigen)  # of 2 MB at once
    assert tracemalloc.get_traced_memory()[1] < 1 << 23
    tracemalloc.stop()


def test_arrays_that_do_not_fit_are_refused():
    k, y = kernels(VARIANTS[-1]), np.ones((2, 3, 20), np.complex128)
    values, vectors = np.ones((2, 3)), np.ones((2, 3, 3), np.complex128)
    for arrays in ((y.real, values, vectors), (y, values[:1], vectors), (y, values, vectors[:, :2])):
        with pytest.raises(KernelError, match=r"expected .* found"):
            look(k, *arrays)
