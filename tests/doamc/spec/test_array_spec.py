"""One array and its prior: sector, digest, largest sizes, frequencies."""

import math

import pytest

from doamc.errors import SpecificationError
from doamc.spec import load_spec, parse_spec
from tests.doamc.helpers.scenes import edited_spec
from tests.doamc.spec.tables import metres, table


def test_sector_is_in_radians_inside():
    assert load_spec("ula8").sector_rad == pytest.approx((-math.pi / 3, math.pi / 3))


@pytest.mark.parametrize(
    "changes",
    [
        {"geometry__spacing_wavelengths": 0.45},
        {"geometry__elements": 7},
        {"sector__azimuth_deg": [-60.0, 50.0]},
        {"sector__min_separation_deg": 9.0},
        {"coupling__magnitude": [[0.18, 0.45], [0.08, 0.21]]},
        {"coupling__phase_deg": 90.0},
    ],
)
def test_digest_changes_with_geometry_sector_and_coupling(changes):
    assert parse_spec(table(**changes)).digest != load_spec("ula8").digest


@pytest.mark.parametrize(
    "changes",
    [{"name": "other"}, {"description": "x"}, {"sources__power_db": [-3.0, 0.0]}, {"snapshots__count": [1, 9]}],
)
def test_digest_does_not_change_with_what_a_network_may_ignore(changes):
    assert parse_spec(table(**changes)).digest == load_spec("ula8").digest


def test_digest_does_not_depend_on_the_order_of_entries():
    turned = {k: dict(reversed(v.items())) if isinstance(v, dict) else v for k, v in reversed(table().items())}
    assert parse_spec(turned).digest == load_spec("ula8").digest


def test_largest_arrays_are_made():
    """At the stated limits: 256 elements, and 2^21 entries of derivatives."""
    spec = edited_spec("ula8", geometry={"elements": 256}, coupling={"magnitude": [[0.0, 0.1]] * 16})
    assert spec.positions.shape == (256, 3) and spec.family.basis.numel() == 1 << 21


def test_a_frequency_of_its_own_is_the_default_and_what_weights_are_made_for():
    spec = parse_spec(metres(frequency_hz=400e6))
    assert spec.tuned(None).frequency_hz == 400e6 and spec.positions.equal(spec.tuned(400e6).positions)
    near, far = spec.tuned(401e6), spec.tuned(404e6)
    assert near.digest == spec.tuned(None).digest != far.digest  # weights serve within 0.5 %
    assert near.positions.norm(dim=1)[0].item() == pytest.approx(0.25 * 401e6 / 299_792_458.0)  # geometry is exact
    with pytest.raises(SpecificationError, match="found no frequency"):
        parse_spec(metres()).tuned(None)
    with pytest.raises(SpecificationError, match="found no frequency"):
        _ = parse_spec(metres()).positions


def test_priors_of_antennas_hold_at_their_frequency_or_over_their_range():
    wide = dict(load_spec("dipole8wide").table)
    length = 0.5 * 299_792_458.0 / 300e6
    spec = parse_spec(wide | {"geometry": {"kind": "ula", "elements": 8, "spacing_m": length}})
    tuned, named = spec.tuned(200e6), load_spec("dipole8wide@200e6")
    assert tuned.positions.allclose(named.positions) and tuned.frequency == pytest.approx(named.frequency)
    assert tuned.family.mean.allclose(named.family.mean)
    assert tuned.digest == spec.tuned(300e6).digest  # one network over the range
    assert parse_spec(tuned.table).digest == tuned.digest  # as a checkpoint keeps it
    other = parse_spec(spec.table | {"frequency_hz": 200e6}).tuned(None)
    assert other.frequency_hz == 200e6 and parse_spec(other.table).digest == tuned.digest
    one = dict(load_spec("dipole8").table) | {"geometry": spec.geometry}
    with pytest.raises(SpecificationError, match="design_frequency_hz, which is missing"):
        parse_spec(one).tuned(300e6)
    held = parse_spec(one | {"antenna": one["antenna"] | {"design_frequency_hz": 300e6}})
    assert held.tuned(301e6).family.n_elements == 8
    with pytest.raises(SpecificationError, match=r"holds at 3e\+08 Hz, found 4e\+08 Hz"):
        held.tuned(400e6)


def test_another_family_stands_in_for_that_of_the_table_and_goes_at_another_frequency():
    spec, other = load_spec("ula8"), load_spec("uca5").family
    changed = spec.with_family(other)
    assert changed.family is other and spec.family is not other
    assert changed == spec and changed.digest == spec.digest  # weights belong to the array as it is in the file
    assert changed.at(1.1).family is not other


def test_noise_power_has_the_range_of_snr_and_room_beyond():
    assert edited_spec("ula8", snapshots={"snr_db": [-5.0, 15.0]}).noise_db == (-35.0, 15.0)
