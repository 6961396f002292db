"""Visibilities in, images out: their bounds, their words, and what the coupling is worth."""

import gr_doamc
import numpy as np
import pmt
import pytest
from gr_doamc.runtime.visibilities import visibilities_to_pmt

from doamc.calibration import save_coupling
from doamc.errors import DoamcError
from doamc.estimates import validate
from doamc.imaging.integration import Integration
from tests.doamc.imaging.array_scene import circle, circulant, scene
from tests.gr.running import posting, run

C = circulant(16, 0.25 * np.exp(0.6j), 0.1 * np.exp(-2.0j))
SKY = scene(circle(), [20.0, 110.0], 40.0, [1.0, 0.5], coupling=C)
LENGTH = 100_000


def integration(seq=0, covariance=None, **changes):
    about = {
        "covariance": SKY.sample(LENGTH) if covariance is None else covariance, "seq": seq, "snapshots": LENGTH,
        "sample_time": 1.0 * seq, "sample_rate": 1e5, "rx_time": None, "frequency_hz": 433e6, "gaps": 0,
        "array": "uca16", "time": 1.0,
    }  # fmt: skip
    return visibilities_to_pmt(Integration(**(about | changes)))


def imaged(messages, **options):
    """Images, as a publisher tells them, and status."""
    block = gr_doamc.sky_imager(**({"pixels": 32, "queue_size": 100} | options))
    flowgraph = posting(messages, block, "visibilities", ("sky", "status"))
    run(flowgraph)
    skies = flowgraph.collectors["sky"].messages
    for sky in skies:
        shape = sky.pop("shape")
        for key in ("image", "std", "residual"):
            sky[key] = np.reshape(sky[key], shape).tolist()
        sky["sources"] = list(sky["sources"] or [])
        validate(sky)
    return skies, flowgraph.collectors["status"].messages


def test_an_integration_of_fewer_samples_than_elements_is_refused():
    skies, status = imaged([integration(0, snapshots=15), integration(1, snapshots=16)], coupling="none")
    assert [sky["visibilities_seq"] for sky in skies] == [1]
    assert status[-1]["counters"]["failed"] == 1 and "found 15, whose covariance is singular" in str(status)


def test_an_image_by_a_file_of_the_coupling(tmp_path):
    file = tmp_path / "coupling.toml"
    save_coupling(file, C)
    (sky,), status = imaged([integration()], coupling=str(file), name="corrected")
    (left,), _ = imaged([integration()], coupling="none")
    assert (sky["coupling"], left["coupling"]) == ("taken out", "left in")
    assert sky["dynamic_range_db"] >= left["dynamic_range_db"] + 10
    assert [s["azimuth_deg"] for s in sky["sources"]] == pytest.approx([20.0, 110.0], abs=0.2)
    assert [s["elevation_deg"] for s in sky["sources"]] == pytest.approx([40.0, 40.0], abs=0.2)
    assert sky["noise_power"] == pytest.approx(0.1, rel=0.01) and "plane across z" in sky["alike"]
    assert sky["name"] == "corrected" and sky["snapshots"] == LENGTH and sky["frequency_hz"] == 433e6
    assert np.max(sky["image"]) == pytest.approx(sky["peak"], rel=1e-4)
    assert status[-1]["state"] == "stopped"
    assert {k: status[-1]["counters"][k] for k in ("received", "imaged", "dropped")} == {
        "received": 1, "imaged": 1, "dropped": 0,
    }  # fmt: skip


def test_the_coupling_of_an_estimate_is_taken_out():
    block = gr_doamc.sky_imager(pixels=32)
    block._on_estimate(pmt.to_pmt({"array": "uca16", "coupling": None}))
    assert block._coupling is None
    block._on_estimate(pmt.to_pmt({"array": "uca16", "coupling": {"re": C.real.tolist(), "im": C.imag.tolist()}}))
    np.testing.assert_array_equal(block._coupling, C)
    for wrong in ({"array": "ula8", "coupling": None}, {"array": "uca16"}, 3):
        block._on_estimate(pmt.to_pmt(wrong))
    assert block.counters["failed"] == 3


def test_what_cannot_be_imaged_is_counted_and_the_block_goes_on():
    messages = [pmt.intern("nothing"), integration(0, np.eye(4)), integration(1, 0 * C), integration(2)]
    skies, status = imaged(messages, coupling="none")
    assert [s["visibilities_seq"] for s in skies] == [2]
    counts = status[-1]["counters"]
    assert counts["received"] == 4 == counts["imaged"] + counts["failed"] + counts["dropped"]
    assert counts["failed"] == 3


def test_what_finds_no_room_is_dropped_and_counted():
    skies, status = imaged([integration(k) for k in range(20)], coupling="none", queue_size=1, components=100)
    counts = status[-1]["counters"]
    assert counts["received"] == 20 == counts["imaged"] + counts["dropped"] and len(skies) == counts["imaged"] >= 1
    assert max(s["visibilities_seq"] for s in skies) == 19  # the newest is never dropped


@pytest.mark.parametrize(
    "options",
    [
        {"array": "nothing"}, {"coupling": "nothing.toml"}, {"pixels": 4}, {"half_width": 0.0}, {"sources": 16},
        {"oversampling": 0.0}, {"gain": 0.0}, {"components": 0}, {"queue_size": 0}, {"name": ""},
        {"centre_deg": (0.0, 100.0)},
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(options):
    with pytest.raises(DoamcError):
        gr_doamc.sky_imager(**options)
