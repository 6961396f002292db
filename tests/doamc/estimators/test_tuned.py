"""One array at several frequencies: metres follow, wavelengths warn."""

import math
from types import SimpleNamespace

import pytest

from doamc.errors import SpecificationError
from doamc.estimators.engine import open_estimator
from doamc.estimators.tuned import TunedEstimator, frequency_remark
from doamc.spec import load_spec, parse_spec
from tests.doamc.helpers.scenes import edited_spec

C = 299_792_458.0


def in_metres(**top):
    table = dict(load_spec("uca5").table) | {"geometry": {"kind": "uca", "elements": 5, "radius_m": 0.25}} | top
    return parse_spec(table)


def music(spec):
    return open_estimator("music", spec, None, "cpu", 0)


def test_an_array_in_metres_has_an_estimator_at_each_frequency():
    tuned = TunedEstimator(in_metres(), music)
    for frequency in (434e6, 868e6):
        radius = tuned.at(frequency).spec.positions.norm(dim=1)
        assert radius.tolist() == pytest.approx([0.25 * frequency / C] * 5)
    assert tuned.at(434e6) is tuned.at(434.02e6) and tuned.at(434e6) is not tuned.at(434.5e6)
    assert tuned.remark is None
    with pytest.raises(SpecificationError, match=r"found no frequency .*ARRAY@HZ.*--frequency"):
        tuned.at(None)
    for odd in (math.nan, math.inf, 0.0):  # what a broken tag may hold is no frequency
        with pytest.raises(SpecificationError, match="found no frequency"):
            tuned.at(odd)
    own = TunedEstimator(in_metres(frequency_hz=100e6), music)
    assert own.at(None).spec.positions.norm(dim=1).tolist() == pytest.approx([0.25 * 100e6 / C] * 5)


def test_the_last_eight_are_kept_and_the_others_closed():
    closed = []
    tuned = TunedEstimator(in_metres(), lambda spec: SimpleNamespace(close=lambda: closed.append(spec.frequency_hz)))
    for k in range(10):
        tuned.at(1e8 + 1e6 * k)
    assert closed == [1e8, 1.01e8]
    tuned.close()
    assert len(closed) == 10


def test_an_array_in_wavelengths_has_one_estimator_and_tells_of_a_change():
    tuned = TunedEstimator(load_spec("uca5"), music)
    first = tuned.at(434e6)
    assert tuned.remark is None and tuned.at(435.9e6) is first and tuned.remark is None  # within 0.5 %
    assert tuned.at(868e6) is first and "array uca5 holds at one frequency" in tuned.remark
    assert "at 434 to 868 MHz" in tuned.remark and tuned.at(600e6) is first and "434 to 868" in tuned.remark


def test_wavelengths_that_name_their_frequency_are_compared_with_it():
    named = edited_spec("uca5")
    table = dict(named.table) | {"frequency_hz": 200e6}
    for spec in (parse_spec(table), load_spec("uca5@200e6"), load_spec("dipole8wide@200e6")):
        assert frequency_remark(spec, [200.9e6]) is None and frequency_remark(spec, []) is None
        assert frequency_remark(spec, [math.nan]) is None
        remark = frequency_remark(spec, [300e6])
        assert "holds at 200 MHz, found signals at 300 MHz" in remark and "\n" not in remark
