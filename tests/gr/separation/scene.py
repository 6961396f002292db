"""Two QPSK emitters on a coupled line: what is received, and what decisions on it are worth at best."""

import itertools

import numpy as np
import torch

from doamc.estimates import make_message
from doamc.estimates.message_values import message_values
from doamc.estimators import make_estimator
from doamc.scenes.prior import draw_scene
from doamc.snapshots import make_batch
from doamc.spec import load_spec

SPEC = load_spec("ula8")
#: the four points, in the order of their numbers
POINTS = np.exp(1j * (np.pi / 4 + np.pi / 2 * np.arange(4)))
#: bits of each point: real part negative, imaginary part negative
BITS = np.stack([POINTS.real < 0, POINTS.imag < 0], 1)


class Heard:
    """Streams (8, n) of two QPSK emitters of unit power, a symbol a sample, at azimuths in degrees.

    turn: of each carrier, cycles a sample. The coupling is drawn from the array's prior.
    """

    def __init__(self, size, snr_db, azimuth_deg=(0.0, 12.0), seed=0, turn=(0.0, 0.0)):
        scene = draw_scene(SPEC, 1, 2, snr_db, torch.Generator().manual_seed(seed))
        self.coupling = scene.coupling[0].numpy()
        self.azimuth_deg, self.noise_power = np.array(azimuth_deg), 10 ** (-snr_db / 10)
        self.steering = np.exp(1j * np.pi * np.outer(np.arange(8), np.sin(np.radians(azimuth_deg))))
        self.v = self.coupling @ self.steering
        rng = np.random.default_rng(seed)
        self.symbols = rng.integers(4, size=(2, size))
        self.carrier = np.exp(2j * np.pi * np.outer(turn, np.arange(size)))
        noise = (rng.standard_normal((8, size)) + 1j * rng.standard_normal((8, size))) * np.sqrt(self.noise_power / 2)
        self.waveforms = POINTS[self.symbols] * self.carrier
        self.received = (self.v @ self.waveforms + noise).astype(np.complex64)

    def estimate(self, begin, length=256, method="posterior", seq=0):
        """Message of an estimate from so many samples, as `doa_estimator` posts it."""
        batch = make_batch(torch.from_numpy(self.received[:, begin : begin + length]))
        values = message_values(make_estimator(method, SPEC)(batch, 2))
        return make_message(
            seq=seq, time=1.79e9, sample_time=begin / 1e5, frequency_hz=None, array="ula8", method=method,
            snapshots=length, latency_ms={}, dropped_batches=0, batch_seq=seq, **values,
        )  # fmt: skip

    def genie(self):
        """Exact posterior means (2, n), V, carriers and constellation known: over the sixteen pairs of points.

        |y - V s|^2 up to what does not depend on s is s^H V^H V s - 2 Re s^H V^H y.
        """
        z = self.carrier.conj() * (self.v.conj().T @ self.received)
        gram = self.v.conj().T @ self.v
        mixed = gram[0, 1] * self.carrier[0].conj() * self.carrier[1]
        pairs = POINTS[np.array(list(itertools.product(range(4), repeat=2)))]  # (16, 2)
        own = gram.trace().real + 2 * (np.multiply.outer(pairs[:, 0].conj() * pairs[:, 1], mixed)).real
        log = (2 * (pairs.conj() @ z).real - own) / self.noise_power
        weight = np.exp(log - log.max(0))
        return self.carrier * (pairs.T @ (weight / weight.sum(0)))

    def mvdr(self):
        """w^H y of both emitters with their true steering vectors, coupling not known; unit gain towards each."""
        r = np.linalg.inv(self.received @ self.received.conj().T / self.received.shape[1])
        w = r @ self.steering / np.einsum("np,nm,mp->p", self.steering.conj(), r, self.steering)
        return w.conj().T @ self.received

    def bit_errors(self, found, begin=0):
        """Wrong bits of waveforms (2, n) from a sample on, each turned by the one phase that suits it best."""
        total = 0
        for row, sent, symbols, carrier in zip(found, self.waveforms, self.symbols, self.carrier, strict=True):
            turn = np.vdot(row[begin:], sent[begin:])
            z = row[begin:] * turn / abs(turn) * carrier[begin:].conj()
            total += int((np.stack([z.real < 0, z.imag < 0], 1) != BITS[symbols[begin:]]).sum())
        return total
