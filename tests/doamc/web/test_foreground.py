"""A signal ends a loop in the main thread wherever it comes, and nothing is left half done."""

import asyncio
import signal

import pytest

from doamc.web import foreground
from doamc.web.foreground import run_loop

ENDINGS = [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]


@pytest.fixture(autouse=True)
def terminated():
    def end(number, frame):
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    yield
    assert signal.signal(signal.SIGTERM, before) is end


async def wait_for_ever(closed):
    try:
        await asyncio.Event().wait()
    finally:
        closed.append(True)


@pytest.mark.parametrize("number, raised", ENDINGS)
def test_a_signal_between_the_making_of_coroutines_leaves_none_that_is_not_awaited(number, raised):
    closed = []

    def parts():
        yield wait_for_ever(closed)
        signal.raise_signal(number)
        yield wait_for_ever(closed)

    async def serve():
        try:
            await asyncio.gather(*parts())
        finally:
            closed.append("served")

    with pytest.raises(raised):
        run_loop(serve)
    assert closed[-1] == "served"


@pytest.mark.parametrize("number, raised", ENDINGS)
def test_a_signal_while_the_loop_waits_cancels_it(number, raised):
    closed = []

    async def serve():
        asyncio.get_running_loop().call_later(0.01, signal.raise_signal, number)
        await wait_for_ever(closed)

    with pytest.raises(raised):
        run_loop(serve)
    assert closed == [True]


def test_a_signal_before_the_loop_begins_lets_nothing_begin(monkeypatch):
    begun, real = [], asyncio.run

    def run(main):
        signal.raise_signal(signal.SIGTERM)
        real(main)

    async def serve():
        begun.append(True)

    monkeypatch.setattr(foreground.asyncio, "run", run)
    with pytest.raises(SystemExit):
        run_loop(serve)
    assert not begun


def test_what_ends_by_itself_ends_the_loop_and_an_error_comes_out():
    ended = []

    async def serve():
        ended.append(True)

    async def fail():
        raise ValueError("of the server")

    async def cancelled():
        raise asyncio.CancelledError

    run_loop(serve)
    assert ended
    with pytest.raises(ValueError, match="of the server"):
        run_loop(fail)
    with pytest.raises(asyncio.CancelledError):
        run_loop(cancelled)
