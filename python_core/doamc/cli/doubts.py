"""The end of a summary: how many batches do not fit, why as far as can be told, and what takes that into account."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from doamc.estimators.base import Estimates, Estimator

#: methods that answer to a cause themselves, or have been told not to
_ANSWERS = ("posterior",)


def doubts(estimates: "Estimates", estimator: "Estimator", channels: Sequence[int]) -> str:
    """How many batches fit the wide prior alone or no model, and why; empty where all fit.

    Where another method has no answer to a cause, and `posterior` has one, that is said. channels: element of each
    stream, by which channels are numbered.
    """
    from doamc.estimators.cause_names import cause_name, is_remedied

    doubtful, cause, wide = estimates.doubtful, estimates.fit_cause, estimates.wide_prior
    remedy = estimates.remedy
    if doubtful is None or cause is None:
        return ""

    def told(some: "torch.Tensor", words: str) -> str:
        causes = Counter(cause_name(int(k), channels) for k in cause[some])
        return words % int(some.sum()) + " (" + ", ".join(f"{n} {count}" for n, count in causes.most_common()) + ")"

    out = ""
    if wide is not None and (alone := wide & ~doubtful & (remedy == 0 if remedy is not None else True)).any():
        out += told(alone, "; wide prior: %d batches do not fit that of the array")
    if remedy is not None and ((remedy > 0) & ~doubtful).any():
        out += told((remedy > 0) & ~doubtful, "; remedied: %d batches fit with their cause taken into account")
    if doubtful.any():
        out += told(doubtful, "; doubtful: %d batches do not fit the model")
        if estimator.name.partition(":")[0] not in _ANSWERS:
            answered = [n for n in cause[doubtful].tolist() if is_remedied(estimator.spec, n)]
            names = [name for name, _ in Counter(cause_name(n, channels) for n in answered).most_common()]
            if names:
                out += f"; --method posterior takes into account: {', '.join(names)}"
    return out
