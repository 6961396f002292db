"""Tables of specifications, whole and changed."""

import copy
import math

from doamc.spec import load_spec

NAN = math.nan


def table(**changes):
    """The table of ula8; section__key=value replaces an entry, section=value a section, None removes."""
    out = copy.deepcopy(dict(load_spec("ula8").table))
    for path, value in changes.items():
        section, _, key = path.partition("__")
        place, name = (out[section], key) if key else (out, section)
        if value is None:
            place.pop(name)
        else:
            place[name] = value
    return out


def points(*rows):
    return {"kind": "positions", "points_wavelengths": [list(r) for r in rows]}


def metres(**top):
    """uca5 with a radius of a quarter of a metre."""
    return table(geometry={"kind": "uca", "elements": 5, "radius_m": 0.25}, sector__azimuth_deg=[0.0, 360.0],
                 coupling={"family": "circulant", "magnitude": [[0.2, 0.4], [0.1, 0.2]]},
                 sources__count=[1, 2]) | top  # fmt: skip
