"""Conditions of any content."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from doamc.krakensdr.version2.condition import Condition
from tests.doamc.krakensdr.version2.serving import Receiver


def test_what_is_missing_or_no_number_is_left_out():
    told = Receiver().status()
    told["settings"] = {"center_freq": "high", "gain": float("nan"), "sample_rate": 10**400}
    told |= {"num_channels": -1, "operating_mode": 7, "channel_comp": [{"amp_db": 1.0}, {}], "recovering": "no"}
    assert Condition.parse(told).as_dict() == {"cooldown_s": 1.5, "coherence_events": 2}
    assert Condition.parse({}).as_dict() == {}
    assert Condition.parse({"cooldown_active": False, "cooldown_remaining_ms": 99}).as_dict() == {"cooldown_s": 0.0}
    assert Condition.parse({"operating_mode": "a\x1bb" * 50}).mode.startswith("a\ufffdb")


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
)
names = st.sampled_from([*Receiver().status(), "center_freq", "amp_db"])


@settings(max_examples=150)
@given(st.dictionaries(names, st.one_of(values, st.dictionaries(names, values, max_size=3)), max_size=6))
def test_any_object_gives_plain_values_that_json_has(told):
    json.dumps(Condition.parse(told).as_dict(), allow_nan=False)
