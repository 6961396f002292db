"""Files of soundings: what comes back, levels and norms, and what is refused before memory is taken."""

import numpy as np
import pytest
import torch

from doamc.errors import SnapshotError
from doamc.mimo.channel import Link
from doamc.mimo.estimate_file import estimated
from doamc.mimo.link_end import LinkEnd
from doamc.mimo.sbl import SblOptions
from doamc.mimo.sounding import Sounding, sound
from doamc.mimo.sounding_file import read_soundings, write_soundings
from doamc.snapshots.npz import write_snapshots
from doamc.spec import load_spec
from tests.doamc.mimo.links import drawn, small_link

LINK = Link(LinkEnd(load_spec("ula4")), LinkEnd(load_spec("uca5")))
OPTIONS = SblOptions(step_deg=15.0, iterations=10)


def case(shared=True):
    rays, sounding = drawn(LINK, 3, 2, 1, 3, 24, shared)
    return sounding, sound(LINK, rays, sounding, 0.01, torch.Generator().manual_seed(1))


def written(path, sounding, symbols, /, **change):
    write_soundings(path, sounding, symbols)
    if change:
        with np.load(path) as held:
            arrays = {**held, **change}
        write_snapshots(path, **{key: value for key, value in arrays.items() if value is not None})
    return path


@pytest.mark.parametrize("shared", [True, False])
def test_what_was_written_comes_back_to_the_last_bit(tmp_path, shared):
    sounding, received = case(shared)
    back = read_soundings(written(tmp_path / "s.npz", sounding, received), LINK)
    assert torch.equal(back.received, received) and back.receive_exponent == back.send_exponent == 0
    assert torch.equal(back.sounding.combiners, sounding.combiners)
    assert torch.equal(back.sounding.beamformers, sounding.beamformers) and back.sounding.shared == shared


def test_one_link_may_leave_out_its_axis_and_single_precision_is_taken(tmp_path):
    sounding, received = case()
    single = received[0].numpy().astype(np.complex64)
    back = read_soundings(written(tmp_path / "s.npz", sounding, received, received=single), LINK)
    assert back.received.shape == (1, 3, 24) and np.array_equal(back.received[0].numpy(), single)


@pytest.mark.parametrize("key", ["combiners", "beamformers"])
def test_one_end_may_have_the_same_beams_on_all_subcarriers_and_the_other_its_own(tmp_path, key):
    sounding, received = case(False)
    beams = {"combiners": sounding.combiners.clone().numpy(), "beamformers": sounding.beamformers.clone().numpy()}
    beams[key][:] = beams[key][0]
    told = read_soundings(written(tmp_path / "s.npz", sounding, received, **beams), LINK)
    once = read_soundings(written(tmp_path / "t.npz", sounding, received, **beams | {key: beams[key][0]}), LINK)
    assert torch.equal(once.sounding.combiners, told.sounding.combiners)
    assert torch.equal(once.sounding.beamformers, told.sounding.beamformers)
    assert torch.equal(once.received, told.received)


def test_norms_of_combiners_leave_with_their_symbols(tmp_path):
    """Noise comes in before a combiner: whatever its norm, the estimate is the same."""
    sounding, received = case()
    size = torch.linspace(0.1, 30.0, 24, dtype=torch.float64)
    plain = read_soundings(written(tmp_path / "s.npz", sounding, received), LINK)
    larger = Sounding(sounding.combiners * size[:, None], sounding.beamformers)
    scaled = read_soundings(written(tmp_path / "t.npz", larger, received * size), LINK)
    assert torch.allclose(scaled.received, plain.received, rtol=1e-12)
    assert torch.allclose(scaled.sounding.combiners, plain.sounding.combiners, rtol=1e-12)


@pytest.mark.parametrize(("heard", "sent"), [(-200, 0), (90, -90), (400, 300)])
def test_levels_far_from_one_change_nothing_but_the_gains(tmp_path, heard, sent):
    """Powers of two: all digits stay, also where squares of the symbols would vanish or overflow."""
    sounding, received = case()
    one = estimated(LINK, read_soundings(written(tmp_path / "s.npz", sounding, received), LINK), 1, OPTIONS)
    far = Sounding(sounding.combiners * 2.0**sent, sounding.beamformers * 2.0**sent)
    path = written(tmp_path / "t.npz", far, received * 2.0**heard * 2.0**sent)
    other = estimated(LINK, read_soundings(path, LINK), 1, OPTIONS)
    for key in ("doa_deg", "dod_deg", "coupling_rx", "doa_std_deg"):
        assert np.allclose(other[key], one[key], rtol=1e-9), key
    assert np.allclose(other["gain"], one["gain"] * 2.0 ** (heard - sent), rtol=1e-9)
    assert np.allclose(other["noise_power"], one["noise_power"] * 4.0**heard, rtol=1e-9)


def test_deviations_are_those_of_the_bound_and_unknowable_ones_are_nan(tmp_path):
    sounding, received = case()
    out = estimated(LINK, read_soundings(written(tmp_path / "s.npz", sounding, received), LINK), 1, OPTIONS)
    assert np.isfinite(out["doa_std_deg"]).all() and (out["noise_power"] > 0).all()
    for end, n in (("rx", 4), ("tx", 5)):
        assert out[f"coupling_{end}"].shape == (2, n, n)
    assert np.allclose(np.linalg.norm(out["combiner"], axis=1), 1)
    same = sounding.combiners[:, :1].expand(-1, 24, -1).clone()  # one combiner alone: arrivals cannot be told
    silent = Sounding(same, sounding.beamformers)
    out = estimated(LINK, read_soundings(written(tmp_path / "t.npz", silent, received), LINK), 1, OPTIONS)
    assert np.isnan(out["doa_std_deg"]).all() and np.isfinite(out["doa_deg"]).all()


def test_a_link_of_zeros_is_not_known_and_leaves_the_others_as_they_are(tmp_path):
    sounding, received = case()
    dead = received.clone()
    dead[0] = 0
    one, other = (
        estimated(LINK, read_soundings(written(tmp_path / "s.npz", sounding, y), LINK), 1, OPTIONS)
        for y in (received, dead)
    )
    for key, value in other.items():
        assert np.isnan(value[0]).all() and np.array_equal(value[1], one[key][1]), key


def test_what_does_not_fit_is_refused(tmp_path):
    sounding, received = case()
    w, f, y = (x.clone().numpy() for x in (sounding.combiners[0], sounding.beamformers[0], received))

    def refusal(**change):
        with pytest.raises(SnapshotError) as error:
            read_soundings(written(tmp_path / "s.npz", sounding, received, **change), LINK)
        return str(error.value)

    assert "found no beamformers among combiners, received" in refusal(beamformers=None)
    shapes = (
        {"combiners": w[:, :3]}, {"combiners": w[:20]}, {"combiners": w.real}, {"combiners": w[None, None]},
        {"beamformers": f[:, :3]}, {"beamformers": np.zeros((0, 5), complex)}, {"received": y[:, :, :20]},
        {"received": y.real}, {"received": y[0, 0]}, {"received": y[:0]},
        {"combiners": np.stack([w, w]), "beamformers": np.stack([f, f])},
    )  # fmt: skip
    for change in shapes:
        assert r"expected complex combiners ([S,] T, 4), beamformers ([S,] T, 5)" in refusal(**change), change
    y[1, 2, 3] = np.nan
    assert "received hold NaN or infinite values, first at [1, 2, 3]" in refusal(received=y)
    w[7] = 0
    assert "combiners other than zero, found zero ones, first at [0, 7]" in refusal(combiners=w)
    f[0, 0] = np.inf
    assert "beamformers hold NaN" in refusal(beamformers=f)


def test_sizes_are_bounded_by_the_headers(tmp_path):
    """Archives of zeros, packed small; what they hold is never read."""
    path = tmp_path / "s.npz"
    for shape, symbols in (((1, 1, 5000), 5000), ((1, 6000, 24), 24), ((20000, 1, 24), 24)):
        arrays = {"combiners": np.ones((symbols, 4), complex), "beamformers": np.ones((symbols, 5), complex),
                  "received": np.zeros(shape, complex)}  # fmt: skip
        np.savez_compressed(path, **arrays)
        with pytest.raises(SnapshotError, match="expected at most 1024 symbols, 65536 of all subcarriers"):
            read_soundings(path, LINK)
    path.write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(SnapshotError, match="npz file of soundings"):
        read_soundings(path, LINK)


def test_a_link_of_arrays_with_other_numbers_is_refused(tmp_path):
    sounding, received = case()
    with pytest.raises(SnapshotError, match=r"combiners \(\[S,\] T, 6\)"):
        read_soundings(written(tmp_path / "s.npz", sounding, received), small_link())
