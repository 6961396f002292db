"""``doamc simulate --band``: a capture of a whole band, with its truth beside it."""

import argparse
import json
from pathlib import Path

from doamc.cli.options import check_samples


def simulate_band(args: argparse.Namespace) -> int:
    """A whole band, with its truth beside it. Raises DoamcError where the scene or an output is wrong."""
    from doamc.bands.simulated.capture import band_truth, receive_band
    from doamc.bands.simulated.scene import read_band_scene
    from doamc.files.atomic import check_output, whole_file
    from doamc.snapshots.sigmf_write import write_recording
    from doamc.spec import load_spec

    beside = Path(args.out).with_suffix(".truth.json")
    check_output(beside)
    scene = read_band_scene(args.band)
    spec = load_spec(args.array, tunable=True).tuned(scene.frequency_hz)
    check_samples(scene.n_samples * spec.n_elements, "duration_s")
    channels = list(spec.channels)
    write_recording(
        args.out, receive_band(spec, scene)[channels], sample_rate_hz=scene.sample_rate_hz,
        frequency_hz=scene.frequency_hz, positions_wavelengths=spec.positions[channels].numpy(), array=spec.name,
        datatype=args.datatype, description=f"Band simulated by doamc: {spec.description}",
    )  # fmt: skip
    with whole_file(beside) as file:
        file.write(json.dumps(band_truth(spec, scene), indent=1).encode())
    print(f"{args.out}: {len(scene.emitters)} emitters in {scene.duration_s:g} s, {spec.name}")
    return 0
