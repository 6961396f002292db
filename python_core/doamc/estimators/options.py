"""A method with options in one word: ``em:prior=true,samples=8`` is `em` made with prior=True and samples=8."""

import inspect
import math
from types import UnionType
from typing import Any, Union, get_args, get_origin

from doamc.errors import EstimatorError
from doamc.estimators.base import Estimator, estimator_class
from doamc.text import shown

#: parameters of constructors that have command-line options of their own
ELSEWHERE = ("spec", "device", "seed")
#: options of every method, which `open_estimator` sees to
COMMON: dict[str, type] = {"robust": bool}
#: types of what a text stands for, in the order in which they are tried
READABLE = (bool, int, float, str)
_TRUTH = {"true": True, "false": False}
#: what options that are numbers may be, so that no search takes memory or time without end
RANGES: dict[str, tuple[float, float]] = {
    "step_deg": (0.05, 30), "loading": (0, 1e6), "subarray": (1, 256), "sweeps": (1, 10_000),
    "max_iterations": (0, 10_000), "iterations": (1, 10_000), "extra_peaks": (0, 16), "starts": (1, 64),
    "steps": (1, 10_000), "samples": (1, 10_000), "particles": (1, 1024), "eta": (0, 1), "rate": (1e-6, 10),
    "low_deg": (-90, 90), "high_deg": (-90, 90), "rounds": (0, 100), "round_iterations": (1, 10_000),
    "memory_batches": (1, 1e9), "spread_db": (-100, 20), "channel_db": (0, 40), "channel_deg": (0, 180),
    "model_error": (-100, 0),
}  # fmt: skip


def parse_method(text: str) -> tuple[type[Estimator], dict[str, Any]]:
    """Class and constructor options of ``NAME`` or ``NAME:OPTION=VALUE,OPTION=VALUE``.

    Values are read as what the constructor says it takes: true or false, whole numbers, numbers, words, none.
    Raises EstimatorError on an unknown method or option, or a value of another kind.
    """
    name, colon, rest = text.partition(":")
    kind = estimator_class(name)
    parameters = {k: v.annotation for k, v in inspect.signature(kind).parameters.items() if k not in ELSEWHERE}
    known = {k: kinds for k, kinds in parameters.items() if set(_kinds(kinds)) & set(READABLE)} | COMMON
    options: dict[str, Any] = {}
    for part in rest.split(",") if colon else []:
        key, equals, value = part.partition("=")
        if key not in known or not equals:
            takes = f"options {', '.join(known)}"
            raise EstimatorError(f"method {name} takes {takes} as {name}:OPTION=VALUE, found {shown(part)}")
        try:
            options[key] = made = _read(value, known[key])
        except ValueError as error:
            raise EstimatorError(f"option {key} of {name} must be {error}, found {shown(value)}") from error
        low, high = RANGES.get(key, (-math.inf, math.inf))
        if isinstance(made, (int, float)) and not isinstance(made, bool) and not low <= made <= high:
            raise EstimatorError(f"option {key} of {name} must lie in {low:g} to {high:g}, found {shown(value)}")
    return kind, options


def _kinds(annotation: Any) -> tuple[Any, ...]:
    """Types of an annotation."""
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _read(text: str, annotation: Any) -> Any:
    """Value of an annotated parameter, the first of its types that reads it. Raises ValueError that names the types."""
    kinds = _kinds(annotation)
    if type(None) in kinds and text == "none":
        return None
    for kind in (k for k in READABLE if k in kinds):
        if kind is bool and text in _TRUTH:
            return _TRUTH[text]
        if kind is not bool:
            try:
                return kind(text)
            except ValueError:
                continue
    words = {bool: "true or false", int: "a whole number", float: "a number", type(None): "none"}
    raise ValueError(" or ".join(words[k] for k in kinds if k in words))
