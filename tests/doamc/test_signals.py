"""What asks a program to end waits for steps that belong together."""

import signal
import threading

import pytest

from doamc.estimates.fan_out import Outputs
from doamc.signals import uninterrupted


def test_an_interrupt_comes_after_the_block_and_the_handlers_are_back():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    done = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        signal.raise_signal(signal.SIGINT)
        done.append(True)
    assert done and (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_an_error_of_the_block_is_told_where_no_signal_comes():
    with pytest.raises(ValueError, match="of the block"), uninterrupted():
        raise ValueError("of the block")


def test_other_threads_run_on():
    done = []

    def run():
        with uninterrupted():
            done.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    assert done


def test_an_estimate_reaches_all_outputs_or_none():
    class Log:
        def __init__(self, interrupts):
            self.kept, self.interrupts = [], interrupts

        def write(self, message):
            self.kept.append(message)
            if self.interrupts:
                signal.raise_signal(signal.SIGINT)

        def close(self):
            pass

    first, second = Log(True), Log(False)
    outputs = Outputs({"first": first, "second": second})
    with pytest.raises(KeyboardInterrupt):
        outputs.write({"seq": 3})
    assert first.kept == second.kept == [{"seq": 3}] and outputs.taken == 1 and not outputs.lost
