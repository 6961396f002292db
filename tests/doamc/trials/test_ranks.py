"""Names of quantities, and the truth among samples of several sources on a circle."""

from types import SimpleNamespace

import pytest
import torch

from doamc.likelihood.coordinates import make_coordinates
from doamc.posterior.sampled_part import SampledPart
from doamc.scenes import draw_scene
from doamc.spec import load_spec
from doamc.trials.ranks import quantities_of, ranks_of, standing_together

NARROW = 1e-3


@pytest.mark.parametrize("array", ["ula8", "uca5", "seed16", "kraken5", "panel16"])
def test_every_coordinate_has_a_name(array):
    spec = load_spec(array)
    coordinates = make_coordinates(spec, 2, True, (-10.0, 10.0))
    names = quantities_of(coordinates)
    assert len(names) == len(set(names)) == coordinates.size
    assert names.index("noise") == coordinates.noise_place and names[:2] == ["power 1", "power 2"]
    x = torch.arange(coordinates.size, dtype=torch.float64)[None, :, None]
    assert names[int(coordinates.split(x)[3][0, 0, 0])] == "azimuth 1"


@pytest.mark.parametrize("gain", [1.0, 4.0])
def test_truth_and_samples_stand_together_across_the_end_of_the_circle(gain):
    """Samples a little about the truth, wrapped, at another level: they lie about it still, source by source."""
    spec = load_spec("uca5")
    generator = torch.Generator().manual_seed(3)
    scene = draw_scene(spec, 200, 2, 10.0, generator)
    coordinates = make_coordinates(spec, 2, True, (-20.0, 20.0), power_margin_db=7.0)
    flat, wrapping = spec.family.coordinates(scene.theta)

    def near(values):
        return values[..., None] + NARROW * torch.randn(*values.shape, 60, generator=generator, dtype=torch.float64)

    power_db = 10 * (gain * scene.power).log10()
    noise_db = 10 * (gain * scene.noise_power).log10()[:, None]
    x = coordinates.join(near(power_db), near(flat), near(noise_db), near(scene.azimuth), near(wrapping))
    samples = SimpleNamespace(x=coordinates.wrap(x), coordinates=coordinates)
    part = SampledPart(torch.arange(200), samples, torch.full((200,), gain), torch.full((200,), 10.0))
    truth, x = standing_together(part, scene)
    assert (x - truth).abs().max() < 8 * NARROW
    rank = ranks_of(truth, x, generator)
    # middles of about 60 samples that are normal about the truth
    assert rank.mean().item() == pytest.approx(0.5, abs=0.02) and rank.min() > 0.2 and rank.max() < 0.8
