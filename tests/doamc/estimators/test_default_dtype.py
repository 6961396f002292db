"""Estimates do not depend on torch's default precision, which a program that uses the library may have changed."""

import pytest
import torch

from doamc.estimators.base import METHODS, make_estimator
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch
from doamc.spec import load_spec
from tests.doamc.routes.rectangle import rectangle


@pytest.fixture
def under_default():
    """Estimates of a method, everything from the scene on made while torch's default is a given precision."""

    def run(method, dtype):
        torch.set_default_dtype(dtype)
        spec = rectangle(2, 4, [[0.1, 0.2]]) if method == "bcs" else load_spec("ula8")
        generator = torch.Generator().manual_seed(3)
        scene = draw_scene(spec, 2, 2, 10.0, generator)
        batch = make_batch(receive(scene, 32, "gaussian", generator).snapshots)
        return make_estimator(method, spec)(batch, 2)

    yield run
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("method", METHODS)
def test_double_precision_by_default_changes_no_bit(under_default, method):
    single, double = (vars(under_default(method, dtype)) for dtype in (torch.float32, torch.float64))
    for name, value in single.items():
        if value is not None:
            found = double[name]
            assert found.dtype == value.dtype and torch.equal(found.nan_to_num(7), value.nan_to_num(7)), name
