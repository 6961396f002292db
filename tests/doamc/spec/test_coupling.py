"""The table [coupling]: wrong entries by name."""

import pytest

from doamc.errors import SpecificationError
from doamc.spec import parse_spec
from tests.doamc.spec.tables import table

WRONG = {
    "no coupling": ({"coupling": None}, r"expected a table \[coupling\], found none"),
    "no family": ({"coupling__family": None}, r"expected 'family' in \[coupling\]"),
    "unknown family": ({"coupling__family": "magic"}, "coupling family must be one of .*, found 'magic'"),
    "family no string": ({"coupling__family": [1]}, r"\[coupling\] family must be a name, found \[1\]"),
    "flat magnitude": ({"coupling__magnitude": [0.1, 0.2]}, r"magnitude must be ranges \[\[low, high\], ...\]"),
    "turned magnitude": ({"coupling__magnitude": [[0.2, 0.1]]}, "magnitude must be ranges"),
    "negative magnitude": ({"coupling__magnitude": [[-0.2, 0.1]]}, "magnitude must be ranges"),
    "no magnitude": ({"coupling__magnitude": []}, "takes 1 to 7 magnitude ranges, found 0"),
    "too many bands": ({"coupling__magnitude": [[0, 0.1]] * 8}, "takes 1 to 7 magnitude ranges, found 8"),
    "negative phase": ({"coupling__phase_deg": -3}, "phase_deg must be a number from 0 to 180, found -3"),
    "phase in words": ({"coupling__phase_deg": "any"}, "phase_deg must be a number from 0 to 180, found 'any'"),
    "diagonal above one": ({"coupling__diagonal": 1.5}, "diagonal must be a number from 0 to 1, found 1.5"),
    "magnitude of 1e300": ({"coupling__magnitude": [[0, 1e300]]}, "0 <= low <= high <= 10"),
    "ten thousand ranges": ({"coupling__magnitude": [[0, 0.1]] * 10_000}, "takes 1 to 7 magnitude ranges, found 10000"),
    "coefficients beyond memory": (
        {"geometry__elements": 200, "coupling__family": "reciprocal", "coupling__magnitude": [[0, 0.1]] * 199},
        r"40198 real parameters of coupling times 200\^2 elements must be at most 2097152, found 1607920000",
    ),
}


@pytest.mark.parametrize(("changes", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_entry_is_named(changes, message):
    with pytest.raises(SpecificationError, match=message):
        parse_spec(table(**changes))
