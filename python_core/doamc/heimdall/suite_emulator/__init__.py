"""Emulator of the KrakenSDR suite, version 2: packets on one port, control by JSON on another, faults on demand."""

from doamc.heimdall.suite_emulator.emulator import SuiteEmulator
from doamc.heimdall.suite_emulator.faults import FAULTS
from doamc.heimdall.suite_emulator.payloads import Payloads
from doamc.heimdall.suite_emulator.tuner import Times

__all__ = ["FAULTS", "Payloads", "SuiteEmulator", "Times"]
