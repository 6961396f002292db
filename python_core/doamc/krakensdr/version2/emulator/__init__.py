"""Emulator of the KrakenSDR suite, version 2: packets on one port, control by JSON on another, faults on demand."""

from doamc.krakensdr.version2.emulator.emulator import SuiteEmulator
from doamc.krakensdr.version2.emulator.faults import FAULTS
from doamc.krakensdr.version2.emulator.payloads import Payloads
from doamc.krakensdr.version2.emulator.tuner import Times

__all__ = ["FAULTS", "Payloads", "SuiteEmulator", "Times"]
