"""Arrays that do not fit raise, before anything is read."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from doamc.errors import KernelError
from doamc.likelihood.chain_arrays import ChainArrays, ChainTables
from tests.doamc.helpers.directional import directional_spec
from tests.doamc.likelihood.scenes import coordinates_of, observed, posterior_of

# two observations, five chains, four steps of which two are differential-evolution moves, three kept
ARRAYS = {
    "log_posterior": {"x": (2, 9, 5), "out": (2, 5)},
    "information": {"x": (2, 9, 5), "gradient": (2, 5, 9), "f": (2, 5, 9, 9)},
    "run_chains": {
        "normal": (4, 9, 5), "difference": (4,), "scale": (2,), "pairs": (2, 2, 5), "log_uniform": (4, 5),
        "start": (2, 9, 5), "end": (2, 9, 5), "value": (2, 5), "factors": (2, 5, 9, 9), "kept": (2, 9, 3, 5),
        "accepted": (2, 5),
    },
    "search_modes": {"x": (2, 9, 5), "value": (2, 5), "damping": (2, 5), "done": (2, 5), "ridge": (9,)},
}  # fmt: skip
WRITTEN = {
    "log_posterior": ["out"], "information": ["gradient", "f"], "search_modes": ["x", "value", "damping", "done"],
    "run_chains": ["end", "value", "kept", "accepted"],
}  # fmt: skip
TYPES = {"difference": np.int64, "pairs": np.int64, "done": np.bool_}
SPOIL = {
    "type": lambda v: v.astype(np.float32),
    "byte order": lambda v: v.astype(v.dtype.newbyteorder()),
    "longer": lambda v: np.zeros((*v.shape[:-1], v.shape[-1] + 1), v.dtype),
    "shorter": lambda v: v[..., :-1].copy(),
    "dimensions": lambda v: v[None],
    "strided": lambda v: np.repeat(v, 2, axis=-1)[..., ::2],
    "misaligned": lambda v: np.frombuffer(bytearray(v.nbytes + 1), np.uint8)[1:].view(v.dtype).reshape(v.shape),
    "read-only": lambda v: np.frombuffer(v.tobytes(), v.dtype).reshape(v.shape),
    "tensor": torch.from_numpy,
}
REFUSED = [
    (name, array, how)
    for name, arrays in ARRAYS.items()
    for array in arrays
    for how in SPOIL
    if (how != "read-only" or array in WRITTEN[name]) and (how not in ("misaligned", "byte order") or array != "done")
]


@pytest.fixture(scope="module")
def problem():
    """Kernels, model and data of two observations of ula8 with two sources, whose points have 9 coordinates."""
    scene, rhat, count = observed("ula8", 2, 2, 50, 10.0)
    backend = posterior_of(coordinates_of(scene, True), scene, rhat, count).backend
    assert len(backend.model.low) == 9
    return backend.kernels, backend.model, backend.data


def arrays_of(name):
    return {n: np.zeros(shape, TYPES.get(n, np.float64)) for n, shape in ARRAYS[name].items()}


def call(name, problem, arrays):
    kernels, model, data = problem
    given = list(arrays.values())
    if name == "run_chains":
        given = [ChainTables(*given[:5]), ChainArrays(*given[5:])]
    getattr(kernels, name)(model, data, *given, *([2] if name == "search_modes" else []))


@pytest.mark.parametrize("name", ARRAYS)
def test_right_arrays_are_taken(problem, name):
    call(name, problem, arrays_of(name))


@pytest.mark.parametrize(("name", "array", "how"), REFUSED)
def test_a_wrong_array_is_refused(problem, name, array, how):
    arrays = arrays_of(name)
    arrays[array] = SPOIL[how](arrays[array])
    with pytest.raises(KernelError, match=r"expected .* found"):
        call(name, problem, arrays)


@pytest.mark.parametrize(("array", "index"), [("difference", 2), ("difference", -2), ("pairs", 5), ("pairs", -1)])
def test_an_index_beyond_its_table_is_refused(problem, array, index):
    arrays = arrays_of("run_chains")
    arrays[array].flat[-1] = index
    with pytest.raises(KernelError, match="inside the arrays"):
        call("run_chains", problem, arrays)


@pytest.mark.parametrize("part", range(3))
def test_data_of_another_batch_are_refused(problem, part):
    kernels, model, data = problem
    wrong = tuple(v[:1] if i == part else v for i, v in enumerate(data))
    with pytest.raises(KernelError, match=r"expected (covariance|count|log_noise)"):
        call("log_posterior", (kernels, model, wrong), arrays_of("log_posterior"))


@pytest.mark.parametrize(
    "change",
    [{"n_sources": 0}, {"n_sources": 12}, {"n_flat": 4}, {"n_flat": -1}, {"n_pairs": 2}, {"n_box": 10}, {"n_box": -1},
     {"n_real": 3}, {"n_real": -1}, {"n_normal": 3}, {"n_normal": -1},
     {"hermitian": True}, {"places": (0, 2, 4, 8, 7, 4, 9, 0)}, {"places": (-1, 2, 4, 5, 7, 4, 9, 0)},
     {"places": (0, 2, 9, 5, 7, 4, 9, 0)}, {"places": (0, 2, 4, 5, 2**62, 4, 9, 0)},
     {"places": (0, 2, 4, 5, 7, 4, 9, 8), "elevated": True}],
)  # fmt: skip
@pytest.mark.parametrize("name", ARRAYS)
def test_coordinates_beyond_their_points_are_refused(problem, name, change):
    kernels, model, data = problem
    with pytest.raises(KernelError, match="these coordinates cannot be used"):
        call(name, (kernels, replace(model, **change), data), arrays_of(name))


def test_functions_on_the_sphere_are_those_of_an_order(problem):
    """Three functions are those of azimuth; on the sphere there are 1, 4, 9, ..."""
    scene, covariance, count = observed(directional_spec("uca5", 1), 2, 1, 50, 10.0)
    coordinates = coordinates_of(scene)
    model = posterior_of(coordinates, scene, covariance, count).constants.model
    data = covariance.numpy(), count.numpy(), np.zeros(2)
    x, out = np.zeros((2, coordinates.size, 5)), np.zeros((2, 5))
    problem[0].log_posterior(model, data, x, out)
    with pytest.raises(KernelError, match="these coordinates cannot be used"):
        problem[0].log_posterior(replace(model, elevated=True), data, x, out)


@pytest.mark.parametrize("array", ["steer", "mean", "patterns", "low", "high"])
def test_a_model_of_arrays_that_do_not_fit_is_refused(problem, array):
    kernels, model, data = problem
    spoilt = getattr(model, array)[:-1] if array != "patterns" else model.patterns[:, :-1]
    with pytest.raises(KernelError, match="expected"):
        call("log_posterior", (kernels, replace(model, **{array: spoilt}), data), arrays_of("log_posterior"))


def test_tempering_refuses_what_does_not_fit(problem):
    kernels = problem[0]
    with pytest.raises(KernelError, match="value of shape"):
        kernels.tempering(np.zeros(3), 2.0, 1.0, np.zeros(3))
    with pytest.raises(KernelError, match="expected out"):
        kernels.tempering(np.zeros((3, 4)), 2.0, 1.0, np.zeros(2))
    with pytest.raises(KernelError, match="expected value"):
        kernels.tempering(np.zeros((3, 4), np.float32), 2.0, 1.0, np.zeros(3))
