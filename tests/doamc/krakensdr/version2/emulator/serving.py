"""Small emulators of the suite that are not paced."""

import numpy as np

from doamc.krakensdr.faults import Faults
from doamc.krakensdr.version2.emulator import FAULTS, Payloads, SuiteEmulator, Times

CHANNELS, LENGTH, RATE_HZ = 3, 40, 4000.0  # 10 ms a packet
#: packets after the start that are not calibrated: 10 ms each of waiting, measuring, applying, verifying
BEFORE = 4
QUICK = Times(retuning=0.02, cooling=0.03, waiting=0.01, measuring=0.01, applying=0.01, verifying=0.01)
_FAULTS = "rates", "at", "stall_s", "restart_s", "seed"


def noise(n_channels=CHANNELS, seed=0):
    """draw(length) of independent noise."""
    rng = np.random.default_rng(seed)
    return lambda length: rng.standard_normal((n_channels, 2 * length), np.float32).view(np.complex64)


def payloads(n_channels=CHANNELS, n_samples=LENGTH, **options):
    return Payloads(noise(n_channels), n_channels, n_samples, **options)


def emulator(**options):
    faults = Faults(known=FAULTS, **{k: options.pop(k) for k in _FAULTS if k in options})
    usual = {"rate_hz": RATE_HZ, "times": QUICK, "paced": False, "status_s": 0.02}
    return SuiteEmulator(options.pop("payloads", None) or payloads(), faults=faults, **(usual | options))
