"""Array specifications: geometry, sector, coupling family with its prior, sources, snapshots, SNR; as TOML."""

from doamc.spec.array_spec import ArraySpec
from doamc.spec.loading import SHIPPED, load_spec, parse_spec, read_table, shipped_arrays
from doamc.spec.mount import Mount
from doamc.spec.tuning import REACH, SAME_FREQUENCY, SPEED_OF_LIGHT

__all__ = [
    "REACH",
    "SAME_FREQUENCY",
    "SHIPPED",
    "SPEED_OF_LIGHT",
    "ArraySpec",
    "Mount",
    "load_spec",
    "parse_spec",
    "read_table",
    "shipped_arrays",
]
