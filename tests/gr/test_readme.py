"""The flowgraph that the README prints runs as it is printed."""

import os
import re
import sys
from pathlib import Path

from doamc.estimates import Subscriber, validate
from doamc.protocol import DEFAULT_ADDRESS

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_flowgraph_of_the_readme_publishes_both_directions(child, tmp_path):
    found = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.M | re.S)
    (printed,) = (code for code in found if "top_block" in code)
    address = f"ipc://{tmp_path}/out"  # the port that it has by default may be in use on this machine
    assert "zmq_publisher()" in printed and DEFAULT_ADDRESS not in printed
    code = printed.replace("zmq_publisher()", f"zmq_publisher({address!r})")
    with open(tmp_path / "log", "w+", encoding="utf-8") as log:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        child([sys.executable, "-c", code], env=environment, stdout=log, stderr=log)
        with Subscriber(address, topics=("doamc.estimate",)) as subscriber:
            received = subscriber.receive(120.0)
        assert received is not None, (tmp_path / "log").read_text(encoding="utf-8")
    message = received[1]
    validate(message)
    azimuths = [source["azimuth_deg"] for source in message["sources"]]
    # 256 snapshots at 10 dB: the Cramer-Rao bound of ula8 is 0.15 deg
    assert len(azimuths) == 2 and abs(azimuths[0] + 25) < 1 and abs(azimuths[1] - 10) < 1
    assert message["array"] == "ula8" and message["snapshots"] == 256 and message["coupling"] is not None
