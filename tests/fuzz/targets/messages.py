"""What publishers send and logs hold: refused at the border, or of use to every reader behind it."""

import io
import json
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
from rich.console import Console

from doamc.dashboard.export import as_csv, as_json
from doamc.dashboard.fix import locate
from doamc.dashboard.history import PastEstimate
from doamc.dashboard.receivers import Receiver
from doamc.dashboard.view import coupling_view, estimate_view
from doamc.errors import PublishError, RecordingError
from doamc.estimates import decode, encode
from doamc.estimates.border import receive
from doamc.estimates.truth import Truth, coupling_error_db, match
from doamc.figures.page import draw_page, kinds_of, size_of
from doamc.figures.run import read_run
from doamc.figures.style import draw_figure
from doamc.figures.training import SIZE, draw
from doamc.learning.training_log import SCHEMA, read_training
from doamc.views import Convention, Health, SourceNumbering, read_estimate
from doamc.views.terminal import screen
from tests.doamc.estimates.mutations import estimate, mutated, truth
from tests.fuzz.harness import Target
from tests.fuzz.mutate import damaged, spoiled

STATIONS = [
    Receiver("a", "tcp://127.0.0.1:9", 90.0, 0.0, 0.0, 0.0),
    Receiver("b", "tcp://127.0.0.1:9", 10.0, 1.0, 1000.0, 0.0),
    Receiver("c", "tcp://127.0.0.1:9", 10.0, 0.0, 0.0, 900.0),
]


def use(topic: str, message: dict) -> None:
    """Everything that views, the dashboard and the outputs do with what has come."""
    health = Health()
    health.take(topic, message)
    reading = numbers = None
    if topic == "doamc.estimate":
        reading = read_estimate(message)
        numbers = SourceNumbering().assign(reading.time_s, reading.azimuth_deg)
        assert len(match(reading.azimuth_deg, np.array([1.0, 100.0]))) == len(numbers)
        coupling_error_db(reading.coupling, np.eye(3))
        view = estimate_view(message, 1.79e9)
        json.dumps([view, coupling_view(message)], allow_nan=False)
        other = estimate_view(estimate(), 1.79e9)
        json.dumps(locate(STATIONS, [view, other, other], 1.79e9), allow_nan=False)
        kept = [("a", [PastEstimate(1.79e9, view, encode(message))])]
        assert as_csv(kept) and json.loads(as_json(kept))[0]["message"] == message
    elif topic == "doamc.truth":
        known = Truth()
        known.add(message)
    assert decode(encode(message)) == message
    out = io.StringIO()
    console = Console(file=out, width=80, height=24, color_system=None, force_terminal=True)
    console.print(screen(reading, numbers or [], Convention(), health, {"lost": 0}, "tcp://x", (80, 24)))
    lines = out.getvalue().split("\n")
    assert len(lines) <= 25 and all(line.isprintable() for line in lines)


def draw_message(random: Random) -> bytes:
    """Topic, a zero, data."""
    topic, data = mutated(random)
    return topic.rstrip(b"\0") + b"\0" + data


def use_message(data: bytes, folder: Path) -> None:
    topic, _, rest = data.partition(b"\0")
    try:
        item = receive([topic, rest])
    except PublishError as error:
        assert str(error).isprintable() and len(str(error)) < 600
        raise
    use(*item)


def training_line(step: int) -> dict:
    return {
        "schema": SCHEMA, "kind": "posterior", "array": "ula8", "step": step, "minutes": 0.1 * step, "loss": 1.0 / step,
        "rate": 1e-3, "hit": 0.5,
    }  # fmt: skip


def draw_log(random: Random) -> bytes:
    """Lines of a log of estimates and truths, or of a training, some of them spoilt."""
    if random.random() < 0.3:
        lines = [spoiled(training_line(1 + k), random, ("loss", "validation")) for k in range(random.randint(1, 4))]
        data = b"\n".join(json.dumps(line).encode(errors="surrogatepass") for line in lines)
    else:
        whole = [json.dumps(truth()).encode()] * random.randrange(2) + [json.dumps(estimate()).encode()]
        data = b"\n".join([*whole, *(mutated(random)[1] for _ in range(random.randint(1, 4)))])
    return damaged(data, random) if random.random() < 0.1 else data + b"\n"


def use_log(data: bytes, folder: Path, drawn: bool) -> None:
    path, figure = folder / "log.jsonl", str(folder / "out.png")
    path.write_bytes(data)
    try:
        run = read_run(path)
    except RecordingError:
        lines = read_training(path)
        if drawn:
            draw_figure(figure, SIZE, lambda f: draw(f, lines))
        return
    kinds = kinds_of(run)
    if drawn:
        draw_figure(figure, size_of(kinds), lambda f: draw_page(f, run, kinds))


TARGETS = (
    Target("message", draw_message, use_message),
    Target("log", draw_log, partial(use_log, drawn=False)),
    Target("figure", draw_log, partial(use_log, drawn=True)),
)
