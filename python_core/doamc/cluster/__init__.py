"""Independent tasks and what runs them: this process, others on this machine, or workers on many.

`open_executor` gives an `Executor`; whoever has tasks knows nothing else of where they run.
"""

from doamc.cluster.executor import Executor, Outcome
from doamc.cluster.opening import Workers, open_executor
from doamc.cluster.seeds import seed_of

__all__ = ["Executor", "Outcome", "Workers", "open_executor", "seed_of"]
