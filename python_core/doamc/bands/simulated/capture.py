"""What the channels of an array receive of a band."""

import math

import numpy as np
from numpy.typing import NDArray

from doamc.bands.simulated.scene import BandScene, Emitter
from doamc.bands.simulated.waveforms import draw_waveform
from doamc.bands.wavelength import spec_at
from doamc.errors import SpecificationError
from doamc.spec import ArraySpec
from doamc.spec.element import require_isotropic


def receive_band(spec: ArraySpec, scene: BandScene, start: int = 0, count: int | None = None) -> NDArray[np.complex64]:
    """Samples (N, T) in the order of the elements, noise of unit power in every channel on average.

    start, count: part of the scene, whose emitters are drawn anew for it; None: all. Raises SpecificationError where
    the array has no [antenna] and its physics is asked for, or PyNEC is not installed.
    """
    total = scene.n_samples
    count = total - start if count is None else count
    rng = np.random.default_rng((scene.seed, start))
    n, rate = spec.n_elements, scene.sample_rate_hz
    y = np.zeros((n, count), np.complex64)
    t = (start + np.arange(count)) / rate
    for e, response in zip(scene.emitters, responses(spec, scene), strict=True):
        on = np.zeros(count, bool)
        for first, last in e.on_s:
            on |= (t >= first) & (t < last)
        power = 10 ** (e.snr_db / 10) * e.bandwidth_hz / rate
        turned = np.exp(2j * math.pi * ((e.frequency_hz - scene.frequency_hz) * t % 1.0))
        wave = math.sqrt(power) * on * turned * draw_waveform(e.kind, rng, count, rate, e.bandwidth_hz)
        y += response[:, None].astype(np.complex64) * wave.astype(np.complex64)
    for row in y:
        row += ((rng.standard_normal(count) + 1j * rng.standard_normal(count)) / math.sqrt(2)).astype(np.complex64)
    return received(y, scene, rng)


def received(y: NDArray[np.complex64], scene: BandScene, rng: np.random.Generator) -> NDArray[np.complex64]:
    """Samples (N, T) behind receivers: their band, gains, images and offsets."""
    n, count = y.shape
    if scene.slope_db:
        away = 2 * np.abs(np.fft.fftfreq(count))
        shape = (10 ** (-scene.slope_db / 20 * away**4)).astype(np.float32)
        y = np.fft.ifft(np.fft.fft(y) * shape).astype(np.complex64)
    fixed = np.random.default_rng(scene.seed)  # the same in every part of a scene
    gain = 10 ** (scene.gain_db / 20 * fixed.standard_normal((n, 1)))
    turn = np.exp(2j * math.pi * fixed.random((2, n, 1)))
    y = (gain * y).astype(np.complex64)
    if scene.image_db is not None:
        y = y + (10 ** (scene.image_db / 20) * turn[0] * y.conj()).astype(np.complex64)
    if scene.offset_db is not None:
        y = y + (10 ** (scene.offset_db / 20) * turn[1]).astype(np.complex64)
    return y


def responses(spec: ArraySpec, scene: BandScene) -> list[NDArray[np.complex128]]:
    """Response (N,) of the elements to each emitter, r.m.s. near 1, at its own frequency; the array is one draw."""
    solve = _by_physics if scene.physics else _by_family
    return solve(spec, scene)


def _by_family(spec: ArraySpec, scene: BandScene) -> list[NDArray[np.complex128]]:
    import torch

    theta = spec.family.draw((1,), torch.Generator().manual_seed(scene.seed))
    out = []
    for e in scene.emitters:
        at = spec_at(spec, e.frequency_hz, scene.frequency_hz)
        azimuth = torch.tensor([[math.radians(e.azimuth_deg)]], dtype=torch.float64)
        response = spec.family.response(theta, at.positions, azimuth)
        if spec.element is not None:
            response = response * spec.element.gain(azimuth, 0 * azimuth)
        out.append(response[0, :, 0].numpy())
    return out


def _by_physics(spec: ArraySpec, scene: BandScene) -> list[NDArray[np.complex128]]:
    from doamc.antenna.draws import draw_built
    from doamc.antenna.response import embedded_response, solve_built
    from doamc.spec.antenna import parse_antenna

    require_isotropic(spec, "the physics of an antenna, which has its own pattern,")
    antenna = parse_antenna(spec.table)
    if antenna is None:
        raise SpecificationError(f"expected a table [antenna] in array {spec.name} for its physics, found none")
    rng = np.random.default_rng(scene.seed)
    built, gains, own = draw_built(antenna, spec.positions.numpy(), rng, scene.rough)
    reference = spec.frequency_hz or scene.frequency_hz

    def response(e: Emitter) -> NDArray[np.complex128]:
        at = built.scaled(e.frequency_hz / reference)
        azimuth = np.array([e.azimuth_deg, e.azimuth_deg + 1.0])
        ports = solve_built(antenna, at, azimuth, own * e.frequency_hz / reference)
        return np.asarray(gains * embedded_response(ports, at.load)[:, 0])

    found = [response(e) for e in scene.emitters]
    level = math.sqrt(float(np.mean([np.abs(v) ** 2 for v in found]))) if found else 1.0
    return [v / level for v in found]


def band_truth(spec: ArraySpec, scene: BandScene) -> dict[str, object]:
    """What is true of the emitters, as plain values."""

    def duty(e: Emitter) -> float:
        on = sum(b - a for a, b in e.on_s)
        return on / scene.duration_s * (0.48 if e.kind == "4fsk-tdma" else 1.0)

    return {
        "array": spec.name,
        "emitters": [
            {
                "azimuth_deg": e.azimuth_deg, "kind": e.kind, "frequency_hz": e.frequency_hz,
                "bandwidth_hz": e.bandwidth_hz, "snr_db": e.snr_db, "duty": duty(e), "on_s": [list(p) for p in e.on_s],
            }
            for e in scene.emitters
        ],
    }  # fmt: skip
