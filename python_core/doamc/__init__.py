"""gr-doamc core: where emitters are and how the antennas couple, from the received signals alone.

Stages of the chain are the sub-packages: ``arrays``, ``coupling`` and ``scenes`` (what the world is),
``snapshots`` (what is received), ``estimators``, ``diffusion`` and ``denoising`` (inference),
``estimates`` (what is published). Nothing here imports GNU Radio; torch is imported when first needed.
"""

from doamc.errors import DoamcError

__version__ = "0.1.0"
__all__ = ["DoamcError", "__version__"]
