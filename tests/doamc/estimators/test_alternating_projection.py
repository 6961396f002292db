"""Alternating projection against an exhaustive search over all pairs of grid points."""

from itertools import combinations

import torch

from doamc.estimators.alternating_projection import alternating_projection

N, G = 6, 40


def explained(response, covariance, places):
    """tr(Pi Rhat) of responses at grid points."""
    q = torch.linalg.qr(response[:, list(places)])[0]
    return float((q.mH @ covariance @ q).diagonal().sum().real)


def test_two_coherent_sources_are_placed_where_they_explain_most():
    """Two paths of one emitter: the covariance has rank one, and the greedy first place is neither of the two."""
    sine = torch.linspace(-0.9, 0.9, G, dtype=torch.float64)
    phase = torch.pi * torch.arange(N, dtype=torch.float64)[:, None] * sine
    response = torch.polar(torch.ones_like(phase), phase)
    y = response[:, 17] + response[:, 23]
    covariance = torch.outer(y, y.conj()) + 0.01 * torch.eye(N)
    asked = []

    def best(held):
        places = [int(h) for h in held]
        asked.append(places)
        gains = [explained(response, covariance, [*places, g]) if g not in places else 0.0 for g in range(G)]
        return torch.tensor(gains).argmax()

    first = [int(k) for k in alternating_projection(best, 2, 0)]
    found = sorted(int(k) for k in alternating_projection(best, 2, 6))
    assert first[0] not in (17, 23) and found == [17, 23]
    assert found == list(max(combinations(range(G), 2), key=lambda pair: explained(response, covariance, pair)))
    assert asked[0] == [] and all(len(a) == 1 for a in asked[1:2] + asked[3:])


def test_one_source_is_placed_once():
    calls = []

    def best(held):
        calls.append(held)
        return torch.tensor(3)

    assert [int(k) for k in alternating_projection(best, 1, 5)] == [3] and len(calls) == 1
