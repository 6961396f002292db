"""What comes from outside: bounded, of its schema, fit to be shown, or refused in a short text."""

import json
import time

import numpy as np
import pytest

from doamc.errors import PublishError
from doamc.estimates import encode, make_message, status_message
from doamc.estimates.border import (
    MAX_DEPTH,
    MAX_ELEMENTS,
    MAX_INTEGER,
    MAX_MESSAGE_BYTES,
    MAX_SOURCES,
    _validator,
    decode,
    receive,
    validate,
)
from doamc.protocol import ESTIMATE_SCHEMA


def estimate(n=3, **changes):
    about = {
        "seq": 17, "time": 1.79e9, "sample_time": 3.2, "frequency_hz": 433.9e6, "array": "ula8", "method": "ml",
        "azimuth_deg": [-23.4, 10.0], "std_deg": [0.2, 0.3], "power_db": [0.0, -3.0], "noise_power": 0.1,
        "coupling": np.eye(n) + 0.5j, "coupling_std": np.full((n, n), 0.1), "snapshots": 256, "dropped_batches": 0,
        "latency_ms": {"buffer": 1.0, "inference": 12.0, "total": 13.5},
    }  # fmt: skip
    return make_message(**(about | changes))


def came(message):
    return receive([b"doamc.estimate", message if isinstance(message, bytes) else json.dumps(message).encode()])[1]


def refused(message, told):
    with pytest.raises(PublishError, match=told) as error:
        came(message)
    assert len(str(error.value)) < 500 and str(error.value).isprintable()


def test_what_we_send_passes():
    assert receive([b"doamc.estimate", encode(estimate())]) == ("doamc.estimate", estimate())
    beat = status_message(time=1.0, state="running", seq=3, link="streaming", block="x")
    assert receive([b"doamc.status", encode(beat)]) == ("doamc.status", beat)
    for count in (0, 1, 3):
        with pytest.raises(PublishError, match=f"expected two frames, topic and JSON, found {count}"):
            receive([b"doamc.status"] * count)


def test_the_largest_estimate_passes_and_is_read_in_time():
    """As many elements and sources as the schema allows, every number at full length."""
    rng = np.random.default_rng(0)
    n, p = MAX_ELEMENTS, MAX_SOURCES
    message = estimate(
        coupling=rng.standard_normal((n, n)) + 1j * rng.standard_normal((n, n)), coupling_std=rng.random((n, n)),
        azimuth_deg=rng.uniform(-180, 180, p), std_deg=rng.random(p), power_db=rng.random(p),
    )  # fmt: skip
    assert MAX_MESSAGE_BYTES / 3 < len(encode(message)) < MAX_MESSAGE_BYTES
    assert came(message) == message


def test_the_bounds_are_those_of_the_schema():
    schema = _validator(ESTIMATE_SCHEMA).schema
    assert schema["properties"]["sources"]["maxItems"] == MAX_SOURCES
    assert schema["$defs"]["matrix"]["maxItems"] == schema["$defs"]["matrix"]["items"]["maxItems"] == MAX_ELEMENTS


@pytest.mark.parametrize("digits", [17, 4299, 10**6])
def test_huge_integers_are_refused_at_once(digits):
    begin = time.process_time()
    data = encode(estimate()).replace(b'"seq":17', b'"seq":' + b"9" * digits)
    refused(data, "an integer beyond")
    refused(encode(estimate()).replace(b'"buffer":1.0', b'"buffer":-' + b"9" * digits), "an integer beyond")
    assert time.process_time() - begin < 2.0  # int() alone takes 6 s for a million digits


def test_the_largest_integer_that_is_exact_everywhere_passes():
    assert came(estimate(seq=MAX_INTEGER))["seq"] == 2**53
    refused(estimate(seq=MAX_INTEGER + 1), "an integer beyond")


@pytest.mark.parametrize(
    "change, told",
    [
        ({"latency_ms": {"buffer": True, "inference": 1.0, "total": 1.0}}, "latency_ms/buffer"),
        ({"latency_ms": True}, "latency_ms"), ({"latency_ms": None}, "latency_ms"), ({"seq": True}, "seq"),
        ({"seq": "one"}, "seq"), ({"seq": -1}, "seq"), ({"noise_power": 10**400}, "an integer"),
        ({"noise_power": 1e61}, "a number beyond"), ({"noise_power": float("inf")}, "not JSON"),
        ({"time": 1e15}, "time"), ({"x": float("nan")}, "not JSON"), ({"sources": {}}, "sources"),
        ({"sources": [{"azimuth_deg": 1e4, "std_deg": None, "power_db": None}]}, "azimuth_deg"),
        ({"sources": [estimate()["sources"][0]] * 10_000}, "sources"), ({"array": "x" * 201}, "array"),
        ({"modes": [{"share": 0.5, "azimuth_deg": []}] * 65}, "modes"), ({"source_probability": [0.0] * 66}, "source"),
        ({"coupling": {"re": [[1.0, 0.0], [0.0]], "im": [[1.0, 0.0], [0.0, 1.0]]}}, "rows of . numbers as re"),
        ({"coupling": {"re": [[1.0]], "im": [[1.0, 0.0], [0.0, 1.0]]}}, "rows of . numbers as im"),
        ({"coupling_std": [[1.0]]}, "coupling_std"), ({"coupling_std": [[True] * 3] * 3}, "coupling_std"),
        ({"coupling": {"re": [["1"]], "im": [[0.0]]}}, "coupling"), ({"schema": "doamc.status/1"}, "of topic"),
        ({"schema": "doamc.estimate/2"}, "schema must be one of"), ({"schema": "\x1b[2Jx/1"}, "of topic"),
        ({"pad": "x" * MAX_MESSAGE_BYTES}, "bytes, at most"), ({"\x1b]0;title\x07": 1, "seq": None}, "seq"),
    ],
)  # fmt: skip
def test_odd_messages_are_refused(change, told):
    refused(estimate() | change, told)


def test_depth_is_bounded():
    deep = value = []
    for _ in range(MAX_DEPTH - 2):
        value.append([])
        value = value[0]
    assert came(estimate() | {"x": deep})["x"] == deep
    value.append([])
    refused(estimate() | {"x": deep}, "levels")
    refused(b"[" * 100_000, "expected a JSON message")


def test_nothing_that_a_terminal_obeys_gets_through():
    escape = "\x1b]52;c;cm0gLXJm\x07\x9b31m\u202egnp\ud800\n"
    message = came(json.dumps(estimate(array=escape, method="em:prior=true") | {escape: [escape]}).encode())
    assert message["array"] == "\ufffd]52;c;cm0gLXJm\ufffd\ufffd31m\ufffdgnp\ufffd\ufffd"
    assert message["method"] == "em:prior=true" and message["array"] in message and message[message["array"]]
    assert all(text.isprintable() for text in (message["array"], *message, *message[message["array"]]))


def test_matrices_are_read_as_the_schema_says():
    """The quick way for rows of numbers refuses what the slow one refuses, and names the place."""
    for value in (None, "0", [0.0], {}, False):
        with pytest.raises(PublishError, match="coupling"):
            validate(estimate() | {"coupling": {"re": [[value] * 3] * 3, "im": [[0.0] * 3] * 3}})
    with pytest.raises(PublishError, match="coupling_std/1/2: None is not of type 'number'"):
        validate(estimate() | {"coupling_std": [[0.1] * 3, [0.1, 0.1, None], [0.1] * 3]})


def test_more_than_readers_take_is_not_sent():
    with pytest.raises(PublishError, match="send less"):
        encode(estimate(pad="x" * MAX_MESSAGE_BYTES))
    assert decode(encode(estimate(pad="x" * 1_000_000)))["pad"]
