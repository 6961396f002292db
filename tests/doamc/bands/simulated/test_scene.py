"""Scenes as TOML: what is read, and what is refused by name."""

import pytest

from doamc.bands.simulated.scene import parse_band_scene, read_band_scene
from doamc.errors import SpecificationError

ONE = {"kind": "nfm", "frequency_hz": 300e6, "bandwidth_hz": 12.5e3, "azimuth_deg": 30.0, "snr_db": 15.0}
TOP = {"frequency_hz": 300e6, "sample_rate_hz": 1e6, "duration_s": 0.5}


def test_what_is_left_out_has_its_usual_value(tmp_path):
    path = tmp_path / "scene.toml"
    text = "\n".join(f"{k} = {v!r}" for k, v in TOP.items())
    path.write_text(f"{text}\n[[emitters]]\n" + "\n".join(f"{k} = {v!r}" for k, v in ONE.items()))
    scene = read_band_scene(path)
    assert scene.emitters[0].on_s == ((0.0, 0.5),)
    assert (scene.n_samples, scene.seed, scene.physics, scene.offset_db) == (500_000, 0, False, None)
    assert scene == parse_band_scene(TOP | {"emitters": [ONE]})


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({"emitters": [ONE | {"frequency_hz": 301e6}]}, "frequency_hz"),
        ({"emitters": [ONE | {"on_s": [[0.2, 0.1]]}]}, "on_s"),
        ({"emitters": [ONE | {"on_s": [[0.0, 0.2], [0.1, 0.3]]}]}, "without overlap"),
        ({"emitters": [{k: v for k, v in ONE.items() if k != "snr_db"}]}, "snr_db"),
        ({"emitters": [ONE | {"colour": 1}]}, "colour"),
        ({"emitters": 3}, "emitters"),
        ({"antenna": {"rough": 1}}, "rough"),
        ({"receiver": {"offset_db": "much"}}, "offset_db"),
        ({"duration_s": 0}, "duration_s"),
        ({"seed": -1}, "seed"),
        ({"colour": 1}, "colour"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(table, named):
    with pytest.raises(SpecificationError, match=named):
        parse_band_scene(TOP | table)
