"""Estimates as an .npz file: degrees and dB, NaN where there is no source."""

import numpy as np
import torch

from doamc.estimates.estimate_file import write_estimates
from doamc.estimators.estimates import Estimates


def test_estimates_are_written_in_degrees_and_db(tmp_path):
    nan = torch.nan
    e = Estimates(
        azimuth=torch.tensor([[-0.5, 0.5], [0.1, nan]]).double(),
        std=torch.full((2, 2), 0.01).double(),
        power=torch.tensor([[1.0, 0.1], [0.0, nan]]).double(),
        coupling=torch.eye(3).to(torch.complex128).expand(2, 3, 3),
        noise_power=torch.tensor([0.1, 0.2]).double(),
        n_sources=torch.tensor([2, 1]),
    )
    write_estimates(tmp_path / "out.npz", e)
    with np.load(tmp_path / "out.npz", allow_pickle=False) as z:
        assert set(z) == {"doa_deg", "doa_std_deg", "power_db", "coupling", "noise_power", "n_sources"}
        np.testing.assert_allclose(z["doa_deg"], [[-28.64788975654116, 28.64788975654116], [5.729577951308232, np.nan]])
        np.testing.assert_allclose(z["power_db"], [[0.0, -10.0], [np.nan, np.nan]], atol=1e-12)
        assert z["coupling"].shape == (2, 3, 3) and np.iscomplexobj(z["coupling"])
        assert z["n_sources"].tolist() == [2, 1] and z["noise_power"].shape == (2,)
