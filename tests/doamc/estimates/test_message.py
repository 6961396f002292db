"""Messages: the keys of the interface, the schema, NaN as null, and what is refused."""

import copy
import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from doamc import __version__
from doamc.errors import PublishError
from doamc.estimates import decode, encode, make_message, status_message, validate

FIELDS = {
    "seq": 17, "time": 1790000000.1, "sample_time": 3.2, "frequency_hz": 433.9e6, "array": "ula8", "method": "music",
    "azimuth_deg": [-23.4, 10.0], "std_deg": [0.2, 0.3], "power_db": [0.0, -3.0], "noise_power": 0.1,
    "coupling": np.eye(3) + 0.5j, "snapshots": 256, "latency_ms": {"buffer": 1.0, "inference": 12.0, "total": 13.5},
    "dropped_batches": 0,
}  # fmt: skip
KEYS = {
    "schema", "seq", "time", "sample_time", "frequency_hz", "array", "method", "n_sources", "sources", "noise_power",
    "coupling", "snapshots", "latency_ms", "dropped_batches", "version",
}  # fmt: skip


def test_messages_carry_the_version_of_the_program():
    assert make_message(**FIELDS)["version"] == status_message(time=1.0, state="idle", seq=-1)["version"] == __version__


def test_keys_and_values_are_those_of_the_interface():
    message = make_message(**FIELDS)
    validate(message)
    assert set(message) == KEYS
    assert message["n_sources"] == 2
    assert message["sources"][0] == {"azimuth_deg": -23.4, "std_deg": 0.2, "power_db": 0.0}
    assert message["coupling"]["re"] == np.eye(3).tolist()
    assert message["coupling"]["im"] == np.full((3, 3), 0.5).tolist()
    assert json.loads(json.dumps(message, allow_nan=False)) == message  # plain values only
    assert decode(encode(message)) == message


def test_what_is_not_known_is_null_and_missing_sources_are_left_out():
    nan = float("nan")
    unknown = {
        "sample_time": None,
        "frequency_hz": None,
        "noise_power": nan,
        "coupling": np.full((2, 2), nan),
        "azimuth_deg": [5.0, nan],
        "std_deg": [nan, nan],
        "power_db": None,
        "latency_ms": {"inference": 2.0},
    }
    message = make_message(**FIELDS | unknown)
    validate(message)
    assert message["sources"] == [{"azimuth_deg": 5.0, "std_deg": None, "power_db": None}]
    assert message["n_sources"] == 1 and message["latency_ms"] == {"buffer": None, "inference": 2.0, "total": None}
    assert [message[k] for k in ("noise_power", "coupling", "sample_time", "frequency_hz")] == [None] * 4
    empty = make_message(**FIELDS | {"azimuth_deg": [], "std_deg": [], "power_db": [], "coupling": None})
    validate(empty)
    assert empty["n_sources"] == 0 and empty["sources"] == []


_FLOATS = st.floats(-1e60, 1e60)  # what readers take
_NUMBERS = _FLOATS | st.just(math.nan) | st.integers(-(2**53), 2**53)
_TEXTS = st.text(st.characters(blacklist_categories=["C", "Zl", "Zp"]), min_size=1, max_size=5)


@settings(max_examples=60)
@given(
    azimuth=st.lists(st.floats(-360, 360) | st.just(math.nan), max_size=4),
    power=_FLOATS | st.sampled_from([math.nan, math.inf, -math.inf]),
    n=st.integers(1, 4),
    value=st.complex_numbers(max_magnitude=1e60) | st.sampled_from([complex(math.nan, 0), complex(0, math.inf)]),
    extra=st.dictionaries(_TEXTS.map("x_".__add__), _NUMBERS | _TEXTS),
)
def test_every_message_survives_the_wire_and_follows_the_schema(azimuth, power, n, value, extra):
    given_fields = {
        "azimuth_deg": azimuth,
        "std_deg": None,
        "power_db": [power] * len(azimuth),
        "coupling": np.full((n, n), value),
    }
    message = make_message(**FIELDS | given_fields, **extra)
    validate(message)
    assert decode(encode(message)) == message
    assert message["n_sources"] == len(message["sources"]) == sum(math.isfinite(a) for a in azimuth)


def test_tensors_and_extra_keys_become_plain():
    t = torch.tensor([1.0, 2.0])
    fields = FIELDS | {"azimuth_deg": t, "std_deg": t, "power_db": t, "seq": np.int64(3), "noise_power": np.float32(1)}
    truth = {"azimuth_deg": t.double(), "coupling": torch.eye(2) * 1j, "p": (1, math.inf)}
    message = make_message(**fields, truth=truth)
    validate(message)
    assert message["truth"]["azimuth_deg"] == [1.0, 2.0] and message["truth"]["p"] == [1, None]
    assert message["truth"]["coupling"] == {"re": [[0.0, 0.0], [0.0, 0.0]], "im": [[1.0, 0.0], [0.0, 1.0]]}
    assert decode(encode(message)) == message


@pytest.mark.parametrize(
    "change",
    [{"std_deg": [1.0]}, {"power_db": [1.0, 2.0, 3.0]}, {"coupling": np.ones((2, 3))}, {"schema": 1}, {"sources": []}],
)
def test_fields_that_do_not_fit_are_refused(change):
    with pytest.raises(PublishError, match="expected"):
        make_message(**FIELDS | change)


@pytest.mark.parametrize("key", sorted(KEYS - {"schema", "version"}))
def test_schema_misses_every_key_that_is_left_out(key):
    message = make_message(**FIELDS)
    del message[key]
    with pytest.raises(PublishError, match=key):
        validate(message)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("seq",), -1), (("seq",), 1.5), (("time",), None), (("snapshots",), 0), (("dropped_batches",), -1),
        (("sources", 0, "azimuth_deg"), None), (("sources", 0, "std_deg"), -0.1), (("array",), ""),
        (("coupling", "re"), [[None]]), (("latency_ms", "total"), "fast"), (("noise_power",), -1.0),
    ],
)  # fmt: skip
def test_schema_refuses_values_out_of_range(path, value):
    message = copy.deepcopy(make_message(**FIELDS))
    place = message
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(PublishError, match=r"doamc\.estimate/1: " + str(path[0])):
        validate(message)


def test_status_messages_follow_their_schema():
    message = status_message(time=1.0, state="running", seq=-1, counters={"dropped": np.int64(2)}, last_error=None, x=1)
    validate(message)
    assert decode(encode(message)) == message and message["counters"] == {"dropped": 2} and message["x"] == 1
    for change in ({"state": "asleep"}, {"seq": -2}, {"counters": {"dropped": -1}}, {"last_error": 3}):
        with pytest.raises(PublishError, match=r"doamc\.status/1"):
            validate(message | change)


def test_truth_of_a_simulation_follows_its_schema():
    message = {
        "schema": "doamc.truth/1",
        "sample_time": 0.2,
        "array": "ula8",
        "azimuth_deg": [-10.0, 5.0],
        "power_db": [0.0, -3.0],
        "noise_power": 0.1,
        "coupling": {"re": [[1.0]], "im": [[0.0]]},
    }
    validate(message)
    for change in ({"coupling": {"re": [[1.0]]}}, {"noise_power": -1.0}, {"azimuth_deg": 3.0}, {"sample_time": None}):
        with pytest.raises(PublishError, match=r"doamc\.truth/1"):
            validate(message | change)


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff", b"{", b"[]", b"3", b"{}", b'{"schema": 1}', b'{"schema": "x", "a": NaN}', b"[" * 100_000],
    ids=["empty", "not UTF-8", "open", "list", "number", "no schema", "schema 1", "NaN", "deep"],
)
def test_bytes_that_are_no_message_are_refused(data):
    with pytest.raises(PublishError, match="expected a JSON"):
        decode(data)


def test_values_that_json_cannot_hold_and_unknown_schemas_are_refused():
    with pytest.raises(PublishError, match="JSON cannot hold"):
        encode({"schema": "x", "a": object()})
    with pytest.raises(PublishError, match="schema must be one of"):
        validate({"schema": "doamc.estimate/2"})
