"""A model card for a checkpoint: what it was trained for, how, and how it scores, as Markdown beside the weights."""

from pathlib import Path
from typing import Any

from doamc.files.atomic import whole_file
from doamc.learning.checkpoint import Checkpoint

BRUTE_FORCE = "brute-force Bayes estimate that knows the noise power, on the same 200 scenes a case"


def model_card(checkpoint: Checkpoint, scores: list[dict[str, Any]], limit: str = BRUTE_FORCE) -> str:
    """Text of a card.

    scores: one dict a case with keys case, hit, limit_hit, rmse_deg, limit_rmse_deg, gain_db, limit_gain_db, cover90;
    RMSE is over the hits. limit: what the limit is.
    """
    spec, record, config = checkpoint.spec, checkpoint.record, checkpoint.config
    weights = sum(t.numel() for t in checkpoint.tensors.values())
    lines = [
        f"# Posterior network for {spec.name}",
        "",
        f"{spec.description}. Score network over scenes (v-prediction),",
        f"conditioned on statistics of the sample covariance; {weights:,} weights, in half precision, no pickle.",
        "It proposes only: estimates are made by Metropolis chains on the exact posterior.",
        "",
        "## Prior it was trained for",
        "",
        f"- geometry: {', '.join(f'{k} {v}' for k, v in spec.geometry.items())} (wavelengths)",
        f"- azimuth {spec.azimuth_deg[0]:g} to {spec.azimuth_deg[1]:g} deg, at least {spec.min_separation_deg:g} apart",
        f"- {spec.source_count[0]} to {spec.source_count[1]} sources, {spec.power_db[0]:g} to {spec.power_db[1]:g} dB",
        f"- coupling {_coupling(checkpoint)}",
        f"- SNR {spec.snr_db[0]:g} to {spec.snr_db[1]:g} dB, 1 to 1,000,000 snapshots, noise power known or not",
        "",
        "## Training",
        "",
        f"- {', '.join(f'{k} {v}' for k, v in record.items() if not isinstance(v, list))}",
        f"- sizes: {', '.join(f'{k} {v}' for k, v in config.items())}",
        f"- reproduce: `doamc train --net posterior --array {spec.name} --minutes {record['minutes']:.0f}`",
        "",
        "## Scores",
        "",
        f"Hits: every source within 2 deg. RMSE over the hits. Limit: {limit}.",
        "Coverage: share of errors below 5 deg inside the 90 % interval.",
        "",
        "| case | hits (limit) | RMSE deg (limit) | coupling gain dB (limit) | coverage |",
        "|---|---|---|---|---|",
    ]
    for s in scores:
        lines.append(
            f"| {s['case']} | {s['hit']:.3f} ({s['limit_hit']:.3f}) | {s['rmse_deg']:.3f} ({s['limit_rmse_deg']:.3f}) "
            f"| {s['gain_db']:.1f} ({s['limit_gain_db']:.1f}) | {s['cover90']:.2f} |"
        )
    if not scores:
        lines.append("| not scored | | | | |")
    return "\n".join(lines) + "\n"


def _coupling(checkpoint: Checkpoint) -> str:
    spec = checkpoint.spec
    if spec.coupling["family"] == "drawn":
        span = spec.frequency_range
        over = f", from {span[0]:g} to {span[1]:g} times the frequency of design" if span else ""
        return f"drawn from antenna physics, {spec.family.n_parameters} patterns{over}"
    phase = spec.coupling.get("phase_deg", 180.0)
    return f"{spec.coupling['family']}, magnitudes {spec.coupling['magnitude']}, phase within {phase:g} deg"


def write_model_card(
    path: Path, checkpoint: Checkpoint, scores: list[dict[str, Any]], limit: str = BRUTE_FORCE
) -> None:
    """Write a card beside the weights. Raises RecordingError when it cannot be written."""
    with whole_file(path) as file:
        file.write(model_card(checkpoint, scores, limit).encode())
