"""Commands that wait for a publisher say so, once, where nothing else would; nobody looks at a clock here."""

import signal

from doamc.cli import waiting
from doamc.estimates import Publisher, Subscriber
from tests.doamc.cli.conftest import repeating
from tests.doamc.estimates.bearings import message

NOBODY = "tcp://127.0.0.1:9"
WORDS = f"doamc: waiting for estimates from {NOBODY}: none so far; is it publishing?\n"


def test_a_command_without_a_publisher_says_that_it_waits(program, tmp_path):
    monitors = [("monitor", NOBODY, *more) for more in [("--once", "--json"), ("--json",), (), ("--once",)]]
    relay = "publish", NOBODY, "--csv", tmp_path / "a.csv"
    for words, process in [(words, program(*words)) for words in (*monitors, relay)]:  # all wait at once
        assert process.stderr.readline() == WORDS, words
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 130 and err == "", words
        assert out == ("passed on 0 estimates\n" if words is relay else "")


def test_it_is_said_once_and_not_where_something_has_come(monkeypatch, capsys):
    monkeypatch.setattr(waiting, "QUIET_S", 0.0)
    with Subscriber(NOBODY) as subscriber:
        one, limited, other = (waiting.Waiting(subscriber, t) for t in (None, 5.0, None))
        for _ in range(3):
            one.look(came=False)
        assert capsys.readouterr().err == WORDS
        limited.look(came=False)
        other.look(came=True)
        other.look(came=False)
        assert capsys.readouterr().err == ""
        subscriber.refused = 2
        waiting.Waiting(subscriber).look(came=False)
        assert "refused 2 times; it asks for keys" in capsys.readouterr().err


def test_what_is_passed_on_begins_when_the_publisher_does(program, tmp_path):
    with Publisher("tcp://127.0.0.1:*", heartbeat_s=0) as publisher:
        process = program("publish", publisher.address, "--csv", tmp_path / "a.csv", "--count", 2)
        assert process.stderr.readline().endswith("is it publishing?\n")
        with repeating(publisher, lambda seq: message([10.0], seq=seq, heading_deg=0.0)):
            out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "passed on 2 estimates\n", "")
