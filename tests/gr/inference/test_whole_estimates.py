"""Whose whole estimate is made when: those without one at once, the others in what time is left to them."""

import math
import threading
import time
from types import SimpleNamespace

import pytest
from gr_doamc.inference import whole_estimates
from gr_doamc.inference.whole_estimates import WholeEstimates

LIMIT_S = 30.0


class Band:
    """What a `LiveBand` is asked. order: numbers in the order in which they were estimated."""

    def __init__(self, *due: int) -> None:
        self.due, self.known, self.order = list(due), set[int](), list[int]()
        self.alive, self.came = frozenset(due), threading.Semaphore(0)

    def wanted(self, most):
        return [SimpleNamespace(id=k) for k in self.due[:most]]

    def has_place(self, number):
        return number in self.known

    def placer(self, signals, alive):
        self.order += [s.id for s in signals]
        self.came.release()
        if self.order == [13]:
            raise ValueError("an unlucky signal")
        return signals

    def placed(self, places):
        return [{"id": p.id} for p in places]

    def give_up(self, signals):
        return [{"id": s.id, "given_up": True} for s in signals]


@pytest.fixture
def running():
    """Starts estimates in a thread, and ends it."""
    started = []

    def start(**options):
        failures = []
        estimates = WholeEstimates(failures.append, **options)
        thread = threading.Thread(target=estimates.run, daemon=True)
        started.append((estimates, thread))
        thread.start()
        return estimates, failures

    yield start
    for estimates, thread in started:
        estimates.close()
        thread.join(LIMIT_S)
        assert not thread.is_alive()


def fetched(estimates, band):
    """What comes of a handful that has been begun."""
    assert band.came.acquire(timeout=LIMIT_S)
    wait_found(estimates)
    return estimates.fetch(band)


def wait_found(estimates):
    end = time.monotonic() + LIMIT_S
    while not estimates._found and time.monotonic() < end:
        time.sleep(0.001)


def test_those_that_have_a_place_rest_and_new_ones_do_not_wait_for_them(running, monkeypatch):
    monkeypatch.setattr(whole_estimates, "SHARE", 1e-12)  # a rest for ever after the first
    estimates, _ = running()
    band = Band(1, 2)
    band.known = {1, 2}
    estimates.want(band)
    assert fetched(estimates, band) == [{"id": 1}]  # by itself, so that a new one waits no longer
    band.due = [2]
    estimates.want(band)  # rests
    band.due = [3, 4]
    estimates.want(band)  # takes its place
    assert fetched(estimates, band) == [{"id": 3}, {"id": 4}]
    assert band.order == [1, 3, 4] and estimates.done == 3


@pytest.mark.parametrize(("patience_s", "asked"), [(math.inf, 3), (0.0, 1)])
def test_none_is_begun_while_slices_wait_but_for_how_long(running, monkeypatch, patience_s, asked):
    monkeypatch.setattr(whole_estimates, "YIELD_S", patience_s)
    waits = iter([True, True, False])
    looked = []
    estimates, _ = running(busy=lambda: looked.append(1) or next(waits))
    band = Band(1)
    estimates.want(band)
    assert fetched(estimates, band) == [{"id": 1}] and len(looked) == asked


def test_what_cannot_be_estimated_is_told_and_given_up(running):
    estimates, failures = running()
    band = Band(13)
    estimates.want(band)
    assert fetched(estimates, band) == [{"id": 13, "given_up": True}]
    assert [str(f) for f in failures] == ["an unlucky signal"] and estimates.done == 0


def test_what_is_of_another_band_is_forgotten(running):
    estimates, _ = running()
    band, other = Band(1), Band()
    estimates.want(band)
    assert band.came.acquire(timeout=LIMIT_S)
    wait_found(estimates)
    assert estimates.fetch(other) == [] and estimates.fetch(band) == []


def test_nothing_wanted_is_nothing_done(running):
    estimates, _ = running()
    band = Band(1)
    estimates.want(Band())
    estimates.want(band)
    assert fetched(estimates, band) == [{"id": 1}]
