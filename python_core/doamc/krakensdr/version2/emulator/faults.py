"""Faults that the emulated server commits: what each makes of the packet whose turn it is."""

from dataclasses import replace

from doamc.krakensdr.faults import Faults
from doamc.krakensdr.version2.emulator.pack import PER_BIN, pack
from doamc.krakensdr.version2.emulator.parcels import FRAGMENT, GARBAGE, Parcel, packet
from doamc.krakensdr.version2.emulator.payloads import Payloads
from doamc.krakensdr.version2.packet import CHANNELS, CONVERGED, INDEPENDENT, MAGIC, SAMPLES, WIDEBAND, Header

FAULTS = {
    "drop": "it is left out: the stream falls behind the clock",
    "garbage": "random bytes come before it",
    "truncate": "its end is missing, the next one follows at once",
    "headless": "its beginning is missing; the magic word stands among its samples, without a header",
    "decoy": "its beginning is missing; a whole header of another packet stands among its samples",
    "bad-magic": "its magic word is wrong",
    "magic": "a whole header of another packet stands among its samples",
    "stall": "half of it, then nothing for a while, then the rest",
    "close": "a part of it, then the connections are closed",
    "restart": "the server closes, is away for a while and begins anew",
    "channels": "one channel fewer or more",
    "noise": "the noise source is on",
    "wideband": "of a wideband scan",
    "independent": "of channels of their own",
    "clip": "samples at the ends of the converters' scale",
    "retune": "somebody else tunes the receiver to another frequency",
    "incoherent": "coherence is lost: the phases are measured anew",
}
#: what becomes of the receiver, not of a packet
STATEFUL = "drop", "restart", "retune", "incoherent"
_GARBAGE, _BAD_MAGIC = 5000, b"MCHq"


class Misbehaviour:
    """Makes parcels of packets. faults: whose `draw` names the fault; it also draws lengths and places."""

    def __init__(self, payloads: Payloads, faults: Faults) -> None:
        self._payloads, self._faults = payloads, faults
        self._rng = faults.rng

    def parcels(self, header: Header, samples: memoryview, number: int, fault: str | None) -> list[Parcel]:
        """What is sent. samples: of the packet, as many bytes as its header tells. number: of the packet."""
        usual = self._payloads.n_channels
        if fault == "garbage":
            noise = self._rng.bytes(int(self._rng.integers(1, _GARBAGE)))
            return [Parcel(GARBAGE, [noise], fault=fault), packet(header, [samples], usual)]
        if fault == "bad-magic":
            return [Parcel(FRAGMENT, [pack(header, _BAD_MAGIC), samples], fault=fault)]
        if fault in ("headless", "decoy"):
            magic = MAGIC if fault == "headless" else pack(self._other(header))
            whole = packet(header, [self._with(samples, magic)], usual)
            return [Parcel(FRAGMENT, self._without_beginning(whole), fault=fault)]
        if fault in ("truncate", "close"):
            whole = packet(header, [samples], usual)
            return [Parcel(FRAGMENT, self._beginning(whole), fault=fault, close=fault == "close")]
        pieces = [samples]
        if fault == "magic":
            pieces = [self._with(samples, pack(self._other(header)))]
        elif fault == "clip":
            pieces = [self._payloads.clipped(number).data[: len(samples)]]
        elif fault == "noise":
            header, pieces = replace(header, noise_source=True), [self._noise(number, len(samples))]
        elif fault in ("wideband", "independent"):
            bit = WIDEBAND | PER_BIN if fault == "wideband" else INDEPENDENT | CONVERGED
            header = replace(header, phase_state=bit, group=number % 4)
            others = self._payloads.uncalibrated
            pieces = [others[number % len(others)].data[: len(samples)]]
        elif fault == "channels":
            header, pieces = self._other_channels(header, samples)
        stall_s = self._faults.stall_s if fault == "stall" else 0.0
        return [packet(header, pieces, usual, fault, stall_s)]

    def _noise(self, number: int, size: int) -> memoryview:
        noise = self._payloads.noise
        return noise[number % len(noise)].data[:size]

    def _other_channels(self, header: Header, samples: memoryview) -> tuple[Header, list[memoryview]]:
        """One fewer or one more, where packets can have that many."""
        m, row = header.n_channels, 2 * header.n_samples
        more = m == CHANNELS[0] or (m < CHANNELS[1] and self._rng.random() < 0.5)
        pieces = [samples, samples[:row]] if more else [samples[:-row]]
        count = m + 1 if more else m - 1
        frequencies, gains = count * header.frequencies_hz[:1], count * header.gains_db[:1]
        return replace(header, n_channels=count, frequencies_hz=frequencies, gains_db=gains), pieces

    def _other(self, header: Header) -> Header:
        """A header that nothing tells from a true one but where it stands."""
        length = int(self._rng.integers(1, min(SAMPLES[1], 2 * header.n_samples) + 1))
        return replace(header, n_samples=length, phase_state=CONVERGED, noise_source=False, retuning=False)

    def _with(self, samples: memoryview, inside: bytes) -> memoryview:
        """A copy of samples in which these bytes stand somewhere; as many of them as fit."""
        changed, inside = bytearray(samples), inside[: len(samples)]
        place = int(self._rng.integers(0, len(samples) - len(inside) + 1))
        changed[place : place + len(inside)] = inside
        return memoryview(changed)

    def _beginning(self, whole: Parcel) -> list[bytes | memoryview]:
        """Of a packet: at least a byte, not all."""
        head, body = whole.parts
        size = int(self._rng.integers(1, len(head) + len(body)))
        return [head[:size], body[: max(0, size - len(head))]]

    def _without_beginning(self, whole: Parcel) -> list[bytes | memoryview]:
        """Of a packet: at least a byte is missing, and at most its header."""
        head, body = whole.parts
        return [head[int(self._rng.integers(1, len(head) + 1)) :], body]
