"""Methods with options in one word."""

import inspect
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doamc.errors import EstimatorError
from doamc.estimators import METHODS, estimator_class
from doamc.estimators.engine import open_estimator
from doamc.estimators.options import ELSEWHERE, RANGES, parse_method
from doamc.spec import load_spec


@given(st.booleans(), st.none() | st.integers(1, 99), st.integers(1, 30))
def test_what_is_written_is_what_the_constructor_gets(prior, samples, iterations):
    text = f"em:prior={str(prior).lower()},samples={str(samples).lower()},iterations={iterations}"
    kind, options = parse_method(text)
    assert kind.name == "em"
    assert options == {"prior": prior, "samples": samples, "iterations": iterations}
    assert type(options["prior"]) is bool


def test_numbers_and_words():
    assert parse_method("sbl:step_deg=1,off_grid=false")[1] == {"step_deg": 1.0, "off_grid": False}
    assert parse_method("coupling-diffusion:finish=esprit,eta=1")[1] == {"finish": "esprit", "eta": 1.0}
    assert parse_method("music")[1] == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("em:speed=3", "method em takes options prior, samples, iterations, starts, extra_peaks, draws, robust as "
                       "em:OPTION=VALUE, found 'speed=3'"),
        ("em:prior", "found 'prior'"),
        ("em:", "found ''"),
        ("music:prior=true", "method music takes .*, found 'prior=true'"),
        ("em:prior=1", "option prior of em must be true or false, found '1'"),
        ("em:samples=few", "option samples of em must be a whole number or none, found 'few'"),
        ("sbl:step_deg=wide", "option step_deg of sbl must be a number, found 'wide'"),
        ("em:seed=3", "method em takes options"),  # --seed is there for that
        ("sbl:step_deg=-1", "option step_deg of sbl must lie in 0.05 to 30, found '-1'"),
        ("magic:prior=true", "method must be one of"),
        ("posterior:options=1", "takes options coherent, model_error, prior, noise, robust as"),  # no class by text
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(text, message):
    with pytest.raises(EstimatorError, match=message):
        open_estimator(text, load_spec("ula8"), 2, "cpu", 0)


def test_options_are_part_of_the_name_of_one_estimator_only():
    spec = load_spec("ula8")
    assert open_estimator("em:prior=true", spec, 2, "cpu", 0).name == "em:prior=true"
    assert open_estimator("em", spec, 2, "cpu", 0).name == "em"
    assert open_estimator("em:prior=true", spec, 2, "cpu", 7).seed == 7


@pytest.mark.parametrize("method", METHODS)
def test_every_number_among_the_options_has_a_range_that_holds_its_default(method):
    for name, parameter in inspect.signature(estimator_class(method)).parameters.items():
        kinds = get_args(parameter.annotation) or (parameter.annotation,)
        if name not in ELSEWHERE and {int, float} & set(kinds):
            low, high = RANGES[name]
            assert isinstance(parameter.default, str | None) or low <= parameter.default <= high
            for value in ("nan", "inf", "1e300", str(2**64), f"{2 * high + 1:g}", f"{low - 1:g}"):
                with pytest.raises(EstimatorError, match=f"option {name} of {method} must") as caught:
                    parse_method(f"{method}:{name}={value}")
                assert len(str(caught.value)) < 200
