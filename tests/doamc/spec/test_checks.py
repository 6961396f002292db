"""A wrong entry of a specification is named, with what it must be."""

import math

import pytest

from doamc.errors import SpecificationError
from doamc.spec import parse_spec
from tests.doamc.spec.tables import NAN, table

WRONG = {
    "no name": ({"name": None}, "expected a string 'name', found 'none'"),
    "name no string": ({"name": 3}, "expected a string 'name', found 3"),
    "empty name": ({"name": ""}, "name must be 1 to 64 letters, digits, dashes and underscores"),
    "name with a folder": ({"name": "../../../x"}, "name must be 1 to 64 letters.*found '../../../x'"),
    "name with a space": ({"name": "my roof"}, "name must be 1 to 64 letters"),
    "name with an escape": ({"name": "a\x1b[2J"}, "name must be 1 to 64 letters"),
    "name of two lines": ({"name": "a\n"}, "name must be 1 to 64 letters"),
    "long name": ({"name": "x" * 65}, "name must be 1 to 64 letters"),
    "long description": ({"description": "x" * 501}, "description must be one line of at most 500 characters"),
    "description no string": ({"description": 3}, "description must be one line"),
    "description with an escape": ({"description": "a\x1b[2J"}, "description must be one line"),
    "no sector": ({"sector": None}, r"expected a table \[sector\], found none"),
    "no azimuth": ({"sector__azimuth_deg": None}, r"expected 'azimuth_deg' in \[sector\]"),
    "sector in words": ({"sector__azimuth_deg": "all"}, r"azimuth_deg must be \[low, high\] .*, found 'all'"),
    "three azimuths": ({"sector__azimuth_deg": [0, 1, 2]}, r"azimuth_deg must be \[low, high\]"),
    "turned sector": ({"sector__azimuth_deg": [60, -60]}, r"azimuth_deg must be \[low, high\] with low <= high"),
    "no sector width": ({"sector__azimuth_deg": [5, 5]}, "the sector must be 0 to 360 deg wide, found 0"),
    "wide sector": ({"sector__azimuth_deg": [0, 400]}, "the sector must be 0 to 360 deg wide, found 400"),
    "negative separation": ({"sector__min_separation_deg": -1}, "min_separation_deg must be a number from 0 to 360"),
    "separation of nan": ({"sector__min_separation_deg": NAN}, "min_separation_deg must be a number from 0 to 360"),
    "too wide a separation": ({"sector__min_separation_deg": 41}, "do not fit the sector"),
    "misspelt separation": ({"sector__min_seperation_deg": 5}, "found 'min_seperation_deg'"),
    "sources no table": ({"sources": 3}, r"expected a table \[sources\], found 3"),
    "no source": ({"sources__count": [0, 2]}, r"\[sources\] count must be whole numbers \[low, high\] from 1 on"),
    "half a source": ({"sources__count": [1, 2.5]}, r"whole numbers \[low, high\] from 1 on, found \[1, 2.5\]"),
    "P = N": ({"sources__count": [1, 8]}, r"source count must lie in 1..7, found \[1, 8\]"),
    "powers beyond floats": ({"sources__power_db": [0, 10**400]}, "power_db must lie within -200 to 200"),
    "SNR of 1e300": ({"snapshots__snr_db": [0, 1e300]}, "snr_db must lie within -200 to 200, found"),
    "sector far round": ({"sector__azimuth_deg": [1e6, 1e6 + 90]}, "azimuth_deg must lie within -720 to 720"),
    "L = 1e300": ({"snapshots__count": [1, 1e300]}, "count must lie within"),
    "turned powers": ({"sources__power_db": [0, -6]}, r"\[sources\] power_db must be \[low, high\]"),
    "L = 0": ({"snapshots__count": [0, 10]}, r"\[snapshots\] count must be whole numbers"),
    "infinite SNR": ({"snapshots__snr_db": [0, math.inf]}, r"\[snapshots\] snr_db must be \[low, high\]"),
    "misspelt SNR": ({"snapshots__snr": [0, 10]}, r"\[snapshots\] takes count, snr_db, found 'snr'"),
}


@pytest.mark.parametrize(("changes", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_entry_is_named(changes, message):
    with pytest.raises(SpecificationError, match=message):
        parse_spec(table(**changes))
