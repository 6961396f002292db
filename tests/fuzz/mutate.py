"""What makes a good input a bad one: bytes changed, lost or repeated, and values that nobody expected."""

import copy
from random import Random
from typing import Any

#: values that a table of JSON or TOML may hold where others belong
ODD = (
    None, True, False, 0, -1, 1, 2, 3, 5, 2**31, 2**53, 2**53 + 1, 2**63, 2**70, 10**400, 1e60, -1e60, 1e61, 1e100,
    1e308, 1e-320, 0.5, -0.5, -3600.0, 3601.0, float("inf"), float("nan"), "", "x", "1", "\x1b[2J\x07", "\x00",
    "\ud800", "\u202e", "[/x]", "$\\frac$", "../x", "a" * 300, "9" * 5000, [], {}, [[]], [None], [1.0], [0, 0],
    [[1.0]], [[1.0, 2.0], [3.0]], [-1.0, 1e300], {"re": [[1.0]], "im": [[1.0]]}, {"": {"": []}}, [[[[]]]], [{}] * 70,
    [0.0] * 200, [[0.0] * 130] * 130,
)  # fmt: skip
#: four bytes where a count, a size or a sample may stand
_WORDS = (b"\0" * 4, b"\xff" * 4, b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\0\0\x80\x7f", b"\0\0\xc0\x7f", b"\x01\0\0\0")


def odd(random: Random, more: tuple[Any, ...] = ()) -> Any:
    """A value of `ODD`, or of others that a format would take."""
    return copy.deepcopy(random.choice(ODD + more))


def spoil(value: Any, random: Random, keys: tuple[str, ...] = ("x",), more: tuple[Any, ...] = ()) -> None:
    """Replace, remove or add something somewhere inside a list or table.

    keys: names under which something may be added. more: values beside `ODD`.
    """
    while True:
        places = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not places:
            return
        place = random.choice(places)
        if isinstance(value[place], (dict, list)) and random.random() < 0.6:
            value = value[place]
            continue
        break
    what = random.random()
    if what < 0.7:
        value[place] = odd(random, more)
    elif what < 0.85:
        del value[place]
    elif isinstance(value, dict):
        value[random.choice(keys)] = odd(random, more)
    else:
        value.insert(place, random.choice([value[place], odd(random, more)]))


def spoiled(value: Any, random: Random, keys: tuple[str, ...] = ("x",), more: tuple[Any, ...] = ()) -> Any:
    """A copy with one to three things `spoil`ed, now and then none."""
    value = copy.deepcopy(value)
    for _ in range(random.choice([0, 1, 1, 1, 1, 2, 3])):
        spoil(value, random, keys, more)
    return value


def damaged(data: bytes, random: Random) -> bytes:
    """Bytes with a few of them changed, removed or repeated, or with their end missing."""
    raw = bytearray(data)
    for _ in range(random.randint(1, 4)):
        at, length = random.randrange(len(raw) + 1), random.randint(1, 16)
        kind = random.randrange(6)
        if kind == 0:
            raw[at : at + length] = random.randbytes(random.randint(1, length))
        elif kind == 1:
            del raw[at : at + length]
        elif kind == 2:
            raw[at:at] = raw[at : at + 8 * length]
        elif kind == 3:
            del raw[at:]
        elif kind == 4:
            raw[at : at + 4] = random.choice(_WORDS)
        elif at < len(raw):
            raw[at] ^= 1 << random.randrange(8)
    return bytes(raw)


def toml_text(table: dict[str, Any]) -> str:
    """A table as TOML, inline below its first level; what TOML cannot hold comes out as something that is no TOML."""
    return "".join(f"{_toml_key(key)} = {_toml(value)}\n" for key, value in table.items())


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml_key(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) >= 10**300:
        return hex(value)  # which no limit of digits stops
    return _toml_key(value) if isinstance(value, str) else repr(value)


def _toml_key(text: str) -> str:
    import json

    return json.dumps(text)
