"""Error of waveforms in white noise after the score network of `doamc train --net waveform`, kind by kind.

    .venv/bin/python benchmarks/waveforms.py [--count 100] [--weights FILE]

NMSE in dB beside that of the Wiener filter of a white waveform, x / (1 + sigma^2), of the experts in closed form
without the network, and, for phase shift keying, of the posterior mean that knows carrier and phase; mean of the
variance that the network tells over its squared error.
"""

import math

import torch
from command import make_parser, write_result

from doamc.waveforms.denoiser import WaveformDenoiser
from doamc.waveforms.draws import turn
from doamc.waveforms.experts import agreed, corners_of, level_of, lines_of, opinions
from doamc.waveforms.kinds import KINDS, draw_kind, noisy

SNR_DB, LENGTHS = (0, 5, 9, 14, 20), (200, 40)
ORDERS = {"bpsk": 2, "qpsk": 4, "psk8": 8}


def db(error: torch.Tensor) -> float:
    """Mean power in dB, no less than -99."""
    return round(10 * math.log10(float(error.abs().square().mean()) + 1.3e-10), 2)


def experts(x: torch.Tensor, sigma: float) -> torch.Tensor:
    """What the experts agree on: the ablation without a network."""
    variance = torch.full((len(x), 1), sigma**2)
    rows = list(opinions(x, level_of(x, variance), variance, lines_of(x), corners_of(x)))
    means, evidence = (torch.stack(v, 1) for v in zip(*rows, strict=True))
    return agreed(means, evidence, x / (1 + variance))


def figures(denoiser: WaveformDenoiser, kind: str, length: int, snr_db: float, count: int) -> dict[str, float]:
    """Of waveforms that training never saw."""
    generator = torch.Generator().manual_seed(4711)
    # pulses and the like are chosen once a draw
    s = torch.cat([draw_kind(kind, min(4, count), length, generator) for _ in range(max(1, count // 4))])
    count, sigma = len(s), 10 ** (-snr_db / 20)
    x = noisy(s, torch.full((count,), sigma), generator)
    mean, variance = denoiser.posterior(x, sigma)
    found = {"network_db": db(mean - s), "wiener_db": db(x / (1 + sigma**2) - s)}
    found["experts_db"] = db(experts(x, sigma) - s)
    found["variance_ratio"] = round(float(variance.mean() / (mean - s).abs().square().mean()), 2)
    if order := ORDERS.get(kind):
        choices = s[..., None] * turn(torch.arange(order) / order)
        share = torch.softmax(-(x[..., None] - choices).abs().square() / sigma**2, 2)
        found["known_carrier_db"] = db((share * choices).sum(2) - s)
    return found


def main() -> None:
    """Measure and write."""
    parser = make_parser(__doc__)
    parser.add_argument("--count", type=int, default=100, help="waveforms of each case (%(default)s)")
    parser.add_argument("--weights", help="checkpoint (the one that ships)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    denoiser = WaveformDenoiser.open(args.weights)
    kinds, levels, lengths, count = KINDS, SNR_DB, LENGTHS, args.count
    if args.quick:
        kinds, levels, lengths, count = ("qpsk", "gauss"), (9,), (40,), 4
    table: dict[str, dict[str, float]] = {}
    for kind in kinds:
        for length in lengths:
            for level in levels:
                key = f"{kind} L{length} {level:+d}dB"
                table[key] = figures(denoiser, kind, length, level, count)
                print(f"{key:24s}", table[key], flush=True)
    write_result(__file__, args, {"what": "NMSE in dB of unit-power waveforms", "count": count, "cases": table})


if __name__ == "__main__":
    main()
