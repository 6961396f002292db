import numpy as np
import pmt
import pytest
from gr_doamc.runtime.messages import Batch, batch_from_pmt, batch_to_pmt, c32_from_pmt, c32_to_pmt
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from doamc.errors import SnapshotError

COMPLEX = arrays(np.complex64, st.integers(1, 50), elements=st.complex_numbers(width=64))
ABOUT = {"sample_time": 0.5, "sample_rate": 2e6, "rx_time": 1.79e9, "frequency_hz": 433.9e6, "array": "ula8"}
ABOUT["time"] = 3.5


@given(COMPLEX)
def test_c32_is_what_gnuradio_itself_makes_and_reads(samples):
    assert np.array_equal(pmt.c32vector_elements(c32_to_pmt(samples)), samples, equal_nan=True)
    own = pmt.init_c32vector(len(samples), samples.tolist())
    assert np.array_equal(c32_from_pmt(own), samples, equal_nan=True)


@given(n=st.integers(1, 8), size=st.integers(1, 20), seq=st.integers(0, 2**40), known=st.booleans())
def test_a_batch_comes_back_as_it_was(n, size, seq, known):
    samples = (np.arange(n * size) + 1j).reshape(n, size).astype(np.complex64)
    about = ABOUT if known else ABOUT | {"rx_time": None, "frequency_hz": None, "array": ""}
    batch = batch_from_pmt(batch_to_pmt(Batch(samples, seq, **about)))
    assert np.array_equal(batch.snapshots, samples)
    assert batch.seq == seq and {k: getattr(batch, k) for k in ABOUT} == about


def test_samples_are_laid_out_element_after_element():
    message = batch_to_pmt(Batch(np.array([[1, 2, 3], [4, 5, 6]], np.complex64).copy(), 0, **ABOUT))
    vector = pmt.dict_ref(message, pmt.intern("snapshots"), pmt.PMT_NIL)
    assert pmt.c32vector_elements(vector) == [1, 2, 3, 4, 5, 6]
    assert pmt.to_python(pmt.dict_ref(message, pmt.intern("n_snapshots"), pmt.PMT_NIL)) == 3


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (pmt.from_long(3), "PMT dict"),
        (pmt.to_pmt({"seq": 1, "n_elements": 2}), "c32vector"),
        (pmt.to_pmt({"snapshots": np.ones(6, np.complex64), "seq": 0, "n_elements": 4}), "divides 6"),
        (pmt.to_pmt({"snapshots": np.ones(6, np.complex64), "seq": 0}), "n_elements"),
        (pmt.to_pmt({"snapshots": np.ones(6, np.complex64), "n_elements": 2}), "seq"),
    ],
)
def test_what_is_no_batch_is_refused(message, words):
    with pytest.raises(SnapshotError, match=words):
        batch_from_pmt(message)
