"""How much memory an array and its coupling may ask for, as a whole."""

from doamc.errors import SpecificationError

MAX_ENTRIES = 1 << 21  #: of the derivatives of C: real parameters times N^2


def check_entries(n_elements: int, n_parameters: int) -> None:
    """Raise SpecificationError where the derivatives of an array's coupling have more than `MAX_ENTRIES` entries."""
    entries = n_parameters * n_elements**2
    if entries > MAX_ENTRIES:
        raise SpecificationError(
            f"{n_parameters} real parameters of coupling times {n_elements}^2 elements must be at most {MAX_ENTRIES}, "
            f"found {entries}; take fewer elements or a family of fewer coefficients"
        )
