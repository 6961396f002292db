"""``doamc monitor`` on a terminal of 80 x 24, fed by a real publisher."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time

import numpy as np
import pytest

from doamc.estimates import Publisher, make_message, status_message

COUPLING = np.eye(4) + 0.25j * (np.eye(4, k=1) + np.eye(4, k=-1))  # -12.04 dB between neighbours


def estimate(seq, azimuth_deg=(-25.0, 40.0), **changes):
    about = {
        "seq": seq, "time": time.time(), "sample_time": 0.05 * seq, "frequency_hz": None, "array": "ula4",
        "method": "ml", "azimuth_deg": azimuth_deg, "std_deg": [0.25, *[3.5] * (len(azimuth_deg) - 1)],
        "power_db": [0.0, *[-3.0] * (len(azimuth_deg) - 1)], "noise_power": 0.1, "coupling": COUPLING, "snapshots": 64,
        "latency_ms": {"buffer": 1.5, "inference": 12.0, "total": 13.5}, "dropped_batches": 7,
    }  # fmt: skip
    return make_message(**(about | changes))


class Terminal:
    """``doamc monitor`` on a pseudo-terminal of a given size, and the frames that it drew."""

    started = []

    def __init__(self, *arguments, columns=80, rows=24, **environment):
        try:
            self.ours, theirs = pty.openpty()
        except OSError as error:  # a container without /dev/pts
            pytest.skip(f"no pseudo-terminal here: {error}")
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        code = "import sys; from doamc.cli import main; sys.exit(main())"
        kept = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, "monitor", *map(str, arguments)], stdin=theirs, stdout=theirs, stderr=theirs,
            env=kept | {"TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"} | environment,
        )  # fmt: skip
        os.close(theirs)
        self.bytes = b""
        self.started.append(self)

    def read(self, wait_s=0.05):
        if select.select([self.ours], [], [], wait_s)[0]:
            try:
                self.bytes += os.read(self.ours, 65536)
            except OSError:  # the other end is closed
                time.sleep(wait_s)

    def frames(self):
        """What stood on the screen at each drawing, without colours."""
        parts = re.split(r"\x1b\[H|\x1b\[\?1049l", self.bytes.decode(errors="replace"))
        return [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", part).replace("\r", "") for part in parts]

    def until(self, wanted, limit_s=90.0):
        """The first frame that holds a text."""
        end = time.monotonic() + limit_s
        while True:
            for frame in self.frames()[:-1]:
                if wanted in frame:
                    return frame
            assert time.monotonic() < end, self.frames()[-2:]
            self.read()

    def rate(self):
        """Of the first frame that knows one."""
        end = time.monotonic() + 90
        while not (told := re.findall(r"rate +([1-9]\d*\.\d)/s", "".join(self.frames()))):
            assert time.monotonic() < end
            self.read()
        return float(told[0])

    def end(self):
        """Interrupt it; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        stop = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < stop:
            self.read()
        for _ in range(3):
            self.read(0.01)
        return self.process.poll()


@pytest.fixture(autouse=True)
def no_terminal_outlives_its_test():
    yield
    while Terminal.started:
        terminal = Terminal.started.pop()
        terminal.process.kill()
        terminal.process.wait()
        os.close(terminal.ours)


@pytest.fixture
def publishing():
    """publishing(message of a number) -> address of a publisher that sends 20 a second until the test ends."""
    end, threads, publishers = threading.Event(), [], []

    def start(make=estimate, numbers=range(10**6), every_s=0.05, status=None):
        publisher = Publisher("tcp://127.0.0.1:*", heartbeat_s=0.1)
        publishers.append(publisher)

        def send():
            for seq in numbers:
                if end.wait(every_s):
                    return
                publisher.estimate(make(seq))
                if status is not None:
                    publisher.status(status)

        threads.append(threading.Thread(target=send))
        threads[-1].start()
        return publisher.address

    yield start
    end.set()
    for thread in threads:
        thread.join(10)
    for publisher in publishers:
        publisher.close()


def test_it_fits_80_by_24_and_shows_what_was_sent(publishing):
    terminal = Terminal(publishing())
    frame = terminal.until("95 %: 13.5 ms")
    assert terminal.rate() > 0  # of a busy computer, what has waited comes at once; test_health has its value
    assert terminal.end() == 130
    for drawn in terminal.frames():
        lines = drawn.rstrip("\n").split("\n")
        assert len(lines) <= 24 and max(map(len, lines)) <= 80
    assert re.search(r"1 -25\.00° 0\.25° \+0\.0 dB", frame) and re.search(r"2 \+40\.00° 3\.50° -3\.0 dB", frame)
    assert "ula4, ml, estimate" in frame and "-12.0 dB (0 - 1)" in frame and "running" in frame
    assert re.search(r"inference +12\.0 ms", frame) and re.search(r"buffer +1\.5 ms", frame)
    assert re.search(r"dropped +7", frame) and re.search(r"lost +0", frame) and "180°" in frame and "-90°" in frame
    # the alternative screen was left, and the last picture stays in the scroll-back
    assert b"\x1b[?1049l" in terminal.bytes and b"azimuth" in terminal.bytes.rpartition(b"\x1b[?1049l")[2]


def test_the_needle_points_at_the_bearing(publishing):
    terminal = Terminal(publishing(lambda k: estimate(k, (20.0,))), "--compass", "--heading", 110)
    frame = terminal.until("90.00°")  # due east: bearing 110 - 20
    terminal.end()
    lines = frame.split("\n")
    row = next(k for k, line in enumerate(lines) if re.search(r"W .*E", line))
    middle = (lines[row].index("W") + lines[row].index("E")) // 2
    assert set(lines[row][middle : lines[row].index("E") - 3]) <= {chr(c) for c in range(0x2801, 0x2900)}  # dots
    assert lines[row][lines[row].index("W") + 4 : middle - 3].strip() in ("", "⠂")  # none to the west
    assert "N" in lines[3] and any("S" in line for line in lines[20:23])


def test_losses_state_and_errors_are_shown(publishing):
    status = status_message(time=0.0, state="error", seq=3, last_error="channel 2 is dead " + 20 * "far too long ")
    terminal = Terminal(publishing(numbers=[0, 1, 2, 12, 13, 14, 15, *range(16, 600)], status=status))
    # whichever came first, nine were lost between 2 and 12, unless the monitor joined after that
    frame = terminal.until("  error")  # between an estimate, which makes it running, and the next
    assert "error" in frame.split("\n")[0] and re.search(r"lost +(9|0)\b", frame)
    assert "last error: channel 2 is dead" in frame
    terminal.end()
    assert max(len(line) for drawn in terminal.frames() for line in drawn.split("\n")) <= 80


def test_silence_and_nothing_yet_are_told():
    with Publisher("tcp://127.0.0.1:*", heartbeat_s=0) as publisher:
        terminal = Terminal(publisher.address)
        assert "no estimate yet" in terminal.until("waiting")
        for seq in range(100):  # until the subscription has reached us
            publisher.estimate(estimate(seq))
            terminal.read(0.05)
            if "estimate 5" in terminal.bytes.decode(errors="replace"):
                break
        assert "estimate" in terminal.until("silent")
        terminal.end()


def test_when_estimates_stop_no_needle_stands_although_heartbeats_go_on():
    with Publisher("tcp://127.0.0.1:*", heartbeat_s=0.1) as publisher:
        terminal = Terminal(publisher.address)
        terminal.until("publisher idle")
        publisher.estimate(estimate(5))
        running = terminal.until("estimate 5")
        publisher.status(status_message(time=0.0, state="error", seq=5, last_error="no server", link="absent"))
        silent = terminal.until("silent (")
        terminal.end()

    def dots(frame):
        return sum(0x2800 < ord(c) < 0x2900 for c in frame)

    assert dots(silent) < dots(running) - 20  # two needles of ten cells or so
    assert re.search(r"silent \(\d+ s\), publisher error, link absent", silent) and "last error: no server" in silent
    assert re.search(r"1 -25\.00°", silent)  # what was last, dim


def test_nothing_that_a_publisher_writes_is_obeyed_by_the_terminal(publishing):
    """Escape sequences and markup in names and errors are text, in the live view and in the log."""
    evil = "\x1b]0;title\x07\x1b[2J[/red][link=file:///x]\u202e"
    status = status_message(time=0.0, state="error", seq=3, last_error=evil)
    terminal = Terminal(publishing(lambda k: estimate(k, array=evil, method=evil), status=status))
    frame = terminal.until("last error: ")
    assert "\ufffd]0;title\ufffd\ufffd[2J[/red]" in frame
    terminal.end()
    assert b"\x1b]0;" not in terminal.bytes and b"\x1b]52" not in terminal.bytes and b"\x1b]8;" not in terminal.bytes
    assert terminal.bytes.count(b"\x1b[2J") <= 1  # rich's own, when it opens the screen
    assert "\u202e" not in terminal.bytes.decode()


def test_markup_in_names_is_text_in_the_log(doamc, publishing):
    address = publishing(lambda k: estimate(k, array="[/x]", method="[bold]ml"))
    status, out, err = doamc("monitor", address, "--once", "--timeout", 20)
    assert (status, err) == (0, "") and "[/x], [bold]ml, estimate" in out


def test_a_publisher_of_other_things_does_not_end_it(publishing):
    def mixed(seq):
        return estimate(seq) | ({"sources": "nonsense"} if seq % 2 else {})

    terminal = Terminal(publishing(mixed))
    terminal.until("unusable")
    terminal.until("+40.00°")
    assert terminal.end() == 130


@pytest.mark.parametrize(("columns", "rows"), [(40, 10), (60, 24), (200, 60)])
def test_other_sizes(publishing, columns, rows):
    terminal = Terminal(publishing(lambda k: estimate(k, tuple(range(-60, 60, 10)))), columns=columns, rows=rows)
    terminal.until("more" if rows < 40 else "azimuth")
    terminal.end()
    for drawn in terminal.frames()[1:-1]:
        lines = drawn.split("\n")
        assert len(lines) <= rows and max(map(len, lines)) <= columns


def test_without_unicode_it_draws_in_ascii(publishing):
    terminal = Terminal(publishing(), "--once", PYTHONIOENCODING="ascii")
    while terminal.process.poll() is None:
        terminal.read()
    assert terminal.end() == 0
    text = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", terminal.bytes)
    assert text.isascii() and text.count(b"*") > 50 and b"-25.00" in text


def test_a_flood_is_drawn_at_most_ten_times_a_second(publishing):
    terminal = Terminal(publishing(every_s=0.001))
    terminal.until("received    1")
    before, begin = len(terminal.frames()), time.monotonic()
    while time.monotonic() < begin + 1.5 or len(terminal.frames()) < before + 5:
        terminal.read()
    # all that has been drawn since the start: a busy computer draws less, never more
    assert len(terminal.frames()) <= 10 * (time.monotonic() - terminal.began) + 2
    terminal.end()


def test_the_log_of_a_pipe_has_a_table_an_estimate(doamc, publishing):
    status, out, err = doamc("monitor", publishing(), "--count", 2, "--timeout", 20, "--compass", "--heading", 65)
    assert (status, err) == (0, "") and out.count("ula4, ml, estimate") == 2
    assert out.count("90.00°") == 2 and out.count("25.00°") == 2 and "bearing" in out  # 65 + 25 and 65 - 40
    assert re.search(r"rate \d+\.\d/s, latency 13\.5 ms, lost 0, dropped 7", out)


def test_bearings_are_shown_as_soon_as_the_orientation_is_known(doamc, publishing):
    """By the messages, or by the option, which goes before them; everything printed then agrees."""
    unknown, known = publishing(), publishing(lambda k: estimate(k, heading_deg=65.0))

    def told(address, *options):
        status, out, err = doamc("monitor", address, "--once", "--timeout", 20, *options)
        assert (status, err) == (0, "")
        return out

    azimuths, bearings = ("-25.00°", "+40.00°", "azimuth"), ("90.00°", "25.00°", "bearing", "+x at 65°")
    for options in ((), ("--compass",)):
        assert all(words in told(unknown, *options) for words in (*azimuths, "orientation unknown"))
        assert all(words in told(known, *options) for words in bearings)
    assert all(words in told(known, "--azimuth") for words in azimuths)
    assert all(words in told(unknown, "--heading", 65) for words in bearings)
    other = json.loads(told(known, "--heading", 75, "--json"))
    assert (other["heading_deg"], [s["bearing_deg"] for s in other["sources"]]) == (75.0, [100.0, 35.0])


def test_json_passes_on_what_came(doamc, publishing):
    status, out, _ = doamc("monitor", publishing(), "--once", "--json", "--timeout", 20)
    message = json.loads(out)
    assert status == 0 and message == estimate(message["seq"], time=message["time"])
